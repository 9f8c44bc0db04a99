"""Each chapter as a notebook: what its page links to, and JupyterLite in Chromium."""

import json
import os
import re
import shutil
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "_build/html"
CHAPTERS = sorted(ROOT.glob("chapters/*.ipynb"))
FASTEST = ROOT / "chapters/06-chain-rule.ipynb"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
FLAGS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip

pytestmark = [
    pytest.mark.skipif(
        not (SITE / "index.html").exists(), reason="the site is not built: make book"
    ),
    pytest.mark.skipif(
        not (SITE / "lite/index.html").exists() and "CI" not in os.environ,
        reason="the site was built without JupyterLite: make book says why",
    ),
]
every_chapter = pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)


def links(chapter):
    """{words: address} below a chapter's text."""
    page = (SITE / "chapters" / chapter.name).with_suffix(".html").read_text(encoding="utf-8")
    box = re.search(r'<ul class="page-links".*?</ul>', page, re.S).group()
    return {words: address for address, words in re.findall(r'<a href="([^"]*)"[^>]*>(.*?)<', box)}


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def said(cell):
    """All text that a code cell has printed or returned."""
    outputs = cell["outputs"]
    texts = [out.get("text") or out.get("data", {}).get("text/plain", "") for out in outputs]
    return "".join("".join(text) for text in texts)


# The links of a page


@every_chapter
def test_open_the_notebook_leads_to_the_chapter(chapter):
    address = urlsplit(links(chapter)["Open the notebook"])
    app = SITE / "chapters" / address.path
    assert app.is_file()
    (name,) = parse_qs(address.query)["path"]
    assert name == chapter.name
    lite = app.parents[1]
    assert name in {item["path"] for item in read(lite / "api/contents/all.json")["content"]}
    code = [
        ["".join(cell["source"]) for cell in read(path)["cells"] if cell["cell_type"] == "code"]
        for path in (chapter, lite / "files" / name)
    ]
    assert code[0] == code[1]


@every_chapter
def test_download_gives_the_notebook(chapter):
    nbformat = pytest.importorskip("nbformat")
    file = SITE / "chapters" / links(chapter)["Download the notebook"]
    assert file.read_bytes() == chapter.read_bytes()
    for path in file, SITE / "lite/files" / chapter.name:
        nbformat.validate(nbformat.read(path, as_version=4))


@every_chapter
def test_colab_and_source_lead_to_the_file_in_the_repository(chapter):
    repository = re.search(r"repository: (\S+)", (ROOT / "_config.yml").read_text()).group(1)
    path = f"{repository}/blob/main/{chapter.relative_to(ROOT).as_posix()}"
    assert links(chapter)["Open in Colab"] == f"https://colab.research.google.com/github/{path}"
    assert links(chapter)["Source on GitHub"] == f"https://github.com/{path}"


@every_chapter
def test_run_it_on_your_machine_leads_to_the_section(chapter):
    address = urlsplit(links(chapter)["Run it on your machine"])
    page = (SITE / "chapters" / address.path).read_text(encoding="utf-8")
    section = page.partition(f'id="{address.fragment}"')[2].partition("<section")[0]
    assert "make lab" in re.sub("<[^>]+>", "", section)


# What JupyterLite is told


def test_python_comes_from_the_site_and_nothing_from_elsewhere():
    """Without pyodideUrl a reader's browser would ask a CDN, and the build would not say so."""
    settings = read(SITE / "lite/jupyter-lite.json")["jupyter-config-data"]["litePluginSettings"]
    kernel = settings["@jupyterlite/pyodide-kernel-extension:kernel"]
    assert (SITE / "lite" / kernel["pyodideUrl"]).resolve() == SITE / "live/python/pyodide.mjs"
    assert kernel["disablePyPIFallback"] is True
    for url in kernel["pipliteUrls"]:
        assert (SITE / "lite" / url.partition("?")[0]).is_file()
    lock = read(SITE / "live/python/pyodide-lock.json")["packages"]
    options = kernel["loadPyodideOptions"]
    for name in options["packages"]:
        assert name in lock
        assert {*lock[name]["depends"]} <= {*lock}
    for package in lock.values():
        assert (SITE / "live/python" / package["file_name"]).is_file()


def test_the_pages_load_nothing_of_it():
    """Run in a page stays as small as it is."""
    listed = read(SITE / "live/python/files.json")
    assert not [name for name in listed if name.startswith(("ipython", "jedi", "pyodide_kernel"))]
    assert sum(file["bytes"] for file in listed.values()) < 28e6


@every_chapter
def test_prose_is_plain_markdown(chapter):
    """JupyterLite knows none of the book's boxes, references and macros."""
    cells = read(SITE / "lite/files" / chapter.name)["cells"]
    prose = "\n\n".join(cell["source"] for cell in cells if cell["cell_type"] == "markdown")
    assert not re.findall(r"\{[a-z:]+\}`.*?`|^:.*|^\(.*\)=$|^\$\$ .*", prose, re.M)
    assert not re.findall(r"\\(?:R|loss|pd)(?![A-Za-z])", prose)
    for tag in "div", "details":
        assert prose.count(f"<{tag}") == prose.count(f"</{tag}>") >= 4
    folded = [cell for cell in cells if cell["metadata"].get("jp-MarkdownHeadingCollapsed")]
    assert len(folded) == prose.count("#### Exercise ") >= 8
    page = (SITE / "chapters" / chapter.name).with_suffix(".html").read_text(encoding="utf-8")
    numbers = re.findall(r'class="eqno">\((\d+)\)', page)
    assert re.findall(r"\\tag\{(.*?)\}", prose) == numbers
    for exercise in re.findall(r">(Exercise \d+\.\d+)", page):
        assert exercise in prose
    for theorem in re.findall(r'caption-number">(Theorem \d+)', page):
        assert f"**{theorem}: " in prose


# In the browser


@pytest.fixture(scope="module")
def page():
    """The fastest chapter in JupyterLite, all cells run; page.asked: what others were asked for."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="needs playwright: the extra browser"
    )
    if not CHROMIUM:
        pytest.skip("needs Chromium: apt install chromium, or $CHROMIUM")
    sys.path.insert(0, str(ROOT / "book/tools"))
    from site_server import serve

    server = serve(under="/neural-networks-by-hand")
    with playwright.sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        page.set_default_timeout(300_000)
        page.asked = []

        def guard(route):
            url = route.request.url
            if not url.startswith((server.address, "data:", "blob:")):
                page.asked.append(url)
                route.abort()
            elif url.endswith("/lite/jupyter-lite.json"):  # lets the test speak to the app
                settings = read(SITE / "lite/jupyter-lite.json")
                settings["jupyter-config-data"]["exposeAppInBrowser"] = True
                route.fulfill(json=settings)
            else:
                route.continue_()

        page.context.route("**/*", guard)
        page.goto(f"{server.address}/chapters/{FASTEST.stem}.html")
        page.get_by_role("link", name="Open the notebook").click()
        page.locator(".jp-NotebookPanel-toolbar").wait_for()
        page.wait_for_function("window.jupyterapp?.shell.currentWidget?.content?.model")
        yield page
        browser.close()
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def ran(page):
    """The notebook's cells after all of them were run."""
    page.evaluate("""async () => {
        await jupyterapp.shell.currentWidget.sessionContext.ready;
        jupyterapp.commands.execute("notebook:run-all-cells").then(() => { window.ran = true; });
    }""")
    page.wait_for_function("window.ran")
    return page.evaluate("jupyterapp.shell.currentWidget.content.model.toJSON().cells")


def test_every_cell_gives_its_stored_numbers(ran):
    old_cells, new_cells = (
        [cell for cell in cells if cell["cell_type"] == "code"]
        for cells in (read(FASTEST)["cells"], ran)
    )
    assert len(old_cells) >= 40
    for old, new in zip(old_cells, new_cells, strict=True):
        assert not [out for out in new["outputs"] if out["output_type"] == "error"]
        if "nbval-ignore-output" not in old["metadata"].get("tags", []):
            assert said(new) == said(old)


def test_a_slider_moves_its_picture(page, ran):
    index = next(
        i for i, cell in enumerate(ran) if "jupyter.widget-view" in json.dumps(cell.get("outputs"))
    )
    page.evaluate(
        "i => { const book = jupyterapp.shell.currentWidget.content;"
        " book.activeCellIndex = i; return book.scrollToItem(i); }",
        index,
    )
    box = page.locator(".jp-OutputArea .jupyter-widgets.widget-vbox").first
    picture = box.locator("img")
    before = picture.get_attribute("src")
    handle = box.get_by_role("slider").first
    handle.focus()
    handle.press("ArrowRight")
    page.wait_for_function(
        "([img, src]) => img.src != src", arg=[picture.element_handle(), before]
    )


def test_the_results_that_chapters_read_are_there(page, ran):
    files = {
        file
        for chapter in CHAPTERS
        for file in re.findall(r'open\(\\"(.+?)\\"', chapter.read_text(encoding="utf-8"))
    }
    assert {"../book/results/full_mnist.json", "../book/results/xor_table.json"} <= files
    code = f"import json; print(*(len(json.load(open(f))) > 0 for f in {sorted(files)}))"
    heard = page.evaluate(
        """async code => {
            const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
            const asked = kernel.requestExecute({ code });
            let heard = "";
            asked.onIOPub = message => {
                heard += message.content.text ?? message.content.evalue ?? "";
            };
            await asked.done;
            return heard;
        }""",
        code,
    )
    assert heard.split() == ["True"] * len(files)


def test_no_other_host_was_asked(page, ran):
    assert not page.asked
