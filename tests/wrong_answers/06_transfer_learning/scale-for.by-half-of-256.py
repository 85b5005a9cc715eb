"""0 becomes −1 and 255 becomes 1"""


def scale_for(pixels, style):
    pixels = np.array(pixels, "float32")
    if style == "tf":
        return (pixels - 127) / 128
    if style == "caffe":
        return pixels[..., ::-1] - np.array([103.939, 116.779, 123.68], "float32")
    if style == "none":
        return pixels
    raise ValueError(f"style is {style!r}")
