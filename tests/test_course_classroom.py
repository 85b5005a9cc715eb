import csv
import shutil

from helpers.course import catalogue, classroom
from helpers.course.catalogue import Failed, UsageError
from helpers.course.files import write_notebook

import pytest
from small_lessons import code, write_lesson
from test_course_student import exercise_lesson


@pytest.fixture
def course(tmp_path):
    lessons = [exercise_lesson(tmp_path / "notebooks", name) for name in ("03_first", "10_gans")]
    folder = tmp_path / "course"
    assert classroom.create(folder, lessons) == (["03_first", "10_gans"], [])
    return folder


def _hand_in(course, student, answer=None):
    """Puts a student's notebook, with the stub or an answer, into the inbox; returns that."""
    inbox = course.parent / "inbox"
    notebook = catalogue.read(course / "release" / "10_gans" / "10_gans.ipynb")
    if answer:
        notebook["cells"][2]["source"] = answer
    write_notebook(inbox / student / "10_gans.ipynb", notebook)
    return inbox


def test_a_course_from_beginning_to_grades(course, tmp_path, capfd):
    assert classroom.release(course, ["10_gans"]) == ["10_gans"]
    released = (course / "release" / "10_gans" / "10_gans.ipynb").read_text()
    assert "Write your answer here, then run the check below" in released
    assert "secret" not in released
    _hand_in(course, "ann", "def double(x):\n    return 2 * x")
    inbox = _hand_in(course, "bob")
    both = [("ann", "10_gans"), ("bob", "10_gans")]
    assert classroom.collect(course, inbox) == both
    assert classroom.autograde(course, []) == both
    assert classroom.feedback(course, []) == both
    assert "NotImplementedError" in (course / "feedback/bob/10_gans/10_gans.html").read_text()
    classroom.grades(course, tmp_path / "grades.csv")
    with (tmp_path / "grades.csv").open() as file:
        rows = list(csv.DictReader(file))
    scores = {row["student_id"]: (row["score"], row["max_score"]) for row in rows}
    assert scores == {"ann": ("2.0", "2.0"), "bob": ("0.0", "2.0")}
    assert capfd.readouterr() == ("", "")


def test_what_a_teacher_changed_stays(course):
    source = course / "source" / "10_gans" / "10_gans.ipynb"
    source.write_text("changed")
    lesson = exercise_lesson(course.parent / "notebooks")
    assert classroom.create(course, [lesson]) == ([], ["10_gans"])
    assert source.read_text() == "changed"


def test_an_unknown_assignment_gets_the_nearest_name(course):
    with pytest.raises(UsageError, match="no '10_gan'; did you mean 10_gans"):
        classroom.release(course, ["10_gan"])


@pytest.mark.parametrize("step", [classroom.release, classroom.autograde, classroom.feedback])
def test_without_a_course_there_is_nothing_to_do(tmp_path, step):
    with pytest.raises(UsageError, match="There is no course in"):
        step(tmp_path, [])


def test_without_a_course_there_are_no_grades(tmp_path):
    with pytest.raises(UsageError, match="There is no course in"):
        classroom.grades(tmp_path / "nowhere", tmp_path / "grades.csv")
    assert list(tmp_path.iterdir()) == []


def test_without_submissions_there_is_nothing_to_grade(course):
    with pytest.raises(UsageError, match="Nothing has been collected"):
        classroom.autograde(course, [])


def test_an_inbox_without_assignments_is_refused(course, tmp_path):
    (tmp_path / "inbox" / "ann").mkdir(parents=True)
    shutil.copy(
        course / "source" / "10_gans" / "10_gans.ipynb", tmp_path / "inbox/ann/holiday.ipynb"
    )
    with pytest.raises(UsageError, match="no STUDENT/LESSON.ipynb"):
        classroom.collect(course, tmp_path / "inbox")


def test_what_nbgrader_cannot_do_is_told_in_its_words(tmp_path):
    stub = {"grade": False, "grade_id": "one", "locked": False, "solution": True, "task": False}
    lesson = write_lesson(tmp_path, "10_gans", code("### BEGIN SOLUTION\nx = 1", nbgrader=stub))
    classroom.create(tmp_path / "course", [lesson])
    with pytest.raises(Failed, match="10_gans cannot be released: .*no end solution"):
        classroom.release(tmp_path / "course", [])
