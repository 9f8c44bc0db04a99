"""What moves on a page: pictures under sliders, and the chapter's own cells when Run is pressed.

A figure of byhand.widgets.explore stores a strip of pictures in its notebook, made by
book/tools/frames.py. Here the strip becomes a file of the site, and the figure says what is in it;
sliders.js does the rest, near the screen. If book/live/build.py has made _build/live and
_build/lite, the site takes them in, and each chapter as a notebook with them.
"""

import base64
import html
import json
import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MADE = ROOT / "_build"


def strips(notebook):
    """(name of the figure, bytes of its strip, what is in it) for each that the notebook holds."""
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        name = cell["metadata"].get("mystnb", {}).get("figure", {}).get("name")
        for out in cell.get("outputs", []):
            webp = out.get("data", {}).get("image/webp")
            if name and webp:
                yield name, base64.b64decode("".join(webp)), out["metadata"]["image/webp"]


def add_strips(app, pagename, templatename, context, doctree):
    source = Path(app.env.doc2path(pagename)) if pagename in app.env.found_docs else Path()
    context["live"] = context["moving"] = False
    if source.suffix != ".ipynb":
        return
    context["live"] = (MADE / "live/page.js").exists()
    if (MADE / "lite/index.html").exists():
        address = context["pathto"]("lite/notebooks/index.html", 1)
        context["lite"] = f"{address}?path={source.name}"
    folder = Path(app.outdir, "_images")
    folder.mkdir(parents=True, exist_ok=True)
    for name, webp, told in strips(source):
        file = folder / f"{name}.webp"
        if not file.exists() or file.read_bytes() != webp:
            file.write_bytes(webp)
        told = json.dumps(told | {"file": context["pathto"](f"_images/{file.name}", 1)})
        figure = re.compile(rf'<figure (class="[^"]*" id="{re.escape(name)}")>')
        context["body"], found = figure.subn(
            lambda at, told=told: f'<figure {at[1]} data-strip="{html.escape(told)}">',
            context["body"],
        )
        if not found:
            raise ValueError(f"{pagename}: no figure {name} for the pictures stored with it")
        context["moving"] = True


def take_in(made, target):
    """Copy a folder into the site; what is there from an earlier build goes."""
    mark = "made-of.txt"
    if (made / mark).exists() and (target / mark).exists():
        if (made / mark).read_text() == (target / mark).read_text():
            return
    shutil.rmtree(target, ignore_errors=True)
    if (made / mark).exists():
        shutil.copytree(made, target)


def add_live(app, exception):
    if exception or app.builder.format != "html":
        return
    site = Path(app.outdir)
    for name in "live", "lite":
        take_in(MADE / name, site / name)
    if (site / "lite").exists():
        sys.path.insert(0, str(ROOT / "book/live"))
        from lite import add_chapters

        add_chapters(site, app.config.math_macros)


def setup(app):
    app.connect("html-page-context", add_strips, priority=950)  # after the body has its last form
    app.connect("build-finished", add_live)
    return {"parallel_read_safe": True, "parallel_write_safe": False}
