"""Where lessons run: processes of this machine or of a Dask cluster, and signals to stop."""

import multiprocessing
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress

from helpers.course.catalogue import UsageError
from helpers.course.kernel import kill_family

import psutil

SECONDS_TO_CONNECT = 10


@contextmanager
def local_pool(count):
    """Gives a pool of `count` processes on this machine."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, mp_context=context, initializer=_as_worker) as pool:
        yield pool


def _as_worker():
    """Leaves Ctrl-C to the parent process, and ends with it, whatever ends it."""
    for number in (signal.SIGINT, signal.SIGTERM):
        # A handler, since kernels would inherit it if the signals were ignored.
        signal.signal(number, lambda *_: None)
    parent = multiprocessing.parent_process()
    threading.Thread(target=lambda: (parent.join(), os._exit(1)), daemon=True).start()


def kill_processes():
    """Kills the processes of `local_pool` and the kernels that they started."""
    for worker in multiprocessing.active_children():
        with suppress(psutil.NoSuchProcess):
            kill_family(psutil.Process(worker.pid))


@contextmanager
def dask_pool(address):
    """Gives the pool of a Dask cluster whose workers see the same folders and environment.

    Raises:
        UsageError: if Dask is not installed, or if no cluster answers at the address.
    """
    try:
        from distributed import Client
    except ImportError:
        raise UsageError("--dask needs the package distributed: pip install distributed.") from None
    try:
        client = Client(address, timeout=SECONDS_TO_CONNECT)
    except (OSError, ValueError) as error:
        raise UsageError(f"No Dask cluster answers at {address} ({error}).") from None
    with client, client.get_executor() as pool:
        yield pool


@contextmanager
def interruptible():
    """Makes a request to end the process (SIGTERM, a closed terminal) the same as Ctrl-C."""
    # SIGINT too: a script's background job starts with it ignored, and could not be stopped.
    numbers = [signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)]
    before = {number: signal.signal(number, signal.default_int_handler) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
