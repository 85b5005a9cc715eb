import json
import subprocess
import sys

from helpers.course import catalogue, student

import pytest
from small_lessons import code, write_lesson

SOLUTION = '''
def double(x):
    """Returns twice x."""
    ### BEGIN SOLUTION
    secret = x + x
    return secret
    ### END SOLUTION
'''
CHECK = 'assert double(2) == 4, "twice 2 is 4"\n### BEGIN HIDDEN TESTS\nassert double(0) == 0\n'
CHECK += "### END HIDDEN TESTS"
STUB = {"grade": False, "grade_id": "double", "locked": False, "solution": True, "task": False}
TEST = {"grade": True, "grade_id": "double-check", "locked": True, "solution": False, "points": 2}


def exercise_lesson(folder, name="10_gans"):
    cells = [
        code(SOLUTION, nbgrader=STUB),
        code(CHECK, nbgrader=TEST | {"task": False}),
        code("print(1)", "nbval-check-output") | {"outputs": []},
    ]
    return write_lesson(folder, name, *cells)


@pytest.fixture
def lesson(tmp_path):
    return exercise_lesson(tmp_path / "notebooks")


def test_the_solution_is_out_and_the_stub_says_what_to_do(lesson, tmp_path):
    new, kept = student.start([lesson], tmp_path / "mine")
    assert (new, kept) == ([lesson], [])
    copy = catalogue.read(tmp_path / "mine" / "10_gans.ipynb")
    text = json.dumps(copy)
    assert "secret" not in text
    assert "SOLUTION" not in text
    assert "HIDDEN" not in text
    names = {}
    exec(copy["cells"][2]["source"], names)
    assert names["double"].__doc__ == "Returns twice x."
    with pytest.raises(NotImplementedError, match="Write your answer here, then run the check"):
        names["double"](2)
    assert copy["cells"][3]["source"] == 'assert double(2) == 4, "twice 2 is 4"'
    assert not copy["cells"][3]["metadata"]["editable"]


def test_outputs_are_out(lesson, tmp_path):
    notebook = catalogue.read(lesson.path)
    output = {"name": "stdout", "output_type": "stream", "text": "1\n"}
    notebook["cells"][4] |= {"outputs": [output], "execution_count": 7}
    made = student.edition(notebook)
    assert made["cells"][4]["outputs"] == []
    assert made["cells"][4]["execution_count"] is None


def test_what_is_taught_stays_as_it_is(lesson):
    notebook = catalogue.read(lesson.path)
    made = student.edition(notebook)
    for number in (0, 1, 4):
        assert made["cells"][number]["source"] == notebook["cells"][number]["source"]


def test_work_is_never_overwritten_and_new_lessons_are_added(lesson, tmp_path):
    mine = tmp_path / "mine"
    student.start([lesson], mine)
    (mine / "10_gans.ipynb").write_text("a night's work")
    another = exercise_lesson(tmp_path / "notebooks", "11_more")
    assert student.start([lesson, another], mine) == ([another], [lesson])
    assert (mine / "10_gans.ipynb").read_text() == "a night's work"
    assert sorted(path.name for path in mine.iterdir()) == ["10_gans.ipynb", "11_more.ipynb"]


def test_a_copy_that_fails_leaves_nothing(lesson, tmp_path, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("helpers.course.files.os.replace", full)
    with pytest.raises(OSError, match="No space left"):
        student.start([lesson], tmp_path / "mine")
    assert list((tmp_path / "mine").iterdir()) == []


def test_nbgrader_warns_of_nothing_on_the_screen(lesson, tmp_path):
    code = "import sys; from pathlib import Path; from helpers.course import student, catalogue; "
    code += "student.start(catalogue.lessons(sys.argv[1]), Path(sys.argv[2]))"
    command = [sys.executable, "-c", code, str(lesson.path.parent), str(tmp_path / "mine")]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout + run.stderr == ""
