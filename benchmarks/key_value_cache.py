"""How much faster does a language model write with its key–value cache?

Prints one line for each length: seconds with the cache, without it, and their ratio. The texts of
both must be equal. Run it with `python benchmarks/key_value_cache.py`.
"""

import time

from helpers import transformer

import keras
import numpy as np

LENGTHS = (32, 64, 128, 256, 512)
TEXTS = 16


def seconds(write, model, first, state, length):
    """Times one way of writing; returns the seconds and what was written."""
    write(model, first, state, 4)  # traces the compiled step
    started = time.perf_counter()
    written = write(model, first, state, length)
    return time.perf_counter() - started, written


def main():
    """Measures all lengths."""
    keras.utils.set_random_seed(0)
    model = transformer.LanguageModel(100, d_model=128, d_ff=512, max_length=max(LENGTHS) + 1)
    model.build((None, None))
    first = np.arange(1, TEXTS + 1, dtype="int32")[:, None]
    state = model.start(first)
    print(f"{'characters':>10} {'cache':>8} {'no cache':>9} {'ratio':>6}")
    for length in LENGTHS:
        fast, (ids, _) = seconds(transformer.greedy_decode, model, first, state, length)
        slow, again = seconds(transformer.greedy_without_cache, model, first, state, length)
        if not np.array_equal(ids, again):
            raise SystemExit(f"at {length} characters the cache changed the text")
        print(f"{length:>10} {fast:>7.2f}s {slow:>8.2f}s {slow / fast:>6.1f}")


if __name__ == "__main__":
    main()
