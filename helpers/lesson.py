"""What a notebook itself needs: seeds, its scale, source to read, results to hold, a quiz."""

import inspect
import json
import logging
import math
import numbers
import textwrap
import time

from helpers import ROOT
from helpers.arguments import check_choice, check_whole_number

import keras
import tensorflow as tf
from IPython.display import Markdown, display
from jupyterquiz import display_quiz

SCALES = ("smoke", "lesson", "full")
EXPECTATION = "application/vnd.lesson.expectation+json"


class ExpectationNotMet(AssertionError):  # noqa: N818 - it reads as a sentence in a traceback
    """A figure that the lesson quotes was not reached."""


class Lesson:
    """One run of one lesson.

    Args:
        seed: whole number that seeds Python, NumPy and Keras.
        scale: "smoke" (does it run), "lesson" (small, honest results) or "full" (paper size).

    Raises:
        ValueError: if the seed is not a whole number of at least 0, or the scale none of these.
    """

    def __init__(self, seed=0, scale="lesson"):
        check_whole_number("seed", seed, 0)
        check_choice("scale", scale, SCALES)
        self.seed = seed
        self.scale = scale
        keras.utils.set_random_seed(seed)
        # A lesson trains several models; TensorFlow would warn of "retracing" at the fifth.
        logging.getLogger("tensorflow").setLevel(logging.ERROR)
        # A few steps never earn back the time that TensorFlow spends on improving their graph.
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": scale == "smoke"})

    def show(self, *objects):
        """Shows the source of functions, classes or modules as it stands in `helpers`.

        Raises:
            ValueError: if an object has no source written in Python.
        """
        for obj in objects:
            try:
                source = textwrap.dedent(inspect.getsource(obj))
            except (TypeError, OSError):
                raise ValueError(
                    f"lesson.show got {obj!r}; it needs a function, a class or a module that is "
                    f"written in Python in a file"
                ) from None
            module = inspect.getmodule(obj).__name__.replace(".", "/")
            display(Markdown(f"`{module}.py`\n\n```python\n{source}```"))

    def expect(self, name, value, at_least=None, at_most=None):
        """Holds a figure that the text quotes to its bounds.

        The result is shown, and recorded in the cell's output for the runner's table. At smoke
        scale a missed bound is only reported.

        Args:
            name: what is measured, in words; the same words stand in the table of results.
            value: a number.
            at_least, at_most: the bounds, one or both, finite numbers; a bound itself meets them.

        Raises:
            ExpectationNotMet: at lesson and full scale, if the value is out of bounds or NaN.
            ValueError: without a name or a bound, if the value is not a single number, or if no
                value could meet the bounds.
        """
        if not isinstance(name, str) or not name.strip():
            raise ValueError(f"name is {name!r}; expect needs words that say what is measured")
        if at_least is None and at_most is None:
            raise ValueError(f"expect({name!r}) needs at_least, at_most or both")
        at_least, at_most = _bound("at_least", at_least), _bound("at_most", at_most)
        if at_least is not None and at_most is not None and at_least > at_most:
            raise ValueError(f"at_least is {at_least}, above at_most {at_most}: nothing meets both")
        value = _single_number(value)
        met = (at_least is None or value >= at_least) and (at_most is None or value <= at_most)
        met = met and not math.isnan(value)
        bounds = [
            f"{word} {bound:g}"
            for word, bound in (("at least", at_least), ("at most", at_most))
            if bound is not None
        ]
        sentence = f"{name}: {value:.4g} ({' and '.join(bounds)})"
        record = {
            "name": name,
            "value": value if math.isfinite(value) else str(value),
            "at_least": at_least,
            "at_most": at_most,
            "met": met,
            "scale": self.scale,
        }
        mark = "✓" if met else "✗"
        display({EXPECTATION: record, "text/plain": f"{mark} {sentence}"}, raw=True)
        if not met and self.scale != "smoke":
            raise ExpectationNotMet(sentence)

    def quiz(self, name):
        """Shows the questions of `notebooks/quizzes/<name>.json`, each answer with its reason.

        Raises:
            ValueError: if there is no such quiz; it names those that there are.
        """
        folder = ROOT / "notebooks" / "quizzes"
        path = folder / f"{name}.json"
        if not path.is_file():
            names = ", ".join(sorted(quiz.stem for quiz in folder.glob("*.json")))
            raise ValueError(f"there is no quiz {name!r}; there are: {names}")
        display_quiz(json.loads(path.read_text(encoding="utf-8")), max_width=800)

    def progress(self):
        """Returns a Keras callback: a bar while training runs, one line when it has ended."""
        return Progress()


class Progress(keras.callbacks.Callback):
    """Shows training as one line of text that is replaced in place."""

    width = 24
    seconds_between_updates = 0.5

    def on_train_begin(self, logs=None):
        self.start = self.last = time.perf_counter()
        self.epoch = 0
        self.handle = display(_plain("starting"), display_id=True, raw=True)

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if time.perf_counter() - self.last < self.seconds_between_updates:
            return
        self.last = time.perf_counter()
        epochs = self.params["epochs"]
        steps = self.params["steps"]
        done = (self.epoch + ((batch + 1) / steps if steps else 0)) / epochs
        filled = round(self.width * min(done, 1.0))
        bar = "━" * filled + "╌" * (self.width - filled)
        self._say(f"{bar} epoch {self.epoch + 1}/{epochs}", logs)

    def on_epoch_end(self, epoch, logs=None):
        self.logs = logs

    def on_train_end(self, logs=None):
        epochs = self.epoch + 1
        self._say(f"{epochs} epoch{'s' if epochs > 1 else ''}", getattr(self, "logs", logs))

    def _say(self, text, logs):
        seconds = time.perf_counter() - self.start
        figures = "".join(f" · {name} {float(value):.4g}" for name, value in (logs or {}).items())
        if self.handle is not None:
            self.handle.update(_plain(f"{text}{figures} · {seconds:.0f} s"), raw=True)


def _bound(name, bound):
    """Returns a bound as a number that JSON can hold, or None."""
    if bound is None:
        return None
    real = isinstance(bound, numbers.Real) and not isinstance(bound, bool)
    if not real or not math.isfinite(bound):
        raise ValueError(f"{name} is {bound!r}; it must be a finite number")
    return bound if isinstance(bound, int) else float(bound)


def _single_number(value):
    """Returns a number, an array or a tensor without axes as a float."""
    if getattr(value, "shape", ()) != ():
        raise ValueError(f"value has shape {tuple(value.shape)}; expect needs a single number")
    try:
        if isinstance(value, (str, bytes)):  # float would read "0.9"
            raise TypeError
        return float(value)
    except (TypeError, ValueError):
        raise ValueError(f"value is {value!r}; expect needs a single number") from None


def _plain(text):
    return {"text/plain": text}
