"""What the screen shows of a run: signs of progress, a table, sentences for what failed."""

import os
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

NARROWEST = 100  # columns of a table where no terminal says how many there are


def console():
    """Returns the console to print on; in a file or a pipe its lines are not cut too short."""
    screen = Console(highlight=False)
    if not screen.is_terminal and "COLUMNS" not in os.environ:
        screen = Console(highlight=False, width=NARROWEST)
    return screen


def watch(screen, count):
    """Returns what shows the progress of `count` lessons, for use in a `with` block."""
    return LiveProgress(screen) if screen.is_terminal else LinesOfProgress(screen, count)


class LinesOfProgress:
    """One line for each event: for log files."""

    def __init__(self, screen, count):
        self.screen = screen
        self.count = count
        self.done = 0

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        pass

    def started(self, job):
        self._say(f"{job.name} started")

    def moved(self, job, cell, cells):
        pass

    def ended(self, record):
        self.done += 1
        end = "is unchanged" if record["resumed"] else f"{record['status']} in {_time(record)}"
        self._say(f"{record['name']} {end} ({self.done} of {self.count})")

    def _say(self, line):
        self.screen.print(line, markup=False, soft_wrap=True)


class LiveProgress:
    """A bar for each lesson that runs, moved by cell: for terminals."""

    def __init__(self, screen):
        self.tasks = {}
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("cell {task.completed:.0f} of {task.total:.0f}"),
            TimeElapsedColumn(),
            console=screen,
        )

    def __enter__(self):
        self.progress.start()
        return self

    def __exit__(self, *exception):
        self.progress.stop()

    def started(self, job):
        self.tasks[job.name] = self.progress.add_task(job.name, total=1)

    def moved(self, job, cell, cells):
        if job.name in self.tasks:
            self.progress.update(self.tasks[job.name], completed=cell, total=cells)

    def ended(self, record):
        if record["name"] in self.tasks:
            self.progress.remove_task(self.tasks.pop(record["name"]))
        mark = "[green]✓[/]" if record["status"] == "passed" else "[red]✗[/]"
        end = "unchanged" if record["resumed"] else _time(record)
        self.progress.console.print(f"{mark} {record['name']} {end}")


def show(screen, records, seconds, out):
    """Prints the table, a sentence for each failure, and the sum."""
    screen.print()
    screen.print(table(records))
    screen.print()
    measured = [each for record in records for each in record["expectations"]]
    if any(each["scale"] == "smoke" and not each["met"] for each in measured):
        screen.print("At smoke scale an expectation that is not met is reported, and no more.\n")
    failed = [record for record in records if record["failure"]]
    for record in failed:
        screen.print(sentence(record, out), markup=False, soft_wrap=True)
    passed = f"{len(records) - len(failed)} of {len(records)} lessons passed in {seconds:.0f} s"
    screen.print(f"{passed}; results in {shown(out)}.", markup=False, soft_wrap=True)


def called_off(ended, count, out):
    """Returns what to say after Ctrl-C."""
    return (
        f"Stopped: {ended} of {count} lessons had ended, and their notebooks are in {shown(out)}. "
        "No kernel is left. lessons run --resume goes on from here."
    )


def table(records):
    """Returns the table of results: a row for each lesson, one more for each expectation."""
    grid = Table(box=None, pad_edge=False, header_style="bold")
    grid.add_column("lesson", no_wrap=True)
    grid.add_column("s", justify="right", no_wrap=True)
    grid.add_column("MiB", justify="right", no_wrap=True)
    grid.add_column("expectation", overflow="fold")
    grid.add_column("value", justify="right", no_wrap=True)
    grid.add_column("bounds", no_wrap=True)
    grid.add_column("", no_wrap=True)
    for record in sorted(records, key=lambda record: record["name"]):
        first = [record["name"], f"{record['seconds']:.0f}", f"{record['peak_mib']:,}"]
        rows = [_row(expectation) for expectation in record["expectations"]] or [[]]
        for number, row in enumerate(rows):
            grid.add_row(*(first if number == 0 else ["", "", ""]), *row)
    return grid


def _row(expectation):
    value = expectation["value"]
    return [
        escape(expectation["name"]),
        value if isinstance(value, str) else f"{value:.4g}",
        " ".join(
            f"{sign} {expectation[key]:g}"
            for key, sign in (("at_least", "≥"), ("at_most", "≤"))
            if expectation[key] is not None
        ),
        "[green]✓[/]" if expectation["met"] else "[red]✗[/]",
    ]


def sentence(record, out=None):
    """Returns what became of a lesson, in a line or two.

    Args:
        record: the lesson's object of results.json.
        out: the folder of that file, or None if nothing is kept.
    """
    failure = record["failure"]
    if not failure:
        return f"{record['name']} passed in {_time(record)}."
    place = f" in cell {failure['cell']} ({failure['line']})" if failure["cell"] else ""
    text = f"{record['name']} failed{place}: {failure['error']}: {failure['message']}"
    if out and record["notebook"]:
        text += f"\n  as far as it went: {shown(out / record['notebook'])}"
    return text


def shown(path):
    """Returns a path as one would type it here."""
    path = Path(path)
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _time(record):
    return f"{record['seconds']:.0f} s"
