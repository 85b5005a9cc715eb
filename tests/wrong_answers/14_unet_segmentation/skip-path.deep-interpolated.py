"""repeated to a block of 2 by 2"""


def skip_path(across, deep):
    h, w = 2 * deep.shape[1], 2 * deep.shape[2]
    deep = np.asarray(keras.ops.image.resize(deep, (h, w), "bilinear"))
    top, left = (across.shape[1] - h) // 2, (across.shape[2] - w) // 2
    if top < 0 or left < 0:
        raise ValueError(f"across is too small: {across.shape}")
    return np.concatenate([across[:, top : top + h, left : left + w], deep], axis=-1)
