"""must raise a ValueError that names it"""


def scale_for(pixels, style):
    pixels = np.array(pixels, "float32")
    return {
        "tf": pixels / 127.5 - 1,
        "caffe": pixels[..., ::-1] - np.array([103.939, 116.779, 123.68], "float32"),
        "none": pixels,
    }[style]
