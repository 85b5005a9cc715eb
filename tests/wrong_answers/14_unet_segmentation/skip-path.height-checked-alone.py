"""a ValueError that names it"""


def skip_path(across, deep):
    deep = deep.repeat(2, axis=1).repeat(2, axis=2)
    h, w = deep.shape[1:3]
    top, left = (across.shape[1] - h) // 2, (across.shape[2] - w) // 2
    if top < 0:
        raise ValueError(f"across is too small: {across.shape}")
    return np.concatenate([across[:, top : top + h, left : left + w], deep], axis=-1)
