"""style none leaves the values as they are"""


def scale_for(pixels, style):
    pixels = np.array(pixels, "float32")
    if style == "tf":
        return pixels / 127.5 - 1
    if style == "caffe":
        return pixels[..., ::-1] - np.array([103.939, 116.779, 123.68], "float32")
    if style == "none":
        return pixels / 255
    raise ValueError(f"style is {style!r}")
