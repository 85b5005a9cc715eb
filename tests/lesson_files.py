"""How the tests read lessons: cells, parameters, sections and exercises."""

import ast
import re
import tomllib
from typing import NamedTuple

from helpers import ROOT

import nbformat

NOTEBOOKS = ROOT / "notebooks"
PATHS = sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))
NAMES = [path.stem for path in PATHS]


class Exercise(NamedTuple):
    """A stub cell and the cell that checks it."""

    name: str
    stub: str
    check: str


def read(name):
    """Returns the notebook of the lesson called `name`."""
    return nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)


def profiles():
    """Returns the tables of profiles.toml: lesson, profile, parameter."""
    return tomllib.loads((NOTEBOOKS / "profiles.toml").read_text(encoding="utf-8"))


def tagged(notebook, tag):
    """Returns the cells that carry a tag."""
    return [cell for cell in notebook.cells if tag in cell.metadata.get("tags", [])]


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def parameters(notebook):
    """Returns the names and literal values of the parameters cell."""
    (cell,) = tagged(notebook, "parameters")
    values = {}
    for statement in ast.parse(cell.source).body:
        if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
            raise ValueError(f"not an assignment of one name: {ast.unparse(statement)}")
        values[statement.targets[0].id] = ast.literal_eval(statement.value)
    return values


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


def lines_of_code(source):
    return [line for line in source.splitlines() if line.strip()]


def words(notebook):
    """Counts the words of prose, formulas and code listings left out."""
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    text = re.sub(r"```.*?```|\$\$.*?\$\$", " ", text, flags=re.DOTALL)
    return len(re.findall(r"[^\W\d_]+(?:['’-][^\W\d_]+)*", text))
