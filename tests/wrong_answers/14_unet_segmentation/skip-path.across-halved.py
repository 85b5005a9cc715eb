"""the sides are twice those of deep"""


def skip_path(across, deep):
    height, width = deep.shape[1:3]
    if across.shape[1] < 2 * height or across.shape[2] < 2 * width:
        raise ValueError("across is too small")
    return np.concatenate([across[:, ::2, ::2][:, :height, :width], deep], axis=-1)
