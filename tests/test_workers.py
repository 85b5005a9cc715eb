"""Worker processes: they start, fail loudly, and are gone whatever happens.

No TensorFlow here: the programs are a few lines, written to a module in a temporary folder.
"""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time

from helpers import ROOT
from helpers.workers import WorkerFailed, Workers

import psutil
import pytest

HEAD = """
import json, os, sys, time
from helpers import workers
workers.end_with_parent()
rank = json.loads(os.environ["TF_CONFIG"])["task"]["index"]
"""


@pytest.fixture
def team(tmp_path, monkeypatch):
    """Returns a function from a program's text to Workers that run it."""
    path = os.environ.get("PYTHONPATH", "")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), path]))

    def make(body, count=2, **settings):
        text = HEAD + textwrap.dedent(body)
        (tmp_path / "small_program.py").write_text(text, encoding="utf-8")
        return Workers(count, "small_program", "one", folder=tmp_path, **settings)

    return make


def gone(processes):
    """Tells whether all processes have ended within a few seconds."""
    return not psutil.wait_procs([p for p in processes if p.is_running()], timeout=10)[1]


def family():
    return psutil.Process().children(recursive=True)


def test_each_worker_learns_who_it_is(team):
    workers = team("print(os.environ['TF_CONFIG']); print(sys.argv[1:])", count=3)
    with workers:
        workers.wait(30)
    configs = [json.loads(workers.output(k).splitlines()[0]) for k in range(3)]
    assert [config["task"] for config in configs] == [
        {"type": "worker", "index": k} for k in range(3)
    ]
    addresses = configs[0]["cluster"]["worker"]
    assert all(config["cluster"]["worker"] == addresses for config in configs)
    assert len(set(addresses)) == 3
    assert all(address.startswith("127.0.0.1:") for address in addresses)
    assert workers.output(0).splitlines()[1] == "['one']"


def test_nothing_of_it_stands_in_our_own_environment(team):
    before = dict(os.environ)
    with team("time.sleep(60)"):
        assert dict(os.environ) == before
        assert "TF_CONFIG" not in os.environ


def test_threads_are_limited_and_proxies_left_out(team, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    body = "print(os.environ['TF_NUM_INTRAOP_THREADS'], 'HTTPS_PROXY' in os.environ)"
    workers = team(body, count=1, threads=3)
    with workers:
        workers.wait(30)
    assert workers.output(0).split() == ["3", "False"]


def test_a_failing_worker_is_shown_and_the_others_are_stopped(team):
    body = """
    if rank == 1:
        print("about to fail")
        sys.exit(7)
    time.sleep(60)
    """
    start = time.monotonic()
    with team(body) as workers:
        with pytest.raises(WorkerFailed, match="(?s)worker 1 of 2 .*status 7.*about to fail"):
            workers.wait(50)
        assert workers.processes[0].poll() == -signal.SIGKILL
    assert time.monotonic() - start < 30


def test_an_exception_of_a_worker_arrives_with_its_text(team):
    workers = team("raise KeyError('the shard')", count=1)
    with workers, pytest.raises(WorkerFailed, match="KeyError: 'the shard'"):
        workers.wait(30)


def test_a_time_limit_stops_all_and_says_what_they_wrote_last(team):
    body = "print('connecting'); time.sleep(60)"
    with team(body) as workers:
        workers.wait_for("connecting", 0, 30)
        with pytest.raises(TimeoutError, match="worker 0: connecting"):
            workers.wait(0.2)
        assert [p.poll() for p in workers.processes] == [-signal.SIGKILL] * 2


def test_kill_is_sigkill_and_is_noticed(team):
    body = "print('ready'); time.sleep(60)"
    with team(body) as workers:
        workers.wait_for("ready", 1, 30)
        workers.kill(1)
        with pytest.raises(WorkerFailed, match="worker 1 of 2 ended by SIGKILL"):
            workers.wait(30)
        with pytest.raises(WorkerFailed, match="cannot be killed"):
            workers.kill(1)


def test_the_killed_worker_is_named_even_if_another_has_failed_since(team):
    body = """
    if rank == 0:
        sys.exit(3)
    time.sleep(60)
    """
    with team(body) as workers:
        workers.processes[0].wait()
        workers.kill(1)
        with pytest.raises(WorkerFailed, match="worker 1 of 2 ended by SIGKILL"):
            workers.wait(30)


def test_wait_for_wants_the_whole_line(team):
    body = "print('step 25'); time.sleep(60)"
    with team(body, count=1) as workers:
        workers.wait_for("step 25", 0, 30)
        with pytest.raises(TimeoutError, match="'step 2'"):
            workers.wait_for("step 2", 0, 0.1)


def test_wait_for_notices_that_the_line_cannot_come(team):
    workers = team("print('hello')", count=1)
    with workers, pytest.raises(WorkerFailed, match="never wrote 'step 1'"):
        workers.wait_for("step 1", 0, 30)


def test_the_same_workers_can_be_started_again(team):
    workers = team("print('ready'); time.sleep(60)")
    for _ in range(2):
        with workers:
            workers.wait_for("ready", 1, 30)
            assert len(workers.processes) == 2  # those of the first time were killed


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_no_process_is_left_after_an_exception(team, error):
    before = set(family())
    with pytest.raises(error), team("time.sleep(60)") as workers:
        started = [psutil.Process(process.pid) for process in workers.processes]
        raise error
    assert gone(started)
    assert set(family()) <= before


def test_no_process_is_left_if_only_some_start(team, monkeypatch):
    workers = team("time.sleep(60)")
    real, started = subprocess.Popen, []

    def popen(*args, **settings):
        if started:
            raise OSError("no more processes")
        started.append(real(*args, **settings))
        return started[0]

    monkeypatch.setattr(subprocess, "Popen", popen)
    with pytest.raises(OSError, match="no more"):
        workers.__enter__()
    assert started[0].poll() == -signal.SIGKILL


def test_workers_end_when_their_parent_is_killed(team, tmp_path):
    team("print('ready'); time.sleep(60)")
    code = """
    import sys
    from pathlib import Path
    from helpers.workers import Workers
    with Workers(2, "small_program", folder=Path(sys.argv[1])) as team:
        team.wait_for("ready", 0, 30)
        team.wait_for("ready", 1, 30)
        print("ready", flush=True)
        team.wait(60)
    """
    environment = os.environ | {"PYTHONPATH": os.environ["PYTHONPATH"] + os.pathsep + str(ROOT)}
    command = [sys.executable, "-c", textwrap.dedent(code), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as parent:
        assert parent.stdout.readline() == "ready\n"
        children = psutil.Process(parent.pid).children(recursive=True)
        assert len(children) == 2
        parent.kill()
    assert gone(children)


@pytest.mark.parametrize("settings", [{"count": 0}, {"count": True}, {"threads": 0}])
def test_numbers_are_checked(team, settings):
    (name,) = settings
    with pytest.raises(ValueError, match=name):
        team("", **settings)
