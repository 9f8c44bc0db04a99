"""Grading one submission: what tests see of the student's code, and what a record says."""

import json
import math
import os
import shutil

import hostile
import numpy as np
import pytest
from classroom import child, grading, remote, sandbox, wire
from classroom.master import Master
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

WITHOUT = not shutil.which("bwrap") and os.environ.get("BROWSER_TESTS") != "required"
needs_bubblewrap = pytest.mark.skipif(WITHOUT, reason="needs bubblewrap: apt install bubblewrap")


# Values on their way


def there_and_back(value):
    form = wire.unpack(wire.pack({"value": wire.Encoder(None)(value)}))["value"]
    return wire.Decoder(None)(form)


def same(a, b):
    """Equal in type and in every bit, nan and -0.0 included."""
    if isinstance(a, (np.ndarray, np.generic)):
        return (type(a), a.dtype, a.shape, a.tobytes()) == (type(b), b.dtype, b.shape, b.tobytes())
    if type(a) is not type(b) or isinstance(a, (list, tuple, dict)) and len(a) != len(b):
        return False
    if isinstance(a, float):
        return a.hex() == b.hex()
    if isinstance(a, dict):
        return all(same(*pair) for ours, theirs in zip(a.items(), b.items())
                   for pair in zip(ours, theirs))
    if isinstance(a, (list, tuple)):
        return all(map(same, a, b))
    return a == b


NUMBERS = arrays.arrays(
    st.sampled_from(["?", "i1", "<u8", ">i4", "f2", "<f4", "f8", ">f8", "c16"]),
    arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3),
)
SIMPLE = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | \
    st.complex_numbers(allow_nan=False)
VALUES = st.recursive(
    SIMPLE | NUMBERS,
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
    max_leaves=9,
)


@given(VALUES)
def test_plain_values_arrive_as_they_were(value):
    assert same(there_and_back(value), value)


@pytest.mark.parametrize("value", [
    math.nan, math.inf, -0.0, 5e-324, 10**2000, ..., {1, 2}, "\ud800", frozenset("a"),
    np.float32(0.1), np.True_, np.zeros((0, 3)), {(1, "a"): [None]}, np.array(7), np.ones((2, 3)).T,
])  # fmt: skip
def test_special_values_arrive_as_they_were(value):
    assert same(there_and_back(value), value)


@pytest.mark.parametrize("value, plain", [
    (np.str_("W1"), "W1"), (np.array(["a", "b"]), ["a", "b"]), (np.array("a"), "a"),
])
def test_texts_of_numpy_arrive_as_plain_ones(value, plain):
    assert same(there_and_back(value), plain)


def test_integers_made_to_collide_do_not_travel():
    """A set of them would take the square of their number."""
    many = [k * (2**61 - 1) for k in range(2, 10_100)]
    with pytest.raises(wire.Refused, match="integers of 61 bits"):
        wire.Encoder(None)(many)
    with pytest.raises(wire.Malformed):
        wire.Decoder(None)(["list", many])
    assert there_and_back(many[:9000]) == many[:9000]


@pytest.mark.parametrize("form", [
    1.5, [], {}, ["?"], ["float"], ["float", "x"], ["float", 1], ["float", "0x1p9999"],
    ["array", "O", [1], "AAAAAAAAAAA="], ["array", "<f8", [2], "AAAAAAAAAAA="],
    ["array", "<f8", [-1], "AAAAAAAAAAA="], ["array", "<f8", [True], "AAAAAAAAAAA="],
    ["array", "<f8", [1], "*"], ["array", "<f8", 1, "AAAAAAAAAAA="], ["array", "<M8[s]", [], ""],
    ["array", "<f8", [0, 2**70], ""], ["array", ["<f8"], [1], "AAAAAAAAAAA="],
    ["scalar", "<f8", ""], ["scalar", "<f8", "AAAAAAAAAAAAAAAAAAAAAA=="], ["list"], ["list", 3],
    ["set", [["list", []]]],
    ["dict", [[1]]], ["dict", [[["list", []], 1]]], ["dict", {"a": 1}], ["object", 0, "x"],
    ["set", list(range(20_000))], ["dict", [[n, n] for n in range(20_000)]],
])  # fmt: skip
def test_what_breaks_the_rules_builds_nothing(form):
    def nothing_else(form):
        raise wire.Malformed("unknown")

    with pytest.raises(wire.Malformed):
        wire.Decoder(nothing_else)(form)


@pytest.mark.parametrize("line", [b"", b"{", b"[1]", b"NaN", b'{"a": NaN}', b'{"a": 1.5}', b"\xff",
                                  b"[" * 10**5, b"9" * 10**5])
def test_a_line_that_is_no_message(line):
    with pytest.raises(wire.Malformed):
        wire.unpack(line)


def test_a_boolean_is_true_or_false_whatever_its_byte():
    (flag,) = wire.Decoder(None)(["array", "|b1", [1], "Ag=="])
    assert flag.tobytes() == b"\x01"


# Cells as Jupyter takes them


@pytest.mark.parametrize("cell, python", [
    ("%matplotlib inline\nx = 1", "pass\nx = 1"),
    ("if 1:\n    !ls\n    x = 1", "if 1:\n    pass\n    x = 1"),
    ("%time x = 1", "x = 1"),
    ("%timeit -n 10 f(2)\nx = 1", "pass\nx = 1"),
    ("!pip install a \\\n    b\nx = 1", "pass\n\nx = 1"),
    ("%%time\nx = 1", "\nx = 1"),
    ("np.mean?\nx = 1", "pass\nx = 1"),
    ("files = !ls\nx = 1", "pass\nx = 1"),
    ("x = (7\n%4)\ns = '''\n!ls\n'''", "x = (7\n%4)\ns = '''\n!ls\n'''"),
    ("def f(:\n    pass", "def f(:\n    pass"),
])
def test_magics_are_taken_out_and_python_is_left_alone(cell, python):
    assert child.without_magics(cell) == python


def test_a_cell_of_another_language_says_so():
    with pytest.raises(SyntaxError, match="begins with %%bash is not run here"):
        child.without_magics("\n%%bash\nrm x")


# A record


@pytest.fixture
def graded(tmp_path):
    """Grade answers against the small master of hostile.py, with other tests or given cells."""
    def grade(answers=(), tests=(), given=(), seed=2026, mode="bwrap", code=(),
              solution=()):
        made = hostile.master()
        for part in made["cells"]:
            if part["id"] in code:
                part.update(cell_type="code", outputs=[], execution_count=None)
            if part["id"] in dict(solution):
                part["source"] = hostile.between_markers(dict(solution)[part["id"]])
            for names, end in ((dict(tests), "-test"), (dict(given), "")):
                name = part["id"].removesuffix(end) if part["id"].endswith(end) else None
                part["source"] = names.get(name, part["source"])
        path = tmp_path / "01-small.ipynb"
        path.write_bytes(hostile.to_bytes(made))
        raw = hostile.to_bytes(hostile.notebook(answers))
        return grading.grade(Master(path), raw, seed, mode)

    return grade


def test_of(record, task):
    (test,) = next(k for k in record["tasks"] if k["task"] == task)["tests"]
    return test


test_of.__test__ = False


@needs_bubblewrap
def test_a_record_of_right_answers(graded):
    record = graded({"task-2": "total = float(v.sum())\nprint('total', total)"}, seed=7)
    v = np.random.default_rng([7, 2]).normal(size=5).round(3)
    assert record | {"master": "", "tasks": [], "manual": []} == {
        "format": 1, "problem_set": "01-small", "master": "", "student": "", "name": "",
        "submission": {}, "status": "graded", "notes": [], "score": 10.0, "maximum": 10.0,
        "tasks": [], "manual": [], "output": f"total {float(v.sum())}\n",
    }  # fmt: skip
    assert record["tasks"][0] == {
        "task": "task-1", "title": "Task 1 · Standardise", "score": 3.0, "maximum": 3.0,
        "tests": [{"id": "task-1-test", "score": 3.0, "maximum": 3.0, "outcome": "passed",
                   "message": "", "detail": ""}],
    }  # fmt: skip
    assert record["manual"] == [
        {"id": "task-5", "title": "Task 5 · Why is the mean 0?", "maximum": 2.0,
         "answer": hostile.ANSWERS["task-5"], "score": None, "comment": ""},
    ]  # fmt: skip


@pytest.fixture
def answer(tmp_path):
    """What is read as the answer to task 5 of a notebook whose cells a function changed; notes."""
    path = tmp_path / "01-small.ipynb"
    path.write_bytes(hostile.to_bytes(hostile.master()))
    master = Master(path)

    def read(change, task_5="Because."):
        made, notes = hostile.notebook({"task-5": task_5}), []
        change(made["cells"])
        cells = grading.notebook.cells(grading.notebook.parse(hostile.to_bytes(made)))
        steps = grading.program(master, cells, 2026, notes.append)
        return next(source for kind, _, source in steps if kind == "words"), notes

    return read


def text(source, name=None):
    return hostile.cell("markdown", source, name)


def test_cells_of_text_below_an_answer_in_words_belong_to_it(answer):
    more = [text("One."), hostile.cell("code", "1 + 1"), text("Two.")]
    assert answer(lambda cells: cells.extend(more)) == (
        "Because.\n\n(added cells)\n\nOne.\n\nTwo.", [])
    assert answer(lambda cells: cells.extend(more), "YOUR ANSWER HERE")[0] == (
        "(added cells)\n\nOne.\n\nTwo.")
    assert answer(lambda cells: cells.append(text("  ")))[0] == "Because."


def test_cells_of_text_elsewhere_are_no_answer(answer):
    assert answer(lambda cells: cells.insert(-1, text("My plan.")))[0] == "Because."

    def another_order(cells):
        last = cells.pop()
        cells[1:1] = [last]
        cells.append(text("The end."))

    assert answer(another_order)[0] == "Because."


def test_an_answer_in_words_that_was_split_is_read_whole(answer):
    """Jupyter gives both halves of a cell the same metadata."""
    def split(cells):
        cells.append(cells[-1] | {"id": "half", "source": "And so."})

    assert answer(split) == ("Because.\n\n(added cells)\n\nAnd so.",
                             ["The cell task-5 is there twice; both are read."])


@pytest.mark.parametrize("picture", ["![](attachment:page.png)", '<img src="attachment:a.jpg">',
                                     "![mine](data:image/png;base64,AAAA)"])
def test_a_picture_in_an_answer_is_told(answer, picture):
    said = ["The answer to task-5 has a picture, which stands only in the notebook."]
    assert answer(lambda cells: None, picture)[1] == said
    assert answer(lambda cells: cells.append(text(picture)))[1] == said
    assert answer(lambda cells: cells.insert(-1, text(picture)))[1] == []


@needs_bubblewrap
def test_another_students_number_earns_nothing(graded):
    total = np.random.default_rng([8, 2]).normal(size=5).round(3).sum()
    record = graded({"task-2": f"total = {total}"}, seed=7)
    assert test_of(record, "task-2")["outcome"] == "failed" and record["score"] == 8


@needs_bubblewrap
def test_messages_of_visible_and_hidden_tests(graded):
    record = graded({"task-1": "def standardise(x):\n    return (x - 3) / 2 ** 0.5",
                     "task-2": "total = 10 ** 6", "task-3": "def slope(f, x):\n    return 0.25"})
    hidden, visible = test_of(record, "task-1"), test_of(record, "task-2")
    hint = "Hint: mean and std of all numbers"
    assert hidden["message"] == f"A test that you don't see failed. {hint}"
    assert hidden["detail"].startswith("line 5: AssertionError")
    assert visible["message"].startswith("total: off by up to 1")
    assert test_of(record, "task-3")["message"] == "slope of 3t: off by up to 0.92"


@needs_bubblewrap
def test_a_hidden_message_without_hint_stays_hidden(graded):
    tests = {"task-1": "standardise\n### BEGIN HIDDEN TESTS\n"
                       "assert standardise(np.ones(1)) == 77, 'secret 77'\n### END HIDDEN TESTS"}
    test = test_of(graded(tests=tests), "task-1")
    assert test["message"] == "A test that you don't see failed." and "secret 77" in test["detail"]


@needs_bubblewrap
@pytest.mark.parametrize("told", [
    "raise type('Hint: ', (Exception,), {})(x.tolist())", "raise ValueError(f'Hint: {x}')",
    "return np.empty((int(x[0, 0] * 100), 0))", "return 'x' * int(x[0, 0] * 100)",
])
def test_a_hint_holds_nothing_that_the_students_code_chose(graded, told):
    answer = f"def standardise(x):\n    if x.ndim == 2:\n        {told}\n    return x - x"
    tests = {"task-1": "standardise(np.ones(2))\n### BEGIN HIDDEN TESTS\n"
                       "what = f'Hint: ones, {2}'\ncompare(standardise(np.full((2, 2), 77.31)), "
                       "np.zeros((2, 2)), what)\n### END HIDDEN TESTS"}
    told = test_of(graded({"task-1": answer}, tests), "task-1")["message"]
    unseen = "A test that you don't see failed."
    assert told in (unseen, f"{unseen} Hint: ones, 2")


@needs_bubblewrap
def test_a_value_that_the_visible_part_has_read_is_the_students_in_the_hidden_part(graded):
    tests = {"task-2": "assert np.shape(total) == ()\n### BEGIN HIDDEN TESTS\n"
                       "compare(total, sum(v), 'Hint: total')\n### END HIDDEN TESTS"}
    test = test_of(graded({"task-2": "total = 1e6"}, tests), "task-2")
    assert test["outcome"] == "failed" and "Hint: total" in test["message"]


@needs_bubblewrap
@pytest.mark.parametrize("source, cause", [
    ("assert 1 == 2", "AssertionError"),
    ("expected = no_such_name\ncompare(total, expected, 'total')", "NameError"),
    ("compare(total, np.linalg.inv(np.zeros((2, 2))), 'total')", "LinAlgError"),
    ("while True: pass", "TimeUp"),
])  # fmt: skip
def test_a_fault_of_the_test_is_no_fault_of_the_student(graded, monkeypatch, source, cause):
    monkeypatch.setattr(grading, "TEST", 0.5)
    record = graded(tests={"task-2": source.replace("compare(total, np", "compare(np")})
    test = test_of(record, "task-2")
    assert record["status"] == test["outcome"] == "grader error" and cause in test["detail"]
    assert record["score"] == 8 and "teacher" in test["message"]


@needs_bubblewrap
def test_a_given_cell_that_fails_is_a_fault_of_the_grader(graded):
    record = graded(given={"setup": "import no_such_module"})
    assert record["status"] == "grader error" and record["score"] == 0
    assert "no_such_module" in test_of(record, "task-1")["detail"]


@needs_bubblewrap
def test_a_helper_may_have_a_local_name_that_an_answer_has(graded):
    """Else the cell of the helpers would not count as the grader's own."""
    given = {"setup": hostile.SETUP + "\n\ndef own(x):\n    total = x\n    return total"}
    record = graded(given=given, tests={"task-2": "compare(total, own(sum(v)), 'total')"})
    assert (record["status"], record["score"]) == ("graded", 10)


@needs_bubblewrap
def test_given_numbers_are_the_graders_even_where_an_answer_uses_their_name(graded):
    answer = "x = np.zeros(5)\nv = np.zeros(5)\ntotal = 0.0"
    record = graded({"task-2": answer}, solution={"task-2": "v = v + 0\ntotal = v.sum()"})
    assert test_of(record, "task-2")["outcome"] == "failed"


@needs_bubblewrap
def test_a_function_can_not_change_what_it_is_compared_with(graded):
    """Neither in this test nor, through the given numbers, in a later one."""
    tests = {"task-1": "x = np.arange(5.0)\nyours = standardise(x)\n"
                       "compare(yours, (x - x.mean()) / x.std(), 'x')",
             "task-3": "compare(slope(None, v), v * 2, 'v')"}
    answers = {"task-1": "def standardise(x):\n    x[...] = [1, -1, 1, -1, 0]\n"
                         "    return x / 0.8 ** 0.5",
               "task-2": "total = 0.0",
               "task-3": "def slope(f, x):\n    x[...] = 0\n    return 2 * x"}
    assert graded(answers, tests)["score"] == 2
    hidden = "### BEGIN HIDDEN TESTS\ncompare(yours"
    tests["task-1"] = tests["task-1"].replace("compare(yours", hidden) + "\n### END HIDDEN TESTS"
    assert graded(answers, tests)["score"] == 2


@needs_bubblewrap
def test_a_function_that_must_not_change_its_argument(graded):
    tests = {"task-1": "x = np.arange(5.0)\nstandardise(x)\n"
                       "assert np.array_equal(x, np.arange(5.0)), 'x was changed'"}
    answer = "def standardise(x):\n    x -= x.mean()\n    return x / x.std()"
    assert test_of(graded({"task-1": answer}, tests), "task-1")["message"] == "x was changed"


@needs_bubblewrap
def test_the_next_submission_starts_with_fresh_numbers(graded):
    spoiled = {"task-2": "v[:] = 0\ncompare(total, sum(v), 'total')"}
    assert test_of(graded(tests=spoiled), "task-2")["outcome"] == "failed"
    assert graded()["score"] == 10


# What a test sees of the student's code


@needs_bubblewrap
def test_errors_of_a_function_can_be_expected(graded):
    tests = {"task-1": "try:\n    standardise(np.ones(2))\nexcept ValueError as error:\n"
                       "    assert 'no spread' in str(error)\nelse:\n    assert False"}
    raising = "def standardise(x):\n    if not x.std():\n        raise {}('no spread')"
    assert graded({"task-1": raising.format("ValueError")}, tests)["score"] == 10
    assert graded({"task-1": raising.format("np.linalg.LinAlgError")}, tests)["score"] == 10
    assert graded({"task-1": raising.format("TypeError")}, tests)["score"] == 7


@needs_bubblewrap
def test_arrays_changed_in_place_are_changed_in_the_test(graded):
    tests = {"task-4": "w = {'W': np.ones((2, 2)), 'b': [np.ones(3), np.ones(1)]}\nhalve(w)\n"
                       "compare(w['W'], np.ones((2, 2)), 'W')\n"
                       "compare(w['b'][0], np.full(3, 0.5), 'b')\ncompare(w['b'][1], [1], 'b')"}
    assert graded({"task-4": "def halve(w):\n    w['b'][0] /= 2"}, tests)["score"] == 10


@needs_bubblewrap
def test_objects_can_be_called_and_asked_for_attributes_and_items(graded):
    tests = {"task-2": "net = total(2)\ncompare(net.W, [2, 2], 'W')\ncompare(net['b'], {b}, 'b')\n"
                       "compare(net.add(net), [4, 4], 'add')\ncompare(net.same.W, [2, 2], 'same')"}
    answer = ("class total:\n    def __init__(self, n): self.W, self.same = n * np.ones(2), self\n"
              "    def __getitem__(self, key): return {'b': 3}[key]\n"
              "    def add(self, other): return self.W + other.W\n")
    right, wrong = ({"task-2": tests["task-2"].format(b=b)} for b in (3, 4))
    assert graded({"task-2": answer}, right)["score"] == 10
    assert graded({"task-2": answer}, wrong)["score"] == 8


@needs_bubblewrap
def test_functions_of_a_test_may_call_the_students_functions(graded):
    tests = {"task-3": "def half(t):\n    return slope(None, t) / 2\n"
                       "compare(slope(half, 6.0), 18.0, 'slope')"}
    answer = "def slope(f, x):\n    return x if f is None else sum(f(x) for _ in range(6))"
    assert graded({"task-3": answer}, tests)["score"] == 10


@needs_bubblewrap
def test_functions_of_numpy_and_byhand_arrive_as_themselves(graded):
    tests = {"task-3": "compare(slope(sigmoid, 0.0), 0.25, 'slope')\n"
                       "compare(slope(np.tanh, 0.0), 1.0, 'slope')"}
    answer = ("import byhand\ndef slope(f, x):\n"
              "    return f.prime(x) if f is byhand.sigmoid else float(f is np.tanh)")
    assert graded({"task-3": answer}, tests)["score"] == 10


@needs_bubblewrap
def test_a_failed_check_in_a_function_of_the_test_fails_the_test(graded):
    tests = {"task-3": "def strict(t):\n    assert t.shape == (), 'f takes one number'\n"
                       "    return t\nslope(strict, np.float64(1))"}
    answer = "def slope(f, x):\n    try: f(np.ones(2))\n    except Exception: pass\n    return 1"
    assert test_of(graded({"task-3": answer}, tests), "task-3")["message"] == "f takes one number"


@needs_bubblewrap
def test_a_hidden_test_sees_the_names_as_they_were_at_its_place(graded):
    answers = {"task-1": "power = 1\ndef standardise(x):\n"
                         "    return ((x - x.mean()) / x.std()) ** power",
               "task-2": "power = 2\ntotal = v.sum()\ndel power"}
    assert graded(answers)["score"] == 10


@needs_bubblewrap
def test_a_later_cell_may_change_an_array_in_place(graded):
    tests = {"task-2": "total\n### BEGIN HIDDEN TESTS\ncompare(total, v.sum(), 'Hint: total')\n"
                       "### END HIDDEN TESTS"}
    answers = {"task-2": "total = np.array(v.sum())",
               "task-3": "total -= 7\n" + hostile.ANSWERS["task-3"]}
    tests["task-2"] = tests["task-2"].replace("total\n", "assert True\n", 1)
    assert graded(answers, tests)["score"] == 10


@needs_bubblewrap
@pytest.mark.parametrize("task, source", [
    ("task-2", "import os\nos._exit(1)"),
    ("task-4", "def halve(a):\n    import os\n    os._exit(1)"),
])
def test_after_a_crash_the_rest_is_as_it_would_have_been(graded, task, source):
    """The process is started anew and told the earlier cells; hidden parts have yet to run."""
    record = graded({task: source})
    assert (record["status"], record["score"]) == ("stopped", 8)
    assert test_of(record, task)["outcome"] == "failed"


@needs_bubblewrap
def test_when_the_time_is_up_the_rest_is_not_run(graded, monkeypatch):
    monkeypatch.setattr(grading, "TOTAL", 3)
    record = graded({"task-2": "while True:\n    pass"})
    assert record["status"] == "stopped" and test_of(record, "task-3")["outcome"] == "not run"
    assert "used up" in test_of(record, "task-3")["message"]


@needs_bubblewrap
def test_what_is_done_again_after_a_death_takes_no_time_from_the_rest(graded, monkeypatch):
    monkeypatch.setattr(grading, "TOTAL", 5)
    monkeypatch.setattr(remote, "CALL", 0.5)
    slow = "import time\ntime.sleep(3)\n" + hostile.ANSWERS["task-1"]
    record = graded({"task-1": slow, "task-3": "def slope(f, x):\n    while True: pass"})
    assert (record["status"], record["score"]) == ("stopped", 7)
    assert not any("ran longer" in note for note in record["notes"])


@needs_bubblewrap
def test_a_test_that_comes_too_late_is_not_run(graded, monkeypatch):
    """Even if it has done nothing yet but its own work: that is no fault of the grader."""
    monkeypatch.setattr(grading, "TOTAL", 3)
    tests = {"task-2": "import time\ntime.sleep(60)\ntotal"}
    record = graded({"task-1": "import time\ntime.sleep(1)\n" + hostile.ANSWERS["task-1"]}, tests)
    assert record["status"] == "stopped" and test_of(record, "task-2")["outcome"] == "not run"


@needs_bubblewrap
def test_a_function_of_a_test_that_is_called_after_it_fails_nothing(graded):
    answers = {"task-3": "def slope(f, x):\n    global kept\n    kept = f\n"
                         "    return (f(x + 1e-5) - f(x - 1e-5)) / 2e-5",
               "task-4": "try:\n    kept([1, 2])\nexcept RuntimeError:\n    pass\n"
                         + hostile.ANSWERS["task-4"]}
    tests = {"task-3": "def line(t):\n    assert np.ndim(t) == 0\n    return 3 * t\n\n"
                       "compare(slope(line, 1.0), 3.0, 'slope', 1e-4)"}
    assert graded(answers, tests)["score"] == 10


@needs_bubblewrap
def test_names_of_a_library_may_be_brought_in_by_a_star(graded):
    start = "from matplotlib.pyplot import *\nfrom byhand.plotting import *\nplot([1, 2])\n"
    assert graded({"task-2": start + hostile.ANSWERS["task-2"]})["score"] == 10


@needs_bubblewrap
def test_a_call_may_not_take_longer_by_calling_back(graded, monkeypatch):
    monkeypatch.setattr(remote, "CALL", 1)
    answer = "import time\ndef slope(f, x):\n    while True:\n        time.sleep(0.1)\n        f(x)"
    record = graded({"task-3": answer})
    assert "was stopped" in test_of(record, "task-3")["message"] and record["score"] == 7


class Fixed:
    """A process that answers nothing: whoever asks it has gone too far."""

    def ask(self, *args, **kwargs):
        raise AssertionError("asked")


@pytest.mark.parametrize("use", [
    bool, len, iter, float, int, abs, hash, lambda p: p == p, lambda p: p != 1, lambda p: p < 1,
    lambda p: 1 >= p, lambda p: p + 1, lambda p: 1 - p, lambda p: -p, lambda p: p @ p, np.asarray,
    lambda p: np.ones(2) * p, lambda p: np.allclose(p, 1), lambda p: 1 in p, lambda p: f"{p:.2f}",
    lambda p: [*p], lambda p: p.__eq__(p), lambda p: np.float64(1) == p, lambda p: divmod(p, 2),
])  # fmt: skip
def test_an_object_in_place_of_a_number_always_raises(use):
    proxy = remote.Proxy(Fixed(), 0, "Liar")
    with pytest.raises((remote.StudentError, TypeError)):
        use(proxy)


# The process


@needs_bubblewrap
@pytest.mark.parametrize("answer, drawn", [("total = v.sum()", False),
                                           ("fig\ntotal = v.sum()", True)])
def test_a_given_cell_that_nothing_builds_on_is_not_run(graded, answer, drawn):
    """Pictures are for the eyes, and cost more than all tests together."""
    given = {"numbers": hostile.NUMBERS + "\nunused = 1", "task-2-text": "fig = 1\ndrawn_1 = 2"}
    look = "print(any(name.startswith('drawn_') for name in globals()))\n"
    record = graded({"task-2": look + answer}, given=given,
                    code=["task-2-text"])
    assert record["score"] == 10 and record["output"] == f"{drawn}\n"


@needs_bubblewrap
def test_matplotlib_is_brought_in_when_it_is_used(graded):
    look = "import sys\nprint('matplotlib.figure' in sys.modules)\n"
    record = graded({
        "task-1": look + hostile.RIGHT,
        "task-2": "plt.plot([1, 2])\nplt.show()\n" + look + hostile.ANSWERS["task-2"],
        "task-3": "import matplotlib.colors\nfrom matplotlib import pyplot\n"
                  "print(pyplot.gcf() is plt.gcf())\n" + hostile.ANSWERS["task-3"],
    })  # fmt: skip
    assert record["score"] == 10 and record["output"] == "False\nTrue\nTrue\n"


@needs_bubblewrap
@pytest.mark.parametrize("use", ["use_style()", "byhand.plotting.use_style()", "plt.gca()",
                                 "print(len(byhand.plotting.COLOURS))", "plotting.use_style()"])
def test_the_figures_of_byhand_are_brought_in_when_they_are_used(graded, use):
    source = ("import sys\nimport byhand.plotting\nfrom byhand import plotting\n"
              "from byhand.plotting import plot_digits, use_style\n"
              "print('matplotlib.figure' in sys.modules)\n" + use +
              "\nprint('matplotlib.figure' in sys.modules)\n"
              "plot_digits(np.zeros((1, 784)))\n" + hostile.RIGHT)
    record = graded({"task-1": source})
    assert record["score"] == 10 and not record["notes"]
    assert record["output"].replace("8\n", "") == "False\nTrue\n"


@needs_bubblewrap
def test_numbers_drawn_without_a_seed_are_the_same_again(graded):
    source = ("import random\nprint(np.random.default_rng().random(), np.random.rand(), "
              "random.random(), {'a', 'b', 'c'}, object())\n" + hostile.RIGHT)
    first, second = graded({"task-1": source}), graded({"task-1": source})
    assert first["output"].count("0.") == 3 and json.dumps(first) == json.dumps(second)


def test_without_bubblewrap_grading_is_refused(graded, monkeypatch):
    monkeypatch.setenv("PATH", "")
    sandbox.check.cache_clear()
    with pytest.raises(sandbox.Unavailable, match="--no-sandbox"):
        graded()


def test_without_a_sandbox_the_limits_hold(graded):
    source = ("import os, time\nfor use in (os.fork, lambda: bytearray(3 * 2**30),\n"
              "            lambda: open('big', 'wb').write(bytes(2**26))):\n"
              "    try: use()\n    except (OSError, MemoryError) as e: print(type(e).__name__)\n")
    answers = {"task-1": source + hostile.RIGHT, "task-2": "import os\nos._exit(0)"}
    record = graded(answers, mode="none")
    assert record["output"] == "PermissionError\nMemoryError\nOSError\n"
    assert (record["status"], record["score"]) == ("stopped", 8)


def test_a_sandbox_of_another_kind_is_refused(graded):
    with pytest.raises(ValueError, match="expected the sandbox 'bwrap' or 'none', got 'docker'"):
        graded(mode="docker")
