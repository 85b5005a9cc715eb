"""What a notebook itself needs: alone, and as a kernel without a screen shows it."""

import contextlib
import json
import logging
import math
import random

from helpers import ROOT
from helpers import lesson as lesson_module
from helpers.lesson import EXPECTATION, ExpectationNotMet, Lesson

import keras
import nbclient
import nbformat
import numpy as np
import pytest
import tensorflow as tf
from bs4 import BeautifulSoup
from nbconvert import HTMLExporter

CELLS = {
    "imports": """
        from helpers import plots
        from helpers.lesson import Lesson
        import keras
        import numpy as np
        lesson = Lesson(seed=0, scale="smoke")
    """,
    "met": "lesson.expect('accuracy', 0.9, at_least=0.8)",
    "missed": "lesson.expect('accuracy', 0.7, at_least=0.8)",
    "source": "lesson.show(Lesson.expect)",
    "training": """
        def train():
            model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
            model.compile("sgd", loss="mse")
            x = np.ones((8, 1), "float32")
            progress = lesson.progress()
            progress.seconds_between_updates = 0
            model.fit(x, x, epochs=3, batch_size=2, verbose=0, callbacks=[progress])
        train()
    """,
    "many models": "for _ in range(7): train()",
    "figure": "plots.lines({'loss': [2, 1]}, alt='A <loss> that falls.')",
}


@pytest.fixture(scope="module")
def notebook():
    """A small lesson after a run without a screen."""
    cells = [_cell(source) for source in CELLS.values()]
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbclient.NotebookClient(
        notebook, kernel_name="python3", timeout=120, resources={"metadata": {"path": str(ROOT)}}
    ).execute()
    return notebook


def _cell(source):
    lines = [line[8:] if line.startswith(" " * 8) else line for line in source.splitlines()]
    return nbformat.v4.new_code_cell("\n".join(lines).strip())


@pytest.fixture
def outputs(notebook):
    """The outputs of each cell, by its name in CELLS."""
    return {name: cell.outputs for name, cell in zip(CELLS, notebook.cells, strict=True)}


@pytest.fixture
def displayed(monkeypatch):
    """What the module hands to Jupyter."""
    found = []
    monkeypatch.setattr(lesson_module, "display", lambda data, **_: found.append(data))
    return found


def _expect(*bounds, scale="lesson", value=0.5):
    at_least, at_most = bounds
    Lesson(scale=scale).expect("accuracy", value, at_least=at_least, at_most=at_most)


# Seeds and scales


def test_seed_fixes_python_numpy_and_keras():
    def draws(seed):
        Lesson(seed=seed)
        legacy = np.random.rand()  # noqa: NPY002 - the state that the seed must fix
        return random.random(), legacy, float(keras.random.uniform(()))

    assert draws(3) == draws(3)
    assert all(first != second for first, second in zip(draws(3), draws(4), strict=True))


@pytest.mark.parametrize("seed", [-1, 1.0, "0", True, None])
def test_seed_is_a_whole_number(seed):
    with pytest.raises(ValueError, match="seed is"):
        Lesson(seed=seed)


def test_graphs_are_left_as_traced_at_smoke_scale_only():
    for scale in ("smoke", "lesson"):
        Lesson(scale=scale)
        options = tf.config.optimizer.get_experimental_options()
        assert options["disable_meta_optimizer"] == (scale == "smoke")


@pytest.mark.parametrize("scale", ["Lesson", "", None])
def test_scale_is_one_of_three(scale):
    with pytest.raises(ValueError, match="smoke, lesson, full"):
        Lesson(scale=scale)


# Expectations


@pytest.mark.parametrize("scale", ["lesson", "full"])
@pytest.mark.parametrize("bounds", [(0.5, None), (None, 0.5), (0.5, 0.5), (0.4, 0.6)])
def test_a_bound_that_is_reached_passes(bounds, scale, displayed):
    _expect(*bounds, scale=scale)
    assert displayed[0][EXPECTATION]["met"] is True
    assert displayed[0]["text/plain"].startswith("✓ accuracy: 0.5")


@pytest.mark.parametrize("scale", ["lesson", "full"])
@pytest.mark.parametrize("bounds", [(0.51, None), (None, 0.49), (0.51, 0.6), (0.4, 0.49)])
def test_a_missed_bound_stops_the_lesson(bounds, scale, displayed):
    with pytest.raises(ExpectationNotMet, match="accuracy: 0.5 "):
        _expect(*bounds, scale=scale)
    assert displayed[0][EXPECTATION]["met"] is False


@pytest.mark.parametrize("bounds", [(0.51, None), (None, 0.49)])
def test_a_missed_bound_is_only_reported_at_smoke_scale(bounds, displayed):
    _expect(*bounds, scale="smoke")
    assert displayed[0][EXPECTATION]["met"] is False
    assert displayed[0]["text/plain"].startswith("✗ accuracy: 0.5")


@pytest.mark.parametrize("bounds", [(0, None), (None, 1), (0, 1)])
def test_nan_meets_no_bound(bounds, displayed):
    with pytest.raises(ExpectationNotMet):
        _expect(*bounds, value=math.nan)
    assert json.loads(json.dumps(displayed[0][EXPECTATION], allow_nan=False))["value"] == "nan"


@pytest.mark.parametrize("value", [0.25, np.float32(0.25), np.array(0.25), keras.ops.array(0.25)])
def test_record_is_plain_json(value, displayed):
    Lesson().expect("fall in loss", value, at_least=np.float64(0.125), at_most=1)
    record = json.loads(json.dumps(displayed[0][EXPECTATION], allow_nan=False))
    assert record == {
        "name": "fall in loss",
        "value": 0.25,
        "at_least": 0.125,
        "at_most": 1,
        "met": True,
        "scale": "lesson",
    }


def test_expectation_without_a_bound_is_refused(displayed):
    with pytest.raises(ValueError, match="needs at_least, at_most or both"):
        _expect(None, None)


@pytest.mark.parametrize("bound", [math.nan, math.inf, "0.5", True, [0.5], np.array([0.5])])
@pytest.mark.parametrize("side", ["at_least", "at_most"])
def test_bound_is_a_finite_number(side, bound, displayed):
    with pytest.raises(ValueError, match=f"{side} is .*finite number"):
        Lesson(scale="smoke").expect("accuracy", 0.5, **{side: bound})
    assert not displayed


def test_bounds_that_nothing_meets_are_refused(displayed):
    with pytest.raises(ValueError, match=r"at_least is 0.6, above at_most 0.4"):
        _expect(0.6, 0.4, scale="smoke")
    assert not displayed


@pytest.mark.parametrize("bound", [np.float32(0.25), np.int64(0), 0])
def test_bounds_of_numpy_are_plain_json_too(bound, displayed):
    Lesson().expect("accuracy", 0.5, at_least=bound)
    assert json.loads(json.dumps(displayed[0][EXPECTATION]))["at_least"] == bound


@pytest.mark.parametrize("name", ["", "  ", None, 0.9])
def test_expectation_says_what_it_measures(name):
    with pytest.raises(ValueError, match="name is .*words"):
        Lesson().expect(name, 0.9, at_least=0.8)


@pytest.mark.parametrize("value", [None, "0.5", b"0.5", "high", [0.5], {}, 1j])
def test_expectation_of_no_number_is_refused(value, displayed):
    with pytest.raises(ValueError, match="value is .*single number"):
        _expect(0, None, value=value)
    assert not displayed


@pytest.mark.parametrize("value", [np.zeros(1), np.zeros((2, 3)), keras.ops.zeros((2,))])
def test_expectation_of_several_numbers_is_refused(value):
    with pytest.raises(ValueError, match=r"value has shape \(.*single number"):
        _expect(0, None, value=value)


# Source and quiz


def test_show_gives_the_source_of_functions_classes_and_methods(displayed):
    Lesson().show(Lesson, Lesson.expect)
    whole, method = (data.data for data in displayed)
    assert whole.startswith("`helpers/lesson.py`")
    assert "```python\nclass Lesson:" in whole
    assert "```python\ndef expect(self" in method  # not indented as in its class


@pytest.mark.parametrize("obj", [len, 3, "Lesson", np.exp, eval("lambda: 0")])
def test_show_refuses_what_has_no_source(obj, displayed):
    with pytest.raises(ValueError, match="it needs a function, a class or a module"):
        Lesson().show(obj)
    assert not displayed


def test_unknown_quiz_names_those_that_exist(tmp_path, monkeypatch):
    (tmp_path / "notebooks" / "quizzes").mkdir(parents=True)
    (tmp_path / "notebooks" / "quizzes" / "07_search.json").write_text("[]")
    monkeypatch.setattr(lesson_module, "ROOT", tmp_path)
    with pytest.raises(ValueError, match="no quiz '7_search'; there are: 07_search"):
        Lesson().quiz("7_search")


def test_quiz_hands_on_each_question_and_its_feedback(tmp_path, monkeypatch):
    questions = [{"question": "σ(0)?", "type": "numeric", "answers": []}]
    (tmp_path / "notebooks" / "quizzes").mkdir(parents=True)
    path = tmp_path / "notebooks" / "quizzes" / "07_search.json"
    path.write_text(json.dumps(questions, ensure_ascii=False), encoding="utf-8")
    found = []
    monkeypatch.setattr(lesson_module, "ROOT", tmp_path)
    monkeypatch.setattr(lesson_module, "display_quiz", lambda quiz, **_: found.append(quiz))
    Lesson().quiz("07_search")
    assert found == [questions]


# Training outside Jupyter, and every part in a kernel


def test_progress_works_without_jupyter(capsys):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", loss="mse")
    x = np.ones((4, 1), "float32")
    model.fit(x, x, epochs=2, verbose=0, callbacks=[Lesson().progress()])
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("epochs", "words"), [(1, "1 epoch ·"), (2, "2 epochs ·")])
def test_progress_counts_epochs_in_words(epochs, words, monkeypatch):
    said = []

    class Handle:
        def update(self, data, **_):
            said.append(data["text/plain"])

    monkeypatch.setattr(lesson_module, "display", lambda data, **_: Handle())
    progress = Lesson().progress()
    progress.set_params({"epochs": epochs, "steps": 1})
    progress.on_train_begin()
    for epoch in range(epochs):
        progress.on_epoch_begin(epoch)
        progress.on_epoch_end(epoch, {"loss": 0.5})
    progress.on_train_end()
    assert said[-1].startswith(f"{words} loss 0.5")


def test_tensorflow_is_told_to_keep_quiet_about_retracing():
    logger = logging.getLogger("tensorflow")
    with contextlib.ExitStack() as stack:
        stack.callback(logger.setLevel, logger.level)
        logger.setLevel(logging.NOTSET)
        Lesson()
        assert not logger.isEnabledFor(logging.WARNING)
        assert logger.isEnabledFor(logging.ERROR)


@pytest.mark.timeout(120)
def test_a_lesson_writes_no_log_line(outputs):
    assert not outputs["imports"]
    streams = [o for cell in outputs.values() for o in cell if o.output_type == "stream"]
    assert not streams


@pytest.mark.parametrize(("cell", "met"), [("met", True), ("missed", False)])
def test_expectation_stands_in_the_notebook_for_the_runner(outputs, cell, met):
    (output,) = outputs[cell]
    assert output.data[EXPECTATION]["met"] is met
    assert output.data[EXPECTATION]["scale"] == "smoke"


def test_training_leaves_one_line_that_tells_how_it_ended(outputs):
    (output,) = outputs["training"]
    text = output.data["text/plain"]
    assert "\n" not in text
    assert text.startswith("3 epochs · loss ")
    assert text.endswith(" s")


def test_each_training_leaves_a_line_of_its_own(outputs):
    assert len(outputs["many models"]) == 7


def test_source_is_shown_as_python(outputs):
    (output,) = outputs["source"]
    assert "```python\ndef expect(" in output.data["text/markdown"]


def test_text_alternative_reaches_the_page(outputs, notebook):
    (output,) = outputs["figure"]
    assert output.metadata["image/png"]["alt"] == "A <loss> that falls."
    page, _ = HTMLExporter().from_notebook_node(notebook)
    (picture,) = BeautifulSoup(page, "html.parser").find_all("img")
    assert picture["alt"] == "A <loss> that falls."
