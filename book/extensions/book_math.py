"""Sets every formula as MathML when the site is built; the reader's browser needs no script for it.

Temml turns TeX into MathML. It is one JavaScript file, kept in book/site and run by QuickJS, a
small JavaScript engine that comes as a Python package. A formula that Temml doesn't understand is a
warning with its place.
"""

import hashlib
import html
import json
import re
from pathlib import Path

import quickjs
from docutils import nodes
from sphinx.errors import ExtensionError
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

TEMML = Path(__file__).resolve().parent.parent / "site/temml.min.js"  # version 0.13.5
TEMML_SHA256 = "1ab19148afe0dbc836b7a74f344071b3f3a70a7a8259ae4049e76894fcdf8d95"

log = logging.getLogger(__name__)


LONG = 24  # characters; a longer formula in a line of text may be broken on a phone

# What Temml leaves to a font's alternate glyphs or spaces otherwise than TeX: pattern, replacement
MENDED = [
    # A prime is already raised; as a superscript it would be raised twice, and tiny.
    (r"<msup>((?:(?!</?msup>).)*?)"
     r"((?:<mrow[^>]*>)?(?:<mo[^>]*tml-prime[^>]*>′</mo>)+(?:</mrow>)?)</msup>",
     r"<mrow>\1\2</mrow>"),
    # (1 - y) ln a: a thin space before the name of a function, after a parenthesis or a power too
    (r'((?:postfix" stretchy="false">.</mo></mrow>|</(?:msup|msub|msubsup|mfrac|mstyle)>)<mrow>)'
     r"(<mi>[a-z]{2,}</mi><mo>\u2061</mo>)",
     r'\1<mspace width="0.1667em"></mspace>\2'),
    # (0.1, -0.1): after a comma and a space the minus is a sign
    (r'(<mo separator="true">,</mo>(?:<mspace[^>]*></mspace>|<mtext>\u00a0</mtext>))'
     r"<mo>(?=[−±])",
     r'\1<mo form="prefix">'),
    # the same after a large parenthesis
    (r'(<mo fence="true" symmetric="true"[^>]*>[(\[]</mo>)<mo>(?=[−±])', r'\1<mo form="prefix">'),
    # Dots are spaced by the commas beside them.
    (r"<mo>…</mo>", r'<mo lspace="0" rspace="0">…</mo>'),
    # Chromium cuts a wide brace off at the seams of its picture; the style sheet draws a line.
    (r"<munder><munder>((?:(?!⏟).)*)<mo[^>]*>⏟</mo></munder>",
     r'<munder><mrow class="brace">\1</mrow>'),
]  # fmt: skip


class Typesetter:
    """TeX to MathML; each formula is set once, however often the book repeats it."""

    def __init__(self, macros):
        source = TEMML.read_bytes()
        if hashlib.sha256(source).hexdigest() != TEMML_SHA256:
            raise ExtensionError(f"{TEMML.name} is not the file that was reviewed")
        self.engine = quickjs.Context()
        self.engine.eval(source.decode())
        # As JSON, because QuickJS hands over no string that it has not yet joined from its parts.
        self.engine.eval(
            "function render(tex, options) {"
            "  return JSON.stringify(temml.renderToString(tex, JSON.parse(options)))"
            "}"
        )
        self.macros = {f"\\{name}": meaning for name, meaning in macros.items()}
        self.done = {}

    def render(self, tex, options):
        return json.loads(self.engine.get("render")(tex, json.dumps(options)))

    def __call__(self, tex, display):
        """The formula as a <math> element, its TeX kept as its text. Raises quickjs.JSException."""
        if (tex, display) not in self.done:
            options = {"displayMode": display, "macros": self.macros, "throwOnError": True}
            plain = re.sub(r"@\{[^}]*\}", "", tex)  # Temml can't narrow the columns of an array
            # Sphinx gives the numbers
            plain = re.sub(r"\\(begin|end)\{(align|gather|equation)\}", r"\\\1{\2*}", plain)
            if display and r"\\" in plain and r"\begin{" not in plain:
                plain = rf"\begin{{aligned}}{plain}\end{{aligned}}"
            markup = self.render(plain, options)
            if not display and len(re.sub(r"<[^>]+>", "", markup)) > LONG:
                markup = self.render(plain, options | {"wrap": "tex"})
                markup = markup.replace("<math", '<math class="long"', 1)
            for pattern, replacement in MENDED:
                markup = re.sub(pattern, replacement, markup)
            text = html.escape(" ".join(tex.split()))
            self.done[tex, display] = markup.replace("<math", f'<math alttext="{text}"', 1)
        return self.done[tex, display]


def typeset(translator, node, display):
    try:
        return translator.builder.app.typesetter(node.astext(), display)
    except quickjs.JSException as error:
        fault = " ".join(str(error).split("\n    at ")[0].split())
        log.warning("mathematics: %s", fault, location=node, type="book", subtype="math")
        return f"<code>{html.escape(node.astext())}</code>"


def visit_inline(translator, node):
    translator.body.append(typeset(translator, node, display=False))
    raise nodes.SkipNode


def visit_display(translator, node):
    """The formula in a box that scrolls; the equation's number stays beside it."""
    write = translator.body.append
    write(translator.starttag(node, "div", CLASS="math"))
    write('<div class="formula" tabindex="0" role="group" aria-label="Equation">')
    write(f"{typeset(translator, node, display=True)}</div>")
    if node["number"]:
        write(f'<span class="eqno">({get_node_equation_number(translator, node)})')
        translator.add_permalink_ref(node, "Link to this equation")
        write("</span>")
    write("</div>\n")
    raise nodes.SkipNode


def start(app):
    app.typesetter = Typesetter(app.config.math_macros)


def setup(app):
    app.add_config_value("math_macros", {}, "env")
    app.add_html_math_renderer("temml", (visit_inline, None), (visit_display, None))
    app.connect("builder-inited", start)
    return {"parallel_read_safe": True, "parallel_write_safe": False}
