"""Runs one lesson, in the process that calls: papermill, and what became of it in words."""

import errno
import logging
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from helpers.course import outputs
from helpers.course.catalogue import read, tags
from helpers.course.files import write_notebook, write_text
from helpers.course.kernel import MEBIBYTE, WatchedKernel
from helpers.course.pages import to_html

import psutil


@dataclass(frozen=True)
class Job:
    """One lesson to run, and everything that a process elsewhere must know to run it.

    Args:
        name: the lesson's full name.
        source: its notebook; the kernel works in that file's folder.
        out: the folder for the executed notebook and its HTML.
        scratch: the folder for what is removed when the run ends, and for signs of progress.
        parameters: what is injected after the notebook's own parameters.
        threads: how many threads the kernel may use.
        timeout: seconds for the whole lesson; 0 for no limit.
        digest: stands for everything that the result depends on.
    """

    name: str
    source: Path
    out: Path
    scratch: Path
    parameters: dict
    threads: int = 1
    timeout: float = 0
    digest: str = ""

    @property
    def progress(self):
        """The file in which the cell that runs is told, as "index total"."""
        return self.scratch / f"{self.name}.progress"

    @property
    def stop(self):
        """The file that calls every lesson of the run to stop."""
        return self.scratch / "stop"

    @property
    def executed(self):
        """Where the executed notebook stands if every cell ran."""
        return self.out / f"{self.name}.ipynb"

    @property
    def failed(self):
        """Where the notebook stands, as far as it went, if a cell failed."""
        return self.out / f"{self.name}.failed.ipynb"


@dataclass(frozen=True)
class Failure:
    """Why a lesson did not run to its end.

    Args:
        kind: exception, expectation, output, timeout, killed, disk, corrupt, lost or interrupt.
        error: the exception's type, or a word for what happened.
        message: the rest of the sentence.
        cell: the position of the cell in the lesson's notebook, from 1; None if none ran.
        line: the first line of that cell.
    """

    kind: str
    error: str
    message: str
    cell: int | None = None
    line: str = ""


def execute(job):
    """Runs a lesson and writes its executed notebook and HTML.

    Returns:
        Dict as in results.json (see `helpers.course.results`).
    """
    start = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix=f"{job.name}-", dir=job.scratch) as folder:
            kernel = WatchedKernel(
                job.source.parent, Path(folder), job.threads, job.timeout, job.stop
            )
            partial = Path(folder) / "executed.ipynb"
            failure = _attempt(job, kernel, partial)
            known = {
                "seconds": round(time.monotonic() - start, 1),
                "peak_mib": round(kernel.peak),
                "parameters": job.parameters,
                "digest": job.digest,
            }
            return _save(job, new_record(job.name, failure, **known), partial)
    except OSError as error:
        seconds = round(time.monotonic() - start, 1)
        return new_record(job.name, _from_system(error), seconds=seconds)


def new_record(name, failure=None, **known):
    """Returns a lesson's object of results.json, with what is known filled in."""
    return {
        "name": name,
        "status": "failed" if failure else "passed",
        "resumed": False,
        "seconds": 0.0,
        "peak_mib": 0,
        "parameters": {},
        "expectations": [],
        "failure": asdict(failure) if failure else None,
        "notebook": None,
        "digest": "",
    } | known


def _attempt(job, kernel, partial):
    """Runs the notebook into the file `partial`; returns a Failure or None."""
    if job.stop.exists():
        return Failure("interrupt", "interrupted", "it was not begun")
    try:
        with kernel:
            try:
                _papermill(job, kernel, partial)
            except Exception as error:
                return _failure(error, job, kernel)
    except OSError as error:
        return _from_system(error)
    return _from_outputs(read(partial))


def _papermill(job, kernel, partial):
    import papermill
    from papermill.log import logger

    logger.setLevel(logging.CRITICAL)  # what it has to say, the report says
    _write_exact_parameters()
    _save_once()
    total = len(read(job.source)["cells"]) + bool(job.parameters)

    def tell(cell, cell_index):
        job.progress.write_text(f"{cell_index} {total}", encoding="utf-8")

    papermill.execute_notebook(
        str(job.source),
        str(partial),
        parameters=job.parameters,
        progress_bar=False,
        engine_name="once",
        kernel_name="python3",
        language="python",
        km=kernel.manager,
        on_cell_start=tell,
    )


def _write_exact_parameters():
    """Makes papermill write parameters as Python does: it makes strings of tuples."""
    from papermill.translators import PythonTranslator, papermill_translators

    class Exact(PythonTranslator):
        @classmethod
        def translate(cls, val):
            return super().translate(val) if isinstance(val, float) else repr(val)

    papermill_translators.register("python", Exact)


def _save_once():
    """Gives papermill an engine that writes the notebook at its end, not twice for each cell.

    With many pictures, those writes take two seconds of a lesson.
    """
    from papermill.engines import NBClientEngine, papermill_engines

    class Once(NBClientEngine):
        @classmethod
        def execute_managed_notebook(cls, nb_man, *args, **kwargs):
            save, nb_man.save = nb_man.save, lambda **_: None
            try:
                return super().execute_managed_notebook(nb_man, *args, **kwargs)
            finally:
                nb_man.save = save
                save()

    papermill_engines.register("once", Once)


def _failure(error, job, kernel):
    """Says what happened: returns the Failure behind an exception of papermill's."""
    from papermill.exceptions import PapermillExecutionError

    place = _place(job)
    if isinstance(error, PapermillExecutionError):
        return _from_cell(error, place)
    if kernel.stopped_by == "timeout":
        message = f"it was stopped after {job.timeout:g} s, the time-out"
        return Failure("timeout", "time-out", message, **place)
    if kernel.stopped_by == "interrupt":
        return Failure("interrupt", "interrupted", "it was stopped", **place)
    if not kernel.alive():
        return Failure("killed", "kernel died", _death(kernel), **place)
    if isinstance(error, OSError):
        return _from_system(error)
    return Failure("exception", type(error).__name__, _first_line(error), **place)


def _from_cell(error, place):
    if error.ename == "ExpectationNotMet":
        return Failure("expectation", "expectation not met", error.evalue, **place)
    if error.ename == "OSError" and f"[Errno {errno.ENOSPC}]" in error.evalue:
        return Failure("disk", "disk full", _first_line(error.evalue), **place)
    return Failure("exception", error.ename, _first_line(error.evalue), **place)


def _from_outputs(notebook):
    """Returns the Failure of a lesson that ran, but shows what no reader should see."""
    fault = outputs.fault(notebook)
    if fault is None:
        return None
    cell, message = fault
    own = [each for each in notebook["cells"] if "injected-parameters" not in tags(each)]
    return Failure("output", "output", message, cell, _first_line(own[cell - 1]["source"]))


def _from_system(error):
    if error.errno == errno.ENOSPC:
        return Failure("disk", "disk full", f"nothing more can be written ({error.strerror})")
    return Failure("exception", type(error).__name__, str(error))


def _death(kernel):
    """Says how a kernel ended that nobody here stopped."""
    name = kernel.exit_signal()
    if name == "SIGKILL":
        total = psutil.virtual_memory().total / MEBIBYTE
        return (
            f"it was killed from outside (SIGKILL), as the system does when memory runs out; "
            f"it held {kernel.peak:,.0f} MiB at its peak, of the machine's {total:,.0f} MiB"
        )
    words = kernel.last_words()
    return (f"it ended by {name}" if name else "it ended by itself") + (f": {words}" * bool(words))


def _place(job):
    """Returns the number and first line of the cell at work, in the lesson's own notebook."""
    try:
        index = int(job.progress.read_text(encoding="utf-8").split()[0])
    except (OSError, ValueError, IndexError):
        return {}
    cells = read(job.source)["cells"]
    injected = next(i for i, cell in enumerate(cells) if "parameters" in tags(cell)) + 1
    if job.parameters and index >= injected:
        index -= 1
    return {"cell": index + 1, "line": _first_line(cells[index]["source"])}


def _first_line(text):
    lines = str(text).strip().splitlines() or [""]
    return lines[0] if len(lines[0]) <= 300 else lines[0][:299] + "…"


def _save(job, record, partial):
    """Puts the executed notebook in its place, with the record in it; returns the record."""
    kind = (record["failure"] or {}).get("kind")
    if not partial.exists() or kind == "interrupt":
        return record
    notebook = read(partial)
    path = job.failed if record["failure"] else job.executed
    record = record | {
        "expectations": outputs.expectations(notebook),
        "notebook": path.relative_to(job.out.parent).as_posix(),
    }
    notebook["metadata"].pop("papermill", None)
    notebook["metadata"]["lesson"] = record
    for stale in (job.executed, job.executed.with_suffix(".html"), job.failed):
        stale.unlink(missing_ok=True)
    if not record["failure"]:
        write_text(path.with_suffix(".html"), to_html(notebook, title=job.name))
    write_notebook(path, notebook)
    return record
