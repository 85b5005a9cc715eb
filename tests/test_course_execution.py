import errno
import json
import os

from helpers.course import execution
from helpers.course.execution import Failure, Job, execute, new_record

import pytest
from small_lessons import code, expectation, write_lesson

UNMET = """
class ExpectationNotMet(AssertionError):
    pass
raise ExpectationNotMet("accuracy: 0.1 (at least 0.9)")
"""


def _job(tmp_path, *cells, **settings):
    lesson = write_lesson(tmp_path / "notebooks", "10_gans", *cells)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    settings = {"parameters": {"scale": "smoke"}} | settings
    return Job(lesson.name, lesson.path, tmp_path / "build" / "lessons", scratch, **settings)


def _failure(record):
    return record["failure"]["kind"], record["failure"]["cell"], record["failure"]["line"]


def _files(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_lesson_that_runs_leaves_notebook_page_and_record(tmp_path):
    job = _job(
        tmp_path,
        code("print(scale, steps, rate, widths, word)"),
        expectation("accuracy", 0.9, 0.8),
        code("import os; print(os.getcwd(), os.environ['OMP_NUM_THREADS'])"),
        parameters={"scale": "smoke", "rate": 2.0, "widths": (3, 4), "word": 'a "b"'},
        threads=3,
        digest="abc",
    )
    record = execute(job)
    assert record["status"] == "passed"
    assert record["failure"] is None
    assert record["digest"] == "abc"
    assert 0 < record["seconds"] < 60
    assert record["peak_mib"] > 10
    assert record["notebook"] == "lessons/10_gans.ipynb"
    (measured,) = record["expectations"]
    assert (measured["name"], measured["value"], measured["met"]) == ("accuracy", 0.9, True)
    assert measured["scale"] == "smoke"
    assert _files(job.out) == ["10_gans.html", "10_gans.ipynb"]
    notebook = json.loads(job.executed.read_text())
    printed = "".join(notebook["cells"][3]["outputs"][0]["text"])
    assert printed == 'smoke 100 2.0 (3, 4) a "b"\n'
    assert "".join(notebook["cells"][5]["outputs"][0]["text"]) == f"{job.source.parent} 3\n"
    assert notebook["metadata"]["lesson"] == json.loads(json.dumps(record))
    assert str(tmp_path) not in json.dumps(notebook["metadata"])
    assert _files(job.scratch) == ["10_gans.progress"]
    assert job.progress.read_text() == "5 6"


def test_an_exception_is_told_with_its_cell(tmp_path):
    job = _job(tmp_path, code("1 + 1"), code("# why\nvalues = {}\nvalues['key']"))
    record = execute(job)
    assert record["status"] == "failed"
    assert _failure(record) == ("exception", 4, "# why")
    assert record["failure"]["error"] == "KeyError"
    assert record["failure"]["message"] == "'key'"
    assert record["notebook"] == "lessons/10_gans.failed.ipynb"
    assert _files(job.out) == ["10_gans.failed.ipynb"]
    outputs = [cell.get("outputs") for cell in json.loads(job.failed.read_text())["cells"]]
    assert any(output and output[0].get("ename") == "KeyError" for output in outputs)


def test_an_unmet_expectation_is_told_as_such_with_those_before_it(tmp_path):
    record = execute(_job(tmp_path, expectation("loss", 2.0, 1.0), code(UNMET)))
    assert _failure(record)[0] == "expectation"
    assert record["failure"]["message"] == "accuracy: 0.1 (at least 0.9)"
    assert [expectation["name"] for expectation in record["expectations"]] == ["loss"]


def test_a_killed_kernel_is_told_as_such_with_its_memory(tmp_path):
    record = execute(_job(tmp_path, code("import os\nos.kill(os.getpid(), 9)"), code("1 + 1")))
    assert _failure(record) == ("killed", 3, "import os")
    message = record["failure"]["message"]
    assert "SIGKILL" in message
    assert "memory" in message
    assert "MiB at its peak" in message
    assert record["notebook"] == "lessons/10_gans.failed.ipynb"


@pytest.mark.parametrize(
    ("death", "words"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "it ended by SIGSEGV"),
        ("import os; os._exit(3)", "it ended by itself"),
        ("import os; os.write(2, b'no such instruction'); os._exit(3)", "no such instruction"),
    ],
)
def test_other_deaths_of_a_kernel_are_told_as_they_are(tmp_path, death, words):
    record = execute(_job(tmp_path, code(death)))
    assert record["failure"]["kind"] == "killed"
    assert words in record["failure"]["message"]


def test_a_timeout_is_told_as_such(tmp_path):
    record = execute(_job(tmp_path, code("import time\ntime.sleep(60)"), timeout=2))
    assert _failure(record) == ("timeout", 3, "import time")
    assert record["failure"]["message"] == "it was stopped after 2 s, the time-out"
    assert record["seconds"] < 30


def test_a_timeout_may_come_before_the_first_cell(tmp_path):
    record = execute(_job(tmp_path, timeout=0.01))
    assert record["failure"]["kind"] == "timeout"


def test_a_call_to_stop_is_followed(tmp_path):
    job = _job(tmp_path, code("import time\ntime.sleep(60)"))
    job.stop.touch()
    record = execute(job)
    assert record["failure"]["kind"] == "interrupt"
    assert record["seconds"] < 30
    assert not job.out.exists()


def test_a_full_disk_in_a_cell_is_told_as_such(tmp_path):
    record = execute(_job(tmp_path, code(f"raise OSError({errno.ENOSPC}, 'No space left')")))
    assert _failure(record)[0] == "disk"


def _raise_full(*args, **kwargs):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("function", ["write_notebook", "write_text"])
def test_a_full_disk_at_the_end_leaves_nothing_half_written(tmp_path, monkeypatch, function):
    job = _job(tmp_path, code("1 + 1"))
    monkeypatch.setattr(execution, function, _raise_full)
    record = execute(job)
    assert record["status"] == "failed"
    assert record["failure"]["kind"] == "disk"
    assert record["notebook"] is None
    assert not job.executed.exists()
    assert not [name for name in _files(tmp_path / "scratch") if name.startswith("10_gans-")]


def test_a_disk_that_fills_up_while_cells_run_is_told_as_such(tmp_path, monkeypatch):
    from papermill import iorw

    job = _job(tmp_path, code("1 + 1"))
    monkeypatch.setattr(iorw.LocalHandler, "write", _raise_full)
    record = execute(job)
    assert record["failure"]["kind"] == "disk"


def test_a_failure_removes_an_earlier_success_and_a_success_an_earlier_failure(tmp_path):
    job = _job(tmp_path, code("assert steps > 50"))
    assert execute(job)["status"] == "passed"
    few = Job(**(vars(job) | {"parameters": {"steps": 1}}))
    assert execute(few)["status"] == "failed"
    assert _files(job.out) == ["10_gans.failed.ipynb"]
    assert execute(job)["status"] == "passed"
    assert _files(job.out) == ["10_gans.html", "10_gans.ipynb"]


def test_without_injected_parameters_cells_are_counted_the_same(tmp_path):
    record = execute(_job(tmp_path, code("1 / 0"), parameters={}))
    assert _failure(record) == ("exception", 3, "1 / 0")


def test_long_messages_are_cut(tmp_path):
    record = execute(_job(tmp_path, code("raise ValueError('x' * 10_000 + '\\nmore')")))
    assert len(record["failure"]["message"]) == 300


def test_a_record_has_every_key_of_results_json():
    from helpers.course import results

    for key in new_record("10_gans", Failure("lost", "lost", "gone")):
        assert f"        {key} " in results.__doc__
    for key in vars(Failure("lost", "lost", "gone")):
        assert key in results.__doc__
