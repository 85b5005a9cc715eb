from helpers import lesson
from helpers.course import outputs
from helpers.course.execution import Job, execute

import pytest
from small_lessons import code, expectation, write_lesson

PICTURE = "iVBORw0KGgo="
SHOW = """
from IPython.display import display
display({{"image/png": "{picture}"}}, metadata={metadata}, raw=True)
"""


def _run(tmp_path, *cells):
    made = write_lesson(tmp_path / "notebooks", "10_gans", *cells)
    job = Job(made.name, made.path, tmp_path / "build" / "lessons", tmp_path, {"scale": "smoke"})
    return execute(job)


def test_records_carry_the_type_that_a_lesson_writes():
    assert outputs.EXPECTATION == lesson.EXPECTATION


def test_records_are_gathered_in_order():
    cells = [
        {"cell_type": "code", "metadata": {}, "outputs": [{"data": {outputs.EXPECTATION: record}}]}
        for record in ({"name": "one"}, {"name": "two"})
    ]
    assert [each["name"] for each in outputs.expectations({"cells": cells})] == ["one", "two"]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import sys\nprint('I0000 port.cc', file=sys.stderr)", "error stream: I0000 port.cc"),
        ("import warnings\nwarnings.warn('old')", "old"),
        (SHOW.format(picture=PICTURE, metadata={}), "no text alternative"),
        (SHOW.format(picture=PICTURE, metadata={"image/png": {"alt": " "}}), "no text alternative"),
    ],
)
def test_a_lesson_fails_that_shows_what_no_reader_should_see(tmp_path, source, message):
    record = _run(tmp_path, expectation("accuracy", 0.9, 0.8), code(source))
    assert record["status"] == "failed"
    assert record["failure"]["kind"] == "output"
    assert message in record["failure"]["message"]
    assert record["failure"]["cell"] == 4
    assert record["failure"]["line"] == source.strip().splitlines()[0]
    assert record["notebook"] == "lessons/10_gans.failed.ipynb"


def test_a_picture_with_a_text_alternative_is_well(tmp_path):
    source = SHOW.format(picture=PICTURE, metadata={"image/png": {"alt": "one red pixel"}})
    assert _run(tmp_path, code(source))["status"] == "passed"
