"""The refreshers print what they show, and the glossary names the right chapters."""

import contextlib
import io
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest

BOOK = Path(__file__).resolve().parents[2] / "book"
PAGES = sorted(BOOK.glob("refresher-*.md"))


def blocks(page):
    """Pairs of code and what the page says it prints, in order."""
    text = page.read_text(encoding="utf-8")
    found = re.findall(r"^```(python|text)\n(.*?)^```$", text, flags=re.M | re.S)
    pairs = []
    for kind, content in found:
        if kind == "python":
            pairs.append([content, ""])
        else:
            assert pairs and not pairs[-1][1], f"{page.name}: an output without its code"
            pairs[-1][1] = content
    return pairs


def test_there_are_three():
    assert [page.stem for page in PAGES] == [
        "refresher-derivatives", "refresher-logarithms", "refresher-vectors",
    ]  # fmt: skip


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_code_prints_what_the_page_shows(page):
    names = {}
    for code, shown in blocks(page):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(code, names)
        assert printed.getvalue() == shown, f"{page.name}:\n{code}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_five_questions_with_answers(page):
    boxes = re.findall(r"^:class: (quick-question|answer dropdown)$", page.read_text("utf-8"), re.M)
    assert boxes == ["quick-question", "answer dropdown"] * 5


# The numbers in the text that no block prints


def test_numbers_of_vectors():
    w, x = np.array([2, -1]), np.array([3, 1])
    cosine = w @ x / np.linalg.norm(w) / np.linalg.norm(x)
    assert round(cosine, 4) == 0.7071 and round(math.degrees(math.acos(cosine)), 6) == 45
    assert np.linalg.norm([2, -1, 2]) == 3
    assert np.dot([1, 2], [4, -2]) == 0
    assert (w / np.linalg.norm(w)).round(3).tolist() == [0.894, -0.447]


def test_numbers_of_logarithms():
    assert round(-math.log(0.01), 4) == 4.6052
    assert round(math.log(0.7), 4) == -0.3567 and round(math.log(0.12), 4) == -2.1203
    assert round(math.log(np.finfo(float).max), 2) == 709.78
    assert f"{np.finfo(float).max:.1e}" == "1.8e+308"
    assert math.exp(-745) > 0 and math.exp(-746) == 0
    assert 1 + math.exp(-36) > 1 and 1 + math.exp(-37) == 1
    assert round(1 / (math.exp(-1) + 1), 4) == 0.7311


def test_numbers_of_derivatives():
    assert (4**2 - 3**2) / (4 - 3) == 2 * 3.5 == 7
    assert round((28 - 12) / 49, 4) == 0.3265
    assert round(math.sqrt(80), 3) == 8.944
    assert (2 * 1.01 + 0.98 - 5) ** 2 == pytest.approx(4)  # along a level line
    assert round(np.std([1, 1, 1, 5]), 3) == 1.732
    assert np.mean([0, 1]) == 0.5 and np.var([0, 1]) == 0.25


# The glossary


def words_of_chapter(number):
    """What is written in a chapter, code too, without emphasis and in small letters."""
    (path,) = BOOK.parent.glob(f"chapters/0{number}-*.ipynb")
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells)
    return text.replace("*", "").lower()


def glossary():
    """The names of each entry, and its text."""
    page = (BOOK / "glossary.md").read_text(encoding="utf-8")
    entries = page.split(":sorted:")[1].split("```")[0].strip().split("\n\n")
    return [(re.findall(r"^\S.*$", e, re.M), re.search(r"^  (.*)$", e, re.M)[1]) for e in entries]


def test_each_entry_of_the_glossary_stands_in_the_chapter_it_names():
    chapters = {number: words_of_chapter(number) for number in range(1, 9)}
    names = [name for entry, _ in glossary() for name in entry]
    assert len(names) == len(set(names))
    for entry, text in glossary():
        chapter = re.search(r"\((\d)\)$", text)
        if chapter:
            found = chapters[int(chapter[1])]
            assert any(name.lower() in found for name in entry), f"{entry}: chapter {chapter[1]}"
        else:
            assert "refresher" in text or "other works" in text.lower(), entry
