"""a ValueError that names it"""


def skip_path(across, deep):
    deep = deep.repeat(2, axis=1).repeat(2, axis=2)
    height, width = deep.shape[1:3]
    top, left = (across.shape[1] - height) // 2, (across.shape[2] - width) // 2
    top, left = max(top, 0), max(left, 0)
    middle = across[:, top : top + height, left : left + width]
    padding = [(0, have - got) for have, got in zip(deep.shape[:3], middle.shape[:3], strict=True)]
    middle = np.pad(middle, [*padding, (0, 0)])
    return np.concatenate([middle, deep], axis=-1)
