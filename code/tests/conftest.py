"""Settings for all tests, and what the notebooks are held to while nbval runs them.

nbval executes every notebook and compares each text output with the stored one. It doesn't look at
pictures or at the clock, so this does, in the same run: a figure must still be what its code draws,
and no cell or chapter may take longer than a reader is asked to wait. At the end a line says how
many cells and figures were compared.
"""

import json
import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CELL_SECONDS, CHAPTER_SECONDS = 30, 60
PIXELS = 50         # so many may differ visibly: another processor may round to the next pixel

os.environ.setdefault("OMP_NUM_THREADS", "1")           # before NumPy is imported
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

sys.path[:0] = [str(ROOT / "book/tools"), str(ROOT / "book/live")]
if sys.platform != "linux":         # grading needs Linux, for its sandbox
    collect_ignore_glob = ["test_classroom_*", "test_problem*", "test_nbgrader*", "test_teaching*"]
HAVE_NOTEBOOKS = all(find_spec(name) for name in ("nbval", "nbformat", "nbclient", "yaml"))


def pytest_report_header(config):
    return [] if sys.platform == "linux" else "left out: the tests of grading, which needs Linux"


def pytest_xdist_auto_num_workers(config):
    """One process more than there are processors: tests also wait, for browsers and for clocks."""
    return min(4, 1 + (os.cpu_count() or 1))


def pytest_configure(config):
    import matplotlib

    matplotlib.use("agg")
    if os.environ.get("BROWSER_TESTS") == "required":       # as in CI: nothing is left out
        here = {
            "playwright": find_spec("playwright"),
            "chromium": os.environ.get("CHROMIUM") or shutil.which("chromium"),
            "the built site, with Python": (ROOT / "_build/html/live/page.js").exists(),
            "bubblewrap": shutil.which("bwrap"),
            "nbgrader": (ROOT / ".venv/nbgrader/bin/nbgrader").exists() or "NBGRADER" in os.environ,
            "Dask": find_spec("distributed"),
        }
        if lacking := ", ".join(name for name, found in here.items() if not found):
            raise pytest.UsageError(f"nothing may be left out, and these lack: {lacking}")
    if HAVE_NOTEBOOKS and config.option.nbval:
        import notebooks

        os.environ.update(notebooks.environment())      # for the kernels
        config.pluginmanager.register(NotebookChecks(), "notebook-checks")


class NotebookChecks:
    """Looks at each notebook cell after nbval has run it and compared its text."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item):
        from nbval.plugin import IPyNbCell

        if not isinstance(item, IPyNbCell):
            return (yield)
        for out in item.cell.outputs:
            # Only `make notebooks` draws strips, in the run whose still picture is compared here.
            out.get("data", {}).pop("image/webp", None)
        compared = bool(item.options["check"] and item.cell.execution_count)
        item.user_properties.append(("cell", "compared" if compared else "ignored"))
        start = self.seconds(item)
        result = yield
        taken = self.seconds(item) - start
        item.parent.taken = getattr(item.parent, "taken", 0) + taken
        if taken > CELL_SECONDS:
            item.raise_cell_error(f"takes {taken:.0f} s of computing, {CELL_SECONDS} s are allowed")
        if item.parent.taken > CHAPTER_SECONDS:
            item.raise_cell_error(f"the notebook takes more than {CHAPTER_SECONDS} s of computing")
        if compared:
            item.user_properties.append(("figures", self.compare_figures(item)))
        return result

    @staticmethod
    def seconds(item):
        """Processor seconds of the notebook's kernel so far: other programs don't count."""
        import psutil

        times = psutil.Process(item.parent.kernel.km.provisioner.pid).cpu_times()
        return times.user + times.system

    @staticmethod
    def compare_figures(item):
        """Raise unless the cell drew the figures that are stored; return how many there are."""
        from notebooks import pixels

        def figures(outputs):
            found = (out.get("data", {}) for out in outputs)
            return [data["image/png"] for data in found if "image/png" in data]

        stored, drawn = figures(item.cell.outputs), figures(item.test_outputs)
        if len(stored) != len(drawn):
            item.raise_cell_error(f"{len(stored)} figures are stored, {len(drawn)} were drawn")
        for old, new in zip(map(pixels, stored), map(pixels, drawn), strict=True):
            if old.shape != new.shape:
                item.raise_cell_error(f"stored figure is {old.shape}, drawn now {new.shape}")
            off = (abs(old.astype(int) - new).max(axis=2) > 32).sum()
            if off > PIXELS:
                item.raise_cell_error(f"{off} pixels of the stored figure are not drawn so now")
        return len(stored)

    def pytest_terminal_summary(self, terminalreporter):
        reports = [report for found in terminalreporter.stats.values() for report in found]
        facts = [
            fact
            for report in reports
            if getattr(report, "when", "") == "call"
            for fact in report.user_properties
        ]
        if facts:
            terminalreporter.write_line(
                f"notebooks: {facts.count(('cell', 'compared'))} cells compared, "
                f"{facts.count(('cell', 'ignored'))} ignored, "
                f"{sum(n for name, n in facts if name == 'figures')} figures compared"
            )


@pytest.fixture(scope="module")
def cells(request):
    """The cells of the notebook that a test module names as its CHAPTER."""
    return json.loads(request.module.CHAPTER.read_text(encoding="utf-8"))["cells"]


@pytest.fixture(scope="module")
def text(cells):
    """All prose of the chapter, its captions and alt texts, and all that its cells print."""
    parts = []
    for cell in cells:
        if cell["cell_type"] == "markdown":
            parts.append("".join(cell["source"]))
        for said in cell["metadata"].get("mystnb", {}).values():
            parts += said.values()
        for out in cell.get("outputs", []):
            parts.append("".join(out.get("text", out.get("data", {}).get("text/plain", ""))))
    return "\n".join(parts).replace("−", "-").replace("{,}", ",")
