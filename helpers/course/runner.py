"""Runs many lessons: plans them, watches them, and ends without leftovers."""

import tempfile
import time
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, wait
from contextlib import nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path

from helpers.course import catalogue, pools, report, results
from helpers.course.catalogue import CorruptNotebook
from helpers.course.execution import Failure, Job, execute, new_record

SECONDS_BETWEEN_LOOKS = 0.2
SECONDS_TO_STOP = 10


class Interrupted(Exception):  # noqa: N818 - nothing went wrong
    """The run was called off; `records` holds what had ended by then."""

    def __init__(self, records):
        self.records = records


def run_course(
    lessons,
    out,
    scale="lesson",
    seed=None,
    given=(),
    count=1,
    timeout=0,
    resume=False,
    dask=None,
):
    """Runs lessons, shows their progress, writes their results and shows those.

    Args:
        lessons: the lessons.
        out: folder for the results; made if need be.
        scale, seed, given: what becomes of the parameters; see `settings`.
        count: how many lessons run at the same time; they share the cores.
        timeout: seconds for each lesson; 0 for no limit.
        resume: whether lessons are skipped that would only repeat what stands in `out`.
        dask: address of a Dask cluster to run them on, or None.

    Returns:
        Exit status: 0, 1 if a lesson failed, 130 if the run was called off.

    Raises:
        UsageError: before anything is run, if what is asked for does not fit the lessons.
    """
    screen = report.console()
    started, clock = datetime.now(UTC).isoformat(timespec="seconds"), time.monotonic()
    out.mkdir(parents=True, exist_ok=True)
    with (
        pools.interruptible(),
        tempfile.TemporaryDirectory(prefix=".run-", dir=out) as scratch,
    ):
        threads = max(1, catalogue.cores() // count)
        jobs, records = plan(lessons, out, Path(scratch), threads, timeout, scale, seed, given)
        unchanged = {job.name: results.earlier(job) for job in jobs if resume}
        records += filter(None, unchanged.values())
        jobs = [job for job in jobs if not unchanged.get(job.name)]
        try:
            with report.watch(screen, len(lessons)) as watch:
                for record in records:
                    watch.ended(record)
                with _pool(min(count, len(jobs)), dask) as executor:
                    records += run(jobs, executor, watch)
        except Interrupted as interruption:
            ended = len(records) + len(interruption.records)
            screen.print(report.called_off(ended, len(lessons), out), markup=False)
            return 130
    seconds = round(time.monotonic() - clock, 1)
    results.write(out / "results.json", records, started=started, seconds=seconds, profile=scale)
    report.show(screen, records, seconds, out)
    return int(any(record["failure"] for record in records))


def _pool(count, dask):
    if not count:
        return nullcontext()
    return pools.dask_pool(dask) if dask else pools.local_pool(count)


def settings(lesson, scale, seed=None, given=()):
    """Returns the parameters to inject into a lesson.

    Args:
        lesson: the lesson.
        scale: "smoke", "lesson" or "full".
        seed: replaces the lesson's own, if not None.
        given: texts `NAME=VALUE`, which overrule the rest.

    Raises:
        UsageError: if a name or a type does not agree with the lesson's own parameters.
        CorruptNotebook: if the notebook, or its cell of parameters, cannot be read.
    """
    defaults = catalogue.parameters(catalogue.read(lesson.path))
    chosen = catalogue.profile(scale, lesson.name, defaults, lesson.path.parent)
    if seed is not None:
        chosen["seed"] = catalogue.fit(lesson.name, "seed", seed, defaults)
    return chosen | dict(catalogue.parse(lesson.name, text, defaults) for text in given)


def plan(lessons, out, scratch, threads, timeout, scale, seed=None, given=()):
    """Returns what is to be done, before anything is run.

    Args:
        lessons: the lessons.
        out: the folder for results.
        scratch: the folder for what is removed when the run ends.
        threads: how many threads each lesson's kernel may use.
        timeout: seconds for each lesson; 0 for no limit.
        scale, seed, given: as for `settings`.

    Returns:
        List of jobs, and list of the records of lessons whose notebook cannot be read.

    Raises:
        UsageError: as `settings` does.
    """
    jobs, unreadable = [], []
    for lesson in lessons:
        try:
            parameters = settings(lesson, scale, seed, given)
        except CorruptNotebook as error:
            failure = Failure("corrupt", "corrupt notebook", str(error))
            unreadable.append(new_record(lesson.name, failure))
            continue
        digest = results.digest(lesson, parameters)
        folder = out / "lessons"
        jobs.append(
            Job(lesson.name, lesson.path, folder, scratch, parameters, threads, timeout, digest)
        )
    return jobs, unreadable


def run(jobs, executor, watch):
    """Runs the jobs and returns their records.

    Args:
        jobs: as `plan` gives them.
        executor: a pool of processes, as `local_pool` or `dask_pool` gives it.
        watch: is told what happens: `started(job)`, `moved(job, cell, cells)`, `ended(record)`.

    Raises:
        Interrupted: after Ctrl-C; no kernel is left then.
    """
    records, futures = [], {}
    try:
        futures |= {executor.submit(execute, job): job for job in jobs}
        pending, started = set(futures), set()
        while pending:
            done, pending = wait(pending, SECONDS_BETWEEN_LOOKS, FIRST_COMPLETED)
            _tell_progress(jobs, started, watch)
            for future in done:
                records.append(_record(future, futures[future]))
                watch.ended(records[-1])
    except KeyboardInterrupt:
        _stop(jobs, futures)
        raise Interrupted(records) from None
    return records


def _tell_progress(jobs, started, watch):
    for job in jobs:
        try:
            cell, cells = map(int, job.progress.read_text(encoding="utf-8").split())
        except (OSError, ValueError):
            continue  # it has not begun, or the file is just being written
        if job.name not in started:
            started.add(job.name)
            watch.started(job)
        watch.moved(job, cell, cells)


def _record(future, job):
    """Returns what a job came to, even if the process that ran it is gone."""
    try:
        return future.result()
    except BrokenExecutor:
        failure = Failure("lost", "lost", "the process that ran it is gone; it was killed")
    except Exception as error:
        failure = Failure("lost", type(error).__name__, f"{error}, while it was run or saved")
    return new_record(job.name, failure)


def _stop(jobs, futures):
    """Ends every lesson that runs; a second Ctrl-C meanwhile ends them the hard way."""
    with suppress(KeyboardInterrupt):
        for job in jobs[:1]:
            job.stop.touch()
        wait([future for future in futures if not future.cancel()], SECONDS_TO_STOP)
    if not all(future.done() for future in futures):
        pools.kill_processes()
