"""What a run leaves behind, and whether it can stand in for a new one.

`results.json` holds one object:

    started     when the run began: ISO 8601, in UTC
    seconds     how long it took
    profile     "smoke", "lesson" or "full"
    versions    the versions of Python and of the packages that the lessons need, by name
    lessons     a list, one object for each lesson of the run, by number:
        name          such as "10_gans"
        status        "passed" or "failed"
        resumed       true if it was not run anew, because nothing had changed
        seconds       how long it took, its kernel's start included
        peak_mib      the largest memory of its kernel, in MiB
        parameters    what was injected, by name: `scale`, the profile's, `seed` and those of -p
        expectations  a list, one object for each `lesson.expect`:
                      name, value, at_least, at_most (null if there is none), met, scale
        failure       null, or: kind (exception, expectation, output, timeout, killed, disk,
                      corrupt or lost), error, message, cell (its number, from 1, or null), line
                      (the cell's first)
        notebook      path of the executed notebook from here, or null; of a failed lesson, as
                      far as it went
        digest        stands for everything that the result depends on

The same object of a lesson stands in its executed notebook, in the metadata, as `lesson`.
"""

import hashlib
import json
import platform
from importlib import metadata

from helpers import ROOT
from helpers.course import catalogue
from helpers.course.files import write_text

from packaging.requirements import Requirement

DISTRIBUTION = "deep-learning-lessons"


def write(path, records, **facts):
    """Writes `results.json`.

    Args:
        path: where.
        records: the lessons' objects, as `execution.execute` returns them.
        facts: `started`, `seconds` and `profile`.
    """
    lessons = sorted(records, key=lambda record: record["name"])
    results = facts | {"versions": versions(), "lessons": lessons}
    write_text(path, json.dumps(results, indent=2, ensure_ascii=False) + "\n")


def versions():
    """Returns the versions of Python and of the packages that the lessons need, by name."""
    python = {"python": platform.python_version()}
    return python | {name: metadata.version(name) for name in sorted(needed())}


def needed():
    """Returns the names of the packages that the lessons need here, without the extras'."""
    stated = map(Requirement, metadata.requires(DISTRIBUTION))
    return {it.name for it in stated if not it.marker or it.marker.evaluate({"extra": ""})}


def digest(lesson, parameters):
    """Returns a digest of everything that a lesson's result depends on.

    That is its notebook, the parameters, `helpers` (but for the runner), the data, the quizzes,
    Python and the version of every installed package.
    """
    state = hashlib.sha256(repr(sorted(parameters.items())).encode())
    state.update(platform.python_version().encode())
    installed = {(found.name, found.version) for found in metadata.distributions()}
    state.update(repr(sorted(installed)).encode())
    for path in [lesson.path, *_shared_files()]:
        state.update(path.name.encode() + b"\0")
        state.update(path.read_bytes())
    return state.hexdigest()


def _shared_files():
    helpers = (ROOT / "helpers").rglob("*.py")
    files = [path for path in helpers if "course" not in path.relative_to(ROOT).parts]
    files += (ROOT / "notebooks" / "quizzes").glob("*.json")
    files += (path for path in (ROOT / "data").rglob("*") if path.is_file())
    return sorted(path for path in files if "__pycache__" not in path.parts)


def earlier(job):
    """Returns the record of an earlier run that this job would only repeat, or None."""
    if not job.executed.with_suffix(".html").exists():
        return None
    try:
        record = catalogue.read(job.executed)["metadata"]["lesson"]
    except (OSError, KeyError, catalogue.CorruptNotebook):
        return None
    if record["digest"] != job.digest or record["status"] != "passed":
        return None
    return record | {"resumed": True}
