"""The files of `data/`, their cards, and what is said when one is missing or damaged."""

import csv
import hashlib
import io
import shutil
import subprocess
import sys
import tomllib

from helpers import ROOT, data
from helpers.data import shipped

import numpy as np
import pytest

FILES = sorted(p for p in (ROOT / "data").iterdir() if p.suffix in (".npz", ".csv"))
LOADERS = {
    "co2": data.co2,
    "demand": data.demand,
    "digits": data.digits,
    "fashion": data.fashion,
    "nuclei": data.nuclei,
    "sunspots": data.sunspots,
}


@pytest.fixture
def copied(tmp_path, monkeypatch):
    folder = tmp_path / "data"
    shutil.copytree(ROOT / "data", folder)
    monkeypatch.setattr(shipped, "FOLDER", folder)
    return folder


def test_every_file_has_a_card_and_a_loader():
    assert {path.stem for path in FILES} == set(shipped.cards()) == set(LOADERS)
    assert {path.name for path in FILES} == {card.file for card in shipped.cards().values()}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_file_is_what_its_card_says(path):
    card = tomllib.loads(path.with_suffix(".toml").read_text(encoding="utf-8"))
    assert hashlib.sha256(path.read_bytes()).hexdigest() == card["sha256"]
    assert path.stat().st_size == card["bytes"]
    assert all(len(str(value)) > 2 for value in card.values())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_shape_on_the_card(path):
    shape = shipped.cards()[path.stem].shape
    if path.suffix == ".npz":
        with np.load(path) as arrays:
            for name, array in arrays.items():
                assert f"{name} {array.dtype} {array.shape}" in shape
    else:
        header, *rows = csv.reader(io.StringIO(path.read_text(encoding="utf-8")))
        assert f"{len(rows):,} rows" in shape
        assert all(column in shape for column in header)


def test_files_are_small():
    sizes = [path.stat().st_size for path in FILES]
    assert max(sizes) < 8e6
    assert sum(sizes) < 12e6


@pytest.mark.parametrize("name", LOADERS)
def test_read_returns_the_bytes_of_the_file(name):
    assert shipped.read(name) == (ROOT / "data" / shipped.cards()[name].file).read_bytes()


@pytest.mark.parametrize("name", LOADERS)
def test_missing_file_is_named_with_its_cure(name, copied):
    file = shipped.cards()[name].file
    (copied / file).unlink()
    with pytest.raises(data.DataFileError, match=f"data/{file} is missing") as caught:
        LOADERS[name]()
    assert f"git checkout -- data/{file}" in str(caught.value)
    assert f"python data/build.py {name}" in str(caught.value)


@pytest.mark.parametrize("name", LOADERS)
def test_one_wrong_bit_is_found(name, copied):
    path = copied / shipped.cards()[name].file
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(data.DataFileError, match=f"data/{path.name} is damaged") as caught:
        LOADERS[name]()
    assert f"git checkout -- data/{path.name}" in str(caught.value)


@pytest.mark.parametrize("content", ["title = ", 'title = "no more"', 'surprise = "field"'])
def test_damaged_card_is_named_with_its_cure(content, copied):
    (copied / "digits.toml").write_text(content, encoding="utf-8")
    with pytest.raises(data.DataFileError, match=r"git checkout -- data/digits\.toml"):
        data.digits()


def test_folder_without_cards(tmp_path, monkeypatch):
    monkeypatch.setattr(shipped, "FOLDER", tmp_path)
    with pytest.raises(data.DataFileError, match="git checkout -- data"):
        data.digits()


def test_unknown_name():
    with pytest.raises(ValueError, match="name is 'didgits'.*digits"):
        shipped.read("didgits")


def test_import_loads_nothing_heavy():
    heavy = ("tensorflow", "keras", "skimage", "sklearn", "scipy", "babel", "faker", "num2words")
    code = f"import sys; from helpers import data; print([m for m in {heavy} if m in sys.modules])"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "[]"


def test_every_public_name_is_documented():
    for name in data.__all__:
        thing = getattr(data, name)
        assert not callable(thing) or thing.__doc__, name
