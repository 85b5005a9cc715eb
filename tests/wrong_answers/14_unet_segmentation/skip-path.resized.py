"""a resized picture"""


def skip_path(across, deep):
    deep = deep.repeat(2, axis=1).repeat(2, axis=2)
    height, width = deep.shape[1:3]
    if across.shape[1] < height or across.shape[2] < width:
        raise ValueError("across is too small")
    rows = np.arange(height) * across.shape[1] // height
    columns = np.arange(width) * across.shape[2] // width
    return np.concatenate([across[:, rows][:, :, columns], deep], axis=-1)
