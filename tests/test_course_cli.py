import subprocess
import sys

from helpers.course import catalogue, cli, runner

import pytest
from small_lessons import code, write_lesson
from test_course_student import exercise_lesson


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name in ("00_start_here", "03_attention", "10_gans"):
        write_lesson(tmp_path / "notebooks", name)
    monkeypatch.setattr(cli, "NOTEBOOKS", tmp_path / "notebooks")
    return tmp_path / "notebooks"


@pytest.fixture
def lessons(folder, monkeypatch, capsys):
    """Gives a function that calls `lessons` with words and returns status, output and errors."""

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["lessons", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        return (end.value.code or 0, *capsys.readouterr())

    return call


def test_list_shows_minutes_and_what_is_learnt(lessons, folder, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    (folder / "11_broken.ipynb").write_text("{")
    status, shown, _ = lessons("list")
    assert status == 0
    lines = shown.splitlines()
    assert [line.split()[0] for line in lines] == [
        "lesson",
        "00_start_here",
        "03_attention",
        "10_gans",
        "11_broken",
    ]
    assert "5 minutes · needs nothing · reaches 1" in lines[1]
    assert "The 00_start_here lesson. You learn a lot in it." in lines[1]
    assert "is not a notebook" in lines[4]


def test_list_answers_without_loading_what_is_slow():
    code = "import atexit, sys; from helpers.course import cli; "
    code += "atexit.register(lambda: print(sorted(sys.modules))); cli.main()"
    command = [sys.executable, "-c", code, "list"]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    *listed, loaded = run.stdout.splitlines()
    assert "00_start_here" in "".join(listed)
    assert "'typer'" in loaded
    for slow in ("tensorflow", "keras", "numpy", "matplotlib", "nbformat", "papermill"):
        assert f"'{slow}'" not in loaded


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "gan"], "There is no lesson 'gan'; did you mean 10_gans?\n"),
        (
            ["run", "gans", "-p", "stepz=3"],
            "10_gans has no parameter 'stepz'; did you mean steps?\n",
        ),
        (
            ["run", "gans", "-p", "steps=few"],
            "10_gans needs steps as int (such as 100), not 'few'.\n",
        ),
        (["run", "--profile", "large"], "There is no profile 'large'; "),
        (["run", "gans", "--dask", "tcp://127.0.0.1:1"], "No Dask cluster answers at"),
        (["tidy", "gan"], "did you mean 10_gans?\n"),
        (["class", "release", "nowhere"], "There is no course in nowhere"),
    ],
)
def test_a_mistake_of_use_gets_one_sentence_and_status_2(
    lessons, tmp_path, monkeypatch, words, message
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("helpers.course.pools.SECONDS_TO_CONNECT", 1)
    out = ["--out", tmp_path / "build"] if words[0] == "run" else []
    status, shown, errors = lessons(*words, *out)
    assert status == 2
    assert message in errors
    assert errors.count("\n") == 1
    assert shown == ""
    assert not list(tmp_path.glob("build/*"))


@pytest.mark.parametrize("words", [["rum"], ["run", "--job", "2"], ["run", "--jobs", "0"]])
def test_an_unknown_word_gets_status_2(lessons, words):
    status, _, errors = lessons(*words)
    assert status == 2
    assert "Traceback" not in errors


def test_run_hands_everything_over(lessons, monkeypatch, tmp_path):
    calls = []

    def remember(found, out, *settings):
        calls.append((found, out, settings))
        return 1

    monkeypatch.setattr(runner, "run_course", remember)
    words = (
        "run gans 00 --profile smoke --jobs 2 -p steps=3 -p rate=1 --seed 4 --timeout 9 --resume"
    )
    assert lessons(*words.split(), "--out", tmp_path, "--dask", "tcp://here")[0] == 1
    (found, out, settings) = calls[0]
    assert [lesson.name for lesson in found] == ["10_gans", "00_start_here"]
    assert out == tmp_path
    assert settings == ("smoke", 4, ["steps=3", "rate=1"], 2, 9.0, True, "tcp://here")


@pytest.mark.parametrize(("profile", "timeout"), [("lesson", 1800), ("full", 0)])
def test_only_full_scale_runs_without_a_limit(lessons, monkeypatch, profile, timeout):
    given = []
    monkeypatch.setattr(runner, "run_course", lambda *all_of_it: given.append(all_of_it) or 0)
    assert lessons("run", "--profile", profile)[0] == 0
    assert given[0][6] == timeout


def test_a_disk_error_is_told_in_a_sentence(lessons, tmp_path):
    (tmp_path / "file").touch()
    status, _, errors = lessons("run", "gans", "--out", tmp_path / "file" / "build")
    assert status == 1
    assert errors.startswith("The system says: ")
    assert errors.count("\n") == 1


def test_tidy_says_what_it_did(lessons, folder):
    assert lessons("tidy", "gans") == (0, "10_gans is tidy.\n", "")
    write_lesson(folder, "10_gans", code("1 / 0"))
    status, shown, _ = lessons("tidy")
    assert status == 1
    assert "10_gans failed in cell 3 (1 / 0): ZeroDivisionError: division by zero" in shown
    assert "03_attention is tidy." in shown


def test_start_says_what_is_new_and_what_stayed(lessons, tmp_path):
    status, shown, _ = lessons("start", tmp_path / "mine")
    assert status == 0
    assert shown.count("is new.\n") == 3
    (tmp_path / "mine" / "10_gans.ipynb").unlink()
    status, shown, _ = lessons("start", tmp_path / "mine")
    assert f"{tmp_path}/mine/10_gans.ipynb is new.\n" in shown
    assert "2 lessons were there already and stayed as you left them.\n" in shown


def test_a_course_is_made_and_handed_out(lessons, folder, tmp_path):
    exercise_lesson(folder)
    course = tmp_path / "course"
    assert lessons("class", "create", course, "gans")[1] == "10_gans is an assignment now.\n"
    assert "was there already" in lessons("class", "create", course, "gans")[1]
    status, shown, _ = lessons("class", "release", course)
    assert status == 0
    assert shown == f"{course}/release/10_gans/10_gans.ipynb\n"
    assert "secret" not in (course / "release" / "10_gans" / "10_gans.ipynb").read_text()


def test_site_needs_every_lesson(lessons, folder, tmp_path):
    write_lesson(folder, "10_gans", code("1 / 0"))
    status, shown, _ = lessons("site", "--out", tmp_path / "build")
    assert status == 1
    assert "10_gans failed" in shown
    assert not (tmp_path / "build" / "site").exists()


def test_the_lessons_that_there_are_can_be_listed():
    assert catalogue.find([], cli.NOTEBOOKS)
