import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Executor, Future

from helpers.course import results, runner
from helpers.course.catalogue import UsageError
from helpers.course.kernel import kill_family

import psutil
import pytest
from small_lessons import code, expectation, write_lesson

SLOW = "import time\nfor _ in range(600): time.sleep(0.1)"
RUN = "import sys; from pathlib import Path; from helpers.course import cli; "
RUN += "cli.NOTEBOOKS = Path(sys.argv.pop(1)); cli.main()"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "notebooks"


class InPlace(Executor):
    """Runs each job at once: spares tests that are not about processes the time of a new one."""

    def __init__(self, count):
        self.count = count

    def submit(self, function, job):
        future = Future()
        future.set_result(function(job))
        return future


@pytest.fixture
def one_process(monkeypatch):
    monkeypatch.setattr(runner.pools, "local_pool", InPlace)


def _run(lessons, tmp_path, **settings):
    status = runner.run_course(lessons, tmp_path / "build", **settings)
    return status, json.loads((tmp_path / "build" / "results.json").read_text())


def _files(tmp_path):
    build = tmp_path / "build"
    return sorted(str(path.relative_to(build)) for path in build.rglob("*") if path.is_file())


def test_lessons_that_fail_do_not_stop_the_others(folder, tmp_path, capsys):
    lessons = [
        write_lesson(folder, "01_good", expectation("accuracy [test]", 0.9, 0.8)),
        write_lesson(folder, "02_bad", code("1 / 0")),
        write_lesson(folder, "03_killed", code("import os; os.kill(os.getpid(), 9)")),
        write_lesson(folder, "04_corrupt"),
        write_lesson(folder, "05_also_good"),
    ]
    lessons[3].path.write_text('{"cells": ')
    status, found = _run(lessons, tmp_path, count=2, seed=3)
    assert status == 1
    records = found["lessons"]
    assert [record["name"] for record in records] == [lesson.name for lesson in lessons]
    failures = [record["failure"] and record["failure"]["kind"] for record in records]
    assert failures == [None, "exception", "killed", "corrupt", None]
    assert records[0]["parameters"] == {"scale": "lesson", "seed": 3}
    assert found["profile"] == "lesson"
    assert found["versions"]["keras"]
    assert "pytest" not in found["versions"]
    assert _files(tmp_path) == [
        "lessons/01_good.html",
        "lessons/01_good.ipynb",
        "lessons/02_bad.failed.ipynb",
        "lessons/03_killed.failed.ipynb",
        "lessons/05_also_good.html",
        "lessons/05_also_good.ipynb",
        "results.json",
    ]
    shown = capsys.readouterr().out
    assert "01_good started\n" in shown
    assert "accuracy [test]" in shown
    assert "≥ 0.8" in shown
    assert "02_bad failed in cell 3 (1 / 0): ZeroDivisionError: division by zero\n" in shown
    assert "02_bad.failed.ipynb" in shown
    assert "03_killed failed in cell 3 (import os; os.kill(os.getpid(), 9)): kernel died" in shown
    assert "04_corrupt failed: corrupt notebook: 04_corrupt.ipynb is not a notebook" in shown
    assert "2 of 5 lessons passed" in shown
    assert "Traceback" not in shown


def test_lessons_share_the_cores(folder, tmp_path, one_process, monkeypatch):
    monkeypatch.setattr("helpers.course.catalogue.cores", lambda: 9)
    names = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
    lesson = write_lesson(folder, "01_a", code(f"import os; [os.environ[n] for n in {names}]"))
    assert _run([lesson], tmp_path, count=2)[0] == 0
    notebook = json.loads((tmp_path / "build/lessons/01_a.ipynb").read_text())
    shown = notebook["cells"][-1]["outputs"][0]["data"]["text/plain"]
    assert "".join(shown) == "['4', '4', '4']"


@pytest.mark.parametrize("given", ["stepz=3", "steps=many", "steps"])
def test_what_does_not_fit_is_refused_before_anything_runs(folder, tmp_path, given):
    lessons = [write_lesson(folder, "01_a"), write_lesson(folder, "02_b")]
    with pytest.raises(UsageError):
        _run(lessons, tmp_path, given=[given])
    assert _files(tmp_path) == []


def test_a_lesson_that_would_only_repeat_itself_is_skipped(folder, tmp_path, one_process, capsys):
    mark = tmp_path / "ran"
    cell = code(f"with open({str(mark)!r}, 'a') as file: file.write('x')")
    lesson = write_lesson(folder, "01_a", cell)

    def runs(**settings):
        status, found = _run([lesson], tmp_path, resume=True, **settings)
        assert status == 0
        assert found["lessons"][0]["resumed"] == (len(mark.read_text()) == runs.before)
        runs.before = len(mark.read_text())
        return runs.before

    runs.before = 0
    assert runs() == 1
    assert runs() == 1
    assert "01_a is unchanged (1 of 1)" in capsys.readouterr().out
    assert runs(seed=5) == 2
    assert runs(seed=5) == 2
    assert runs(seed=5, given=["steps=2"]) == 3
    write_lesson(folder, "01_a", cell, code("1 + 1"))
    assert runs(seed=5, given=["steps=2"]) == 4
    (tmp_path / "build/lessons/01_a.html").unlink()
    assert runs(seed=5, given=["steps=2"]) == 5
    assert runs(seed=5, given=["steps=2"]) == 5


def test_a_failed_lesson_is_run_again(folder, tmp_path, one_process):
    lesson = write_lesson(folder, "01_a", code("1 / 0"))
    for _ in range(2):
        status, found = _run([lesson], tmp_path, resume=True)
        assert status == 1
        assert not found["lessons"][0]["resumed"]


def test_another_version_of_a_package_is_not_the_same(folder, monkeypatch):
    lesson = write_lesson(folder, "01_a")
    before = results.digest(lesson, {"seed": 0})
    installed = list(results.metadata.distributions())
    fewer = [found for found in installed if found.name != "keras"]
    assert len(fewer) < len(installed)
    monkeypatch.setattr(results.metadata, "distributions", lambda: fewer)
    assert results.digest(lesson, {"seed": 0}) != before


def _kernels(folder):
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd() == str(folder) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


@pytest.fixture
def start(folder, tmp_path):
    """Gives a function that starts a run and waits until two slow lessons are under way."""
    write_lesson(folder, "01_quick")
    for name in ("02_slow", "03_slow"):
        write_lesson(folder, name, code(SLOW))
    write_lesson(folder, "04_waits")
    started = []

    def call():
        command = [sys.executable, "-c", RUN, folder, "run", "--jobs", "2", "--out"]
        process = subprocess.Popen(
            [*command, tmp_path / "build"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        deadline = time.monotonic() + 60
        while len(list((tmp_path / "build").glob(".run-*/0[23]*.progress"))) < 2:
            assert time.monotonic() < deadline
            assert process.poll() is None, process.stdout.read()
            time.sleep(0.1)
        time.sleep(1)
        assert len(_kernels(folder)) == 2
        return process

    yield call
    for process in started:
        if process.poll() is None:
            kill_family(psutil.Process(process.pid))
        process.communicate()


@pytest.mark.parametrize(
    ("number", "whole_group"),
    [(signal.SIGINT, True), (signal.SIGTERM, False)],
    ids=["Ctrl-C", "SIGTERM"],
)
def test_ctrl_c_leaves_no_kernel_and_no_half_file(start, folder, tmp_path, number, whole_group):
    process = start()
    family = psutil.Process(process.pid).children(recursive=True)
    (os.killpg if whole_group else os.kill)(process.pid, number)
    process.wait(timeout=120)
    output = process.stdout.read()
    assert process.returncode == 130, output
    assert _kernels(folder) == []
    psutil.wait_procs(family, timeout=5)
    assert not [p for p in family if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]
    assert _files(tmp_path) == ["lessons/01_quick.html", "lessons/01_quick.ipynb"]
    assert not list((tmp_path / "build").glob(".run-*"))
    assert "Stopped: 1 of 4 lessons had ended" in output
    assert "Traceback" not in output


def test_a_second_ctrl_c_ends_lessons_the_hard_way(start, folder, tmp_path):
    process = start()
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)
    process.wait(timeout=30)
    output = process.stdout.read()
    assert process.returncode == 130, output
    assert "Stopped: 1 of 4 lessons had ended" in output
    assert _kernels(folder) == []
    assert not list((tmp_path / "build").glob(".run-*"))


def test_no_kernel_outlives_a_run_that_is_killed(start, folder):
    process = start()
    process.kill()
    process.wait()
    deadline = time.monotonic() + 20
    while _kernels(folder):
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_a_process_that_is_gone_is_told(folder, tmp_path, capsys):
    lesson = write_lesson(folder, "01_a", code("import os; os.kill(os.getppid(), 9)"))
    status, found = _run([lesson], tmp_path)
    assert status == 1
    assert found["lessons"][0]["failure"]["kind"] == "lost"
    assert "the process that ran it is gone" in capsys.readouterr().out
