"""The lessons that there are: their names, what stands in their first cells, their parameters."""

import ast
import difflib
import json
import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

SCALES = ("smoke", "lesson", "full")


class UsageError(Exception):
    """Something that the user asked for cannot be done; the message says why in one sentence."""


class Failed(Exception):  # noqa: N818 - it reads as a sentence on the screen
    """Something went wrong that the user could not know; the message says what."""


class CorruptNotebook(Failed):
    """A file that should be a notebook is not one."""


@dataclass(frozen=True)
class Lesson:
    """A lesson's notebook: `name` is its file's name without the ending, such as 10_gans."""

    name: str
    path: Path

    @property
    def number(self):
        """The part of the name before the underscore, such as 10."""
        return self.name.partition("_")[0]

    @property
    def topic(self):
        """The part of the name after the underscore, such as gans."""
        return self.name.partition("_")[2]


def lessons(folder):
    """Returns every lesson of `folder`, by number."""
    return [Lesson(path.stem, path) for path in sorted(Path(folder).glob("[0-9]*_*.ipynb"))]


def find(names, folder):
    """Returns the lessons of these names, each once, or every lesson if there are no names.

    Args:
        names: a name in full (10_gans), its number (10) or its topic (gans); an ending of
            `.ipynb` and a folder before it do no harm.
        folder: where the notebooks are.

    Raises:
        UsageError: if a name fits no lesson; the message gives the nearest.
    """
    there = lessons(folder)
    if not there:
        raise UsageError(f"There are no lessons in {folder}.")
    found = [_one(Path(name).name.removesuffix(".ipynb"), there) for name in names]
    return list(dict.fromkeys(found)) if names else there


def _one(name, there):
    fitting = [lesson for lesson in there if name in (lesson.name, lesson.number, lesson.topic)]
    if len(fitting) == 1:
        return fitting[0]
    near = fitting or [lesson for lesson in there if name and name.lower() in lesson.name]
    if not near:
        typed = {key: lesson for lesson in there for key in (lesson.name, lesson.topic)}
        near = dict.fromkeys(typed[key] for key in nearest(name, typed))
    names = [lesson.name for lesson in near or there]
    raise UsageError(f"There is no lesson {name!r}; did you mean {join(names)}?")


def nearest(name, choices):
    """Returns up to three of the choices that are spelt most like `name`, nearest first."""
    return difflib.get_close_matches(name.lower(), list(choices), n=3)


def join(words):
    """Joins words as in a sentence: "a, b or c"."""
    return " or ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def read(path):
    """Returns a notebook as plain dicts and lists.

    Raises:
        CorruptNotebook: if the file is not JSON or holds no list of cells.
    """
    try:
        notebook = json.loads(Path(path).read_text(encoding="utf-8"))
        for cell in notebook["cells"]:
            cell["source"] = "".join(cell["source"])
    except (ValueError, KeyError, TypeError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise CorruptNotebook(f"{Path(path).name} is not a notebook ({reason})") from None
    return notebook


def tags(cell):
    """Returns the tags of a cell."""
    return cell.get("metadata", {}).get("tags", [])


def introduction(notebook):
    """Returns the title, the promise and the line of minutes from a lesson's first cell.

    Returns:
        Three strings without Markdown's marks; "" for what is not there.
    """
    source = notebook["cells"][0]["source"] if notebook["cells"] else ""
    paragraphs = [part.replace("\n", " ").strip() for part in source.split("\n\n")]
    title = next((part[2:] for part in paragraphs if part.startswith("# ")), "")
    line = next((part for part in paragraphs if re.fullmatch(r"\*[^*].*\*", part)), "")
    promise = next((part for part in paragraphs if part and part[0] != "#" and part != line), "")
    return title.strip(), promise.replace("*", ""), line.replace("*", "")


def parameters(notebook):
    """Returns the defaults of the cell tagged `parameters`, by name.

    Raises:
        CorruptNotebook: if there is not exactly one such cell, or if it holds anything but
            `name = literal`.
    """
    cells = [cell for cell in notebook["cells"] if "parameters" in tags(cell)]
    if len(cells) != 1:
        raise CorruptNotebook(f"it has {len(cells)} cells tagged `parameters`; it needs one")
    found = {}
    try:
        for statement in ast.parse(cells[0]["source"]).body:
            (target,) = statement.targets
            found[target.id] = ast.literal_eval(statement.value)
    except (SyntaxError, ValueError, AttributeError):
        raise CorruptNotebook(
            "its cell tagged `parameters` holds something other than `name = literal`"
        ) from None
    return found


def profile(scale, name, defaults, folder):
    """Returns what a lesson's parameters become at a scale.

    Args:
        scale: smoke, lesson or full.
        name: the lesson's full name.
        defaults: the lesson's parameters, by name; they are the lesson scale.
        folder: where `profiles.toml` is.

    Raises:
        UsageError: if there is no such scale, or if `profiles.toml` cannot be read or names a
            parameter that the lesson lacks, or gives it another type.
    """
    if scale not in SCALES:
        raise UsageError(f"There is no profile {scale!r}; there are {join(SCALES)}.")
    path = Path(folder) / "profiles.toml"
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except ValueError as error:
        raise UsageError(f"{path.name} cannot be read: {error}.") from None
    table = tables.get(name, {}).get(scale, {})
    overrides = {key: fit(name, key, value, defaults) for key, value in table.items()}
    return overrides | {"scale": fit(name, "scale", scale, defaults)}


def fit(lesson, key, value, defaults):
    """Returns `value` in the type of the parameter's default.

    Whole numbers may stand for decimal ones, lists for tuples.

    Raises:
        UsageError: if the lesson lacks the parameter, or if the types do not agree.
    """
    if key not in defaults:
        near = nearest(key, defaults) or list(defaults)
        raise UsageError(f"{lesson} has no parameter {key!r}; did you mean {join(near)}?")
    default = defaults[key]
    if isinstance(default, float) and type(value) is int:
        return float(value)
    if isinstance(default, tuple) and isinstance(value, list):
        return tuple(value)
    if default is not None and type(value) is not type(default):
        raise UsageError(
            f"{lesson} needs {key} as {type(default).__name__} (such as {default!r}), "
            f"not {value!r}."
        )
    return value


def parse(lesson, text, defaults):
    """Returns name and value of a parameter given as `NAME=VALUE`, by its default's type.

    Raises:
        UsageError: if the text has no `=`, or as `fit` does.
    """
    key, equals, raw = text.partition("=")
    if not equals:
        raise UsageError(f"-p needs NAME=VALUE; it got {text!r}.")
    if isinstance(defaults.get(key), str):
        return key, raw
    try:
        value = ast.literal_eval(raw.capitalize() if raw in ("true", "false", "none") else raw)
    except (ValueError, SyntaxError):
        value = raw
    return key, fit(lesson, key, value, defaults)


def cores():
    """Returns how many CPU cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
