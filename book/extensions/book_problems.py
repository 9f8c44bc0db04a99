"""The problem sets on the site, without their solutions.

In a page, {problem-set} with the name of a set lists its tasks with their points, and links to its
notebook. After the build the student versions go into problems/, with a zip of all; where there is
JupyterLite, each opens there, too.
"""

import json
import re
import shutil
import sys
from pathlib import Path

from classroom.master import Master, points
from classroom.release import publish
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).resolve().parents[2]
MASTERS = ROOT / "chapters/problems"
LINKS = """<ul class="page-links" aria-label="{title}">
<li><a href="{up}lite/notebooks/index.html?path=problems/{name}.ipynb">Open set {number}</a></li>
<li><a href="{up}problems/{name}.ipynb" download>Download set {number}</a></li>
</ul>"""


def plural(number, what):
    return f"{number:g} {what}" + "s" * (number != 1)


class ProblemSet(SphinxDirective):
    """The tasks of a set and their points, as its master has them, and the links."""

    required_arguments = 1

    def run(self):
        path = MASTERS / f"{self.arguments[0]}.ipynb"
        self.env.note_dependency(str(path))
        master = Master(path)
        worth = {task.title: sum(map(points, task.tests + task.manual))
                 for task in master.tasks.values()}
        by_hand = sum(points(cell) for task in master.tasks.values() for cell in task.manual)
        total = (f"{plural(len(worth), 'task')}, {plural(sum(worth.values()), 'point')}, "
                 f"{by_hand:g} of them for a derivation in words.")
        tasks = [nodes.list_item("", nodes.paragraph("", f"{title} ({plural(value, 'point')})"))
                 for title, value in worth.items()]
        up = "../" * self.env.docname.count("/")
        links = LINKS.format(title=master.title, name=master.name, up=up,
                             number=int(master.name[:2]))
        return [nodes.paragraph("", total), nodes.bullet_list("", *tasks),
                nodes.raw("", links, format="html")]


def drop_links(app, pagename, templatename, context, doctree):
    """Without JupyterLite nothing can be opened."""
    if "body" in context and not (ROOT / "_build/lite/index.html").exists():
        link = r'<li><a href="[^"]*lite/notebooks/[^"]*path=problems/.*?</li>\n'
        context["body"] = re.sub(link, "", context["body"])


def add_problems(app, exception):
    if exception or app.builder.format != "html":
        return
    site = Path(app.outdir)
    *notebooks, _ = publish(sorted(MASTERS.glob("*.ipynb")), site / "problems")
    if not (site / "lite").exists():
        return
    sys.path.insert(0, str(ROOT / "book/live"))
    import lite

    folder = site / "lite/files/problems"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for path in notebooks:
        told = json.loads(path.read_text(encoding="utf-8"))
        told["metadata"]["kernelspec"] = lite.KERNEL_SPEC
        (folder / path.name).write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
    lite.list_files(site)


def setup(app):
    app.add_directive("problem-set", ProblemSet)
    app.connect("html-page-context", drop_links)
    app.connect("build-finished", add_problems, priority=600)     # after book_live has put lite/
    return {"parallel_read_safe": True, "parallel_write_safe": True}
