"""The command `lessons`: what a user types, and what stands on the screen.

Each command imports what it needs when it is called, so that `lessons list` answers at once.
"""

import sys
from pathlib import Path
from typing import Annotated

from helpers import ROOT
from helpers.course import catalogue, report
from helpers.course.catalogue import CorruptNotebook, Failed, UsageError

import typer
from rich.markup import escape
from rich.table import Table

NOTEBOOKS = ROOT / "notebooks"
SECONDS_FOR_A_LESSON = 1800

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Runs and hands out the lessons.",
)
classes = typer.Typer(no_args_is_help=True, help="A teacher's course: hand out, grade, report.")
app.add_typer(classes, name="class")
Course = Annotated[Path, typer.Argument(metavar="DIR", help="the folder of the course")]
Names = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[NAME]...", help="Lessons, such as 10_gans, gans or 10; all if none is named."
    ),
]


def main():
    """Runs the command; a mistake in its use ends it with one sentence and exit status 2."""
    try:
        app()
    except UsageError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    except Failed as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    except OSError as error:
        print(f"The system says: {error}.", file=sys.stderr)
        sys.exit(1)


@app.command("list")
def show_list():
    """Shows the lessons with their minutes and what they teach."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("lesson", no_wrap=True)
    table.add_column("time, needs, result")
    table.add_column("what it teaches")
    for lesson in catalogue.find([], NOTEBOOKS):
        try:
            title, promise, line = catalogue.introduction(catalogue.read(lesson.path))
        except CorruptNotebook as error:
            title, promise, line = str(error), "", ""
        table.add_row(lesson.name, escape(line), f"[bold]{escape(title)}[/]. {escape(promise)}")
    report.console().print(table)


@app.command()
def run(
    names: Names = None,
    profile: Annotated[str, typer.Option(help="smoke, lesson or full")] = "lesson",
    jobs: Annotated[int, typer.Option(min=1, help="lessons that run at the same time")] = 1,
    parameter: Annotated[
        list[str] | None,
        typer.Option("--parameter", "-p", metavar="NAME=VALUE", help="a lesson's parameter"),
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="instead of the lessons' own")] = None,
    timeout: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="seconds for a lesson, 0 for no limit  [1800; no limit at full scale]",
            show_default=False,
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="folder for the results")] = ROOT / "build",
    resume: Annotated[bool, typer.Option("--resume", help="skip what has not changed")] = False,
    dask: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="run on this Dask cluster")
    ] = None,
):
    """Runs lessons without a screen: executed notebooks, HTML and results.json."""
    from helpers.course import runner

    lessons = catalogue.find(names or [], NOTEBOOKS)
    if timeout is None:
        timeout = 0 if profile == "full" else SECONDS_FOR_A_LESSON
    out = out.resolve()
    status = runner.run_course(
        lessons, out, profile, seed, parameter or [], jobs, timeout, resume, dask
    )
    sys.exit(status)


@app.command()
def start(
    folder: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="the folder for your copies")
    ] = Path("my-lessons"),
):
    """Makes your own copies of the lessons to work in; what you have there stays."""
    from helpers.course import student

    new, kept = student.start(catalogue.find([], NOTEBOOKS), folder)
    for lesson in new:
        print(f"{folder / lesson.path.name} is new.")
    if kept:
        count = "1 lesson was" if len(kept) == 1 else f"{len(kept)} lessons were"
        print(f"{count} there already and stayed as you left them.")


@classes.command()
def create(folder: Course, names: Names = None):
    """Begins a course with these lessons as its assignments, or adds them to it."""
    from helpers.course import classroom

    new, kept = classroom.create(folder, catalogue.find(names or [], NOTEBOOKS))
    for name in new:
        print(f"{name} is an assignment now.")
    for name in kept:
        print(f"{name} was there already and stayed as it was.")


@classes.command()
def release(folder: Course, names: Names = None):
    """Makes the students' editions in DIR/release, for you to hand out."""
    from helpers.course import classroom

    for name in classroom.release(folder, names or []):
        print(folder / "release" / name / f"{name}.ipynb")


@classes.command()
def collect(
    folder: Course,
    inbox: Annotated[Path, typer.Argument(help="a folder with STUDENT/LESSON.ipynb in it")],
):
    """Takes in what students handed in."""
    from helpers.course import classroom

    for student, name in classroom.collect(folder, inbox):
        print(f"{name} of {student} is in.")


@classes.command()
def autograde(folder: Course, names: Names = None):
    """Runs and scores what was collected."""
    from helpers.course import classroom

    for student, name in classroom.autograde(folder, names or []):
        print(f"{name} of {student} is graded.")


@classes.command()
def feedback(folder: Course, names: Names = None):
    """Writes a page for each graded notebook in DIR/feedback."""
    from helpers.course import classroom

    for student, name in classroom.feedback(folder, names or []):
        print(folder / "feedback" / student / name / f"{name}.html")


@classes.command()
def grades(
    folder: Course,
    out: Annotated[Path, typer.Option(help="the file to write")] = Path("grades.csv"),
):
    """Writes the scores as CSV."""
    from helpers.course import classroom

    classroom.grades(folder, out)
    print(out)


@app.command()
def site(
    out: Annotated[Path, typer.Option(help="folder for results and book")] = ROOT / "build",
):
    """Makes the book of executed lessons, after running those that have changed."""
    from helpers.course import book, runner

    lessons, out = catalogue.find([], NOTEBOOKS), out.resolve()
    status = runner.run_course(lessons, out, timeout=SECONDS_FOR_A_LESSON, resume=True)
    if status:
        sys.exit(status)
    book.build(ROOT / "site", [out / "lessons" / each.path.name for each in lessons], out / "site")
    print(f"The book begins at {report.shown(out / 'site' / 'index.html')}")


@app.command()
def doctor():
    """Checks Python, packages, data, memory and disk, and says what to do."""
    from helpers.course import doctor

    screen = report.console()
    findings = doctor.examine()
    for finding in findings:
        screen.print("[green]✓[/]" if finding.well else "[red]✗[/]", escape(finding.text))
        if finding.cure:
            screen.print(f"  {escape(finding.cure)}.", soft_wrap=True)
    if not all(finding.well for finding in findings):
        sys.exit(1)
    print("All is well.")


@app.command("tidy", rich_help_panel="For maintainers")
def tidy_notebooks(names: Names = None):
    """Executes lessons at smoke scale and writes their notebooks back as git keeps them."""
    from helpers.course.tidy import tidy

    failed = False
    for lesson in catalogue.find(names or [], NOTEBOOKS):
        record = tidy(lesson)
        failed = failed or record is not None
        print(report.sentence(record) if record else f"{lesson.name} is tidy.")
    sys.exit(failed)
