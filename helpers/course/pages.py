"""A notebook as one HTML file that needs no network."""

import json

from helpers.course.formulas import to_mathml

# nbconvert's page, without the scripts that it fetches: require.js, MathJax, Mermaid, widgets.
TEMPLATE = """
{%- extends 'lab/index.html.j2' -%}
{%- block html_head_js_requirejs -%}{%- endblock -%}
{%- block html_head_js_mathjax -%}{%- endblock -%}
{%- block html_head_js_mermaidjs -%}{%- endblock -%}
{%- block jupyter_widgets -%}{%- endblock -%}
{%- block extra_css -%}
<style>
  main { max-width: 62rem; margin: auto; }
  .jp-RenderedHTMLCommon img { max-width: 100%; }
</style>
{%- endblock -%}
"""


def to_html(notebook, title):
    """Returns a notebook as a page of HTML.

    Args:
        notebook: the executed notebook, as plain dicts and lists.
        title: the page's title.
    """
    import nbformat

    exporter = _exporter()(raw_template=TEMPLATE)
    page, _ = exporter.from_notebook_node(
        nbformat.reads(json.dumps(notebook), as_version=4), {"metadata": {"name": title}}
    )
    return page


def _exporter():
    """Returns nbconvert's HTML exporter, but with formulas as MathML."""
    from nbconvert.exporters import HTMLExporter
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    class Renderer(IPythonRenderer):
        def inline_math(self, body):
            return to_mathml(body)

        def block_math(self, body):
            return to_mathml(body, block=True)

        def latex_environment(self, name, body):
            return to_mathml(rf"\begin{{{name}}}{body}\end{{{name}}}", block=True)

    class Exporter(HTMLExporter):
        def default_filters(self):
            yield from super().default_filters()
            yield "markdown2html", _to_html

    def _to_html(source):
        return MarkdownWithMath(renderer=Renderer(escape=False)).render(source)

    return Exporter
