"""How the tests read lessons: cells, parameters, sections and exercises."""

import ast
import re
from typing import NamedTuple

from helpers import ROOT
from helpers.course import catalogue
from helpers.course.runner import settings

import nbformat

NOTEBOOKS = ROOT / "notebooks"
LESSONS = {lesson.name: lesson for lesson in catalogue.lessons(NOTEBOOKS)}
NAMES = list(LESSONS)


class Exercise(NamedTuple):
    """A stub cell and the cell that checks it."""

    name: str
    stub: str
    check: str


def read(name):
    """Returns the notebook of the lesson called `name`."""
    return nbformat.read(LESSONS[name].path, as_version=4)


def smoke(name):
    """Returns what is injected into a lesson at smoke scale."""
    return settings(LESSONS[name], "smoke")


def tagged(notebook, tag):
    """Returns the cells that carry a tag."""
    return [cell for cell in notebook.cells if tag in cell.metadata.get("tags", [])]


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def sections(notebook):
    """Returns the prose of each level-2 section; what stands before the first is "title"."""
    texts = {"title": ""}
    heading = "title"
    for cell in notebook.cells:
        if cell.cell_type != "markdown":
            continue
        for line in cell.source.splitlines():
            if line.startswith("## "):
                heading = line[3:].strip()
                texts[heading] = ""
            texts[heading] += line + "\n"
    return texts


def exercises(notebook):
    """Returns the exercises in the order of the lesson."""
    graded = {
        cell.metadata.nbgrader.grade_id: cell
        for cell in code_cells(notebook)
        if "nbgrader" in cell.metadata
    }
    return [
        Exercise(name, cell.source, graded[f"{name}-check"].source)
        for name, cell in graded.items()
        if cell.metadata.nbgrader.solution
    ]


def calls(notebook, *, attribute=None, owner=None):
    """Returns the calls `owner.attribute(...)` in all code cells, as syntax trees."""
    found = []
    for cell in code_cells(notebook):
        for node in ast.walk(ast.parse(cell.source)):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            if attribute is not None and node.func.attr != attribute:
                continue
            if owner is not None and ast.unparse(node.func.value) != owner:
                continue
            found.append(node)
    return found


def bounds(notebook):
    """Returns the bounds of every `lesson.expect` call."""
    return {
        round(float(ast.literal_eval(keyword.value)), 9)
        for call in calls(notebook, attribute="expect")
        for keyword in call.keywords
        if keyword.arg in ("at_least", "at_most")
    }


def quoted_figures(text):
    """Returns the figures that a text quotes in bold, and those that it lets stand loose.

    Decimals and percentages in code, formulas and addresses are no claims.
    """
    for pattern in (r"```.*?```", r"\$\$.*?\$\$", r"\$[^$]*\$", r"`[^`]*`", r"\]\([^)]*\)"):
        text = re.sub(pattern, " ", text, flags=re.DOTALL)
    quoted = set()
    for number, percent in re.findall(r"\*\*([−-]?\d[\d,]*(?:\.\d+)?) ?(%?)\*\*", text):
        value = float(number.replace(",", "").replace("−", "-"))
        quoted.add(round(value / 100 if percent else value, 9))
    rest = re.sub(r"\*\*[^*]*\*\*", " ", text)
    return quoted, re.findall(r"\d+\.\d+|\d+ ?%", rest)


def lines_of_code(source):
    return [line for line in source.splitlines() if line.strip()]


def words(notebook):
    """Counts the words of prose, formulas and code listings left out."""
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    text = re.sub(r"```.*?```|\$\$.*?\$\$", " ", text, flags=re.DOTALL)
    return len(re.findall(r"[^\W\d_]+(?:['’-][^\W\d_]+)*", text))
