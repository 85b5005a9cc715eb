import json
import os

from helpers.course import files

import nbformat
import pytest


def _names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_written_and_its_folder_made(tmp_path):
    files.write_text(tmp_path / "new" / "a.txt", "π\n")
    assert (tmp_path / "new" / "a.txt").read_text(encoding="utf-8") == "π\n"
    assert _names(tmp_path / "new") == ["a.txt"]


def test_others_may_read_it_as_any_new_file(tmp_path):
    (tmp_path / "usual").touch()
    files.write_text(tmp_path / "ours", "x")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_readers_see_the_old_file_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with files.written_whole(path) as temporary:
        temporary.write_text("new")
        assert temporary.parent == path.parent
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert _names(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_what_fails_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(type(error)), files.written_whole(path) as temporary:
        temporary.write_text("ne")
        raise error
    assert path.read_text() == "old"
    assert _names(tmp_path) == ["a.txt"]


def test_a_move_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    def refuse(*args):
        raise OSError(28, "No space left on device")

    path = tmp_path / "a.txt"
    path.write_text("old")
    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OSError, match="No space"):
        files.write_text(path, "new")
    assert path.read_text() == "old"
    assert _names(tmp_path) == ["a.txt"]


def test_notebooks_are_laid_out_as_jupyter_does(tmp_path):
    cells = [nbformat.v4.new_code_cell("a = 'π'", id="one"), nbformat.v4.new_markdown_cell("hey")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbformat.write(notebook, tmp_path / "theirs.ipynb")
    plain = json.loads((tmp_path / "theirs.ipynb").read_text(encoding="utf-8"))
    files.write_notebook(tmp_path / "ours.ipynb", plain)
    assert (tmp_path / "ours.ipynb").read_bytes() == (tmp_path / "theirs.ipynb").read_bytes()
