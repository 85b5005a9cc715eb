import re

from helpers.course.pages import to_html

from small_lessons import code, markdown


def _notebook(*cells):
    cells = [cell | {"id": f"cell-{number}"} for number, cell in enumerate(cells)]
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def _display(**data):
    return {"output_type": "display_data", "metadata": {}, "data": data}


def test_a_page_fetches_nothing():
    page = to_html(
        _notebook(
            markdown("# Title\n\n$x^2$ and [a link](https://example.org)"),
            code("show()") | {"outputs": [_display(**{"application/javascript": "let a = 1"})]},
        ),
        "10_gans",
    )
    assert "<title>10_gans</title>" in page
    assert not re.findall(
        r"<(?:script|link|img|iframe)[^>]*(?:src|href)\s*=\s*[\"'](?!data:)", page
    )
    assert not re.findall(r"url\(\s*[\"']?https?:|@import", page)
    assert "let a = 1" in page


def test_formulas_are_mathml_everywhere():
    page = to_html(
        _notebook(
            markdown("Inline $a_1$, *and*\n\n$$\\frac{a}{b}$$\n"),
            markdown("\\begin{aligned} c &= d \\end{aligned}"),
            code("show()") | {"outputs": [_display(**{"text/markdown": "with $e_2$"})]},
        ),
        "10_gans",
    )
    assert page.count("<math") == 4
    assert page.count('display="block"') == 2
    assert "<em>and</em>" in page
    assert "$" not in re.sub(r"<style.*?</style>", "", page, flags=re.DOTALL)


def test_outputs_in_lines_are_joined():
    output = {"output_type": "stream", "name": "stdout", "text": ["one\n", "two\n"]}
    page = to_html(_notebook(code("say()") | {"outputs": [output]}), "10_gans")
    assert "one\ntwo" in page
