"""is every gate logistic"""

import numpy as np


def lstm_step(x, h, c, kernel, recurrent_kernel, bias):
    # The "hard sigmoid" that Keras used for its gates long ago.
    i, f, candidate, o = np.split(x @ kernel + h @ recurrent_kernel + bias, 4, axis=-1)
    i, f, o = (np.clip(0.2 * gate + 0.5, 0, 1) for gate in (i, f, o))
    c = f * c + i * np.tanh(candidate)
    return o * np.tanh(c), c
