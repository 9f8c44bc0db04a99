"""The problem sets: complete, sound, and marked as answers of a class deserve.

code/tests/wrong_answers/ps0N.py has what a class in earnest gets wrong in set N, and what else is
right; each is graded here as a whole submission.
"""

import ast
import hashlib
import json
import os
import re
import runpy
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from classroom import grading, notebook, release
from classroom.master import (
    OPEN_SEED,
    Master,
    bound,
    cut,
    personal_seed,
    points,
    task_of,
    used,
)
from classroom.notebook import Cell

ROOT = Path(__file__).resolve().parents[2]
MASTERS = sorted(ROOT.glob("chapters/problems/*.ipynb"))
SECRET = b"a secret of the course"
NOT_SEEN = "A test that you don't see failed"

each_set = pytest.mark.parametrize("path", MASTERS, ids=lambda path: path.stem)
needs_sandbox = pytest.mark.skipif(
    not shutil.which("bwrap") and os.environ.get("BROWSER_TESTS") != "required",
    reason="needs bubblewrap: apt install bubblewrap",
)
made = {}


@pytest.fixture(scope="session", autouse=True)
def _records(tmp_path_factory):
    """A folder for what was graded, which the processes of one run of the tests share."""
    base = tmp_path_factory.getbasetemp()
    made["records"] = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


def master_of(path):
    return kept(("master", path), lambda: Master(path))


def kept(key, make):
    """What make() returned the first time."""
    if key not in made:
        made[key] = make()
    return made[key]


def submission(master, answers, seed=OPEN_SEED):
    """The student version with some answers written into it: {grade_id: source}."""
    told = master.student_version(seed)
    for cell in told["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if name in answers:
            cell["source"] = answers[name]
    return told


def solution(master):
    return {cell.grade_id: cell.source for cell in master.cells if cell.nbgrader.get("solution")}


def file_of(path):
    return ROOT / f"code/tests/wrong_answers/ps{path.stem[:2]}.py"


def answers_of(path):
    """(WRONG, ALSO_RIGHT) for this set."""
    told = kept(file_of(path), lambda: runpy.run_path(str(file_of(path))))
    return told["WRONG"], told["ALSO_RIGHT"]


def graded(path, answers):
    """The record of the solution with some other answers."""
    master = master_of(path)
    for name in answers:
        assert name in solution(master), f"{name} is no answer cell of {path.stem}"
    raw = notebook.dump(submission(master, solution(master) | answers)).encode()
    file = made["records"] / f"{master.sha256}-{hashlib.sha256(raw).hexdigest()}.json"
    if not file.exists():
        notebook.write(file, json.dumps(grading.grade(master, raw)))
    return json.loads(file.read_text(encoding="utf-8"))


def outcomes(record):
    return {test["id"]: test for task in record["tasks"] for test in task["tests"]}


def run(path, seed):
    """The names after the student version with the solution was run in one plain namespace."""

    def make():
        import matplotlib.pyplot as plt

        master, names = master_of(path), {"__name__": "__main__"}
        with plt.rc_context():
            plt.rcdefaults()                    # another set may have chosen a style
            for cell in submission(master, solution(master), seed)["cells"]:
                if cell["cell_type"] == "code":
                    name = cell["metadata"]["nbgrader"]["grade_id"]
                    exec(compile("".join(cell["source"]), name, "exec"), names)
                    plt.close("all")
        return names

    return kept((path, seed), make)


def seed_of(path, student):
    return personal_seed(SECRET, path.stem, student)


# Form


@each_set
def test_stored_as_make_notebooks_stores_it(path):
    notebooks = pytest.importorskip("notebooks", reason="needs nbformat: requirements.txt")
    assert notebooks.check(path) == ("", True)


@each_set
def test_every_cell_of_code_has_its_role(path):
    master = master_of(path)
    assert [cell.grade_id for cell in master.cells if cell.kind == "code"][:2] == [
        "setup", "numbers"]
    for cell in master.cells:
        if cell.nbgrader:
            assert cell.nbgrader["cell_type"] == cell.kind
            assert cell.nbgrader["locked"] is not cell.nbgrader["solution"]
            assert cell.nbgrader["task"] is False
            assert ("points" in cell.nbgrader) is cell.nbgrader["grade"]


@each_set
def test_points_stand_in_the_titles_and_make_an_evening(path):
    master, total = master_of(path), 0
    for task in master.tasks.values():
        text = "\n".join(cell.source for cell in master.cells
                         if cell.kind == "markdown" and cell.grade_id == f"{task.name}-text")
        worth = sum(points(cell) for cell in task.tests + task.manual)
        number = task.name.removeprefix("task-")
        assert re.match(rf"## Task {number} · .+ \({worth:g} points?\)$", text, re.M)
        total += worth
    assert [*master.tasks] == [f"task-{n}" for n in range(1, len(master.tasks) + 1)]
    assert 5 <= len(master.tasks) <= 7
    assert 15 <= total <= 25


@each_set
def test_a_derivation_is_marked_by_hand_with_a_rubric(path):
    master = master_of(path)
    manual = [task for task in master.tasks.values() if task.manual]
    assert manual
    for task in manual:
        text = master.by_id[f"{task.name}-text"].source.partition("\n")[2]
        rows = re.findall(r"^\| *([\d.]+) *\||\(([\d.]+) points?\)", text, re.M)
        assert sum(float("".join(row)) for row in rows) == sum(map(points, task.manual))



def test_no_two_tasks_have_the_same_title():
    titles = [task.title.partition("·")[2].strip().casefold()
              for path in MASTERS for task in master_of(path).tasks.values()]
    assert not {title for title in titles if titles.count(title) > 1}


def test_the_helper_of_the_tests_is_the_same_in_all():
    helpers = set()
    for path in MASTERS:
        source = master_of(path).by_id["setup"].source
        (helper,) = (node for node in ast.parse(source).body
                     if isinstance(node, ast.FunctionDef) and node.name == "compare")
        helpers.add(ast.get_source_segment(source, helper))
    assert len(helpers) <= 1


@each_set
def test_nothing_else_need_be_installed(path):
    allowed = {"numpy", "matplotlib", "byhand"} | set(sys.stdlib_module_names)
    for cell in master_of(path).cells:
        for node in ast.walk(ast.parse(cell.source)) if cell.kind == "code" else ():
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                names = [node.module] if isinstance(node, ast.ImportFrom) else []
            assert {name.split(".")[0] for name in names} <= allowed


@each_set
def test_texts_need_no_book(path):
    """A problem set opens in plain Jupyter, which knows no macros, boxes and references."""
    for cell in master_of(path).cells:
        if cell.kind == "markdown":
            assert not re.findall(r"\{[a-z:]+\}`|^:{3,}", cell.source, re.M)
            assert not re.findall(r"\\(?:R|loss|pd)(?![A-Za-z])", cell.source)


# Release


@each_set
def test_it_can_be_released(path):
    assert release.static_faults(master_of(path)) == []


@needs_sandbox
@each_set
def test_the_solution_earns_all_and_the_empty_release_nothing(path):
    master = master_of(path)
    assert release.run_faults(master) == []
    for student in "s001", "s002":
        assert release.run_faults(master, seed_of(path, student), empty=False) == []


@each_set
def test_no_two_of_two_hundred_students_share_their_numbers(path):
    seeds = [seed_of(path, f"s{number:03}") for number in range(200)]
    found = release.numbers(master_of(path), seeds)
    assert len(set(found)) == len(found) == 200


@each_set
def test_last_years_results_are_wrong_for_others(path):
    """In each task with numbers, some value that is asked for differs between two students."""
    master = master_of(path)
    drawn = bound(master.by_id["numbers"].source)
    runs = [run(path, seed_of(path, student)) for student in ("s001", "s002")]
    for task in master.tasks.values():
        source = "\n".join(cell.source for cell in task.answers)
        values = [{name: repr(names[name]) for name in bound(source)
                   if isinstance(names[name], (float, np.floating, np.ndarray, dict, list, tuple))}
                  for names in runs]
        if used(source) & drawn and values[0]:
            assert values[0] != values[1], task.name


@each_set
def test_the_grader_draws_no_figure_that_was_handed_out(path):
    """matplotlib's start takes as long as all tests of a set; byhand.plotting's colours need it."""
    master = master_of(path)
    cells = [Cell("code", cell.source, cell.nbgrader) for cell in master.cells
             if cell.kind == "code" and cell.nbgrader.get("solution")]
    steps = grading.program(master, cells, OPEN_SEED, print)
    given = [(cell.grade_id, source) for kind, cell, source in steps if kind == "locked"]
    assert given
    assert not [name for name, source in given if re.search(r"plt\.|import SIGNED", source)]


@each_set
def test_it_runs_without_the_grader(path):
    """Answers pasted into a student's notebook pass every test that stands in it."""
    assert "compare" in run(path, seed_of(path, "s001"))


# What a class gets wrong


def cases(index):
    """Parameters for every answer of a table: its set, what stands with it; its words as id.

    "::" in the id: pytest-xdist may then run each set on another core (--dist loadscope).
    """
    for path in MASTERS:
        if file_of(path).exists():
            for what, *told in answers_of(path)[index]:
                yield pytest.param(path, *told, id=f"{path.stem[:2]}::{what}")


@needs_sandbox
@pytest.mark.parametrize("path, answers, earned", [*cases(0)])
def test_a_wrong_answer_loses_what_it_should(path, answers, earned):
    record = graded(path, answers)
    assert record["status"] in ("graded", "stopped"), record["notes"]
    found = {task["task"]: task["score"] for task in record["tasks"]}
    full = {name: task.maximum for name, task in master_of(path).tasks.items() if task.tests}
    assert found == full | earned
    assert found != full
    failed = [test for test in outcomes(record).values() if test["outcome"] == "failed"]
    assert all(test["message"] for test in failed)


@needs_sandbox
@pytest.mark.parametrize("path, answers", [*cases(1)])
def test_another_right_answer_earns_all(path, answers):
    record = graded(path, answers)
    assert record["score"] == record["maximum"], [
        test for test in outcomes(record).values() if test["outcome"] != "passed"]


@each_set
def test_other_ways_to_be_right_were_thought_of(path):
    wrong, right = answers_of(path)
    assert len(right) >= 2
    tasks = {task_of(cell) for cell in master_of(path).cells if cell.grade_id in
             {name for _, answers, _ in wrong for name in answers}}
    assert tasks >= {name for name, task in master_of(path).tasks.items() if task.tests}


@needs_sandbox
@each_set
def test_each_hidden_test_catches_what_the_visible_ones_let_through(path):
    hidden = {cell.grade_id for cell in master_of(path).cells
              if cell.kind == "code" and cut(cell.source, "HIDDEN TESTS")[1]}
    caught = set()
    for _, answers, _ in reversed(answers_of(path)[0]):     # another process may be at the first
        caught |= {name for name, test in outcomes(graded(path, answers)).items()
                   if test["message"].startswith(NOT_SEEN)}
        if hidden <= caught:
            break
    assert hidden
    assert hidden <= caught
