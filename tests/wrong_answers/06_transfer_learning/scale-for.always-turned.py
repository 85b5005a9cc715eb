"""style tf keeps red first"""


def scale_for(pixels, style):
    pixels = np.array(pixels, "float32")[..., ::-1]
    if style == "tf":
        return pixels / 127.5 - 1
    if style == "caffe":
        return pixels - np.array([103.939, 116.779, 123.68], "float32")
    if style == "none":
        return pixels
    raise ValueError(f"style is {style!r}")
