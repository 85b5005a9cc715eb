import ast

from helpers.course import catalogue
from helpers.course.catalogue import CorruptNotebook, UsageError

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_lessons import PARAMETERS, code, markdown, write_lesson

DEFAULTS = {"seed": 0, "scale": "lesson", "steps": 100, "rate": 0.5, "widths": (1, 2), "fast": True}


@pytest.fixture
def folder(tmp_path):
    for name in ("00_start_here", "03_attention", "04_transformers", "10_gans"):
        write_lesson(tmp_path, name)
    (tmp_path / "scratch.ipynb").write_text("not a lesson, since it has no number")
    return tmp_path


def _names(found):
    return [lesson.name for lesson in found]


def test_every_lesson_is_found_by_number(folder):
    everything = ["00_start_here", "03_attention", "04_transformers", "10_gans"]
    assert _names(catalogue.find([], folder)) == everything


@pytest.mark.parametrize("name", ["10", "gans", "10_gans", "10_gans.ipynb", "a/10_gans.ipynb"])
def test_a_lesson_has_three_names(folder, name):
    assert _names(catalogue.find([name], folder)) == ["10_gans"]


def test_a_lesson_named_twice_is_run_once(folder):
    assert _names(catalogue.find(["gans", "00", "10"], folder)) == ["10_gans", "00_start_here"]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("gan", "did you mean 10_gans?"),
        ("GANS", "did you mean 10_gans?"),
        ("atention", "did you mean 03_attention?"),
        ("03_atention", "did you mean 03_attention?"),
        ("transformer", "did you mean 04_transformers?"),
        ("zzzz", "did you mean 00_start_here, 03_attention, 04_transformers or 10_gans?"),
        ("", "did you mean 00_start_here"),
    ],
)
def test_a_mistyped_lesson_gets_the_nearest_names(folder, name, meant):
    with pytest.raises(UsageError) as error:
        catalogue.find([name], folder)
    assert meant in str(error.value)


def test_a_number_that_two_lessons_share_is_refused(folder):
    write_lesson(folder, "10_other")
    with pytest.raises(UsageError, match="10_gans or 10_other"):
        catalogue.find(["10"], folder)


def test_a_folder_without_lessons_says_so(tmp_path):
    with pytest.raises(UsageError, match="no lessons"):
        catalogue.find([], tmp_path)


def test_introduction_reads_title_promise_and_minutes(folder):
    (lesson,) = catalogue.find(["gans"], folder)
    assert catalogue.introduction(catalogue.read(lesson.path)) == (
        "The 10_gans lesson",
        "You learn a lot in it.",
        "5 minutes · needs nothing · reaches 1",
    )


def test_introduction_of_a_lesson_without_one_is_empty():
    assert catalogue.introduction({"cells": []}) == ("", "", "")
    assert catalogue.introduction({"cells": [markdown("## No title")]}) == ("", "", "")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"cells": 3}', '{"cells": [{}]}', "\xff"])
def test_what_is_no_notebook_is_told(tmp_path, text):
    path = tmp_path / "10_gans.ipynb"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(CorruptNotebook, match="10_gans.ipynb is not a notebook"):
        catalogue.read(path)


def test_parameters_are_the_literals_of_the_tagged_cell():
    assert catalogue.parameters({"cells": [code(PARAMETERS, "parameters")]}) == {
        "seed": 0,
        "scale": "lesson",
        "steps": 100,
        "rate": 0.5,
        "widths": (1, 2),
        "word": "π",
    }


@pytest.mark.parametrize("source", ["a = b", "a = 1 + x", "import os", "a, b = 1, 2", "a ="])
def test_parameters_that_are_no_literals_are_refused(source):
    with pytest.raises(CorruptNotebook, match="name = literal"):
        catalogue.parameters({"cells": [code(source, "parameters")]})


@pytest.mark.parametrize("count", [0, 2])
def test_there_is_one_cell_of_parameters(count):
    with pytest.raises(CorruptNotebook, match=f"{count} cells tagged"):
        catalogue.parameters({"cells": [code("a = 1", "parameters")] * count})


def test_a_profile_overrides_by_name_and_type(tmp_path):
    table = '["10_gans".smoke]\nsteps = 2\nrate = 1\nwidths = [3, 4]\n'
    (tmp_path / "profiles.toml").write_text(table)
    chosen = catalogue.profile("smoke", "10_gans", DEFAULTS, tmp_path)
    assert chosen == {"steps": 2, "rate": 1.0, "widths": (3, 4), "scale": "smoke"}
    assert isinstance(chosen["rate"], float)
    assert catalogue.profile("lesson", "10_gans", DEFAULTS, tmp_path) == {"scale": "lesson"}


def test_profiles_need_no_file(tmp_path):
    assert catalogue.profile("full", "10_gans", DEFAULTS, tmp_path) == {"scale": "full"}


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("step = 2", "10_gans has no parameter 'step'; did you mean steps?"),
        ("steps = 2.5", "10_gans needs steps as int"),
        ("steps = true", "10_gans needs steps as int"),
        ("fast = 1", "10_gans needs fast as bool"),
        ('rate = "0.1"', "10_gans needs rate as float"),
        ("steps = = 2", "profiles.toml cannot be read"),
    ],
)
def test_a_profile_that_does_not_fit_is_refused(tmp_path, table, message):
    (tmp_path / "profiles.toml").write_text(f'["10_gans".smoke]\n{table}\n')
    with pytest.raises(UsageError) as error:
        catalogue.profile("smoke", "10_gans", DEFAULTS, tmp_path)
    assert message in str(error.value)


def test_an_unknown_profile_is_refused(tmp_path):
    with pytest.raises(UsageError, match="no profile 'large'; there are smoke, lesson or full"):
        catalogue.profile("large", "10_gans", DEFAULTS, tmp_path)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("steps=7", 7),
        ("steps=-7", -7),
        ("rate=3", 3.0),
        ("rate=1e-3", 1e-3),
        ("fast=false", False),
        ("fast=True", True),
        ("widths=[3, 4]", (3, 4)),
        ("widths=(3,)", (3,)),
        ("scale=7", "7"),
        ("scale=a=b", "a=b"),
    ],
)
def test_a_given_parameter_takes_the_type_of_its_default(text, value):
    name, parsed = catalogue.parse("10_gans", text, DEFAULTS)
    assert name == text.partition("=")[0]
    assert parsed == value
    assert type(parsed) is type(DEFAULTS[name])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("steps", "NAME=VALUE"),
        ("step=3", "did you mean steps?"),
        ("qqq=3", "did you mean seed, scale, steps, rate, widths or fast?"),
        ("steps=many", "needs steps as int (such as 100), not 'many'"),
        ("steps=1.5", "needs steps as int (such as 100), not 1.5"),
        ("steps=", "needs steps as int"),
        ("fast=maybe", "needs fast as bool"),
    ],
)
def test_a_given_parameter_that_does_not_fit_is_refused(text, message):
    with pytest.raises(UsageError) as error:
        catalogue.parse("10_gans", text, DEFAULTS)
    assert message in str(error.value)


literals = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(literals)
def test_any_literal_survives_the_way_through_the_notebook(value):
    source = f"value = {value!r}"
    if not _is_literal(repr(value)):
        return
    assert catalogue.parameters({"cells": [code(source, "parameters")]}) == {"value": value}


def _is_literal(text):
    try:
        ast.literal_eval(text)  # infinity has no literal
    except ValueError:
        return False
    return True


def test_cores_are_counted():
    assert catalogue.cores() >= 1
