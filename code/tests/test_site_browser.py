"""The built site in Chromium, with every other host blocked."""

import os
import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "_build/html"
PAGES = sorted(page for page in SITE.rglob("*.html") if page.name != "index.html")
CHAPTER = "chapters/01-logistic-regression.html"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
FLAGS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright: requirements.txt")
pytestmark = [
    pytest.mark.skipif(not CHROMIUM, reason="needs Chromium: apt install chromium, or $CHROMIUM"),
    pytest.mark.skipif(not PAGES, reason="the site is not built: make book"),
]


@pytest.fixture(scope="module")
def site():
    """The address of the site, below a path as project pages are."""
    sys.path.insert(0, str(ROOT / "book/tools"))
    from site_server import serve

    server = serve(under="/neural-networks-by-hand")
    yield server.address
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as engine:
        chromium = engine.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser, site):
    """Open a page of the site; what it complains of or asks others for is in page.faults."""
    contexts = []

    def opened(name, width=1280, **settings):
        context = browser.new_context(viewport={"width": width, "height": 900}, **settings)
        contexts.append(context)
        page = context.new_page()
        page.faults = []

        def guard(route):
            outside = not route.request.url.startswith((site, "data:"))
            if outside:
                page.faults.append(route.request.url)
            route.abort() if outside else route.continue_()

        context.route("**/*", guard)
        complaints = "error", "warning"
        page.on("console", lambda m: m.type in complaints and page.faults.append(m.text))
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.goto(f"{site}/{name}")
        return page

    yield opened
    for context in contexts:
        context.close()


SPILT = """[...document.querySelectorAll('article > section > section')].filter(part => {
    const end = part.getBoundingClientRect().bottom
    return [...part.children].some(box => box.getBoundingClientRect().bottom > end + 1)
}).map(part => part.id)"""


@pytest.mark.parametrize("path", PAGES, ids=lambda page: page.stem)
def test_a_page_loads_without_a_fault_and_fits_a_phone(open_page, path):
    """Read to its end with all boxes open: nothing asked of others, no sideways scrolling. Parts
    that aren't laid out yet have guessed heights; they may not lie on others, because tools look
    for buttons by their place."""
    for width, mode in ((390, "dark"), (412, "light"), (320, "light"), (1280, "light")):
        page = open_page(path.relative_to(SITE).as_posix(), width, color_scheme=mode)
        assert width == 320 or not page.evaluate(SPILT)     # the guesses are made for wider ones
        page.evaluate("document.querySelectorAll('details').forEach(box => box.open = true)")
        assert page.evaluate("document.documentElement.dataset.theme") == mode
        height = page.evaluate("document.documentElement.scrollHeight")
        for y in range(0, height, 3000):
            page.evaluate(f"scrollTo(0, {y})")
        page.wait_for_timeout(100)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert not page.faults


def test_formulas_are_set_in_the_books_font(open_page):
    page = open_page(CHAPTER)
    page.evaluate("document.fonts.ready")
    loaded = page.evaluate(
        "[...document.fonts].filter(f => f.status == 'loaded').map(f => f.family)"
    )
    assert {"Book", "Book Math"} <= {name.strip('"') for name in loaded}
    box = page.locator(".formula math").first.bounding_box()
    assert box["width"] > 100
    fraction = page.locator("mfrac").first.bounding_box()
    assert fraction["height"] > page.locator("mfrac > *").first.bounding_box()["height"] * 1.5


def test_a_link_into_a_solution_opens_it(open_page):
    page = open_page(CHAPTER + "#sol-1-1")
    page.wait_for_function("document.getElementById('sol-1-1').open")
    page.wait_for_function(
        "Math.abs(document.getElementById('sol-1-1').getBoundingClientRect().top) < 60"
    )


def test_boxes_open_by_keyboard(open_page):
    page = open_page(CHAPTER)
    summary = page.locator("details.solution > summary").first
    summary.focus()
    page.keyboard.press("Enter")
    assert page.locator("details.solution").first.get_attribute("open") is not None


def test_the_choice_of_colours_is_kept(open_page):
    page = open_page(CHAPTER)
    button = page.locator(".colours-button")
    assert button.inner_text() == "Auto"
    button.click()
    button.click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert button.inner_text() == "Dark"


def test_the_first_tab_skips_to_the_text(open_page):
    page = open_page(CHAPTER)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.locator(".skip").bounding_box()["x"] >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_the_contents_open_on_a_phone_and_give_the_focus_back(open_page):
    page = open_page(CHAPTER, 390)
    assert not page.locator("#contents").is_visible()
    page.locator(".contents-button").press("Enter")
    assert page.locator("#contents").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("#contents").is_visible()
    assert page.evaluate("document.activeElement.className") == "contents-button"


def test_a_wide_equation_scrolls_in_its_own_box_by_keyboard(open_page):
    page = open_page("chapters/07-backpropagation.html", 320)
    page.locator("article pre").nth(4).scroll_into_view_if_needed()
    box = page.locator("pre[tabindex='0']").first
    assert box.get_attribute("aria-label") == "Code"
    box.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(300)
    assert box.evaluate("box => box.scrollLeft") > 0


def test_search_finds_and_shows_where(open_page):
    page = open_page("search.html?q=backpropagation")
    page.wait_for_selector("#search-results li p.context")
    assert page.locator("#search-results li").count() >= 3
    assert not page.faults


def test_control_k_searches(open_page):
    page = open_page(CHAPTER, 390)
    page.keyboard.press("Control+k")
    page.keyboard.type("softmax")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=softmax")


def test_paper_gets_every_solution_and_no_buttons(open_page):
    page = open_page(CHAPTER)
    page.emulate_media(media="print", color_scheme="dark")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details.solution:not([open])").count() == 0
    assert not page.locator("#contents").is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_the_site_works_from_a_memory_stick(browser):
    page = browser.new_page()
    page.goto((SITE / CHAPTER).as_uri())
    assert page.evaluate("document.querySelector('link[rel=stylesheet]').sheet != null")
    assert page.locator(".colours-button").is_visible()
    page.goto((SITE / "search.html").as_uri() + "?q=sigmoid")
    page.wait_for_selector("#search-results li")
