import os
import signal
import subprocess
import sys

from helpers.course import pools, runner
from helpers.course.catalogue import UsageError

import psutil
import pytest
from small_lessons import code, expectation, write_lesson

DASK = """
from distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        print(cluster.scheduler_address, flush=True)
        input()
"""


def _ignores(number):
    return signal.getsignal(number) not in (signal.SIG_DFL, signal.default_int_handler)


def test_work_is_done_in_other_processes_that_leave_ctrl_c_alone():
    with pools.local_pool(1) as pool:
        assert pool.submit(os.getpid).result() != os.getpid()
        assert pool.submit(_ignores, signal.SIGINT).result()
        assert pool.submit(_ignores, signal.SIGTERM).result()


@pytest.fixture(params=[signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def ignored(request):
    """A signal that this process ignores, as a script's background job does with SIGINT."""
    before = signal.signal(request.param, signal.SIG_IGN)
    yield request.param
    signal.signal(request.param, before)


def test_a_request_to_end_is_the_same_as_ctrl_c(ignored):
    with pytest.raises(KeyboardInterrupt), pools.interruptible():
        os.kill(os.getpid(), ignored)
    assert signal.getsignal(ignored) is signal.SIG_IGN


@pytest.fixture
def cluster(tmp_path):
    script = tmp_path / "cluster.py"
    script.write_text(DASK)
    process = subprocess.Popen(
        [sys.executable, script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    yield process.stdout.readline().strip()
    for child in psutil.Process(process.pid).children(recursive=True):
        child.kill()
    process.kill()
    process.communicate()


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # Dask leaves a socket to the collector
def test_a_dask_cluster_does_the_same(tmp_path, cluster):
    lessons = [
        write_lesson(tmp_path / "notebooks", "01_good", expectation("accuracy", 0.9, 0.8)),
        write_lesson(tmp_path / "notebooks", "02_bad", code("1 / 0")),
    ]
    assert runner.run_course(lessons, tmp_path / "build", dask=cluster) == 1
    names = sorted(path.name for path in (tmp_path / "build" / "lessons").iterdir())
    assert names == ["01_good.html", "01_good.ipynb", "02_bad.failed.ipynb"]


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense://"])
def test_an_address_without_a_cluster_is_refused(address, monkeypatch):
    monkeypatch.setattr(pools, "SECONDS_TO_CONNECT", 1)
    with pytest.raises(UsageError, match="No Dask cluster answers at"), pools.dask_pool(address):
        pass


def test_dask_is_not_needed_until_it_is_asked_for(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UsageError, match="needs the package distributed"), pools.dask_pool("x"):
        pass
