"""Whether this machine can run the lessons, and what to do where it cannot."""

import platform
import shutil
from importlib import metadata
from typing import NamedTuple

from helpers import ROOT
from helpers.course import catalogue, results
from helpers.data import shipped

import psutil
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

GIBIBYTE = 2**30
MEMORY_NEEDED = 2  # GiB; the largest lesson holds a little over one
DISK_NEEDED = 1  # GiB
RENEW = "Set up the environment anew: rm -f .venv/ready && make setup"


class Finding(NamedTuple):
    """One line of the report.

    Args:
        well: whether nothing has to be done.
        text: what was found.
        cure: what to do, or "".
    """

    well: bool
    text: str
    cure: str = ""


def examine():
    """Returns the findings, one for each thing that was looked at, or more."""
    return [
        python(),
        *packages(),
        *data(),
        memory(),
        cores(),
        disk(),
    ]


def python():
    """Looks at Python's version."""
    needed = metadata.metadata(results.DISTRIBUTION)["Requires-Python"]
    found = platform.python_version()
    if found in SpecifierSet(needed):
        return Finding(True, f"Python {found}")
    cure = "Install Python 3.11, 3.12 or 3.13, then: make clean && make setup PYTHON=python3.12"
    return Finding(False, f"Python {found}; the lessons need {needed}", cure)


def packages(lock=ROOT / "requirements.lock"):
    """Compares the installed packages with the lock; those of extras may be missing."""
    findings, count, missing = [], 0, []
    needed = results.needed()
    for pin in map(Requirement, lock.read_text(encoding="utf-8").splitlines()):
        if pin.marker and not pin.marker.evaluate():
            continue
        try:
            found = metadata.version(pin.name)
        except metadata.PackageNotFoundError:
            if pin.name in needed:
                findings.append(Finding(False, f"{pin.name} is not installed", RENEW))
            missing.append(pin.name)
            continue
        count += 1
        if found not in pin.specifier:
            text = f"{pin.name} is {found}; the lock says {pin.specifier}"
            findings.append(Finding(False, text, RENEW))
    if findings:
        return findings
    text = f"{count} packages as the lock has them"
    extras = f"; not installed, for extras only: {', '.join(missing)}" if missing else ""
    return [Finding(True, text + extras)]


def data():
    """Compares the files of `data/` with their cards."""
    try:
        names = sorted(shipped.cards())
    except shipped.DataFileError as error:
        return [Finding(False, *_split(error))]
    findings = []
    for name in names:
        try:
            shipped.read(name)
        except shipped.DataFileError as error:
            findings.append(Finding(False, *_split(error)))
    return findings or [Finding(True, f"{len(names)} data files as their cards have them")]


def _split(error):
    """Returns what is wrong and what to do: the loaders write the one, a semicolon, the other."""
    text, _, cure = str(error).rpartition("; ")
    return text, cure[:1].upper() + cure[1:]


def memory():
    """Looks at the memory that is free."""
    state = psutil.virtual_memory()
    free, total = state.available / GIBIBYTE, state.total / GIBIBYTE
    text = f"{free:.1f} GiB of memory free, of {total:.1f}"
    if free >= MEMORY_NEEDED:
        return Finding(True, text)
    return Finding(False, f"{text}; a lesson needs {MEMORY_NEEDED}", "Close other programs")


def cores():
    """Looks at the processor's cores; with one, lessons take longer, and that is all."""
    count = catalogue.cores()
    if count >= 2:
        return Finding(True, f"{count} CPU cores")
    return Finding(True, "1 CPU core: the lessons take about twice the minutes that they say")


def disk():
    """Looks at the room on the disk."""
    free = shutil.disk_usage(ROOT).free / GIBIBYTE
    text = f"{free:.1f} GiB of disk free in {ROOT}"
    if free >= DISK_NEEDED:
        return Finding(True, text)
    return Finding(False, f"{text}; {DISK_NEEDED} is needed", "Remove what is not needed any more")
