"""Brings a lesson's notebook into the form in which it is kept in git."""

import tempfile
from pathlib import Path

from helpers.course import catalogue
from helpers.course.execution import Job, execute
from helpers.course.files import write_notebook

CHECKED = "nbval-check-output"
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def tidy(lesson):
    """Executes a lesson at smoke scale and writes it back in the form in which git keeps it.

    Outputs are kept in the cells tagged `nbval-check-output` alone. Execution counts, the marks
    of editors and the ids that each editor draws anew are gone, so that a difference in git is
    a difference in the lesson.

    Returns:
        None, or the record of the run (see `helpers.course.results`) if it failed; the notebook
        is then left as it was.
    """
    notebook = catalogue.read(lesson.path)
    defaults = catalogue.parameters(notebook)
    with tempfile.TemporaryDirectory(prefix="lessons-tidy-") as folder:
        job = Job(
            name=lesson.name,
            source=lesson.path,
            out=Path(folder),
            scratch=Path(folder),
            parameters=catalogue.profile("smoke", lesson.name, defaults, lesson.path.parent),
            threads=catalogue.cores(),
        )
        record = execute(job)
        if record["failure"]:
            return record
        executed = catalogue.read(job.executed)
    write_notebook(lesson.path, _kept(notebook, executed))
    return None


def _kept(notebook, executed):
    ran = [cell for cell in executed["cells"] if "injected-parameters" not in catalogue.tags(cell)]
    cells = [
        _cell(number, cell, after)
        for number, (cell, after) in enumerate(zip(notebook["cells"], ran, strict=True), 1)
    ]
    return {"cells": cells, "metadata": METADATA, "nbformat": 4, "nbformat_minor": 5}


def _cell(number, cell, executed):
    kept = {
        "cell_type": cell["cell_type"],
        "id": f"cell-{number:02d}",
        "metadata": {
            key: cell["metadata"][key] for key in ("nbgrader", "tags") if key in cell["metadata"]
        },
        "source": cell["source"].strip("\n").splitlines(keepends=True),
    }
    if cell["cell_type"] == "code":
        checked = CHECKED in catalogue.tags(cell)
        # nbval takes outputs without a count for those of a cell that was never run.
        kept["execution_count"] = executed["execution_count"] if checked else None
        kept["outputs"] = [_output(output) for output in executed["outputs"] if checked]
    return kept


def _output(output):
    return output | ({"execution_count": None} if "execution_count" in output else {})
