"""The problem sets on the built site: to download, to open in the browser, without solutions."""

import json
import os
import re
import shutil
import sys
import zipfile
from html import unescape
from pathlib import Path

import pytest
from classroom.master import Master, points
from classroom.release import regions, squeezed

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "_build/html"
MASTERS = sorted(ROOT.glob("chapters/problems/*.ipynb"))
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
FLAGS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
TEXTS = {".html", ".ipynb", ".json", ".js", ".mjs", ".txt", ".md", ".py", ".xml", ".inv", ".svg"}

pytestmark = pytest.mark.skipif(
    not (SITE / "index.html").exists(), reason="the site is not built: make book"
)
has_lite = pytest.mark.skipif(
    not (SITE / "lite/index.html").exists() and "CI" not in os.environ,
    reason="the site was built without JupyterLite: make book says why",
)


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def plain(path):
    """A file's text without markup, escapes and breaks, as a reader could copy it."""
    text = path.read_text(encoding="utf-8", errors="replace")
    if path.suffix == ".html":
        text = unescape(re.sub(r"<[^<>]+>", "", text))
    text = re.sub(r'\\n",?\s*"?|\\n', " ", text).replace('\\"', '"').replace("\\\\", "\\")
    return squeezed(text)


def test_no_solution_and_no_hidden_test_is_published():
    # What a task gives, or the book has, may return in a solution; test_problem_sets asks for a
    # line in each that doesn't. Short lines may be anywhere.
    patterns = ("chapters/*.ipynb", "book/*.md", "code/byhand/*.py", "_build/html/problems/*.ipynb")
    public = " ".join(plain(path) for pattern in patterns for path in ROOT.glob(pattern))
    secret = {line for path in MASTERS for cell in Master(path).cells
              for _, lines in regions(cell) for line in lines
              if len(line) > 30 and line not in public}
    assert len(secret) > 20 * len(MASTERS)
    for path in SITE.rglob("*"):
        if path.suffix in TEXTS and path.stat().st_size < 20e6:
            text = plain(path)
            assert not [line for line in secret if line in text], path
            assert path.suffix != ".ipynb" or "BEGIN SOLUTION" not in text, path


def test_each_set_can_be_downloaded_and_all_as_a_zip():
    assert sorted(path.name for path in (SITE / "problems").iterdir()) == [
        *(path.name for path in MASTERS), "problem-sets.zip"]
    with zipfile.ZipFile(SITE / "problems/problem-sets.zip") as archive:
        for path in MASTERS:
            told = Master(path).student_version()
            assert read(SITE / "problems" / path.name) == told
            assert json.loads(archive.read(path.name)) == told


def test_the_page_lists_every_set_with_its_tasks_and_points():
    page = unescape((SITE / "book/problems.html").read_text(encoding="utf-8"))
    page = page.replace("\u2019", "'")
    for path in MASTERS:
        assert f'href="../problems/{path.name}" download' in page
        for task in Master(path).tasks.values():
            worth = sum(points(cell) for cell in task.tests + task.manual)
            assert f"{task.title} ({worth:g} point" in page
    assert 'href="../problems/problem-sets.zip"' in page


@has_lite
def test_each_set_can_be_opened_in_the_browser():
    page = unescape((SITE / "book/problems.html").read_text(encoding="utf-8"))
    links = re.findall(r'href="\.\./(lite/[^"?]*)\?path=([^"]*)"', page)
    assert [name for _, name in links] == [f"problems/{path.name}" for path in MASTERS]
    listed = read(SITE / "lite/api/contents/problems/all.json")["content"]
    for app, name in links:
        assert (SITE / app).is_file()
        assert name in {item["path"] for item in listed}
        lite, download = read(SITE / "lite/files" / name), read(SITE / name)
        assert lite["cells"] == download["cells"]
        assert lite["metadata"]["kernelspec"]["name"] == "python"


@has_lite
def test_a_set_runs_in_the_browser():
    """Set 1 with its answers written into it passes its tests there; no other host is asked."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    if not CHROMIUM:
        pytest.skip("needs Chromium: apt install chromium, or $CHROMIUM")
    sys.path.insert(0, str(ROOT / "book/tools"))
    from site_server import serve

    master, asked = Master(MASTERS[0]), []
    server = serve(under="/neural-networks-by-hand")
    with playwright.sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        page.set_default_timeout(300_000)

        def guard(route):
            url = route.request.url
            if not url.startswith((server.address, "data:", "blob:")):
                asked.append(url)
                route.abort()
            elif url.endswith("/lite/jupyter-lite.json"):  # lets the test speak to the app
                settings = read(SITE / "lite/jupyter-lite.json")
                settings["jupyter-config-data"]["exposeAppInBrowser"] = True
                route.fulfill(json=settings)
            else:
                route.continue_()

        page.context.route("**/*", guard)
        page.goto(f"{server.address}/book/problems.html")
        page.get_by_role("link", name="Open set 1").click()
        page.locator(".jp-NotebookPanel-toolbar").wait_for()
        page.wait_for_function("window.jupyterapp?.shell.currentWidget?.content?.model")
        answers = [cell.source if cell.nbgrader.get("solution") else None for cell in master.cells]
        cells = page.evaluate("""async answers => {
            const widget = jupyterapp.shell.currentWidget;
            await widget.sessionContext.ready;
            const model = widget.content.model;
            answers.forEach((text, i) => {
                if (text) model.cells.get(i).sharedModel.setSource(text);
            });
            await jupyterapp.commands.execute("notebook:run-all-cells");
            return model.toJSON().cells;
        }""", answers)
        browser.close()
    server.shutdown()
    server.server_close()
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert len(code) == sum(cell.kind == "code" for cell in master.cells)
    failed = [out for cell in code for out in cell["outputs"] if out["output_type"] == "error"]
    assert not failed
    assert all(cell["execution_count"] for cell in code)
    assert not asked
