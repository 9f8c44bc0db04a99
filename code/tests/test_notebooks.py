"""What every notebook of the book keeps to, seen without running it; nbval runs it beside this."""

import ast
import base64
import re
from statistics import median

import pytest

pytest.importorskip("nbformat")
pytest.importorskip("nbclient")

import matplotlib
import notebooks
import numpy as np

LINES, DEFINITION_LINES, MEDIAN_LINES = 15, 25, 5
COLUMNS = 92                    # what the page shows without scrolling
TEXT_KB, IMAGE_KB, ALT = 100, 200, 40
NUMBER = 256 ** np.arange(3)    # makes one number of a colour

PATHS = notebooks.listed()
each_notebook = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
CHAPTERS = [path for path in PATHS if path.parent.name != "problems"]
each_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)


def code_cells(path):
    return [cell for cell in notebooks.read(path).cells if cell.cell_type == "code"]


def lines(cell):
    return [line for line in cell.source.splitlines() if line.strip()]


def data(cell):
    """The mime bundles of a cell's outputs."""
    return [out.data for out in cell.outputs if "data" in out]


def names(cell):
    """Whether the cell defines a function or a class."""
    source = "\n".join("pass" if line[:1] in "%!" else line for line in lines(cell))
    return any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in ast.parse(source).body)


def test_the_book_has_notebooks():
    assert PATHS


def test_nbval_runs_every_notebook():
    handed = (notebooks.ROOT / "chapters").rglob("*.ipynb")      # by make test
    assert set(PATHS) <= set(handed)


@each_notebook
def test_normal_form(path):
    said, well = notebooks.check(path)
    assert well, said


@each_notebook
def test_ran_from_top_to_bottom(path):
    counts = [cell.execution_count for cell in code_cells(path)]
    assert counts == list(range(1, len(counts) + 1))


@each_notebook
def test_no_errors_and_no_warnings(path):
    for cell in code_cells(path):
        kinds = [out.output_type for out in cell.outputs]
        assert "error" not in kinds, cell.source
        assert "stderr" not in [out.get("name") for out in cell.outputs], cell.source


@each_notebook
def test_figures_are_described(path):
    for cell in code_cells(path):
        if any(kind.startswith("image/") for bundle in data(cell) for kind in bundle):
            alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
            assert len(alt) >= ALT, f"no alt text of {ALT} characters or more:\n{cell.source}"
            assert not alt.endswith((".png", ".svg", ".jpg")), f"{alt} is the name of a file"


@each_notebook
def test_labels_of_figures_are_unique_and_short(path):
    figures = [cell.metadata.get("mystnb", {}).get("figure", {}) for cell in code_cells(path)]
    labels = [figure["name"] for figure in figures if "name" in figure]
    assert len(labels) == len(set(labels))
    assert all(label.startswith("fig-") for label in labels)


@each_chapter
def test_cells_are_short(path):
    cells = code_cells(path)
    for cell in cells:
        limit = DEFINITION_LINES if names(cell) else LINES
        assert len(lines(cell)) <= limit, f"more than {limit} lines:\n{cell.source}"
        assert max(map(len, lines(cell))) <= COLUMNS, f"more than {COLUMNS} columns:\n{cell.source}"
    assert median(len(lines(cell)) for cell in cells) <= MEDIAN_LINES


@each_notebook
def test_cells_import_the_installed_package(path):
    for cell in code_cells(path):
        for word in "sys.path", "PYTHONPATH", "%pip", "!pip":
            assert word not in cell.source, cell.source


@each_notebook
def test_outputs_are_small(path):
    for cell in code_cells(path):
        text = sum(len(str(out.get("text", ""))) for out in cell.outputs)
        for bundle in data(cell):
            for kind, content in bundle.items():
                if kind.startswith("image/"):
                    size = len(base64.b64decode(content))
                    assert size <= IMAGE_KB * 1024, f"image of {size // 1024} KB:\n{cell.source}"
                else:
                    text += len(str(content))
        assert text <= TEXT_KB * 1024, f"{text // 1024} KB of text:\n{cell.source}"


@each_chapter
def test_figures_that_the_dark_page_may_not_turn_over_say_so(path):
    """There white becomes dark; a figure in which lightness tells something keeps its colours."""
    cividis = np.rint(np.array(matplotlib.colormaps["cividis"].colors) * 255)
    cividis = cividis[np.ptp(cividis, axis=1) > 40] @ NUMBER        # not its greys
    lightness = re.compile(r"\b(black|white|bright\w*|dark\w*|light(er|est)?|pale\w*)\b")
    for cell in code_cells(path):
        keeps = "keep-colours" in cell.metadata.get("tags", [])
        for png in (bundle["image/png"] for bundle in data(cell) if "image/png" in bundle):
            share = np.isin(notebooks.pixels(png)[..., :3] @ NUMBER, cividis).mean()
            assert keeps == (share > 0.05), f"{share:.0%} in cividis:\n{cell.source}"
        told = cell.metadata.get("mystnb", {})
        words = told.get("figure", {}).get("caption", "") + told.get("image", {}).get("alt", "")
        assert keeps or not lightness.search(words), words


@each_notebook
def test_cells_that_are_not_compared_assert_something(path):
    """A cell whose output can't be compared asserts its claim, itself or in the next cell."""
    cells = code_cells(path)
    for cell, following in zip(cells, cells[1:] + cells[-1:], strict=True):
        if "nbval-ignore-output" in cell.metadata.get("tags", []):
            assert "assert" in cell.source + following.source, cell.source


# The tool that runs and stores them


def stored(path, *sources):
    """A notebook with these cells, as an editor might leave it: no outputs, no ids that last."""
    import nbformat.v4 as v4

    notebook = v4.new_notebook(cells=[v4.new_code_cell(source) for source in sources])
    notebook.metadata["widgets"] = {"state": {}}
    path.write_text(notebooks.nbformat.writes(notebook), encoding="utf-8")
    return path


def test_running_twice_leaves_the_file_as_it_is(tmp_path):
    draw = "import matplotlib.pyplot as plt\nplt.plot([0, 1])\nplt.show()"
    path = stored(tmp_path / "a.ipynb", "1 + 1", draw)
    said, well = notebooks.execute(path)
    assert well, said
    assert said.endswith("written")
    first = path.read_bytes()
    assert notebooks.check(path) == ("", True)
    assert notebooks.execute(path)[0].endswith("unchanged")
    assert path.read_bytes() == first
    assert b"widgets" not in first
    assert "image/png" in code_cells(path)[1].outputs[-1].data


@pytest.mark.parametrize(
    ("source", "reason"),
    [("1 / 0", "ZeroDivisionError"),
     ("from urllib.request import urlopen\nurlopen('http://example.com')", "no network")],
    ids=["raises", "asks the network"],
)  # fmt: skip
def test_a_cell_that_fails_is_named_and_the_file_stays(tmp_path, source, reason):
    path = stored(tmp_path / "a.ipynb", "1 + 1", source)
    before = path.read_bytes()
    said, well = notebooks.execute(path)
    assert not well
    assert "cell 1" in said
    assert reason in said
    assert path.read_bytes() == before
