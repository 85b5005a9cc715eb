"""Each exercise three ways: the stub fails helpfully, the solution passes, mistakes are caught."""

import tomllib

from helpers import ROOT
from helpers.course import catalogue
from helpers.course.student import edition

import pytest
from lesson_files import NAMES, exercises, read, smoke, tagged

WRONG_ANSWERS = ROOT / "tests" / "wrong_answers"

TASKS = [(name, task) for name in NAMES for task in exercises(read(name))]
MISTAKES = {
    f"{name}-{task}-{mistake}": (name, task, entry)
    for name in NAMES
    for task, mistakes in tomllib.loads(
        (WRONG_ANSWERS / f"{name}.toml").read_text(encoding="utf-8")
    ).items()
    for mistake, entry in mistakes.items()
}

each_task = pytest.mark.parametrize(
    ("name", "task"), TASKS, ids=[f"{name}-{task.name}" for name, task in TASKS]
)


@pytest.fixture(scope="module")
def namespaces():
    """What the parameters and set-up cells of each lesson define, at smoke scale."""
    return {name: _namespace(name) for name in NAMES}


def _namespace(name):
    notebook = read(name)
    (setup,) = tagged(notebook, "setup")
    names = {"__name__": name}
    names |= catalogue.parameters(notebook) | smoke(name)
    exec(compile(setup.source, f"{name} set-up", "exec"), names)
    return names


def _run(answer, task, names):
    names = dict(names)
    exec(compile(answer, f"{task.name} answer", "exec"), names)
    exec(compile(task.check, f"{task.name} check", "exec"), names)


@each_task
def test_solution_passes(name, task, namespaces):
    _run(task.stub, task, namespaces[name])


@each_task
def test_stub_says_what_to_do(name, task, namespaces):
    notebook = edition(read(name))
    stub = next(e.stub for e in exercises(notebook) if e.name == task.name)
    assert "SOLUTION" not in stub
    with pytest.raises(NotImplementedError, match="Write your answer"):
        _run(stub, task, namespaces[name])


def _answer(entry, stub):
    """The wrong answer: written out, or the solution with one place replaced."""
    if "answer" in entry:
        return entry["answer"]
    assert stub.count(entry["replace"]) == 1, f"stands not once in the solution: {entry['replace']}"
    return stub.replace(entry["replace"], entry["by"])


@each_task
def test_some_wrong_answer_stands_ready(name, task):
    assert (name, task.name) in {(where, what) for where, what, _ in MISTAKES.values()}


@pytest.mark.parametrize(("name", "task_name", "entry"), MISTAKES.values(), ids=MISTAKES)
def test_wrong_answer_is_caught_with_its_message(name, task_name, entry, namespaces):
    (task,) = [task for task in exercises(read(name)) if task.name == task_name]
    message = entry["message"]
    assert message in task.check, f"no message of the check of {task_name} says {message!r}"
    with pytest.raises(AssertionError) as caught:
        _run(_answer(entry, task.stub), task, namespaces[name])
    assert message in str(caught.value)
