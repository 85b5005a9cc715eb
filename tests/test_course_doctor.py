import shutil
import sys
from types import SimpleNamespace

from helpers import ROOT
from helpers.course import catalogue, cli, doctor
from helpers.data import shipped

import pytest

LOCK = ROOT / "requirements.lock"


@pytest.fixture
def copy_of_data(tmp_path, monkeypatch):
    folder = shutil.copytree(ROOT / "data", tmp_path / "data")
    monkeypatch.setattr(shipped, "FOLDER", folder)
    return folder


def test_python_is_compared_with_what_the_package_asks_for(monkeypatch):
    assert doctor.python().well
    monkeypatch.setattr(doctor.platform, "python_version", lambda: "3.10.4")
    finding = doctor.python()
    assert not finding.well
    assert "3.10.4" in finding.text
    assert "make setup PYTHON=" in finding.cure


def test_another_version_is_named_with_the_cure(tmp_path):
    lock = tmp_path / "requirements.lock"
    lock.write_text("rich==1.2.3\ntyper==0\npsutil==0 ; python_full_version < '3'\n")
    rich, typer = doctor.packages(lock)
    assert not rich.well
    assert rich.text.startswith("rich is ")
    assert rich.text.endswith("the lock says ==1.2.3")
    assert "make setup" in rich.cure
    assert "typer" in typer.text


def test_a_missing_package_is_wrong_only_if_the_lessons_need_it(monkeypatch, tmp_path):
    lock = tmp_path / "requirements.lock"
    lock.write_text("no-such-package==1\n")
    (finding,) = doctor.packages(lock)
    assert finding.well
    assert "no-such-package" in finding.text
    monkeypatch.setattr(doctor.results, "needed", lambda: {"no-such-package"})
    (finding,) = doctor.packages(lock)
    assert not finding.well
    assert finding.text == "no-such-package is not installed"


def test_whole_data_files_are_well():
    (finding,) = doctor.data()
    assert finding.well


def test_a_damaged_and_a_missing_data_file_are_named_with_the_cure(copy_of_data):
    first, second = sorted(copy_of_data.glob("*.csv"))[:2]
    first.write_bytes(first.read_bytes()[:-1])
    second.unlink()
    findings = doctor.data()
    assert [finding.well for finding in findings] == [False, False]
    assert f"data/{first.name} is damaged" in findings[0].text
    assert f"data/{second.name} is missing" in findings[1].text
    assert all("git checkout" in finding.cure for finding in findings)


def test_missing_cards_are_told(copy_of_data):
    for card in copy_of_data.glob("*.toml"):
        card.unlink()
    (finding,) = doctor.data()
    assert not finding.well
    assert "no card" in finding.text


@pytest.mark.parametrize(("free", "well"), [(8, True), (1, False)])
def test_memory(monkeypatch, free, well):
    state = SimpleNamespace(available=free * 2**30, total=16 * 2**30)
    monkeypatch.setattr(doctor.psutil, "virtual_memory", lambda: state)
    finding = doctor.memory()
    assert finding.well == well
    assert finding.text.startswith(f"{free}.0 GiB of memory free, of 16.0")
    assert bool(finding.cure) != well


@pytest.mark.parametrize(("free", "well"), [(8, True), (0.5, False)])
def test_disk(monkeypatch, free, well):
    usage = SimpleNamespace(free=free * 2**30)
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: usage)
    assert doctor.disk().well == well


def test_one_core_is_slow_but_not_wrong(monkeypatch):
    monkeypatch.setattr(catalogue, "cores", lambda: 1)
    assert doctor.cores().well
    assert "twice" in doctor.cores().text


def test_the_command_ends_with_1_if_anything_is_wrong(monkeypatch, capsys):
    bad = doctor.Finding(False, "the [disk] is full", "Make room")
    monkeypatch.setattr(doctor, "examine", lambda: [doctor.Finding(True, "fine"), bad])
    monkeypatch.setattr(sys, "argv", ["lessons", "doctor"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 1
    assert capsys.readouterr().out == "✓ fine\n✗ the [disk] is full\n  Make room.\n"


def test_the_command_says_that_all_is_well(monkeypatch, capsys):
    monkeypatch.setattr(doctor, "examine", lambda: [doctor.Finding(True, "fine")])
    monkeypatch.setattr(sys, "argv", ["lessons", "doctor"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert not end.value.code
    assert capsys.readouterr().out.endswith("All is well.\n")
