"""What the site needs beyond Jupyter Book's own configuration; four things, each small.

1. Mathematics without a request to anyone else: MathJax and its fonts come from a pinned package.
2. A change of the style sheet or of this file is seen by the next build; Sphinx overlooks it.
3. Tables get a box of their own, so that a wide one scrolls instead of the page.
4. An exercise titled "1.3 ★ Name" is called Exercise 1.3, there and wherever it is referred to.
"""

import importlib.util
from pathlib import Path

from docutils import nodes
from sphinx.util.fileutil import copy_asset
from sphinx_exercise.nodes import exercise_node

HERE = Path(__file__).resolve().parent
STATIC = HERE.parent / "static"
MATHJAX = "tex-chtml.js", "input/tex/extensions", "output/chtml/fonts/woff-v2"


def copy_mathjax(app, exception):
    """Copy MathJax's one script, its rarer commands and its fonts: a tenth of the package."""
    target = Path(app.outdir, "_static/mathjax")
    if exception or app.builder.format != "html" or target.exists():
        return
    spec = importlib.util.find_spec("sphinx-mathjax-offline")
    source = Path(spec.submodule_search_locations[0], "static/mathjax")
    for part in MATHJAX:
        folder = target / part if (source / part).is_dir() else (target / part).parent
        folder.mkdir(parents=True, exist_ok=True)
        copy_asset(source / part, folder)


def changed_style(app, env, added, changed, removed):
    """The pages out of date: all if this folder is newer than the site, one if the style is."""
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


def name_exercises(app, doctree):
    """Join "Exercise" and the title given to it, which sphinx-exercise would put in parentheses."""
    for node in doctree.findall(exercise_node):
        title = node.children[0]
        if len(title.children) == 2:
            word, given = title.children
            node["title"] = f"{word.astext()} {given.astext().split()[0]}"
            title.children = [nodes.inline("", "", nodes.Text("Exercise "), *given.children)]


def setup(app):
    app.config.mathjax_path = "mathjax/tex-chtml.js"
    app.connect("build-finished", copy_mathjax)
    app.connect("env-get-outdated", changed_style)
    app.connect("doctree-read", box_tables)
    app.connect("doctree-read", name_exercises, priority=400)      # before sphinx-exercise looks
    return {"parallel_read_safe": True, "parallel_write_safe": True}
