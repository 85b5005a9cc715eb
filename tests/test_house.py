"""The rules of the house: what imports what, and one list of dependencies."""

import ast
import subprocess
import sys
import tomllib

from helpers import ROOT

import pytest
import yaml
from packaging.requirements import Requirement

SHARED = {"arguments", "fitting", "metrics", "plots", "data", "lesson"}
# Arrows between topic modules that a person would draw.
ARROWS = {
    ("transformer", "attention"),
    ("detection", "losses"),
    ("diffusion", "segmentation"),
    ("distributed", "workers"),
    ("search", "convolution"),
    ("search", "pretrained"),
}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCK = [
    Requirement(line)
    for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
]
MODULES = sorted((ROOT / "helpers").rglob("*.py"))
TOPICS = [p for p in MODULES if p.parent.name == "helpers" and p.stem not in SHARED | {"__init__"}]


def _imports(path):
    """Returns the modules of `helpers` that a file imports, without the leading "helpers."."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module == "helpers":
            found |= {f"helpers.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module)
    return {name.removeprefix("helpers.") for name in found if name.startswith("helpers.")} - {
        "ROOT"
    }


def _loaded_by(statement):
    code = f"import sys; {statement}; print(*sys.modules)"
    return subprocess.check_output([sys.executable, "-c", code], text=True).split()


@pytest.mark.parametrize(
    "statement", ["import helpers", "import helpers.course.cli", "from helpers import data"]
)
def test_light_imports_do_not_load_tensorflow(statement):
    assert not {"tensorflow", "keras"} & set(_loaded_by(statement))


@pytest.mark.parametrize("path", TOPICS, ids=lambda path: path.stem)
def test_topics_import_downwards(path):
    for name in _imports(path):
        module = name.split(".")[0]
        assert module in SHARED | {path.stem} or (path.stem, module) in ARROWS, (
            f"{path.stem} imports {name}"
        )


def test_shared_modules_import_no_topic():
    topics = {path.stem for path in TOPICS}
    for path in MODULES:
        if path not in TOPICS:
            assert not {name.split(".")[0] for name in _imports(path)} & topics, path


def test_the_course_imports_no_tensorflow():
    for path in (ROOT / "helpers" / "course").glob("*.py"):
        source = path.read_text(encoding="utf-8")
        assert "import tensorflow" not in source
        assert "import keras" not in source
        assert {name.split(".")[0] for name in _imports(path)} <= {"course", "data"}


def test_every_module_has_its_test():
    for path in MODULES:
        if path.name == "__init__.py":
            continue
        parts = path.relative_to(ROOT / "helpers").with_suffix("").parts
        expected = ROOT / "tests" / f"test_{'_'.join(parts)}.py"
        assert expected.is_file(), f"{path.name} has no {expected.name}"


def test_imports_of_helpers_are_declared():
    declared = {Requirement(text).name.lower() for text in PROJECT["project"]["dependencies"]}
    for extra in PROJECT["project"]["optional-dependencies"].values():
        declared |= {Requirement(text).name.lower() for text in extra}
    aliases = {
        "keras_tuner": "keras-tuner",
        "skimage": "scikit-image",
        "sklearn": "scikit-learn",
        "tensorflow": "tensorflow-cpu",
    }
    # These come with a declared package that owns them.
    owned = {"IPython", "packaging", "jupyter_client", "traitlets", "docutils", "threadpoolctl"}
    # Needed at full scale alone, and would bring a second TensorFlow.
    by_hand = {"keras_hub"}
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            else:
                continue
            for name in {name.split(".")[0] for name in names}:
                if name in sys.stdlib_module_names | owned | by_hand | {"helpers"}:
                    continue
                assert aliases.get(name, name).lower() in declared, f"{path.name} imports {name}"


def _every_requirement():
    project = PROJECT["project"]
    texts = [*project["dependencies"], *PROJECT["build-system"]["requires"]]
    for extra in project["optional-dependencies"].values():
        texts += extra
    return [r for r in map(Requirement, texts) if r.name != project["name"]]


def test_the_lock_pins_everything_without_addresses():
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in text
    for requirement in LOCK:
        assert [s.operator for s in requirement.specifier] == ["=="], str(requirement)


@pytest.mark.parametrize("requirement", _every_requirement(), ids=str)
def test_the_lock_satisfies_pyproject(requirement):
    pins = [pin for pin in LOCK if pin.name == requirement.name.lower()]
    assert pins, f"{requirement.name} is not in requirements.lock; run make lock"
    for pin in pins:
        (version,) = [specifier.version for specifier in pin.specifier]
        assert requirement.specifier.contains(version), f"{pin} is not {requirement}"


def test_conda_gets_the_same_pins_and_pythons():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    python, pip, by_pip = environment["dependencies"]
    assert python == "python" + PROJECT["project"]["requires-python"]
    assert pip == "pip"
    assert by_pip == {"pip": ["--constraint requirements.lock", "--editable .[all]"]}


def test_ci_runs_every_python_that_is_promised():
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    job = workflow["jobs"]["course"]
    assert job["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13"]
    assert {"run": "bash .ci/run"} in job["steps"]


def test_tensorflow_says_nothing_while_it_is_imported():
    code = "from helpers import lesson; import tensorflow as tf; tf.constant([1.0]) + 1"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout + run.stderr == ""


def test_an_error_inside_the_import_of_tensorflow_arrives(tmp_path):
    (tmp_path / "tensorflow.py").write_text("raise ImportError('no such instruction')")
    code = "import helpers, tensorflow"
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": f"{tmp_path}:{ROOT}"},
    )
    assert run.returncode == 1
    assert "no such instruction" in run.stderr
