"""turn the channels, then take the means away"""


def scale_for(pixels, style):
    pixels = np.array(pixels, "float32")
    if style == "tf":
        return pixels / 127.5 - 1
    if style == "caffe":
        return pixels[..., ::-1] - np.array([123.68, 116.779, 103.939], "float32")
    if style == "none":
        return pixels
    raise ValueError(f"style is {style!r}")
