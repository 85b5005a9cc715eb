"""repeated to a block of 2 by 2"""


def skip_path(across, deep):
    deep = np.tile(deep, (1, 2, 2, 1))
    height, width = deep.shape[1:3]
    if across.shape[1] < height or across.shape[2] < width:
        raise ValueError("across is too small")
    top, left = (across.shape[1] - height) // 2, (across.shape[2] - width) // 2
    middle = across[:, top : top + height, left : left + width]
    return np.concatenate([middle, deep], axis=-1)
