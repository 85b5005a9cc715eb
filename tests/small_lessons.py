"""Lessons of a few cells without TensorFlow, for the tests of the command `lessons`."""

import json
from pathlib import Path

from helpers.course.catalogue import Lesson

PARAMETERS = 'seed = 0\nscale = "lesson"\nsteps = 100\nrate = 0.5\nwidths = (1, 2)\nword = "π"'
EXPECTATION = """
from IPython.display import display
record = {{"name": "{name}", "value": {value}, "at_least": {bound}, "at_most": None, "met": {met},
          "scale": scale}}
display({{"application/vnd.lesson.expectation+json": record, "text/plain": "measured"}}, raw=True)
"""


def markdown(source):
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def code(source, *tags, nbgrader=None):
    metadata = {"tags": list(tags)} if tags else {}
    if nbgrader:
        metadata["nbgrader"] = nbgrader | {"schema_version": 3}
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": metadata,
        "outputs": [],
        "source": source.strip("\n"),
    }


def expectation(name, value, bound):
    met = value >= bound
    return code(EXPECTATION.format(name=name, value=value, bound=bound, met=met))


def write_lesson(folder, name, *cells):
    """Writes a lesson whose first cells are a title and parameters; returns it as a Lesson."""
    line = "*5 minutes · needs nothing · reaches 1*"
    first = markdown(f"# The {name} lesson\n\nYou learn *a lot* in it.\n\n{line}")
    cells = [first, code(PARAMETERS, "parameters"), *cells]
    cells = [cell | {"id": f"made-{number}"} for number, cell in enumerate(cells)]
    path = Path(folder) / f"{name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return Lesson(name, path)
