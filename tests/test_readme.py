"""README.md keeps its promises: its commands exist, its table is complete and its figures held."""

import re

from helpers import ROOT

import pytest
from lesson_files import NAMES, bounds, quoted_figures, read

README = (ROOT / "README.md").read_text(encoding="utf-8")
ROWS = {
    match: row
    for row in README.splitlines()
    if row.startswith("|")
    for match in re.findall(r"\(notebooks/(\w+)\.ipynb\)", row)
}


def test_the_table_holds_each_lesson_once():
    assert sorted(ROWS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_row_shows_a_picture_with_a_text_alternative(name):
    (alternative, path) = re.search(r"!\[([^\]]+)\]\(([^)]+)\)", ROWS[name]).groups()
    assert len(alternative.split()) >= 3
    assert (ROOT / path).is_file()
    # site/thumbnails.py draws it anew from the one cell with this tag.
    tags = [tag for cell in read(name).cells for tag in cell.metadata.get("tags", [])]
    assert tags.count("thumbnail") == 1


@pytest.mark.parametrize("name", NAMES)
def test_a_row_quotes_figures_that_the_lesson_holds(name):
    quoted, loose = quoted_figures(ROWS[name])
    assert quoted, f"the row of {name} says nothing that was measured"
    assert not loose
    assert quoted <= bounds(read(name))


def test_its_commands_are_targets_of_the_makefile():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^(\w+):", makefile, flags=re.MULTILINE))
    commands = set(re.findall(r"`make (\w+)", README)) | set(
        re.findall(r"^ +make (\w+)", README, flags=re.MULTILINE)
    )
    assert {"lessons", "test", "lab"} <= commands <= targets


def test_its_links_lead_somewhere():
    for path in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / path).exists(), path
