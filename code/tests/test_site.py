"""What the built site keeps to, page by page; what needs a browser is in test_site_browser.py."""

import gzip
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "_build/html"
PAGES = sorted(page for page in SITE.rglob("*.html") if page.name != "index.html")
sys.path.insert(0, str(ROOT / "book/extensions"))

built = pytest.mark.skipif(not PAGES, reason="the site is not built: make book")
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


class Elements(HTMLParser):
    """All start tags of a page, as (name, attributes)."""

    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def __call__(self, *names):
        return [attributes for tag, attributes in self.found if tag in names]


# Pages


@built
def test_the_letters_of_formulas_come_first_where_lines_of_text_would_move():
    for name in "glossary", "notation":
        links = Elements(SITE / f"book/{name}.html")("link")
        fonts = [link["href"] for link in links if link["rel"] == "preload"]
        assert any(font.endswith("/math.woff2") for font in fonts)


@built
@every_page
def test_a_page_asks_no_other_server(page):
    for tag, attributes in Elements(page).found:
        if tag != "a":
            for name in ("src", "href", "srcset", "data", "poster", "action"):
                value = attributes.get(name) or ""
                assert not re.match(r"(?:[a-z]+:)?//", value), f"<{tag} {name}={value}>"


@built
@every_page
def test_a_page_has_a_strict_policy_and_keeps_it(page):
    text, elements = page.read_text(encoding="utf-8"), Elements(page)
    policy = [m["content"] for m in elements("meta") if m.get("http-equiv")]
    assert len(policy) == 1
    assert "default-src 'none'" in policy[0]
    assert "script-src 'self' 'wasm-unsafe-eval' 'sha256-" in policy[0]
    assert not re.search(r"script-src[^;]*'unsafe-|https?:|\*", policy[0])
    assert text.index("Content-Security-Policy") < text.index("<script")
    inline = re.findall(r"<script>(.*?)</script>", text, re.S)
    from book_site import COLOURS, COLOURS_HASH

    assert inline == [COLOURS]
    assert f"sha256-{COLOURS_HASH}" in policy[0]
    assert not elements("style")
    handlers = [name for _, a in elements.found for name in a if name.startswith("on")]
    assert not handlers


@built
@every_page
def test_local_addresses_of_a_page_lead_somewhere(page):
    """Relative, so that the site works below any path; and to a file that is there."""
    for tag, attributes in Elements(page).found:
        for name in ("src", "href", "action"):
            value = attributes.get(name) or ""
            if value and not re.match(r"[a-z]+:|#", value):
                assert not value.startswith("/"), value
                target = page.parent / re.split(r"[?#]", value)[0]
                assert target.exists(), f"<{tag} {name}={value}>"


@built
@every_page
def test_every_formula_is_mathml(page):
    text = page.read_text(encoding="utf-8")
    assert "mathjax" not in text.lower().replace("mathjax_ignore", "")
    plain = re.sub(r"(?s)<(pre|code).*?</\1>", "", text)
    assert not re.search(r"\\\(|\\\[|\\begin\{|\$\$", re.sub(r'="[^"]*"', "", plain))
    assert text.count("<math") == text.count("<math ") == text.count('<math alttext="')
    assert "tml-error" not in text
    for box in re.findall(r'<div class="math".*?</div>', text, re.S):
        assert re.search(r'<div class="formula"[^>]*><math', box)


@built
@every_page
def test_pictures_have_text_and_size_and_wait(page):
    pictures = Elements(page)("img")
    for number, picture in enumerate(pictures):
        assert len(picture["alt"]) >= 40, picture["src"]
        assert int(picture["width"]) > 0
        assert int(picture["height"]) > 0
        assert ("loading" in picture) == (number > 0)


@built
@every_page
def test_a_page_names_and_describes_itself(page):
    elements = Elements(page)
    text = page.read_text(encoding="utf-8")
    description = [m["content"] for m in elements("meta") if m.get("name") == "description"]
    assert len(description) == 1
    assert 30 <= len(description[0]) <= 156
    assert "Neural Networks by Hand" in re.search("<title>(.*?)</title>", text).group(1)
    assert elements("html")[0]["lang"] == "en"
    assert len(elements("h1")) == 1
    assert [link["href"] for link in elements("a")][0] == "#main"


@built
@every_page
def test_a_page_is_small(page):
    """The page with its style, script and fonts, packed as a web host packs them."""
    parts = [page, *(SITE / "_static").glob("book.css"), *(SITE / "_static").glob("page.js")]
    size = sum(len(gzip.compress(part.read_bytes())) for part in parts)
    size += sum(font.stat().st_size for font in (SITE / "_static/fonts").glob("*.woff2"))
    first = Elements(page)("img")[:2]  # the first picture and one that comes near
    size += sum((page.parent / picture["src"]).stat().st_size for picture in first)
    assert size <= 350 * 1024


@built
def test_equations_have_numbers_and_are_referred_to():
    text = (SITE / "chapters/01-logistic-regression.html").read_text(encoding="utf-8")
    numbered = re.findall(
        r'<div class="math" id="(equation-[\w-]+)">.*?class="eqno">\((\d+)\)', text, re.S
    )
    assert len(numbered) >= 10
    assert len({number for _, number in numbered}) == len(numbered)
    for address, number in re.findall(r'href="#(equation-[\w-]+)">\((\d+)\)</a>', text):
        assert (address, number) in numbered


@built
def test_answers_and_solutions_are_folded_without_a_script():
    text = (SITE / "chapters/01-logistic-regression.html").read_text(encoding="utf-8")
    folded = re.findall(r'<details class="([^"]*)"', text)
    assert sum("solution" in classes for classes in folded) >= 8
    assert sum("answer" in classes for classes in folded) >= 5
    assert "Code of this figure" in text


@built
def test_the_fonts_have_every_character_of_the_formulas():
    ttf = pytest.importorskip("fontTools.ttLib")
    pages = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    from book_site import slanted, text_of

    wanted = set(text_of("".join(re.findall(r"(?s)<math.*?</math>", pages))))
    own = {chr(c) for c in ttf.TTFont(ROOT / "book/site/fonts/math.woff2").getBestCmap()}
    has = {chr(c) for c in ttf.TTFont(SITE / "_static/fonts/math.woff2").getBestCmap()}
    assert (wanted | slanted(wanted)) & own <= has
    assert wanted - own <= set("\u2061\u2062 \u00a0")


@built
def test_the_site_has_no_scripts_that_no_page_uses():
    """The stock theme's icons alone were 1.5 MB."""
    total = sum(path.stat().st_size for path in (SITE / "_static").rglob("*.js"))
    assert total < 150 * 1024


# The typesetter


@pytest.fixture(scope="module")
def typeset():
    pytest.importorskip("quickjs")
    from book_math import Typesetter

    return Typesetter({"R": r"\mathbb{R}", "pd": r"\frac{\partial #1}{\partial #2}"})


def test_a_formula_is_set_with_the_books_macros(typeset):
    markup = typeset(r"\pd{f}{x} \in \R", False)
    assert markup.startswith('<math alttext="\\pd{f}{x} \\in \\R">')
    assert "<mfrac>" in markup
    assert "ℝ" in markup


def test_lines_of_a_display_are_aligned(typeset):
    for tex in (r"a &= b \\ &= c", r"\begin{align} a &= b \\ &= c \end{align}"):
        markup = typeset(tex, True)
        assert markup.count("<mtr>") == 2
        assert "tml-tageqn" not in markup


def test_a_prime_is_raised_once(typeset):
    assert "<msup>" not in typeset(r"\sigma'(z) + f''", False)
    assert "<msubsup>" in typeset("q_1'", False)


def test_a_sign_is_no_difference(typeset):
    assert '<mo form="prefix">−</mo><mn>2</mn>' in typeset(r"(1,\ -2)", False)
    assert "<mo>−</mo><mn>2</mn>" in typeset("1 - 2", False)


def test_a_function_keeps_its_distance(typeset):
    space = '<mspace width="0.1667em"></mspace><mi>ln</mi>'
    assert space in typeset(r"(1-y)\ln a", False)
    assert space in typeset(r"x^2\ln a", False)
    assert space not in typeset(r"-\ln a", False)


def test_a_long_formula_may_be_broken_in_the_text_and_not_in_a_display(typeset):
    tex = "a + b + c + d + e + f + g + h + i + j + k + l + m + n = o"
    assert '<math class="long"' in typeset(tex, False).replace(f' alttext="{tex}"', "")
    assert "long" not in typeset(tex, True)


def test_a_fault_is_said_and_placed():
    """A formula that can't be set stops the build with its place."""
    pytest.importorskip("quickjs")
    from types import SimpleNamespace

    from book_math import Typesetter, typeset
    from docutils import nodes
    from sphinx.util import logging

    said = []
    handler = logging.logging.Handler()
    handler.emit = lambda record: said.append((record.getMessage(), record.location))
    logger = logging.logging.getLogger("sphinx.book_math")
    logger.addHandler(handler)
    app = SimpleNamespace(typesetter=Typesetter({}))
    node = nodes.math("", r"\frac{1}{")
    node.source, node.line = "chapter", 7
    try:
        markup = typeset(SimpleNamespace(builder=SimpleNamespace(app=app)), node, False)
    finally:
        logger.removeHandler(handler)
    assert markup == r"<code>\frac{1}{</code>"
    assert "mathematics: " in said[0][0]
    assert said[0][1] is node


def test_another_temml_is_refused(monkeypatch, tmp_path):
    pytest.importorskip("quickjs")
    import book_math

    other = tmp_path / "temml.min.js"
    other.write_text("var temml = {}")
    monkeypatch.setattr(book_math, "TEMML", other)
    with pytest.raises(Exception, match="not the file that was reviewed"):
        book_math.Typesetter({})
