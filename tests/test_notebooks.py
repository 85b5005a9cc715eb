"""The rules of form that every lesson keeps."""

import ast
import json
import statistics
import subprocess
import sys
import tomllib

from helpers.course import catalogue
from helpers.course.runner import settings

import nbformat
import pytest
from lesson_files import (
    LESSONS,
    NAMES,
    NOTEBOOKS,
    bounds,
    calls,
    code_cells,
    exercises,
    lines_of_code,
    quoted_figures,
    read,
    sections,
    smoke,
    tagged,
    words,
)
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

SECTIONS = [
    "title",
    "Set-up",
    "The idea",
    "Build it",
    "Train it and look",
    "What goes wrong",
    "What we measured",
    "Exercises",
    "Quiz",
    "Recap and further",
]
MEASURED_SECTIONS = [
    "title",
    "Train it and look",
    "What goes wrong",
    "What we measured",
    "Recap and further",
]
PROFILES = tomllib.loads((NOTEBOOKS / "profiles.toml").read_text(encoding="utf-8"))
PACKAGES = {"helpers", "keras", "numpy", "scipy", "sklearn", "tensorflow"}

each_lesson = pytest.mark.parametrize("name", NAMES)


@each_lesson
def test_parameters_stand_second_once_and_as_literals(name):
    notebook = read(name)
    assert len(tagged(notebook, "parameters")) == 1
    assert "parameters" in notebook.cells[1].metadata.get("tags", [])
    values = catalogue.parameters(notebook)
    assert isinstance(values["seed"], int)
    assert values["scale"] == "lesson"


@each_lesson
@pytest.mark.parametrize("scale", ["smoke", "full"])
def test_profiles_fit_the_parameters(name, scale):
    table = PROFILES[name][scale]
    assert not {"scale", "seed"} & set(table), "the runner sets these"
    assert settings(LESSONS[name], scale) == table | {"scale": scale}


def test_profiles_name_only_lessons_and_scales():
    assert set(PROFILES) <= set(NAMES)
    for tables in PROFILES.values():
        assert set(tables) == {"smoke", "full"}


@each_lesson
def test_sections_stand_in_order(name):
    notebook = read(name)
    assert list(sections(notebook)) == SECTIONS
    assert notebook.cells[0].source.startswith("# ")
    assert "minutes" in notebook.cells[0].source


@each_lesson
def test_set_up_is_one_short_cell_that_holds_every_import(name):
    notebook = read(name)
    (setup,) = tagged(notebook, "setup")
    assert len(lines_of_code(setup.source)) <= 8
    assert "Lesson(seed=seed, scale=scale)" in setup.source
    for cell in code_cells(notebook):
        if cell is setup:
            continue
        for node in ast.walk(ast.parse(cell.source)):
            assert not isinstance(node, ast.Import | ast.ImportFrom), cell.source


@each_lesson
def test_imports_come_from_stated_packages(name):
    (setup,) = tagged(read(name), "setup")
    for node in ast.walk(ast.parse(setup.source)):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [node.module]
        else:
            continue
        for module in modules:
            package = module.split(".")[0]
            assert package in PACKAGES | sys.stdlib_module_names, f"{name} imports {module}"


@each_lesson
def test_outputs_are_stored_in_compared_cells_alone(name):
    for cell in code_cells(read(name)):
        compared = "nbval-check-output" in cell.metadata.get("tags", [])
        assert compared or cell.execution_count is None
        assert bool(cell.outputs) == compared, cell.source


@each_lesson
def test_cells_are_short_and_explained(name):
    notebook = read(name)
    lengths = [len(lines_of_code(cell.source)) for cell in code_cells(notebook)]
    assert 25 <= len(lengths) <= 45
    assert max(lengths) <= 25
    assert statistics.median(lengths) <= 8
    words_a_line = words(notebook) / sum(lengths)
    assert 8 <= words_a_line <= 15, f"{words_a_line:.1f} words of prose for a line of code"


@each_lesson
def test_every_figure_has_a_text_alternative(name):
    notebook = read(name)
    figures = calls(notebook, owner="plots")
    assert figures
    for call in figures:
        alternatives = [keyword.value for keyword in call.keywords if keyword.arg == "alt"]
        assert alternatives, f"no alt=: {ast.unparse(call)[:80]}"
        text = ast.unparse(alternatives[0])
        assert len(text.split()) >= 5, f"too short to see by: {text}"


@each_lesson
def test_every_quoted_figure_is_bound_to_an_expectation(name):
    notebook = read(name)
    held = bounds(notebook)
    assert held, "the lesson expects nothing"
    for heading in MEASURED_SECTIONS:
        quoted, loose = quoted_figures(sections(notebook)[heading])
        assert quoted <= held, f"{heading}: no lesson.expect holds {quoted - held}"
        assert not loose, f"{heading}: {loose} quoted without bold and an expectation"


@each_lesson
def test_expectations_stand_together_and_say_what_they_measure(name):
    notebook = read(name)
    expectations = calls(notebook, attribute="expect")
    names = [ast.literal_eval(call.args[0]) for call in expectations]
    assert len(names) == len(set(names)), "two expectations have the same name"


@each_lesson
def test_exercises_are_graded_cells(name):
    notebook = read(name)
    tasks = exercises(notebook)
    assert 2 <= len(tasks) <= 4
    for cell in code_cells(notebook):
        if "nbgrader" not in cell.metadata:
            assert "### BEGIN SOLUTION" not in cell.source
            continue
        grading = cell.metadata.nbgrader
        assert grading.schema_version == 3
        assert grading.solution != grading.grade
        if grading.grade:
            assert grading.points > 0
            assert grading.locked
    for task in tasks:
        assert "### BEGIN SOLUTION" in task.stub
        assert "### END SOLUTION" in task.stub
        for node in ast.walk(ast.parse(task.check)):
            if isinstance(node, ast.Assert):
                assert node.msg is not None, f"{task.name}: an assert without a message"


@each_lesson
def test_quiz_explains_every_wrong_answer(name):
    (call,) = calls(read(name), attribute="quiz")
    assert ast.literal_eval(call.args[0]) == name
    questions = json.loads((NOTEBOOKS / "quizzes" / f"{name}.json").read_text(encoding="utf-8"))
    assert len(questions) >= 5
    for question in questions:
        answers = question["answers"]
        assert any(answer["correct"] for answer in answers), question["question"]
        if question["type"] == "numeric":
            continue
        assert len(answers) >= 3, question["question"]
        for answer in answers:
            if not answer["correct"]:
                assert len(answer["feedback"].split()) >= 5, (question["question"], answer)


@each_lesson
@pytest.mark.timeout(300)
def test_runs_at_smoke_scale_and_compares_its_probes(name, tmp_path):
    notebook = parameterize_notebook(load_notebook_node(str(LESSONS[name].path)), smoke(name))
    copy = tmp_path / f"{name}.ipynb"
    nbformat.write(notebook, copy)
    command = [sys.executable, "-m", "pytest", "--nbval-lax", "--nbval-cell-timeout=120"]
    options = ["-p", "no:cacheprovider", "-q", "--rootdir", str(tmp_path), "-c", "/dev/null"]
    run = subprocess.run([*command, *options, str(copy)], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-2000:]
