from helpers.course import catalogue
from helpers.course.tidy import tidy

import nbformat
import pytest
from small_lessons import code, write_lesson

GRADED = {"grade": False, "grade_id": "one", "locked": False, "solution": True, "task": False}


@pytest.fixture
def lesson(tmp_path):
    return write_lesson(
        tmp_path,
        "10_gans",
        code("print(scale, steps)", "nbval-check-output"),
        code("[1, 2]", "nbval-check-output"),
        code("print('not kept')\n\n"),
        code("print('graded')", nbgrader=GRADED) | {"execution_count": 9},
    )


def test_only_checked_cells_keep_outputs_and_they_are_of_smoke_scale(lesson, tmp_path):
    (tmp_path / "profiles.toml").write_text('["10_gans".smoke]\nsteps = 3\n')
    assert tidy(lesson) is None
    notebook = nbformat.read(lesson.path, as_version=4)
    nbformat.validate(notebook)
    assert len(notebook.cells) == 6
    assert notebook.cells[2].outputs[0].text == "smoke 3\n"
    assert notebook.cells[3].outputs[0].data["text/plain"] == "[1, 2]"
    assert notebook.cells[4].outputs == []
    assert notebook.cells[5].outputs == []
    for cell in notebook.cells:
        # nbval takes outputs without a count for those of a cell that was never run.
        assert (cell.get("execution_count") is not None) == bool(cell.get("outputs"))
    assert notebook.cells[3].outputs[0].execution_count is None


def test_metadata_are_what_matters_and_nothing_else(lesson):
    notebook = catalogue.read(lesson.path)
    notebook["metadata"] = {"jupytext": {}, "language_info": {"version": "3.11.7"}}
    notebook["cells"][2]["metadata"]["collapsed"] = True
    lesson.path.write_text(nbformat.writes(nbformat.from_dict(notebook)))
    assert tidy(lesson) is None
    kept = catalogue.read(lesson.path)
    assert sorted(kept["metadata"]) == ["kernelspec", "language_info"]
    assert kept["metadata"]["language_info"] == {"name": "python"}
    assert kept["cells"][2]["metadata"] == {"tags": ["nbval-check-output"]}
    assert kept["cells"][5]["metadata"] == {"nbgrader": GRADED | {"schema_version": 3}}
    assert [cell["id"] for cell in kept["cells"]] == [f"cell-0{number}" for number in range(1, 7)]
    assert kept["cells"][4]["source"] == "print('not kept')"


def test_a_tidy_notebook_stays_as_it_is(lesson):
    tidy(lesson)
    once = lesson.path.read_bytes()
    tidy(lesson)
    assert lesson.path.read_bytes() == once


def test_a_lesson_that_fails_is_left_as_it_was(tmp_path):
    lesson = write_lesson(tmp_path, "10_gans", code("1 / 0"))
    before = lesson.path.read_bytes()
    record = tidy(lesson)
    assert record["failure"]["error"] == "ZeroDivisionError"
    assert lesson.path.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["10_gans.ipynb"]
