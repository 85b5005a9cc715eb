"""A Jupyter kernel that is watched while it runs: its memory, its deadline, a call to stop."""

import os
import signal
import subprocess
import threading
import time
from contextlib import suppress

import psutil

SECONDS_BETWEEN_LOOKS = 0.2
MEBIBYTE = 2**20
# Kernels warn of connections without encryption even where all ends are on one machine.
QUIET = "--log-level=ERROR"


class WatchedKernel:
    """A kernel of its own process, for use in a `with` block; none is left when the block ends.

    Args:
        folder: the kernel's working directory.
        scratch: a folder for the kernel's own files; the caller removes it.
        threads: how many threads TensorFlow and NumPy may use.
        timeout: seconds after which the kernel is killed; 0 for none.
        stop: path of a file; the kernel is killed as soon as that exists.

    Attributes:
        peak: the largest memory seen, in MiB, its child processes included.
        stopped_by: "timeout" or "interrupt" if the watch killed the kernel, else None.
    """

    def __init__(self, folder, scratch, threads, timeout, stop):
        self.folder = folder
        self.scratch = scratch
        self.threads = threads
        self.timeout = timeout
        self.stop = stop
        self.peak = 0.0
        self.stopped_by = None

    def __enter__(self):
        from nbclient.util import run_sync

        self.manager = _manager(connection_file=str(self.scratch / "kernel.json"))
        self.log = (self.scratch / "kernel.log").open("w+", encoding="utf-8", errors="replace")
        run_sync(self.manager.start_kernel)(
            cwd=str(self.folder),
            env=self._environment(),
            extra_arguments=[QUIET],
            # A kernel writes to its error stream before it can send anything to the notebook.
            stdout=subprocess.DEVNULL,
            stderr=self.log,
        )
        self.process = psutil.Process(self.manager.provisioner.pid)
        self._ended = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()
        return self

    def __exit__(self, *exception):
        from nbclient.util import run_sync

        self._ended.set()
        self._watcher.join()
        kill_family(self.process)
        self.exit_signal()
        for client in self.manager.clients:
            client.stop_channels()
        run_sync(self.manager.cleanup_resources)()
        self.log.close()

    def exit_signal(self):
        """Returns the name of the signal that ended the kernel, or None."""
        code = self.manager.provisioner.process.wait()
        return signal.Signals(-code).name if code < 0 else None

    def alive(self):
        """Tells whether the kernel still runs."""
        return self.manager.provisioner.process.poll() is None

    def last_words(self):
        """Returns the last line that the kernel wrote to its error stream, or ""."""
        self.log.seek(0)
        return (self.log.read().strip().splitlines() or [""])[-1]

    def _environment(self):
        threads = str(self.threads)
        return os.environ | {
            "OMP_NUM_THREADS": threads,
            "TF_NUM_INTRAOP_THREADS": threads,
            "TF_NUM_INTEROP_THREADS": threads,
            # Someone's own start-up scripts for IPython do not belong to the lesson.
            "IPYTHONDIR": str(self.scratch / "ipython"),
        }

    def _watch(self):
        start = time.monotonic()
        while not self._ended.wait(SECONDS_BETWEEN_LOOKS):
            self.peak = max(self.peak, self._memory())
            if self.stop.exists():
                self.stopped_by = "interrupt"
            elif self.timeout and time.monotonic() - start > self.timeout:
                self.stopped_by = "timeout"
            if self.stopped_by:
                kill_family(self.process)
                return

    def _memory(self):
        used = 0
        for process in family(self.process):
            try:
                used += process.memory_info().rss
            except psutil.Error:
                continue  # it has just ended
        return used / MEBIBYTE


def family(process):
    """Returns a process and all that it started, or nothing if it has ended."""
    try:
        return [*process.children(recursive=True), process]
    except psutil.NoSuchProcess:
        return []


def kill_family(process):
    """Kills a process and all that it started."""
    for member in family(process):
        with suppress(psutil.NoSuchProcess):
            member.kill()


def _manager(connection_file):
    """Returns a kernel manager that remembers its clients, since papermill leaves them open."""
    from jupyter_client.manager import AsyncKernelManager

    class Manager(AsyncKernelManager):
        clients = ()

        def client(self, **settings):
            self.clients = (*self.clients, super().client(**settings))
            return self.clients[-1]

    return Manager(kernel_name="python3", connection_file=connection_file)
