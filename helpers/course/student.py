"""The learner's edition of the lessons: the same notebooks with the solutions taken out."""

import json
import warnings

from helpers.course import catalogue
from helpers.course.catalogue import UsageError
from helpers.course.files import write_notebook

STUB = 'raise NotImplementedError("Write your answer here, then run the check below.")'


def start(lessons, folder):
    """Puts a learner's copy of each lesson into a folder; copies that are there stay untouched.

    Args:
        lessons: the lessons.
        folder: where the copies go; made if need be.

    Returns:
        Two lists: the lessons that are new there, and those that were there before.
    """
    new, kept = [], []
    for lesson in lessons:
        copy = folder / lesson.path.name
        if copy.exists():
            kept.append(lesson)
            continue
        write_notebook(copy, edition(catalogue.read(lesson.path)))
        new.append(lesson)
    return new, kept


def edition(notebook):
    """Returns a notebook without solutions and outputs, its checks locked.

    Args:
        notebook: as plain dicts and lists.

    Raises:
        UsageError: if nbgrader is not installed.
    """
    import nbformat

    node, resources = nbformat.reads(json.dumps(notebook), as_version=4), {}
    for preprocessor in _preprocessors():
        node, resources = preprocessor.preprocess(node, resources)
    return node


def _preprocessors():
    """Returns what nbgrader does to an assignment, without its database."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nbgrader's imports warn of what is not ours to mend
        try:
            from nbgrader import preprocessors
        except ImportError:
            raise UsageError("This needs nbgrader: pip install -e '.[lab]'.") from None
    return [
        preprocessors.LockCells(),
        preprocessors.ClearSolutions(code_stub={"python": STUB}),
        preprocessors.ClearOutput(),
        preprocessors.CheckCellMetadata(),
        preprocessors.ClearHiddenTests(),
        preprocessors.ClearMarkScheme(),
        preprocessors.ComputeChecksums(),
    ]
