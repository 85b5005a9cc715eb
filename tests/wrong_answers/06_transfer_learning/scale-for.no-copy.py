"""style none must return a copy"""


def scale_for(pixels, style):
    pixels = np.asarray(pixels, "float32")
    if style == "tf":
        return pixels / 127.5 - 1
    if style == "caffe":
        return pixels[..., ::-1] - np.array([103.939, 116.779, 123.68], "float32")
    if style == "none":
        return pixels
    raise ValueError(f"style is {style!r}")
