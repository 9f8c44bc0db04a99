"""The teaching guide's commands, run in their order: they print what the page says.

`python code/tests/test_teaching.py` runs them and writes what they print into the page.
"""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import hostile
import pytest
from classroom.master import Master
from wrong_answers import ps01

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "book/teaching.md"
GRADER = ROOT / "book/grading.md"
SET = "01-one-neuron"
FENCE = re.compile(r"^```(bash|text)\n(.*?)^```$|^% (\w+)$", re.M | re.S)
SECRET = "for the page and its test only and never for a class"
REQUIRED = os.environ.get("BROWSER_TESTS") == "required"
BIN = Path(os.environ.get("NBGRADER") or ROOT / ".venv/nbgrader/bin")


# A class of seven, six of whom hand something in


def answers(raw, changes):
    """A student's notebook with the master's solutions; cells that are changed, or None: left."""
    book, solved = json.loads(raw), Master(ROOT / f"chapters/problems/{SET}.ipynb").by_id
    for cell in book["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if cell["metadata"].get("nbgrader", {}).get("solution"):
            cell["source"] = changes.get(name, solved[name].source) or cell["source"]
    return book


def hand_in(course):
    """Write submissions.zip as Canvas hands it out."""
    wrong = {what: cells for what, cells, _ in ps01.WRONG}
    loop = "def fit_counts(x, shown, seen, eta, steps):\n    while True:\n        pass"
    rounded = ps01.FOOL + ps01.REACH + "reach = round(reach, 2)"
    unanswered = dict.fromkeys(("task-4-a", "task-4-b", "task-5-a", "task-5-b"))
    changed = {
        "ada": {}, "ben": wrong["the share of the ill is left out"], "chi": {"task-3": loop},
        "dia": {}, "emmy": {"task-2": rounded}, "fay": {**unanswered, "task-6": "See task 1."},
    }  # fmt: skip
    with zipfile.ZipFile(course / "submissions.zip", "w") as archive:
        for number, (student, changes) in enumerate(changed.items(), 501):
            raw = (course / f"released/{SET}/{student}/{SET}.ipynb").read_bytes()
            data = json.dumps(answers(raw, changes))
            data = data[:len(data) // 2] if student == "dia" else data
            late = "LATE_" * (student == "fay")
            archive.writestr(f"{student}_{late}{number}_{number + 9000}_{SET}.ipynb", data)


def mark(course):
    """Fill in the sheet for the marks given by hand."""
    given = {"ada": (4, "Complete."), "ben": (3, "Why are the covariances equal?"), "chi": (4, ""),
             "emmy": (4, ""), "fay": (0, "The derivation itself is asked for.")}
    sheet = course / "graded/manual.csv"
    with open(sheet, encoding="utf-8-sig", newline="") as file:
        table = list(csv.DictReader(file))
    with open(sheet, "w", encoding="utf-8", newline="") as file:
        written = csv.DictWriter(file, table[0])
        written.writeheader()
        for row in table:
            row["score"], row["comment"] = given[row["student"]]
            written.writerow(row)


def more_time(course):
    """The one file of a student who got more time."""
    raw = (course / f"released/{SET}/gus/{SET}.ipynb").read_bytes()
    place = course / "more-time/gus"
    place.mkdir(parents=True)
    (place / f"{SET}.ipynb").write_text(json.dumps(answers(raw, {})))


def secret(course):
    """The page's numbers are to be the same every time."""
    (course / "secret.txt").write_text(SECRET)


STEPS = {step.__name__: step for step in (hand_in, mark, more_time, secret)}


def walk(course, page):
    """Run the commands of a page; yields (block, expected output, printed output)."""
    program = course.parent / "bin"
    program.mkdir()
    (program / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (program / "python").chmod(0o755)
    environment = os.environ | {
        "PATH": f"{program}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT / "code"),
        "REPOSITORY": str(ROOT), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
    }  # fmt: skip
    blocks = list(FENCE.finditer(page))
    for block, following in zip(blocks, [*blocks[1:], None]):
        if block[3]:
            STEPS[block[3]](course)
        if block[1] != "bash":
            continue
        done = subprocess.run(["bash", "-ec", block[2]], cwd=course, env=environment, text=True,
                              capture_output=True, timeout=600)
        assert done.returncode == 0, f"{block[2]}{done.stdout}{done.stderr[-3000:]}"
        shown = following[2] if following and following[1] == "text" else ""
        yield block, following, shown, done.stdout


def commands(page):
    """The part of the page whose commands are run."""
    return page[page.index("(course-setup)="):page.index("(course-end)=")]


@pytest.mark.skipif(not shutil.which("bwrap") and not REQUIRED,
                    reason="needs bwrap: apt install bubblewrap")
def test_the_commands_print_what_the_page_says(tmp_path):
    course = tmp_path / "course"
    course.mkdir()
    ran = 0
    for block, _, shown, printed in walk(course, commands(PAGE.read_text(encoding="utf-8"))):
        assert tidy(printed) == tidy(shown), f"the page's output of:\n{block[2]}"
        ran += 1
    assert ran > 8
    assert (course / "secret.txt").stat().st_mode & 0o077 == 0


def tidy(text):
    """Without a byte order mark, which nobody sees, and spaces at the ends of lines."""
    return "\n".join(line.rstrip() for line in text.lstrip("\ufeff").strip().splitlines())


# The grader's page


def outcomes():
    """The hostile submissions as a table: test_classroom_hostile.py grades them all."""
    rows = ["| submission | status | points of 10 |", "| --- | --- | --- |"]
    for case in hostile.CASES:
        name = case.name.replace("|", r"\|").replace("*", r"\*").replace("_", r"\_")
        rows.append(f"| {name} | {case.status} | {case.score:g} |")
    return "\n".join(rows) + "\n"


def test_the_graders_page_has_every_hostile_submission_with_its_outcome():
    page = GRADER.read_text(encoding="utf-8")
    assert outcomes() in page
    assert f"All {len(hostile.CASES)}, made and run" in page
    assert f"came of {len(hostile.CASES)} hostile" in page


# JupyterHub with nbgrader, and Binder


@pytest.mark.skipif(not (BIN / "nbgrader").exists() and not REQUIRED,
                    reason="needs nbgrader in an environment of its own: make nbgrader")
def test_nbgrader_takes_the_settings_and_the_commands(tmp_path):
    page = PAGE.read_text(encoding="utf-8")
    settings = re.search(r"```python\n(# The settings.*?)```", page, re.S)[1]
    first, *others = re.search(r"```sh\n(nbgrader .*?)```", page, re.S)[1].splitlines()
    master = ROOT / f"chapters/problems/{SET}.ipynb"
    (tmp_path / "nbgrader_config.py").write_text(settings)
    for place in (f"source/{SET}", f"submitted/ada/{SET}"):
        (tmp_path / place).mkdir(parents=True)
        shutil.copy(master, tmp_path / place)
    handed_in = tmp_path / f"submitted/ada/{SET}/{SET}.ipynb"
    book = json.loads(handed_in.read_text())
    book["cells"] = [cell for cell in book["cells"]
                     if cell["metadata"]["nbgrader"]["grade_id"] != "task-1-test"]
    handed_in.write_text(json.dumps(book))
    environment = os.environ | {
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT / "code"),
        "HOME": str(tmp_path), "JUPYTER_CONFIG_DIR": str(tmp_path / ".jupyter"),
        "IPYTHONDIR": str(tmp_path / ".ipython"), "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }  # fmt: skip
    for command in (first, *others):
        done = subprocess.run(command.split(), cwd=tmp_path, env=environment, text=True,
                              capture_output=True, timeout=300)
        assert done.returncode == 0, done.stderr[-2000:]
    with open(tmp_path / "grades.csv", encoding="utf-8", newline="") as file:
        [line] = csv.DictReader(file)
    assert (line["student_id"], line["score"], line["max_score"]) == ("ada", "19.0", "23.0")
    assert list((tmp_path / "feedback/ada").rglob("*.html"))


def test_binder_is_given_a_python_and_the_package_with_the_books_versions():
    folder = ROOT / ".binder"
    lines = [line for line in (folder / "requirements.txt").read_text().splitlines()
             if not line.startswith("#")]
    assert lines == ["-c ../code/constraints.txt", "-e ."]
    assert (folder / "../code/constraints.txt").exists()
    named = re.fullmatch(r"python-3\.(\d+)\n", (folder / "runtime.txt").read_text())
    assert int(named[1]) >= 11


def rewrite():
    """Put what the commands print into the page."""
    page = PAGE.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        course = Path(folder, "course")
        course.mkdir()
        for block, following, shown, printed in list(walk(course, commands(page))):
            if tidy(shown) != tidy(printed):
                old = block[0] + "\n\n" + following[0] if shown else block[0]
                new = f"{block[0]}\n\n```text\n{tidy(printed)}\n```" if printed else block[0]
                assert page.count(old) == 1, old
                page = page.replace(old, new)
    PAGE.write_text(page, encoding="utf-8")
    page = re.sub(r"(All|came of) \d+", rf"\1 {len(hostile.CASES)}",
                  GRADER.read_text(encoding="utf-8"))
    page = re.sub(r"\| submission \| status .*?\n(?!\|)", lambda _: outcomes(), page, flags=re.S)
    GRADER.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    rewrite()
