"""A master of four tasks for the tests of release and of nbgrader, made in code so that a test can
spoil a part of it."""

import json

SETUP = '''import numpy as np


def compare(yours, expected, what):
    """Stop with a message unless yours equals expected."""
    yours = np.asarray(yours)
    assert yours.shape == np.shape(expected), f"{what}: expected shape {np.shape(expected)}"
    assert np.allclose(yours, expected), f"{what}: off"'''

NUMBERS = """seed = 2026
x = np.random.default_rng([seed, 1]).normal(size=4).round(3)
start = np.random.default_rng([seed, 2]).uniform(1, 9)
print("x =", x)"""

ANSWER_1 = '''def deviation(values):
    """The root of the mean squared distance from the mean."""
    ### BEGIN SOLUTION
    distances = values - values.mean()
    return np.sqrt((distances ** 2).sum() / len(values))
    ### END SOLUTION'''

TEST_1 = """compare(deviation(np.array([1.0, 3.0])), 1.0, "deviation of 1 and 3")
### BEGIN HIDDEN TESTS
assert abs(deviation(np.array([2.0, 2.0, 5.0])) - 2 ** 0.5) < 1e-9, "Hint: how many values?"
### END HIDDEN TESTS"""

GIVEN_3 = """def faulty(p, y, inputs):
    error = (p - y)[:, None] * inputs
    return error.sum(axis=0)"""

ANSWER_3 = """### BEGIN SOLUTION
def mended(p, y, inputs):
    error = (p - y)[:, None] * inputs
    return error.mean(axis=0) * 1.0 + 0 * p.size
### END SOLUTION"""


def cell(kind, source, name, points=None, solution=False):
    nbgrader = {
        "schema_version": 3, "grade_id": name, "grade": points is not None,
        "solution": solution, "locked": not solution, "task": False, "cell_type": kind,
    } | ({} if points is None else {"points": points})  # fmt: skip
    told = {"cell_type": kind, "id": name, "metadata": {"nbgrader": nbgrader}, "source": source}
    return told | ({"outputs": [], "execution_count": None} if kind == "code" else {})


def cells():
    return {part["id"]: part for part in (
        cell("markdown", "# A small set", "title"),
        cell("code", SETUP, "setup"),
        cell("code", NUMBERS, "numbers"),
        cell("markdown", "## Task 1 · Deviation (3 points)\nWrite `deviation`.", "task-1-text"),
        cell("code", ANSWER_1, "task-1", solution=True),
        cell("code", TEST_1, "task-1-test", 3),
        cell("markdown", "## Task 2 · The largest (1 point)\nWhich is it?", "task-2-text"),
        cell("code", "largest = ...\n### BEGIN SOLUTION\nlargest = x.max()\n### END SOLUTION",
             "task-2", solution=True),
        cell("code", 'compare(largest, max(x), "largest")', "task-2-test", 1),
        cell("markdown", "## Task 3 · A fault (2 points)\nMend it.", "task-3-text"),
        cell("code", GIVEN_3, "task-3-given"),
        cell("code", ANSWER_3, "task-3", solution=True),
        cell("code", "one = np.ones(2)\n"
             'compare(mended(one, 0 * one, np.eye(2)), [0.5, 0.5], "mended")', "task-3-test", 2),
        cell("markdown", "## Task 4 · Why (2 points)\n*Rubric.* One point for each reason.",
             "task-4-text"),
        cell("markdown", "### BEGIN SOLUTION\nBecause a mean does not grow with the batch.\n"
             "### END SOLUTION", "task-4", 2, solution=True),
    )}


def notebook(parts=None):
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {"cells": [*(parts or cells()).values()], "nbformat": 4, "nbformat_minor": 5,
            "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}}}


def write(folder, parts=None, name="01-small"):
    path = folder / f"{name}.ipynb"
    path.write_text(json.dumps(notebook(parts)), encoding="utf-8")
    return path
