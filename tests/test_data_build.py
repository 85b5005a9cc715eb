"""The script that builds the files of `data/`, as far as it works without a network."""

import gzip
import importlib.util
import shutil

from helpers import ROOT
from helpers.data import shipped

import numpy as np
import pytest


@pytest.fixture
def build(tmp_path, monkeypatch):
    shutil.copytree(ROOT / "data", tmp_path / "data")
    monkeypatch.setattr(shipped, "FOLDER", tmp_path / "data")
    spec = importlib.util.spec_from_file_location("data_build", ROOT / "data" / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def give(build, monkeypatch, name, content):
    monkeypatch.setitem(build.BUILDERS, name, lambda folder, package: content)


def test_every_card_can_be_built(build):
    assert set(build.BUILDERS) == set(shipped.cards())


def test_right_content_replaces_a_damaged_file(build, monkeypatch):
    path = shipped.FOLDER / "co2.csv"
    content = path.read_bytes()
    path.write_bytes(b"damaged")
    give(build, monkeypatch, "co2", content)
    assert build.main(["co2"]) == 0
    assert shipped.read("co2") == content


def test_wrong_content_is_not_written(build, monkeypatch, capsys):
    before = (shipped.FOLDER / "co2.csv").read_bytes()
    give(build, monkeypatch, "co2", b"week,co2\n")
    assert build.main(["co2"]) == 1
    assert (shipped.FOLDER / "co2.csv").read_bytes() == before
    assert shipped.checksum(b"week,co2\n") in capsys.readouterr().out


def test_same_numbers_compressed_otherwise_are_accepted(build, monkeypatch, tmp_path):
    path = shipped.FOLDER / "nuclei.npz"
    before = path.read_bytes()
    with np.load(path) as arrays:
        np.savez(tmp_path / "plain.npz", **arrays)
    give(build, monkeypatch, "nuclei", (tmp_path / "plain.npz").read_bytes())
    assert build.main(["nuclei"]) == 0
    assert path.read_bytes() == before


def test_other_numbers_are_refused(build, monkeypatch, tmp_path):
    with np.load(shipped.FOLDER / "nuclei.npz") as arrays:
        np.savez(tmp_path / "other.npz", image=arrays["image"] + 1, mask=arrays["mask"])
    give(build, monkeypatch, "nuclei", (tmp_path / "other.npz").read_bytes())
    assert build.main(["nuclei"]) == 1


def test_unknown_name_lists_the_known(build, capsys):
    with pytest.raises(SystemExit) as stop:
        build.main(["didgits"])
    assert stop.value.code == 2
    assert "digits" in capsys.readouterr().err


def test_rank_in_class(build):
    assert build._rank_in_class(np.array([7, 3, 7, 7, 3])).tolist() == [0, 0, 1, 2, 1]


def test_idx_header(build, tmp_path):
    # Two zero bytes, 8 for unsigned bytes, 2 axes, of lengths 2 and 3.
    path = tmp_path / "idx.gz"
    path.write_bytes(gzip.compress(bytes([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, *range(6)])))
    assert build._idx(path).tolist() == [[0, 1, 2], [3, 4, 5]]
