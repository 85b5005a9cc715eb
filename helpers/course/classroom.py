"""A teacher's course: nbgrader hands out, grades and reports; this names the lessons to it.

The folder of a course, in nbgrader's layout:

    source/LESSON/LESSON.ipynb              the lesson with its solutions
    release/LESSON/LESSON.ipynb             what the students get
    submitted/STUDENT/LESSON/LESSON.ipynb   what they hand in
    autograded/..., feedback/...            the same, run and scored; pages to give back
    gradebook.db                            the scores
"""

import logging
import os
import shutil
import sys
import warnings
from contextlib import contextmanager
from pathlib import Path

from helpers.course import catalogue
from helpers.course.catalogue import Failed, UsageError
from helpers.course.files import write_notebook, written_whole
from helpers.course.kernel import QUIET
from helpers.course.student import STUB

SECONDS_FOR_A_CELL = 1800  # a cell that trains may be slow on a machine that grades


def create(folder, lessons):
    """Puts lessons, solutions and all, into a course as assignments.

    Returns:
        Two lists of names: what is new there, and what was there before and stays as it was.
    """
    new, kept = [], []
    for lesson in lessons:
        source = folder / "source" / lesson.name / lesson.path.name
        if source.exists():
            kept.append(lesson.name)
            continue
        write_notebook(source, catalogue.read(lesson.path))
        new.append(lesson.name)
    return new, kept


def release(folder, names):
    """Makes the students' edition of assignments in `release/`; returns their names."""
    chosen = _chosen(folder / "source", names)
    with _nbgrader(folder) as api:
        for name in chosen:
            _check(api.generate_assignment(name), f"{name} cannot be released")
    return chosen


def collect(folder, inbox):
    """Takes in what students have handed in.

    Args:
        folder: the course.
        inbox: a folder with a folder for each student, named as the student, in which the
            notebooks lie under the names that they were handed out with.

    Returns:
        List of (student, assignment), by name.

    Raises:
        UsageError: if nothing there is an assignment of the course.
    """
    known = _chosen(folder / "source", [])
    found = [path for path in sorted(inbox.glob("*/*.ipynb")) if path.stem in known]
    if not found:
        raise UsageError(f"There is no STUDENT/LESSON.ipynb in {inbox}.")
    for path in found:
        target = folder / "submitted" / path.parent.name / path.stem / path.name
        with written_whole(target) as temporary:
            shutil.copyfile(path, temporary)
    return [(path.parent.name, path.stem) for path in found]


def autograde(folder, names):
    """Runs and scores every submission; returns a list of (student, assignment)."""
    return _for_each_submission(
        folder, names, lambda api: api.autograde, "{name} of {student} cannot be graded"
    )


def feedback(folder, names):
    """Writes a page for every graded submission; returns a list of (student, assignment)."""
    return _for_each_submission(
        folder, names, lambda api: api.generate_feedback, "there is no page on {name} of {student}"
    )


def grades(folder, path):
    """Writes the scores as CSV: a line for each assignment and student."""
    _chosen(folder / "source", [])
    with _nbgrader(folder) as api, written_whole(path) as temporary, api.gradebook as gradebook:
        from nbgrader.plugins import CsvExportPlugin

        CsvExportPlugin(to=str(temporary)).export(gradebook)


def _for_each_submission(folder, names, step, failure):
    done = []
    chosen = _chosen(folder / "source", names)
    with _nbgrader(folder) as api:
        for name in chosen:
            for path in sorted(folder.glob(f"submitted/*/{name}")):
                student = path.parent.name
                _check(step(api)(name, student), failure.format(name=name, student=student))
                done.append((student, name))
    if not done:
        raise UsageError(f"Nothing has been collected in {folder}; see lessons class collect.")
    return done


def _chosen(source, names):
    """Returns the assignments of these names, or all."""
    there = sorted(path.name for path in source.glob("*"))
    if not there:
        raise UsageError(f"There is no course in {source.parent}; see lessons class create.")
    for name in names:
        if name not in there:
            near = catalogue.nearest(name, there) or there
            raise UsageError(f"The course has no {name!r}; did you mean {catalogue.join(near)}?")
    return names or there


def _check(result, failure):
    """Raises what nbgrader has logged, without its traceback, if it did not succeed."""
    if not result["success"]:
        log = result.get("log") or result.get("error") or ""
        lines = [line for line in log.splitlines() if line.strip() and line[0] != "["]
        raise Failed(f"{failure}: {lines[-1] if lines else log.strip()}")


@contextmanager
def _programs_on_path():
    """Lets nbgrader find `alembic`, which it calls by name, where no environment is active."""
    before = os.environ["PATH"]
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{before}"
    try:
        yield
    finally:
        os.environ["PATH"] = before


@contextmanager
def _nbgrader(folder):
    """Gives nbgrader's interface to the course in a folder."""
    with warnings.catch_warnings(), _programs_on_path(), _closed_error_stream():
        warnings.simplefilter("ignore")  # of old interfaces between nbgrader and its packages
        try:
            from nbgrader.apps import NbGraderAPI
        except ImportError:
            raise UsageError("This needs nbgrader: pip install -e '.[class]'.") from None
        from traitlets.config import Config

        settings = Config()
        settings.CourseDirectory.root = str(folder.resolve())
        settings.ClearSolutions.code_stub = {"python": STUB}
        settings.Execute.timeout = SECONDS_FOR_A_CELL
        settings.Execute.extra_arguments = [QUIET]
        api = NbGraderAPI(config=settings)
        api.log.setLevel(logging.ERROR)
        yield api


@contextmanager
def _closed_error_stream():
    """Keeps what kernels write while they shut down off the screen; nbgrader has its own log."""
    sys.stderr.flush()
    saved, silent = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(silent)
