import io

from helpers.course import report
from helpers.course.execution import Failure, Job, new_record

import pytest
from rich.console import Console

MET = {"name": "accuracy [top 1]", "value": 0.91234, "at_least": 0.9, "at_most": None, "met": True}
UNMET = {"name": "loss", "value": "nan", "at_least": 1.0, "at_most": 2.5, "met": False}


def _screen(terminal=False, width=120):
    return Console(file=io.StringIO(), force_terminal=terminal, width=width, highlight=False)


def _text(screen):
    return screen.file.getvalue()


def _records(scale="lesson"):
    expectations = [MET | {"scale": scale}, UNMET | {"scale": scale}]
    failure = Failure("exception", "ValueError", "[red] is no colour", 7, "paint('[red]')")
    return [
        new_record(
            "10_gans", failure, seconds=2.4, notebook="lessons/10_gans.failed.ipynb", peak_mib=1234
        ),
        new_record("03_attention", expectations=expectations, seconds=61.2),
    ]


def test_the_table_has_a_row_for_each_expectation_in_order_of_lessons():
    screen = _screen()
    screen.print(report.table(_records()))
    rows = [line.split() for line in _text(screen).splitlines()]
    assert rows[0] == ["lesson", "s", "MiB", "expectation", "value", "bounds"]
    assert rows[1] == [
        "03_attention",
        "61",
        "0",
        "accuracy",
        "[top",
        "1]",
        "0.9123",
        "≥",
        "0.9",
        "✓",
    ]
    assert rows[2] == ["loss", "nan", "≥", "1", "≤", "2.5", "✗"]
    assert rows[3] == ["10_gans", "2", "1,234"]


def test_the_report_names_what_failed_and_sums_up(tmp_path):
    screen = _screen()
    report.show(screen, _records(), 65.0, tmp_path)
    lines = _text(screen).splitlines()
    assert lines[-3:] == [
        "10_gans failed in cell 7 (paint('[red]')): ValueError: [red] is no colour",
        f"  as far as it went: {tmp_path}/lessons/10_gans.failed.ipynb",
        f"1 of 2 lessons passed in 65 s; results in {tmp_path}.",
    ]
    assert "smoke" not in _text(screen)


def test_a_miss_at_smoke_scale_is_explained(tmp_path):
    screen = _screen()
    report.show(screen, _records("smoke"), 65.0, tmp_path)
    assert "At smoke scale an expectation that is not met is reported, and no more." in _text(
        screen
    )


def test_a_lesson_that_passed_has_its_sentence():
    assert report.sentence(new_record("10_gans", seconds=2.4)) == "10_gans passed in 2 s."


@pytest.mark.parametrize("terminal", [False, True])
def test_progress_is_shown_by_lesson_and_cell(tmp_path, terminal):
    screen = _screen(terminal)
    job = Job("10_gans", tmp_path, tmp_path, tmp_path, {})
    with report.watch(screen, 3) as watch:
        watch.moved(job, 1, 9)  # news may come before the start is told
        watch.started(job)
        watch.moved(job, 4, 9)
        if terminal:
            watch.progress.refresh()
        watch.ended(new_record("10_gans", seconds=12.3))
        watch.ended(new_record("03_attention", resumed=True))
        watch.ended(new_record("04_more", Failure("lost", "lost", "gone"), seconds=1.0))
    text = _text(screen)
    if terminal:
        assert "cell 4 of 9" in text
        assert "10_gans 12 s" in text
        assert "03_attention unchanged" in text
    else:
        assert text.splitlines() == [
            "10_gans started",
            "10_gans passed in 12 s (1 of 3)",
            "03_attention is unchanged (2 of 3)",
            "04_more failed in 1 s (3 of 3)",
        ]


def test_a_file_gets_lines_that_are_wide_enough(monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    assert report.console().width == report.NARROWEST
    monkeypatch.setenv("COLUMNS", "60")
    assert report.console().width == 60


def test_paths_are_shown_from_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert report.shown(tmp_path / "build") == "build"
    assert report.shown(tmp_path.parent / "else") == str(tmp_path.parent / "else")
