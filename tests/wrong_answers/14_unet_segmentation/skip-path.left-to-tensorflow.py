"""before NumPy complains"""


def skip_path(across, deep):
    deep = keras.ops.repeat(keras.ops.repeat(deep, 2, axis=1), 2, axis=2)
    h, w = deep.shape[1:3]
    top, left = (across.shape[1] - h) // 2, (across.shape[2] - w) // 2
    return keras.ops.concatenate([across[:, top : top + h, left : left + w], deep], axis=-1)
