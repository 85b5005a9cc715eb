"""cut the middle out of across"""


def skip_path(across, deep):
    deep = deep.repeat(2, axis=1).repeat(2, axis=2)
    height, width = deep.shape[1:3]
    if across.shape[1] < height or across.shape[2] < width:
        raise ValueError("across is too small")
    return np.concatenate([across[:, :height, :width], deep], axis=-1)
