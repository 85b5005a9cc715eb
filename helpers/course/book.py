"""The book of executed lessons: a folder of web pages that needs no network."""

import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from helpers.course import catalogue
from helpers.course.catalogue import Failed, UsageError
from helpers.course.files import write_notebook
from helpers.course.outputs import EXPECTATION

NEEDED = ("sphinx", "myst_nb", "sphinx_book_theme")


def build(source, notebooks, out):
    """Builds the book; a book that is there is replaced only by a whole one.

    Args:
        source: the folder with `conf.py` and `index.md`.
        notebooks: paths of the executed notebooks.
        out: the folder for the pages.

    Raises:
        UsageError: if Sphinx or one of its parts is not installed.
        Failed: with Sphinx's own words, if it fails or warns.
    """
    missing = [name for name in NEEDED if not find_spec(name)]
    if missing:
        raise UsageError(f"This needs {', '.join(missing)}: pip install -e '.[site]'.")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".site-", dir=out.parent) as folder:
        pages = Path(folder)
        shutil.copytree(source, pages / "source")
        for path in notebooks:
            write_notebook(pages / "source" / "lessons" / path.name, page(path))
        _sphinx(pages / "source", pages / "html")
        if out.exists():
            out.rename(pages / "old")
        (pages / "html").rename(out)


def page(path):
    """Returns an executed notebook as the book shows it: without what only the runner reads."""
    notebook = catalogue.read(path)
    notebook["metadata"].pop("lesson", None)
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(EXPECTATION, None)
    notebook["cells"] = [
        cell for cell in notebook["cells"] if "injected-parameters" not in catalogue.tags(cell)
    ]
    return notebook


def _sphinx(source, html):
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html"]
    done = subprocess.run(
        [*command, "-d", html.parent / "doctrees", source, html], capture_output=True, text=True
    )
    if done.returncode:
        raise Failed(f"The book could not be built:\n{done.stdout}{done.stderr}".strip())
