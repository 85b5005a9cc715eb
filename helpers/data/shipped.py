"""The files of `data/`: what their cards say, and the check that each file is what it was.

Each file has a card beside it, `data/NAME.toml`, with its origin, licence, shape, classes, split,
checksum and how it was built. This module needs the standard library only.
"""

import dataclasses
import hashlib
import tomllib

from helpers import ROOT

FOLDER = ROOT / "data"


class DataFileError(RuntimeError):
    """A file of `data/` is missing or is not the file that its card describes."""


@dataclasses.dataclass(frozen=True)
class Card:
    """What is known of one file of `data/`.

    Attributes:
        name: what the loader and `data/build.py` call it.
        file: its name in `data/`.
        title: what it is, in one line.
        origin: who made it, where it was published, and when.
        package: the package that it was built from, at an exact version.
        licence: under which terms it may be used.
        shape: the arrays or columns in the file.
        classes: what the labels or columns mean.
        split: which part is for training and which for testing.
        built: what `data/build.py` did to the package's file.
        bytes: its size.
        sha256: its checksum, in hexadecimal.
    """

    name: str
    file: str
    title: str
    origin: str
    package: str
    licence: str
    shape: str
    classes: str
    split: str
    built: str
    bytes: int
    sha256: str


def cards():
    """Returns the cards of all files, by name.

    Raises:
        DataFileError: if there are none, or one lacks a field or has one too many.
    """
    paths = sorted(FOLDER.glob("*.toml"))
    if not paths:
        raise DataFileError(f"no card (NAME.toml) in {FOLDER}; {_cure('data')}")
    return {path.stem: _read_card(path) for path in paths}


def read(name):
    """Returns the content of a file of `data/` after checking it against its card.

    Args:
        name: a card's name, such as "digits".

    Returns:
        The file's bytes.

    Raises:
        ValueError: if there is no card of that name.
        DataFileError: if the file is missing or its checksum is wrong.
    """
    known = cards()
    if name not in known:
        raise ValueError(f"name is {name!r}; it must be one of {', '.join(known)}")
    card = known[name]
    rebuild = f"{_cure(f'data/{card.file}')}, or build it anew: python data/build.py {name}"
    try:
        content = (FOLDER / card.file).read_bytes()
    except FileNotFoundError:
        raise DataFileError(f"data/{card.file} is missing; {rebuild}") from None
    found = checksum(content)
    if found != card.sha256:
        raise DataFileError(
            f"data/{card.file} is damaged: its SHA-256 is {found[:12]}…, and its card "
            f"(data/{name}.toml) says {card.sha256[:12]}…; {rebuild}"
        )
    return content


def checksum(content):
    """Returns the SHA-256 of some bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def _read_card(path):
    try:
        return Card(name=path.stem, **tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, TypeError) as error:
        place = f"data/{path.name}"
        raise DataFileError(f"the card {place} is damaged: {error}; {_cure(place)}") from None


def _cure(place):
    return f"fetch it again: git checkout -- {place}"
