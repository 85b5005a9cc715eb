"""Settings of the book; `lessons site` lays the executed lessons beside this file."""

from helpers.course.formulas import to_mathml

project = "Deep learning lessons"
author = "the authors of the lessons"
extensions = ["myst_nb"]
exclude_patterns = ["thumbnails", "_build"]

html_theme = "sphinx_book_theme"
html_title = project
html_theme_options = {
    "use_download_button": True,
    "use_fullscreen_button": False,
    "show_toc_level": 2,
}
html_copy_source = False
html_show_sourcelink = False

nb_execution_mode = "off"
myst_enable_extensions = ["amsmath", "dollarmath"]
# Sphinx's own renderers of formulas fetch a script from the network, or need LaTeX.
html_math_renderer = "mathml"


def _inline(translator, node):
    translator.body.append(to_mathml(node.astext()))
    _skip(node)


def _block(translator, node):
    translator.body.append(f'<div class="math">{to_mathml(node.astext(), block=True)}</div>')
    _skip(node)


def _skip(node):
    from docutils.nodes import SkipNode

    raise SkipNode


def setup(app):
    """Registers MathML, which browsers draw without a script."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
