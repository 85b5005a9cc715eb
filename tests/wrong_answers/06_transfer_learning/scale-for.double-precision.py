"""return float32"""


def scale_for(pixels, style):
    pixels = np.array(pixels, "float64")
    if style == "tf":
        return pixels / 127.5 - 1
    if style == "caffe":
        return pixels[..., ::-1] - np.array([103.939, 116.779, 123.68])
    if style == "none":
        return pixels
    raise ValueError(f"style is {style!r}")
