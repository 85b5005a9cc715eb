"""Worker processes of one training on this machine: started, watched, and never left behind.

A cluster's launcher does the same on many machines. This module knows nothing of TensorFlow: it
runs any Python module, once for each worker, with the TF_CONFIG that tells a worker who it is.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from helpers import ROOT
from helpers.arguments import check_whole_number

SECONDS_BETWEEN_LOOKS = 0.01


class WorkerFailed(RuntimeError):  # noqa: N818 - it reads as a sentence in a traceback
    """A worker ended by a signal or with an error."""


class Workers:
    """Processes that run `python -m program arguments`, for use in a `with` block.

    When the block ends, for whatever reason, the workers have ended too. Should this process be
    killed itself, they end as soon as they notice (see `end_with_parent`).

    Args:
        count: number of workers.
        program: name of the module that each of them runs.
        arguments: what the program gets from the command line; the same for all.
        folder: an existing folder for their output, `worker-0.txt` and so on.
        threads: how many threads each may compute with.
    """

    def __init__(self, count, program, *arguments, folder, threads=1):
        check_whole_number("count", count, 1)
        check_whole_number("threads", threads, 1)
        self.count = count
        self.command = [sys.executable, "-m", program, *map(str, arguments)]
        self.folder = Path(folder)
        self.threads = threads
        self.processes = []

    def __enter__(self):
        self.processes = []  # not those of an earlier block
        with contextlib.ExitStack() as reserved:
            addresses = [_reserve_address(reserved) for _ in range(self.count)]
            cluster = {"worker": addresses}
        try:
            for index in range(self.count):
                self._start(index, {"cluster": cluster, "task": {"type": "worker", "index": index}})
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *exception):
        self.stop()

    def _start(self, index, config):
        threads = str(self.threads)
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.lower().endswith("_proxy")  # workers of one machine need none
        }
        environment |= {
            "TF_CONFIG": json.dumps(config),
            "TF_NUM_INTRAOP_THREADS": threads,
            "OMP_NUM_THREADS": threads,
            "CUDA_VISIBLE_DEVICES": "-1",  # two processes cannot share one GPU's memory
            "PYTHONUNBUFFERED": "1",
            "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        }
        with self._path(index).open("w", encoding="utf-8") as output:
            process = subprocess.Popen(
                self.command,
                env=environment,
                stdin=subprocess.PIPE,  # its end tells the worker that we have ended
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self.processes.append(process)

    def _path(self, index):
        return self.folder / f"worker-{index}.txt"

    def output(self, index):
        """Returns all that a worker has written so far."""
        return self._path(index).read_text(encoding="utf-8", errors="replace")

    def kill(self, index):
        """Kills a worker with SIGKILL, as a system does when its memory runs out.

        Raises:
            WorkerFailed: if it has ended already.
        """
        process = self.processes[index]
        if process.poll() is not None:
            raise WorkerFailed(f"worker {index} cannot be killed: {self._ending(index)}")
        process.kill()
        process.wait()

    def wait_for(self, line, index, timeout):
        """Waits until a worker has written a line.

        Raises:
            WorkerFailed: if a worker ends before that.
            TimeoutError: after `timeout` seconds.
        """
        for codes in self._looks(f"worker {index} has not written {line!r}", timeout):
            if line in self.output(index).splitlines():
                return
            self._check(codes)
            if codes[index] is not None:
                raise WorkerFailed(f"{self._ending(index)} and never wrote {line!r}")

    def wait(self, timeout):
        """Waits until all workers have done their work.

        Raises:
            WorkerFailed: as soon as one has failed; the message ends with what it wrote last. The
                others are stopped, since they would wait for it.
            TimeoutError: after `timeout` seconds; the workers are stopped.
        """
        try:
            for codes in self._looks("the workers have not ended", timeout):
                self._check(codes)
                if None not in codes:
                    return
        except BaseException:
            self.stop()
            raise

    def _looks(self, complaint, timeout):
        """Yields the exit codes of all workers, again and again until the time is up."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            yield [process.poll() for process in self.processes]
            time.sleep(SECONDS_BETWEEN_LOOKS)
        last = "".join(f"\nworker {i}: {self.last_line(i)}" for i in range(self.count))
        raise TimeoutError(f"{complaint} after {timeout:g} s{last}")

    def _check(self, codes):
        failed = [index for index, code in enumerate(codes) if code]
        if failed:
            # One that was killed comes first: the others may have failed since it is gone.
            index = min(failed, key=lambda index: codes[index] > 0)
            words = "\n".join(self.output(index).splitlines()[-20:])
            raise WorkerFailed(f"{self._ending(index)}\n{words}".strip())

    def _ending(self, index):
        code = self.processes[index].returncode
        how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit status {code}"
        return f"worker {index} of {self.count} ended {how}"

    def last_line(self, index):
        """Returns the last line that a worker wrote, or "nothing written"."""
        return (self.output(index).strip().splitlines() or ["nothing written"])[-1]

    def stop(self):
        """Kills all workers that still run, and waits until they are gone."""
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.wait()
            process.stdin.close()


def end_with_parent():
    """Ends this process as soon as the one that started it has ended, even by SIGKILL.

    For the program of a worker, as its first act: the system closes the other end of the standard
    input when the parent is gone.
    """

    def watch():
        # Not through sys.stdin, whose lock would be held when the interpreter shuts down.
        while os.read(0, 1):
            pass
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _reserve_address(reserved):
    """Returns the address of a free port; no other call gets it while `reserved` is open."""
    listener = reserved.enter_context(socket.socket())
    listener.bind(("127.0.0.1", 0))
    return f"127.0.0.1:{listener.getsockname()[1]}"
