import time

from helpers.course.kernel import WatchedKernel

import psutil
import pytest


@pytest.fixture
def start(tmp_path):
    def made(timeout=0):
        return WatchedKernel(tmp_path, tmp_path, 1, timeout, tmp_path / "stop")

    return made


def _wait_for(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_no_kernel_is_left_after_the_block(start):
    with start() as kernel:
        assert kernel.alive()
        pid = kernel.process.pid
        _wait_for(lambda: kernel.peak > 5)
    assert not kernel.alive()
    assert not psutil.pid_exists(pid)
    assert kernel.stopped_by is None
    assert kernel.exit_signal() == "SIGKILL"


def test_no_kernel_is_left_after_an_error_in_the_block(start):
    with pytest.raises(ZeroDivisionError), start() as kernel:
        1 / 0  # noqa: B018 - the error is what is wanted
    assert not kernel.alive()


def test_a_deadline_ends_the_kernel(start):
    with start(timeout=0.5) as kernel:
        _wait_for(lambda: not kernel.alive())
        assert kernel.stopped_by == "timeout"


def test_a_call_to_stop_ends_the_kernel_and_its_children(start, tmp_path):
    with start() as kernel:
        client = kernel.manager.client()
        client.start_channels()
        client.execute("import subprocess; subprocess.Popen(['sleep', '60'])")
        _wait_for(lambda: kernel.process.children())
        (child,) = kernel.process.children()
        (tmp_path / "stop").touch()
        _wait_for(lambda: not kernel.alive())
        assert kernel.stopped_by == "interrupt"
    _wait_for(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def test_memory_of_children_counts(start):
    with start() as kernel:
        client = kernel.manager.client()
        client.start_channels()
        child = "import time; held = bytearray(200_000_000); time.sleep(60)"
        client.execute(
            f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {child!r}])"
        )
        _wait_for(lambda: kernel.peak > 200)
