"""Formulas for web pages: TeX becomes MathML, which browsers draw without any script or font."""

import html
import re


def to_mathml(tex, block=False):
    """Returns a formula as MathML, with its TeX source as the tooltip.

    Args:
        tex: the formula without dollar signs.
        block: whether it stands on lines of its own.

    Returns:
        A `math` element; where a command is not known, the TeX source in a `code` element.
    """
    from docutils.utils.math import MathError
    from docutils.utils.math.latex2mathml import tex2mathml

    # TeX takes one digit for the numerator and one for the denominator; docutils takes both.
    digits = re.sub(r"(\\[dt]?frac)(\d)(\d)", r"\1{\2}{\3}", tex.strip())
    try:
        element = tex2mathml(digits, as_block=block)
    except MathError:
        return f'<code class="tex">{html.escape(tex)}</code>'
    return element.replace("<math ", f'<math title="{html.escape(tex.strip())}" ', 1)
