import re
from xml.etree import ElementTree

from helpers import ROOT
from helpers.course import catalogue
from helpers.course.formulas import to_mathml

import pytest

NAMESPACE = "{http://www.w3.org/1998/Math/MathML}"
LESSONS = catalogue.lessons(ROOT / "notebooks")


def _tags(tex, block=False):
    root = ElementTree.fromstring(to_mathml(tex, block))
    return [element.tag.removeprefix(NAMESPACE) for element in root.iter()]


def test_a_fraction_under_a_root_is_that():
    assert _tags(r"\frac{a}{\sqrt{d}}") == ["math", "mfrac", "mi", "msqrt", "mi"]


@pytest.mark.parametrize("tex", [r"\frac12", r"\tfrac12", r"\dfrac12 "])
def test_a_fraction_of_two_digits_needs_no_braces(tex):
    root = ElementTree.fromstring(to_mathml(tex))
    assert [number.text for number in root.iter(f"{NAMESPACE}mn")] == ["1", "2"]
    assert f"{NAMESPACE}mfrac" in [element.tag for element in root.iter()]


def test_a_formula_of_its_own_says_so():
    assert ElementTree.fromstring(to_mathml("x", block=True)).get("display") == "block"
    assert ElementTree.fromstring(to_mathml("x")).get("display") is None


def test_the_source_is_the_tooltip():
    tex = r'a < b \text{ & "c"}'
    root = ElementTree.fromstring(to_mathml(tex))
    assert root.get("title") == tex


def test_what_is_not_known_is_shown_as_it_stands():
    assert to_mathml(r"\nosuchcommand<x>") == (r'<code class="tex">\nosuchcommand&lt;x&gt;</code>')


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_every_formula_of_the_lessons_can_be_drawn(lesson):
    for cell in catalogue.read(lesson.path)["cells"]:
        if cell["cell_type"] != "markdown":
            continue
        text = re.sub(r"```.*?```|`[^`\n]*`", "", cell["source"], flags=re.DOTALL)
        for formula in re.findall(r"\$\$(.+?)\$\$|(?<![\\$])\$([^$]+?)\$", text, re.DOTALL):
            tex = "".join(formula)
            assert "<code" not in to_mathml(tex), f"MathML has no {tex}"
