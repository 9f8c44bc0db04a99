"""The site in Firefox as its makers ship it, driven by WebDriver BiDi; every other host is blocked.

Chromium has the thorough tests (test_site_browser.py, test_live.py). These hold what another engine
could do otherwise: lay out the pages, set the formulas, move a figure, run Python in the page.
"""

import asyncio
import json
import os
import re
import shutil
import subprocess
import time

import pytest
import site_server
from test_site_browser import CHAPTER, PAGES, ROOT, SITE

FIREFOX = os.environ.get("FIREFOX") or shutil.which("firefox-esr") or shutil.which("firefox")
websocket = pytest.importorskip("tornado.websocket", reason="needs tornado: requirements.txt")
pytestmark = [
    pytest.mark.skipif(not FIREFOX, reason="needs Firefox: apt install firefox-esr, or $FIREFOX"),
    pytest.mark.skipif(not PAGES, reason="the site is not built: make book"),
]
SETTINGS = """
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("network.proxy.type", 2);     // other hosts: to a proxy that isn't there
user_pref("network.proxy.autoconfig_url", "data:,function FindProxyForURL(url, host)\
{return host == '127.0.0.1' ? 'DIRECT' : 'PROXY 127.0.0.1:9'}");
"""


class Firefox:
    """A Firefox without a window. faults: what pages complained of, or asked other hosts for."""

    def __init__(self, profile):
        (profile / "user.js").write_text(SETTINGS)
        self.process = subprocess.Popen(
            [FIREFOX, "--headless", "--no-remote", "--remote-debugging-port=0",
             "--profile", str(profile)],
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        said = (re.search(r"BiDi listening on (\S+)", line) for line in self.process.stderr)
        address = next(filter(None, said))[1] + "/session"
        self.loop, self.faults, self.site, self.number = asyncio.new_event_loop(), [], None, 0
        self.pipe = self.wait(websocket.websocket_connect, address, max_message_size=2**28)
        self.do("session.new", capabilities={})
        self.do("session.subscribe", events=["log.entryAdded", "network.beforeRequestSent"])
        self.page = self.do("browsingContext.getTree")["contexts"][0]["context"]

    def wait(self, function, *arguments, **more):
        async def within_a_minute():
            return await asyncio.wait_for(function(*arguments, **more), 60)

        return self.loop.run_until_complete(within_a_minute())

    def do(self, method, **params):
        """Send a command; what Firefox answers."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        self.wait(self.pipe.write_message, json.dumps(message))
        while (said := json.loads(self.wait(self.pipe.read_message))).get("id") != self.number:
            told = said["params"]
            # A formula of which only a part has arrived yet is "Invalid markup" to Firefox.
            loud = told.get("level") in ("warn", "error")
            if loud and "Invalid markup" not in told["text"]:
                self.faults.append(told["text"])
            url = told.get("request", {}).get("url", "")
            if url.startswith(("http", "ws")) and not url.startswith(self.site):
                self.faults.append(url)
        assert said["type"] == "success", said["message"]
        return said["result"]

    def open(self, path, width=1280):
        size = {"width": width, "height": 900}
        self.do("browsingContext.setViewport", context=self.page, viewport=size)
        self.do("browsingContext.navigate", context=self.page, url=f"{self.site}/{path}",
                wait="complete")  # fmt: skip

    def js(self, code):
        """The value of an expression in the page."""
        said = self.do("script.evaluate", expression=f"JSON.stringify({code})",
                       target={"context": self.page}, awaitPromise=False)  # fmt: skip
        assert said["type"] == "success", said["exceptionDetails"]["text"]
        return json.loads(said["result"].get("value", "null"))

    def until(self, code, seconds):
        """Wait until an expression is true in the page."""
        end = time.monotonic() + seconds
        while not self.js(code):
            assert time.monotonic() < end, f"not within {seconds} s: {code}"
            time.sleep(0.1)

    def press(self, key):
        keys = [{"type": kind, "value": key} for kind in ("keyDown", "keyUp")]
        self.do("input.performActions", context=self.page,
                actions=[{"type": "key", "id": "keyboard", "actions": keys}])  # fmt: skip


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    started = Firefox(tmp_path_factory.mktemp("firefox"))
    server = site_server.serve(under="/a/book")
    started.site = server.address
    yield started
    started.process.terminate()
    started.process.wait()
    started.process.stderr.close()
    started.pipe.close()
    started.loop.close()
    server.shutdown()
    server.server_close()


@pytest.fixture
def firefox(engine):
    engine.faults.clear()
    yield engine
    assert not engine.faults


def test_every_page_loads_without_a_fault_and_fits_a_phone(firefox):
    for path in PAGES:
        name = path.relative_to(SITE).as_posix()
        for width in (390, 1280):
            firefox.open(name, width)
            firefox.js("document.querySelectorAll('details').forEach(box => { box.open = true })")
            assert firefox.js("document.documentElement.scrollWidth") <= width, name
        assert not firefox.faults, name


def test_formulas_are_set_in_the_books_font(firefox):
    firefox.open(CHAPTER)
    firefox.js("document.querySelector('.formula math').scrollIntoView()")
    firefox.until("document.fonts.status == 'loaded'", 20)
    assert firefox.js("[...document.fonts].filter(f => f.status == 'loaded')"
                      ".some(f => f.family.includes('Book Math'))")  # fmt: skip
    tall, part = firefox.js("['mfrac', 'mfrac > *'].map(name => "
                            "document.querySelector(name).getBoundingClientRect().height)")
    assert tall > 1.5 * part


def test_a_slider_moves_a_picture_by_keyboard(firefox):
    firefox.open(CHAPTER)
    figure = "document.querySelector('figure[data-strip]')"
    firefox.js(f"{figure}.scrollIntoView()")
    firefox.until(f"{figure}.querySelector('input[type=range]') != null", 20)
    firefox.js(f"{figure}.querySelector('input[type=range]').focus()")
    seen = set()
    for key in ("\ue011", "\ue014", "\ue010"):      # Home, ArrowRight, End
        firefox.press(key)
        seen.add(firefox.js(f"{figure}.querySelector('.moving-picture').ariaLabel"))
    assert len(seen) == 3


@pytest.mark.skipif(not (SITE / "live").exists(), reason="the site was built without Python")
def test_cells_run_in_the_page_and_give_what_is_stored(firefox):
    number = 12
    cells = json.loads((ROOT / CHAPTER).with_suffix(".ipynb").read_text("utf-8"))["cells"]
    cells = [cell for cell in cells if cell["cell_type"] == "code"][:number]
    firefox.open(CHAPTER)
    firefox.js(f"document.querySelector('[aria-label=\"Run cell {number}\"]').click()")
    firefox.until("document.querySelector('.live-message').textContent == 'Python is ready'", 120)
    shown = firefox.js(f"""[...document.querySelectorAll('div.cell[data-live]')].slice(0, {number})
        .map(cell => ({{state: cell.dataset.live,
        text: [...cell.querySelectorAll('.cell_output > pre')].map(p => p.textContent).join(''),
        figures: cell.querySelectorAll('.live-figure, .live-widget').length}}))""")
    assert [cell["state"] for cell in shown] == ["done"] * number
    for cell, live in zip(cells, shown, strict=True):
        data = [out.get("data", {"text/plain": out.get("text")}) for out in cell["outputs"]]
        text = ["".join(d["text/plain"]).rstrip() for d in data if "image/png" not in d]
        assert live["text"].rstrip() == "\n".join(text)
        assert live["figures"] == sum("image/png" in d for d in data)
