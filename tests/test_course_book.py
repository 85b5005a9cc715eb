import json
import re

from helpers import ROOT
from helpers.course import book
from helpers.course.catalogue import Failed, UsageError, tags
from helpers.course.execution import Job, execute

import pytest
from small_lessons import code, expectation, markdown, write_lesson

FETCHES = r"""<(?:script|link|img|iframe)[^>]*(?:src|href)\s*=\s*["'](?:https?:)?//|@import"""
QUIZ = "from IPython.display import Javascript, display\ndisplay(Javascript('let quiz = 1'))"


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("book")
    lesson = write_lesson(
        folder,
        "10_gans",
        markdown("## The idea\n\nInline $a_1$.\n\n$$\\frac{a}{b}$$\n"),
        expectation("accuracy", 0.9, 0.8),
        code(QUIZ),
    )
    job = Job(lesson.name, lesson.path, folder / "build" / "lessons", folder, {"scale": "lesson"})
    assert execute(job)["status"] == "passed"
    return job.executed


@pytest.fixture(scope="module")
def site(executed, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "build" / "site"
    book.build(ROOT / "site", [executed], out)
    return out


def test_the_book_has_its_lessons(site):
    page = (site / "lessons" / "10_gans.html").read_text()
    assert "The 10_gans lesson" in page
    assert "measured" in page
    assert "let quiz = 1" in page
    assert "The 10_gans lesson" in (site / "index.html").read_text()


def test_the_book_fetches_nothing(site):
    pages = [path for path in site.rglob("*.html") if "_static" not in path.parts]
    assert len(pages) >= 3
    for path in pages:
        assert not re.findall(FETCHES, path.read_text()), path
    for path in site.rglob("*.css"):
        assert not re.findall(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//", path.read_text()), path


def test_every_file_that_a_page_names_is_there(site):
    for path in (site / "index.html", site / "lessons" / "10_gans.html"):
        named = re.findall(r"<(?:script|link)[^>]*(?:src|href)=\"([^\"#?]+)", path.read_text())
        assert named
        for name in named:
            assert (path.parent / name).exists(), name


def test_formulas_are_mathml(site):
    page = (site / "lessons" / "10_gans.html").read_text()
    assert page.count("<math") == 2
    assert page.count('display="block"') == 1


def test_what_only_the_runner_reads_is_left_out(executed):
    kept = book.page(executed)
    assert "lesson" not in kept["metadata"]
    assert not [cell for cell in kept["cells"] if "injected-parameters" in tags(cell)]
    outputs = [output for cell in kept["cells"] for output in cell.get("outputs", [])]
    assert len(outputs) == 2
    assert "vnd.lesson" not in json.dumps(outputs)


def test_nothing_but_the_book_is_left(site):
    assert [path.name for path in site.parent.iterdir()] == ["site"]


def test_a_book_that_fails_leaves_the_old_one(site, tmp_path, executed):
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "conf.py").write_text("1 / 0")
    before = (site / "index.html").read_bytes()
    with pytest.raises(Failed, match="ZeroDivisionError"):
        book.build(tmp_path / "source", [executed], site)
    assert (site / "index.html").read_bytes() == before
    assert [path.name for path in site.parent.iterdir()] == ["site"]


def test_a_new_book_replaces_the_old_one(site, executed):
    (site / "stale.html").touch()
    book.build(ROOT / "site", [executed], site)
    assert not (site / "stale.html").exists()


def test_what_is_not_installed_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(book, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="needs sphinx, myst_nb, sphinx_book_theme"):
        book.build(ROOT / "site", [], tmp_path)
