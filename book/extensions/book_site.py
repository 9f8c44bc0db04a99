"""What the site needs beyond Sphinx's own pages, while a page is written and after the build.

1. Tables get a box of their own, folded boxes are <details>, an exercise titled "1.3 ★ Name" is
   called Exercise 1.3, there and wherever it is referred to.
2. The templates of book/site get their names: contents, description, policy, links.
3. Pictures carry their sizes and are loaded when they come near the screen; so do the parts.
4. After the build: fonts with no more than the book's characters, lean pictures.

A change of a template, a style, a font or this folder is seen by the next build; Sphinx
overlooks it.
"""

import base64
import hashlib
import html
import io
import re
from pathlib import Path
from urllib.parse import quote

from docutils import nodes
from fontTools import subset
from fontTools.ttLib import TTFont
from PIL import Image
from sphinx_exercise.nodes import exercise_node, solution_node

HERE = Path(__file__).resolve().parent
THEME = HERE.parent / "site"
FONTS_FIRST = "text.woff2", "text-semibold.woff2"  # what the top of a page needs
FIRST_SCREEN = 600  # characters of a phone's first screen, about

# Sets the colours before the page is painted, so it stands in the page; the policy has its hash.
COLOURS = (
    "var d=document.documentElement.dataset;"
    'try{d.mode=localStorage.getItem("colours")||"auto"}catch(e){d.mode="auto"}'
    'd.theme=d.mode!="auto"?d.mode:matchMedia("(prefers-color-scheme:dark)").matches?"dark":"light"'
)
COLOURS_HASH = base64.b64encode(hashlib.sha256(COLOURS.encode()).digest()).decode()

STOP = 'tabindex="0" role="group"'
MAKER = Path(__file__).read_bytes()

# What a page may use: what comes with the site. WebAssembly and workers are for Python in the page.
POLICY = "; ".join([
    "default-src 'none'",
    f"script-src 'self' 'wasm-unsafe-eval' 'sha256-{COLOURS_HASH}'",
    "worker-src 'self'",
    "style-src 'self'",
    "style-src-attr 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
])  # fmt: skip


# While the pages are read and written


def changed_style(app, env, added, changed, removed):
    """The pages out of date: all if this folder or a template is newer, one if the style is."""
    built = Path(app.outdir, "genindex.html")
    if not built.exists():
        return []

    def newer(*folders):
        files = [path for folder in folders for path in folder.glob("*.*")]
        return any(path.stat().st_mtime > built.stat().st_mtime for path in files)

    if newer(HERE, THEME):
        return sorted(env.found_docs)
    return [app.config.root_doc] if newer(THEME / "static", THEME / "fonts") else []


def box_tables(app, doctree):
    """Put each table into a container that the style sheet lets scroll."""
    for table in list(doctree.findall(nodes.table)):
        box = nodes.container(classes=["table-box"])
        table.replace_self(box)
        box += table


def name_exercises(app, doctree):
    """Join "Exercise" and the title given to it, which sphinx-exercise would put in parentheses."""
    for node in doctree.findall(exercise_node):
        title = node.children[0]
        if len(title.children) == 2:
            word, given = title.children
            node["title"] = f"{word.astext()} {given.astext().split()[0]}"
            title.children = [nodes.inline("", "", nodes.Text("Exercise "), *given.children)]


def visit_box(translator, node):
    """A box with a title; one of class dropdown is folded, by the browser and without a script."""
    folded = "dropdown" in node["classes"]
    tag = "details" if folded else "div"
    translator.body.append(translator.starttag(node, tag, CLASS="admonition"))
    if folded:
        title = node.pop(0)
        for link in list(title.findall(nodes.reference)):  # the whole line is a switch
            link.replace_self(link.children)
        translator.body.append('<summary class="admonition-title">')
        for child in title.children:
            child.walkabout(translator)
        translator.body.append("</summary>")


def depart_box(translator, node):
    translator.body.append("</details>\n" if "dropdown" in node["classes"] else "</div>\n")


def text_of(markup):
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", markup)).split())


def describe(body, title):
    """The first paragraph without formulas, as far as a search engine shows it."""
    for paragraph in re.findall(r"<p>(.*?)</p>", body, re.S):
        text = text_of(paragraph)
        if len(text) > 60 and "<math" not in paragraph:
            return text if len(text) <= 155 else text[:154].rsplit(" ", 1)[0] + "…"
    return f"{title}: a page of the book Neural Networks by Hand"


def sized(body, files):
    """Pictures with their sizes, so that nothing moves when they come; all but the first wait."""

    def mend(match):
        tag = match.group()
        size = re.search(r'style="width: (\d+)px; height: (\d+)px;"', tag)
        if size:
            width, height = size.groups()
            tag = tag.replace(size.group(), "")
        else:
            with Image.open(files[re.search(r'src="[^"]*/([^"/]+)"', tag).group(1)]) as picture:
                width, height = picture.size
        mend.seen += 1
        wait = ' loading="lazy"' if mend.seen > 1 else ""
        return tag.replace("<img", f'<img width="{width}" height="{height}"{wait}', 1)

    mend.seen = 0
    linked = r'<a class="reference internal image-reference"[^>]*>(<img[^>]*>)\s*</a>'
    body = re.sub(linked, r"\1", body)
    return re.sub(r"<img[^>]*>", mend, body)


HEIGHTS = {
    "<img": 500, '<div class="cell ': 100, "<details": 100, "<h": 50, "<p": 20, "<li": 20,
    "<tr": 20, '<div class="admonition': 60, '<div class="proof': 60, '<div class="formula': 60,
}  # fmt: skip


def tall(body):
    """Each part of a page with a guess of its height, which holds until the browser lays it out.

    Where the guess is too small, its buttons lie on those of the next part.
    """
    done, depth, folded, at, code = [], 0, 0, None, False

    for token in re.split(r"(<[^>]*>)", body):
        if token.startswith("<section"):
            depth += 1
            if depth == 2:
                at, height = len(done), 300
        elif token == "</section>":
            depth -= 1
            if depth == 1:
                guess = f' style="contain-intrinsic-height: auto {round(height, -2):.0f}px">'
                done[at] = done[at][:-1] + guess
        elif token == "</details>":
            folded -= 1
        elif depth > 1 and not folded:      # pixels on a phone, rather more than less
            height += next((more for start, more in HEIGHTS.items() if token.startswith(start)), 0)
            if code:
                height += 24 * token.count("\n")
            elif not token.startswith("<"):
                height += 0.8 * len(" ".join(token.split()))
        if token.startswith("<details"):
            folded += 1
        code = token.startswith("<pre") or code and token != "</pre>"
        done.append(token)
    return "".join(done)


def reached(match):
    """Code with a line too long for a phone can be reached by keyboard, to scroll it."""
    lines = html.unescape(re.sub("<[^>]+>", "", match.group(1))).split("\n")
    return f'<pre {STOP} aria-label="Code">' if max(map(len, lines)) > 30 else match.group()


def named(match):
    """The name of a column that is a formula, for screen readers that look for text there."""
    formula = match.group(1)
    return (
        f'<th class="head"><span class="unseen">{text_of(formula)}</span>'
        f'<p aria-hidden="true">{formula}</p>'
    )


def glued(match):
    """A formula and the comma after it stay on one line; a browser would break between them."""
    before, formula, after = match.groups()
    if 'class="long"' in formula and after:  # which may be broken itself: into its last part
        formula = formula.replace("</mrow></math>", f"<mtext>{after}</mtext></mrow></math>")
        after = ""
    return f'<span class="glue">{before}{formula}{after}</span>' if before or after else formula


def contents(context):
    """The list of all pages, with the sections of this one below its name."""
    pages = context["toctree"](collapse=True, includehidden=True, titles_only=True)
    pages = pages.replace(' role="heading"', "")
    heading = r'<h2>(.*?)<a class="headerlink" (href="#[^"]+")'
    sections = re.findall(heading, context.get("body", ""), re.S)
    items = "".join(f"<li><a {address}>{text}</a></li>" for text, address in sections)
    here = r'(<a class="current reference internal" href="#">.*?</a>)'
    return re.sub(here, rf"\1<ul>{items}</ul>", pages) if items else pages


def dress(app, pagename, templatename, context, doctree):
    """What the templates use, and the last changes to the text of a page."""
    body = context.get("body", "")
    files = {name: Path(app.srcdir, path) for path, name in app.builder.images.items()}
    body = sized(body, files)
    code = "<summary>Code of this figure</summary>"
    body = re.sub(r"(?s)<summary aria-label=.*?</summary>", code, body)
    body = body.replace('<th class="head"><p></p></th>', "<td></td>")  # a corner names nothing
    body = re.sub(r"(?s)<pre>(?=(.*?)</pre>)", reached, body)
    body = body.replace('<div class="table-box', f'<div {STOP} aria-label="Table" class="table-box')
    body = re.sub(r'<th class="head"><p>(<math(?:(?!</?p>).)*</math>)</p>', named, body)
    body = re.sub(r' role="(?:doc-biblioentry|doc-backlink|list)"', "", body)  # withdrawn
    body = re.sub(r"([^\s<>]*)(<math alttext(?:(?!display=).)*?</math>)([^\s<>]*)", glued, body)
    body = tall(body)
    repository = app.config.html_context["repository"]
    source = pagename + context.get("page_source_suffix", "")
    issue = f"?title={quote('Mistake on the page ' + pagename)}"
    notebook = source.endswith(".ipynb")
    fonts = FONTS_FIRST
    before, formula, _ = body.partition("<math")
    if formula and not notebook and len(text_of(before)) < FIRST_SCREEN:
        fonts += ("math.woff2",)  # lines of text would move when it arrives; chapters hardly do
    context |= {
        "body": body,
        "policy": POLICY,
        "colours": COLOURS,
        "fonts_first": fonts,
        "description": describe(body, text_of(context.get("title", "Search"))),
        "notebook": notebook,
        "source": f"https://github.com/{repository}/blob/main/{source}",
        "colab": f"https://colab.research.google.com/github/{repository}/blob/main/{source}",
        "issue": f"https://github.com/{repository}/issues/new{issue}",
        "contents": contents(context),
    }


# After the build


def slanted(characters):
    """The mathematical italics that a browser shows for single letters of a formula."""
    letters = {chr(65 + i): 0x1D434 + i for i in range(26)}
    letters |= {chr(97 + i): 0x1D44E + i for i in range(26)} | {"h": 0x210E}
    letters |= {chr(0x391 + i): 0x1D6E2 + i for i in range(25)}
    letters |= {chr(0x3B1 + i): 0x1D6FC + i for i in range(25)}
    letters |= {letter: 0x1D715 + i for i, letter in enumerate("∂ϵϑϰϕϱϖ")}
    return {chr(letters[character]) for character in characters if character in letters}


def even_roots(font):
    """Give taller root signs the width of the first: a browser leaves room for the widest one."""
    variants, glyphs, widths = font["MATH"].table.MathVariants, font["glyf"], font["hmtx"]
    root = font.getBestCmap()[ord("√")]
    sizes = variants.VertGlyphConstruction[variants.VertGlyphCoverage.glyphs.index(root)]
    sizes.MathGlyphVariantRecord = sizes.MathGlyphVariantRecord[:4]  # up to 2.9 em
    sizes.VariantCount = len(sizes.MathGlyphVariantRecord)
    sizes.GlyphAssembly = None
    for record in sizes.MathGlyphVariantRecord[1:]:
        width, bearing = widths[record.VariantGlyph]
        factor = widths[root][0] / width
        glyph = glyphs[record.VariantGlyph]
        glyph.coordinates.scale((factor, 1))
        glyph.recalcBounds(glyphs)
        widths[record.VariantGlyph] = widths[root][0], round(bearing * factor)


def write_fonts(out):
    """The fonts of book/site/fonts with no more than the characters of the built pages."""
    pages = [path.read_text(encoding="utf-8") for path in sorted(out.rglob("*.html"))]
    formulas = re.findall(r"(?s)<math.*?</math>", "".join(pages))
    formulas = set(text_of("".join(formulas))) | set("0123456789()[]{}|+-=.,/√\u2032\u2061\u2212")
    formulas |= slanted(formulas)
    text = set(text_of("".join(pages))) | {chr(c) for c in range(32, 127)}
    (out / "_static/fonts").mkdir(exist_ok=True)
    for source in sorted((THEME / "fonts").glob("*.woff2")):
        wanted = "".join(sorted(formulas if source.stem == "math" else text))
        target = out / "_static/fonts" / source.name
        key = target.with_suffix(".txt")  # what it was made of
        mark = hashlib.sha256(MAKER + source.read_bytes() + wanted.encode()).hexdigest()
        if key.exists() and key.read_text() == mark and target.exists():
            continue
        font = TTFont(source)
        options = subset.Options(hinting=False, glyph_names=False, name_IDs=[0, 1, 2, 13, 14])
        options.layout_features = ["ssty", "kern", "liga", "mark", "mkmk", "dtls", "ss04"]
        subsetter = subset.Subsetter(options)
        subsetter.populate(text=wanted)
        subsetter.subset(font)
        if source.stem == "math":
            even_roots(font)
        font.flavor = "woff2"
        font.save(target)
        key.write_text(mark)


def embed_math_font(out):
    """The font of the formulas in the style sheet: set in another one first, they would move."""
    font = base64.b64encode((out / "_static/fonts/math.woff2").read_bytes()).decode()
    style = (THEME / "static/book.css").read_text(encoding="utf-8")
    style = style.replace("fonts/math.woff2", f"data:font/woff2;base64,{font}")
    (out / "_static/book.css").write_text(style, encoding="utf-8")


def lean_pictures(out):
    """PNG files in at most 256 colours, which for drawings is all they have."""
    for path in sorted((out / "_images").glob("*.png")):
        with Image.open(path) as picture:
            if picture.mode == "P":
                continue
            opaque = picture.mode == "RGB" or picture.getchannel("A").getextrema()[0] == 255
            method = Image.Quantize.MEDIANCUT if opaque else Image.Quantize.FASTOCTREE
            plain = picture.convert("RGB" if opaque else "RGBA")
            fewer = plain.quantize(256, method, dither=Image.Dither.NONE)
        small = io.BytesIO()
        fewer.save(small, "PNG", optimize=True)
        if len(small.getvalue()) < path.stat().st_size:
            path.write_bytes(small.getvalue())


def finish(app, exception):
    if exception or app.builder.format != "html":
        return
    out = Path(app.outdir)
    write_fonts(out)
    embed_math_font(out)
    lean_pictures(out)


def setup(app):
    app.setup_extension("sphinx_exercise")  # whose boxes are replaced below
    app.connect("env-get-outdated", changed_style)
    app.connect("doctree-read", box_tables)
    app.connect("doctree-read", name_exercises, priority=400)  # before sphinx-exercise looks
    app.connect("html-page-context", dress, priority=900)
    app.connect("build-finished", finish)
    for kind in (nodes.admonition, solution_node):
        app.add_node(kind, override=True, html=(visit_box, depart_box))
    return {"parallel_read_safe": True, "parallel_write_safe": False}
