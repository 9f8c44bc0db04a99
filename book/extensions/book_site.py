"""What the site needs beyond Jupyter Book's own configuration; three things, each small.

1. Mathematics without a request to anyone else: MathJax and its fonts are copied from a pinned package into the site.
2. A change of the style sheet or of this file is seen by the next build, which Sphinx by itself overlooks.
3. Tables get a box of their own, so that a wide one scrolls instead of the page.
"""

import importlib.util
from pathlib import Path

from docutils import nodes
from sphinx.util.fileutil import copy_asset

HERE = Path(__file__).resolve().parent
STATIC = HERE.parent / "static"
PARTS = "tex-chtml.js", "input/tex/extensions", "output/chtml/fonts/woff-v2"


def copy_mathjax(app, exception):
    """Copy MathJax's one script, its rarer commands and its fonts: 2.5 MB instead of the package's 30."""
    target = Path(app.outdir, "_static/mathjax")
    if exception or app.builder.format != "html" or target.exists():
        return
    spec = importlib.util.find_spec("sphinx-mathjax-offline")
    source = Path(spec.submodule_search_locations[0], "static/mathjax")
    for part in PARTS:
        folder = target / part if (source / part).is_dir() else (target / part).parent
        folder.mkdir(parents=True, exist_ok=True)
        copy_asset(source / part, folder)


def changed_style(app, env, added, changed, removed):
    """Say which pages are out of date: all when this folder is newer than the site, one when only the style is."""
    built = Path(app.outdir, "genindex.html")
    if not built.exists():
        return []

    def newer(folder):
        return any(path.stat().st_mtime > built.stat().st_mtime for path in folder.glob("*.*"))

    if newer(HERE):
        return sorted(env.found_docs)
    return [app.config.root_doc] if newer(STATIC) else []


def box_tables(app, doctree):
    """Put each table into a container that the style sheet lets scroll."""
    for table in list(doctree.findall(nodes.table)):
        box = nodes.container(classes=["table-box"])
        table.replace_self(box)
        box += table


def setup(app):
    app.config.mathjax_path = "mathjax/tex-chtml.js"
    app.connect("build-finished", copy_mathjax)
    app.connect("env-get-outdated", changed_style)
    app.connect("doctree-read", box_tables)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
