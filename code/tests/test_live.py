"""The chapters in Chromium: sliders, and Python in the page. Every other host is blocked."""

import json
import re
import time

import pytest
import site_server
from test_site_browser import CHROMIUM, FLAGS, PAGES, ROOT, SITE, playwright

CHAPTERS = sorted((ROOT / "chapters").glob("*.ipynb"))
NUMPY, MATPLOTLIB = (
    next((path.name for path in (SITE / "live/python").glob(f"{name}-*.whl")), name)
    for name in ("numpy", "matplotlib")
)
ALONE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
MINUTE = 60_000

pytestmark = [
    pytest.mark.skipif(not CHROMIUM, reason="needs Chromium: apt install chromium, or $CHROMIUM"),
    pytest.mark.skipif(not PAGES, reason="the site is not built: make book"),
]
needs_python = pytest.mark.skipif(
    not (SITE / "live").exists(), reason="the site was built without Python for the page"
)
expect = playwright.expect


class Handler(site_server.Handler):
    """A web server that notes what it is asked for, and can lose a file, spoil it or be slow."""

    asked, instead, pace = [], {}, None

    def do_GET(self):
        name = self.path.rpartition("/")[2]
        self.asked.append(name)
        if name not in self.instead:
            return super().do_GET()
        if self.instead[name] is None:
            return self.send_error(404)
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(name))
        self.send_header("Content-Length", str(len(self.instead[name])))
        self.end_headers()
        self.wfile.write(self.instead[name])

    def setup(self):
        super().setup()
        write = self.wfile.write

        def slowly(data):
            for start in range(0, len(data), 2**18):
                if self.pace and len(data) > 2**18:
                    time.sleep(self.pace)
                write(data[start : start + 2**18])

        self.wfile.write = slowly


@pytest.fixture
def server(monkeypatch):
    """The site below a path, as project pages are."""
    handler = type("OneTest", (Handler,), {"asked": [], "instead": {}})
    monkeypatch.setattr(site_server, "Handler", handler)
    server = site_server.serve(under="/a/book")
    server.asked, server.instead, server.handler = handler.asked, handler.instead, handler
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def chromium():
    with playwright.sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, ALONE])
        yield browser
        browser.close()


@pytest.fixture
def reader(chromium, server):
    """Someone with a fresh browser; what a page complains of or asks others for fails the test."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.outside, context.faults, context.may_complain = [], [], False
    inside = (server.address, "data:", "blob:")
    context.on("request", lambda r: r.url.startswith(inside) or context.outside.append(r.url))
    loud = "error", "warning"
    context.on("console", lambda m: m.type in loud and context.faults.append(m.text))
    context.on("weberror", lambda error: context.faults.append(str(error.error)))
    yield context
    context.close()
    assert not context.outside
    assert context.may_complain or not context.faults


@pytest.fixture
def open_chapter(reader, server):
    def opened(number):
        page = reader.new_page()
        page.goto(f"{server.address}/chapters/{CHAPTERS[number - 1].stem}.html")
        expect(page.locator(".live-bar")).to_be_visible()
        return page

    return opened


@pytest.fixture
def page(open_chapter):
    """Chapter 1, whose first cell draws a figure; the second prints an array, the third a text."""
    return open_chapter(1)


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


def cell(page, number):
    return page.locator("div.cell:has(.live-cell)").nth(number - 1)


def output(page, number):
    return cell(page, number).locator(".cell_output")


def states(page):
    return page.locator("div.cell:has(.live-cell)").evaluate_all(
        "cells => cells.map(cell => cell.dataset.live ?? 'fresh')"
    )


def message(page):
    return page.locator(".live-message")


def wait(page, minutes=1):
    """Until Python has nothing more to do."""
    ended = re.compile("^Python is ready|could not|has ended")
    expect(message(page)).to_have_text(ended, timeout=minutes * MINUTE)
    expect(message(page)).to_have_text("Python is ready")


def write(page, number, code):
    """Put other code into a cell; the editor has the focus then."""
    edit = button(page, f"Edit cell {number}")
    if edit.is_visible():
        edit.click()
    page.get_by_role("textbox", name=f"code of cell {number};").focus()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(code)


# Every chapter, from top to bottom


def stored(cell):
    """What a cell of a notebook has printed, and how many figures it has drawn."""
    text, figures = "", 0
    for out in cell["outputs"]:
        data = out.get("data", {})
        if out["output_type"] == "stream":
            text += "".join(out["text"])
        elif "image/png" in data:
            figures += 1
        else:
            text += "".join(data["text/plain"]) + "\n"
    return text, figures


SHOWN = """cells => cells.map(cell => ({
    code: cell.querySelector('.cell_input pre').textContent,
    state: cell.dataset.live,
    text: [...cell.querySelectorAll('.cell_output > pre')].map(pre => pre.textContent).join(''),
    figures: cell.querySelectorAll('.live-figure, .live-widget').length,
    unnamed: cell.querySelectorAll('.live-figure:not([alt]), .live-figure[alt=""]').length,
}))"""


@needs_python
# "::" in the name: pytest-xdist may then run each chapter on another core (--dist loadscope)
@pytest.mark.parametrize("number", range(1, 9), ids=lambda number: f"{number}::in-the-page")
def test_every_cell_of_a_chapter_gives_what_is_stored(open_chapter, number):
    page = open_chapter(number)
    button(page, "Run all").click()
    wait(page, minutes=15)  # the longest takes four on an idle machine
    shown = page.locator("div.cell:has(.live-cell)").evaluate_all(SHOWN)
    cells = json.loads(CHAPTERS[number - 1].read_text(encoding="utf-8"))["cells"]
    cells = [cell for cell in cells if cell["cell_type"] == "code"]
    assert len(shown) == len(cells)
    for place, (cell, live) in enumerate(zip(cells, shown), 1):
        text, figures = stored(cell)
        assert live["code"].strip() == "".join(cell["source"]).strip()
        assert live["state"] == "done", f"cell {place}: {live['text']}"
        tags, printed = cell["metadata"].get("tags", []), [live["text"], text]
        if "differs-by-processor" in tags:      # long training, in which a last digit grows
            printed = [re.sub(r" *\d+", "0", words) for words in printed]
        if "nbval-ignore-output" not in tags:
            assert printed[0].rstrip() == printed[1].rstrip(), f"cell {place}"
        assert live["figures"] == figures, f"cell {place}"
        assert not live["unnamed"], f"cell {place}"


# A reader at work


@needs_python
def test_nothing_of_python_is_loaded_before_the_first_run(page, server):
    page.wait_for_load_state("networkidle")
    assert not {"worker.js", "editor.js", "widgets.js", "files.json", NUMPY} & set(server.asked)


@needs_python
def test_a_cell_is_edited_run_left_and_reset_by_keyboard(page):
    before = output(page, 1).inner_html(), cell(page, 1).locator("pre").first.inner_text()
    button(page, "Edit cell 1").focus()
    page.keyboard.press("Enter")
    editor = page.get_by_role("textbox", name="code of cell 1;")
    expect(editor).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type("for k in range(3):")
    page.keyboard.press("Enter")  # which indents
    page.keyboard.type("print(k)")
    page.keyboard.press("Enter")
    page.keyboard.press("Shift+Tab")
    page.keyboard.type("print('end')")
    expect(editor).to_be_focused()
    page.keyboard.press("Shift+Enter")
    wait(page)
    assert output(page, 1).inner_text().split() == ["0", "1", "2", "end"]

    page.keyboard.type("\nif k:\n")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("print('indented')")
    expect(editor).to_be_focused()
    page.keyboard.press("Shift+Enter")
    wait(page)
    assert output(page, 1).inner_text().split() == ["0", "1", "2", "end", "indented"]

    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    expect(button(page, "Reset cell 1")).to_be_focused()
    page.keyboard.press("Enter")
    after = output(page, 1).inner_html(), cell(page, 1).locator("pre").first.inner_text()
    assert after == before
    expect(button(page, "Edit cell 1")).to_be_focused()
    expect(editor).to_have_count(0)


@needs_python
def test_run_on_a_cell_runs_those_before_it_and_an_error_stops_those_after(page):
    button(page, "Run cell 4").click()
    wait(page)
    assert states(page)[:5] == ["done"] * 4 + ["fresh"]
    button(page, "Restart").click()

    write(page, 2, "def half(x):\n    return x / 0\n\nhalf(3)")
    built = output(page, 3).inner_html()
    button(page, "Run cell 4").click()
    wait(page)
    assert states(page)[:4] == ["done", "failed", "fresh", "fresh"]
    assert output(page, 3).inner_html() == built
    told = output(page, 2).inner_text()
    assert told.startswith('Traceback (most recent call last):\n  File "cell 2", line 4')
    assert 'File "cell 2", line 2, in half\n    return x / 0' in told
    assert told.strip().endswith("ZeroDivisionError: division by zero")
    assert told.count("File ") == 2  # the reader's own lines and no others

    for code, end in (
        ("if True\n    pass", "SyntaxError: expected ':'"),
        ("input('name? ')", "assign the value in the cell"),
        ("import sys\nsys.exit()", "SystemExit"),
        ("def f():\n    return f()\n\nf()", "maximum recursion depth exceeded"),
    ):
        write(page, 2, code)
        page.keyboard.press("Shift+Enter")
        wait(page)
        told = output(page, 2).inner_text()
        assert told.strip().endswith(end)
        assert told.count('File "') == told.count('File "cell 2"') > 0

    button(page, "Reset cell 2").click()
    button(page, "Run cell 4").click()
    wait(page)
    assert states(page)[:5] == ["done"] * 4 + ["fresh"]


@needs_python
def test_a_cell_that_runs_for_ever_can_be_stopped(page):
    built = output(page, 1).inner_html()
    write(page, 1, "print('on and on')\nwhile True: pass")
    button(page, "Run cell 2").click()
    expect(message(page)).to_have_text("Running cell 1 of 71", timeout=MINUTE)
    expect(output(page, 1)).to_have_text("on and on\n")  # what is printed is there at once
    button(page, "Stop").click()
    expect(message(page)).to_have_text("Stopped. Python starts anew at the next Run.")
    assert set(states(page)) == {"fresh"}
    write(page, 1, "while True: pass")
    button(page, "Reset cell 1").click()
    assert output(page, 1).inner_html() == built

    write(page, 1, "while True: pass")
    page.keyboard.press("Shift+Enter")
    expect(message(page)).to_have_text("Running cell 1 of 71", timeout=MINUTE)
    button(page, "Stop").click()
    assert output(page, 1).inner_html() == built  # nothing new came
    expect(page.locator(".live-stale")).to_have_count(0)
    write(page, 1, "print('anew')")
    page.keyboard.press("Shift+Enter")
    wait(page)
    assert output(page, 1).inner_text().strip() == "anew"


@needs_python
def test_restart_forgets_everything(page):
    write(page, 1, "kept = 1")
    write(page, 2, "print('kept' in globals())")
    page.keyboard.press("Shift+Enter")
    wait(page)
    assert output(page, 2).inner_text().strip() == "True"
    button(page, "Reset cell 1").click()
    button(page, "Restart").click()
    expect(message(page)).to_have_text("Python starts anew at the next Run.")
    assert set(states(page)) == {"fresh"}
    button(page, "Run cell 2").click()
    wait(page)
    assert output(page, 2).inner_text().strip() == "False"


@needs_python
def test_a_slider_draws_anew_after_run(page):
    """The real explore, with its own sliders, where the pictures of the book were."""
    cell(page, 10).locator("summary").first.click()
    name = output(page, 10).locator("figure").get_attribute("id")
    caption = output(page, 10).locator("figcaption").inner_text()
    button(page, "Run cell 10").click()
    wait(page)
    picture = output(page, 10).locator(".live-widget img")
    expect(picture).to_be_visible()
    assert output(page, 10).locator("figure").get_attribute("id") == name
    assert output(page, 10).locator("figcaption").inner_text() == caption
    slider = output(page, 10).get_by_role("slider")
    before, was = picture.screenshot(), picture.get_attribute("src")
    slider.focus()
    page.keyboard.press("ArrowRight")
    expect(output(page, 10).locator(".widget-readout")).to_have_text("0.5")
    expect(picture).not_to_have_attribute("src", was)
    assert picture.screenshot() != before


# When something is wrong


WRONG = {
    "a wheel that is missing": (NUMPY, None, NUMPY),
    "a wheel that is another": (MATPLOTLIB, b"PK\x05\x06" + bytes(18), MATPLOTLIB),
    "Python itself is another": ("pyodide.asm.wasm", b"\0asm\1\0\0\0", "pyodide.asm.wasm"),
    "its script is missing": ("pyodide.mjs", None, "pyodide.mjs"),
    "its other script is missing": ("pyodide.asm.mjs", None, "pyodide.asm.mjs"),
    "its other script is broken": ("pyodide.asm.mjs", b"throw Error('broken')", "broken"),
    "the list is missing": ("files.json", None, "files.json"),
    "the first cell's side is another": ("boot.py", b"say('hello')", "boot.py"),
    "the worker is missing": ("worker.js", None, "the worker could not be started"),
    "the worker is broken": ("worker.js", b"throw Error('broken')", "broken"),
}


@needs_python
@pytest.mark.parametrize("wrong", WRONG)
def test_python_that_cannot_start_says_why_and_the_page_still_reads(page, reader, server, wrong):
    name, content, said = WRONG[wrong]
    reader.may_complain = True  # in the browser's console
    server.instead[name] = content
    before = page.locator(".cell_output").all_text_contents()
    button(page, "Run cell 3").click()
    told = message(page)
    expect(told).to_contain_text("Python could not be started", timeout=MINUTE)
    expect(told).to_contain_text(said)
    expect(told).to_contain_text("The page stays as it is; Run tries again.")
    assert page.locator(".cell_output").all_text_contents() == before
    assert output(page, 1).locator("img").is_visible()
    assert set(states(page)) == {"fresh"}
    assert page.locator(".live-stale").count() == 0
    expect(page.locator(".live-bar progress")).to_be_hidden()


@needs_python
def test_run_tries_again_for_a_file_that_did_not_arrive(page, reader, server):
    reader.may_complain = True
    server.instead[NUMPY] = None
    button(page, "Run cell 3").click()
    expect(message(page)).to_contain_text(NUMPY, timeout=MINUTE)
    del server.instead[NUMPY]
    button(page, "Run cell 3").click()
    wait(page)
    assert states(page)[:4] == ["done"] * 3 + ["fresh"]


@needs_python
def test_python_that_dies_says_so_and_starts_anew(page, reader):
    write(page, 1, "import os\nos.abort()")
    page.keyboard.press("Shift+Enter")
    expect(message(page)).to_contain_text("Python has ended", timeout=MINUTE)
    reader.may_complain = True
    write(page, 1, "print('anew')")
    page.keyboard.press("Shift+Enter")
    wait(page)
    assert output(page, 1).inner_text().strip() == "anew"


@needs_python
def test_an_editor_that_does_not_arrive_is_told(page, reader, server):
    server.instead["editor.js"] = None
    button(page, "Edit cell 1").click()
    expect(message(page)).to_contain_text("editor.js did not arrive")
    reader.may_complain = True
    del server.instead["editor.js"]
    button(page, "Edit cell 1").click()
    expect(page.get_by_role("textbox", name="code of cell 1;")).to_be_focused()


@needs_python
def test_a_request_to_another_host_would_be_seen(page, reader):
    """Of the worker too, which the page's policy does not bind: else the tests prove little."""
    write(page, 1, "import js\nasked = js.fetch('http://example.org/a')")
    page.keyboard.press("Shift+Enter")
    wait(page)
    assert reader.outside == ["http://example.org/a"]
    reader.outside.clear()
    reader.may_complain = True


# Tabs, the way back, the network


@needs_python
def test_two_tabs_at_once_keep_to_themselves(open_chapter):
    tabs = [open_chapter(1), open_chapter(2)]
    for number, tab in enumerate(tabs):
        write(tab, 1, f"mine = {number}")
        write(tab, 2, "print('mine:', mine)")
    for tab in tabs:
        button(tab, "Run cell 2").click()
    for number, tab in enumerate(tabs):
        wait(tab)
        assert output(tab, 2).inner_text().strip() == f"mine: {number}"


@needs_python
def test_back_and_forward(page):
    button(page, "Run cell 3").click()
    wait(page)
    page.locator(".neighbours a[rel=next]").click()
    button(page, "Run cell 1").click()
    wait(page)
    page.go_back()
    expect(page).to_have_title(re.compile("^(?!.*hidden layer)", re.I))
    button(page, "Run cell 4").click()
    wait(page)
    assert states(page)[:5] == ["done"] * 4 + ["fresh"]
    page.go_forward()
    button(page, "Run cell 2").click()
    wait(page)
    assert states(page)[:3] == ["done"] * 2 + ["fresh"]


@needs_python
def test_a_slow_line_shows_how_far_it_is_and_can_be_stopped(page, server):
    server.handler.pace = 0.1
    button(page, "Run cell 1").click()
    told, bar = message(page), page.locator(".live-bar progress")
    seen = []
    for _ in range(3):
        if seen:
            expect(told).not_to_have_text(seen[-1], timeout=MINUTE)
        expect(told).to_have_text(re.compile(r"^Loading Python: loading .+, [\d.]+ of [\d.]+ MB$"))
        seen.append(told.inner_text())
        page.wait_for_timeout(300)
    expect(bar).to_be_visible()
    done = [float(re.search(r"([\d.]+) of", text)[1]) for text in seen]
    assert done == sorted(set(done))
    button(page, "Stop").click()
    expect(told).to_have_text("Stopped. Python starts anew at the next Run.")
    expect(bar).to_be_hidden()
    server.handler.pace = None
    button(page, "Run cell 1").click()
    wait(page)


@needs_python
def test_the_second_start_takes_the_files_from_the_cache(open_chapter, server):
    page = open_chapter(1)
    button(page, "Run cell 1").click()
    wait(page)
    big = {path.name for path in (SITE / "live/python").iterdir() if path.stat().st_size > 50_000}
    big &= set(server.asked)        # the other files are JupyterLite's
    assert {NUMPY, MATPLOTLIB, "pyodide.asm.wasm", "python_stdlib.zip"} <= big
    assert [name for name in big if server.asked.count(name) > 1] == []
    server.asked.clear()
    page = open_chapter(2)
    button(page, "Run cell 1").click()
    wait(page)
    assert not big & set(server.asked)
    assert page.evaluate("caches.keys().then(names => names.length)") == 1


# Sliders without Python


def moving(page, number=0):
    figure = page.locator("figure[data-strip]").nth(number)
    figure.scroll_into_view_if_needed()
    return figure


def test_a_slider_moves_a_picture_by_keyboard(open_chapter):
    page = open_chapter(1)
    figure = moving(page)
    slider, value = figure.get_by_role("slider"), figure.locator("output")
    picture = figure.locator(".moving-picture")
    expect(value).to_have_text("0")
    shown = picture.screenshot()
    slider.focus()
    for key, told in (("ArrowRight", "0.5"), ("End", "5"), ("Home", "−5")):
        page.keyboard.press(key)
        expect(value).to_have_text(told)
        expect(slider).to_have_attribute("aria-valuetext", told)
        expect(picture).to_have_attribute("aria-label", f"The figure at z = {told}")
        page.wait_for_timeout(50)
        now = picture.screenshot()
        assert now != shown
        shown = now
    assert not figure.locator("img.still").is_visible()


@pytest.mark.parametrize("number", range(1, 9))
def test_every_slider_of_a_chapter_moves_its_picture(open_chapter, number):
    page = open_chapter(number)
    for place in range(page.locator("figure[data-strip]").count()):
        figure = moving(page, place)
        picture = figure.locator(".moving-picture")
        for slider in figure.get_by_role("slider").all():
            seen = []
            for key in ("Home", "End"):
                slider.press(key)
                seen.append((picture.screenshot(), picture.get_attribute("aria-label")))
            assert seen[0][0] != seen[1][0]
            assert seen[0][1] != seen[1][1]


def test_a_strip_waits_until_it_is_near_the_screen(page, server):
    page.wait_for_load_state("networkidle")
    strips = page.locator("figure[data-strip]").evaluate_all(
        "all => all.map(f => [f.id + '.webp', f.getBoundingClientRect().top - innerHeight < 1000])"
    )
    assert len(strips) >= 2
    assert not strips[-1][1]
    asked = {name for name in server.asked if name.endswith(".webp")}
    assert asked == {name for name, near in strips if near}
    moving(page, len(strips) - 1)
    expect(page.locator("figure[data-strip]").last.locator(".moving")).to_be_visible()
    assert strips[-1][0] in server.asked


def test_every_strip_is_small():
    strips = list((SITE / "_images").glob("*.webp"))
    assert len(strips) >= 16
    assert not [path.name for path in strips if path.stat().st_size > 150 * 1024]


def test_without_scripts_and_on_paper_the_still_picture_stands(chromium, open_chapter, server):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{server.address}/chapters/{CHAPTERS[0].stem}.html")
    assert moving(page).locator("img").is_visible()
    assert page.locator(".moving, .live-cell, .live-bar").count() == 0
    context.close()
    page = open_chapter(1)
    figure = moving(page)
    expect(figure.locator(".moving")).to_be_visible()
    page.emulate_media(media="print")
    assert figure.locator("img.still").is_visible()
    assert not figure.locator(".moving").is_visible()
    assert not page.locator(".live-bar").is_visible()
    assert not page.locator(".live-cell").first.is_visible()


def test_a_strip_that_does_not_arrive_leaves_the_still_picture(open_chapter, reader, server):
    server.instead.update({path.name: None for path in (SITE / "_images").glob("*.webp")})
    page = open_chapter(1)
    figure = moving(page)
    expect(figure.locator("img")).to_be_visible()
    page.wait_for_timeout(300)
    assert figure.get_attribute("id") + ".webp" in server.asked
    assert figure.locator(".moving").count() == 0
    reader.may_complain = True
