import json
import platform

from helpers.course import results
from helpers.course.execution import Failure, Job, new_record

import pytest
from small_lessons import write_lesson


@pytest.fixture
def lesson(tmp_path):
    return write_lesson(tmp_path, "10_gans")


def test_results_are_written_in_order_with_versions(tmp_path):
    records = [new_record("10_gans"), new_record("03_attention", Failure("lost", "a", "b"))]
    results.write(tmp_path / "results.json", records, seconds=3.5, profile="smoke", started="now")
    found = json.loads((tmp_path / "results.json").read_text())
    assert [record["name"] for record in found["lessons"]] == ["03_attention", "10_gans"]
    assert found["versions"]["python"] == platform.python_version()
    assert (found["seconds"], found["profile"], found["started"]) == (3.5, "smoke", "now")


def test_every_key_is_explained(tmp_path):
    results.write(tmp_path / "results.json", [], seconds=0, profile="smoke", started="now")
    for key in json.loads((tmp_path / "results.json").read_text()):
        assert f"\n    {key} " in results.__doc__


def test_versions_are_of_what_the_lessons_need_alone():
    assert {"keras", "numpy", "papermill"} <= set(results.versions())
    assert not {"pytest", "ruff", "sphinx", "deep-learning-lessons"} & set(results.versions())


def test_the_digest_is_the_same_for_the_same(lesson):
    assert results.digest(lesson, {"a": 1, "b": 2}) == results.digest(lesson, {"b": 2, "a": 1})


def test_the_digest_changes_with_parameters_and_notebook(lesson):
    digests = {results.digest(lesson, {"a": 1}), results.digest(lesson, {"a": 2})}
    lesson.path.write_text(lesson.path.read_text() + " ")
    digests.add(results.digest(lesson, {"a": 1}))
    assert len(digests) == 3


def test_the_digest_changes_with_helpers_data_and_quizzes_but_not_with_the_runner(
    lesson, tmp_path, monkeypatch
):
    for name in ("helpers/gans.py", "helpers/course/runner.py", "data/digits.npz"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("one")
    monkeypatch.setattr(results, "ROOT", tmp_path)

    def after(name):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
        return results.digest(lesson, {})

    before = results.digest(lesson, {})
    assert after("helpers/course/runner.py") == before
    assert after("helpers/__pycache__/gans.py") == before
    changed = {after("helpers/gans.py"), after("data/digits.npz")}
    changed.add(after("notebooks/quizzes/10_gans.json"))
    assert len(changed | {before}) == 4


def test_the_digest_changes_with_python(lesson, monkeypatch):
    before = results.digest(lesson, {})
    monkeypatch.setattr(results.platform, "python_version", lambda: "3.99.0")
    assert results.digest(lesson, {}) != before


@pytest.mark.parametrize("content", ["{", '{"cells": []}', '{"cells": [], "metadata": {}}'])
def test_a_notebook_without_a_record_is_no_earlier_run(tmp_path, content):
    job = Job("10_gans", tmp_path, tmp_path, tmp_path, {})
    job.executed.write_text(content)
    job.executed.with_suffix(".html").touch()
    assert results.earlier(job) is None
