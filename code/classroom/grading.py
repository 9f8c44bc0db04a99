"""grade(master, raw, seed): what a submission earns, as a record.

The student's cells run in a sandboxed process (remote.py, sandbox.py, child.py), in the order of
the problem set; of the submission only the answers and the cells that students added are taken.
The tests run here, from the master. In a test the names that the master's answers define come from
the student's process; all others (numpy, the numbers, the helpers) are the grader's own, even
where an answer defines the same name.

The hidden part of a test, from ### BEGIN HIDDEN TESTS to its cell's end, runs after all cells and
all visible parts, with the student's names as they were at the test's place: so a student's code
can't print a hidden input into the output that the student gets to see.
"""

import ast
import builtins
import contextlib
import copy
import functools
import gc
import io
import re
import signal
import threading
import time
import types
import warnings

import numpy as np

from . import child, notebook
from .master import OPEN_SEED, bare, bound, points, task_of, used
from .notebook import Cell
from .remote import CALL, CELL, NotDefined, Remote, StudentError, clean, plain
from .sandbox import ENDED, Died, TimeUp, check

VERSION = 1                     # of records and of how they come about
TEST, TOTAL = 20, 60            # seconds for a test cell, for a submission
SHOWN = 4000                    # characters of output
NOTES = 20
LONGEST = 20_000                # characters of an answer in words
LATE = f"Not run: the {TOTAL} s for the notebook were used up before."
UNSEEN = "A test that you don't see failed."
PICTURE = re.compile(r"\battachment:|\bdata:image/")


def grade(master, raw, seed=OPEN_SEED, sandbox="bwrap"):
    """The record of a submission: its points, task by task, with words for student and teacher.

    master: a Master; raw: the bytes handed in; seed: of this student's numbers; sandbox: "bwrap",
    or "none" for no protection at all. Never raises for what a submission holds; raises
    sandbox.Unavailable where there is no bubblewrap. student, name and submission stay empty.
    """
    check(sandbox)
    record = blank(master)
    try:
        cells = notebook.cells(notebook.parse(raw))
    except notebook.Unreadable as error:
        return record | {"status": "unreadable", "notes": [str(error)]}
    grading = Grading(master, cells, seed, sandbox, record)
    try:
        grading.run()
    except Exception as error:
        record["status"] = "grader error"
        record["notes"].append("The grader failed; your teacher will see to it.")
        grading.finish(f"{type(error).__name__}: {clean(str(error))}")
    finally:
        grading.close()
        del grading
        gc.collect()        # exceptions hold a test's data, maybe all digits, in cycles
    return record


def blank(master):
    """A record without a submission."""
    tasks = [
        {"task": task.name, "title": task.title, "score": 0.0, "maximum": task.maximum,
         "tests": [{"id": cell.grade_id, "score": 0.0, "maximum": points(cell),
                    "outcome": "not run", "message": "", "detail": ""} for cell in task.tests]}
        for task in master.tasks.values() if task.tests
    ]  # fmt: skip
    manual = [
        {"id": cell.grade_id, "title": task.title, "maximum": points(cell), "answer": "",
         "score": None, "comment": ""}
        for task in master.tasks.values() for cell in task.manual
    ]  # fmt: skip
    return {
        "format": 1, "problem_set": master.name, "master": master.sha256, "student": "",
        "name": "", "submission": {}, "status": "missing", "notes": [], "score": 0.0,
        "maximum": master.maximum, "tasks": tasks, "manual": manual, "output": "",
    }  # fmt: skip


class Names(dict):
    """The names of a test, each made when it is used: those of answers come from the student's
    process, all others are copies of the grader's own, because a function may change its arguments.

    touched: has the test looked at the student's work? If it fails before, the fault is its own.
    rewrote: has a function changed its arguments and returned a value, too?
    """

    def __init__(self, trusted, answers, fetch):
        super().__init__(__builtins__=builtins)
        self.trusted, self.answers, self.fetch = trusted, answers, fetch
        self.touched = self.rewrote = False

    def __missing__(self, name):
        if name in self.trusted:
            value = copied(self.trusted[name])
        elif name in self.answers:
            self.touched = True
            value = self.fetch(name)
        else:
            raise KeyError(name)
        self[name] = value
        return value


def copied(value):
    """A copy that nothing done to it takes back to the original; code is not copied."""
    if isinstance(value, (types.ModuleType, types.FunctionType, type, np.ufunc)):
        return value
    try:
        return copy.deepcopy(value)
    except Exception:
        return value


class Student:
    """The student's process: after a death it is started again and told what it did until then."""

    def __init__(self, mode, until):
        self.mode, self.until = mode, until
        self.remote, self.lives, self.done, self.longest = None, 0, [], until + TOTAL

    def run(self, source, cell):
        answer = self.alive().run(source, cell)
        self.done.append(("run", source, cell))
        return answer

    def keep(self, key):
        self.alive().keep(key)
        self.done.append(("keep", key))

    def recall(self, key):
        self.alive().recall(key)

    def get(self, name):
        return self.alive().get(name)

    def alive(self):
        """The process; one that died is replaced, and what kills it again is left out.

        What it did until then is done again in time of its own, as long as that isn't abused.
        """
        while not (self.remote and self.remote.alive):
            began = time.monotonic()
            if began >= self.until:
                raise TimeUp()
            self.remote, self.lives = Remote(self.mode, self.longest), self.lives + 1
            for entry in list(self.done):
                try:
                    getattr(self.remote, entry[0])(*entry[1:])
                except (Died, TimeUp):
                    self.done.remove(entry)
                    break
                except StudentError:
                    pass
            self.until = min(self.until + time.monotonic() - began, self.longest)
            self.remote.until = self.until
        return self.remote

    def close(self):
        if self.remote:
            self.remote.close()


class Grading:
    """One submission on its way to a record."""

    def __init__(self, master, cells, seed, mode, record):
        self.master, self.cells, self.seed, self.record = master, cells, seed, record
        self.student = Student(mode, time.monotonic() + TOTAL)
        self.entries = {test["id"]: test for task in record["tasks"] for test in task["tests"]}
        self.trusted, self.unanswered = {}, set()
        self.waiting = []           # tests whose hidden part is still to run
        self.stopped = False

    def run(self):
        self.trusted = trusted_names(self.master, self.seed)
        steps = program(self.master, self.cells, self.seed, self.note)
        self.take_words(steps)
        for kind, cell, source in steps:
            if self.late():
                break
            if kind == "test":
                self.visible(cell)
            elif kind != "words":
                self.execute(kind, cell, source)
        for cell, names, life in self.waiting:
            if self.late():
                break
            self.hidden(cell, names, life)
        self.finish("")

    def take_words(self, steps):
        """Take over the answers in words, and see which cells are as they were handed out."""
        self.unanswered = {cell.grade_id for kind, cell, source in steps
                           if kind == "answer" and source.strip() == bare(cell).strip()}
        words = {cell.grade_id: source for kind, cell, source in steps if kind == "words"}
        for entry in self.record["manual"]:
            entry["answer"] = plain(words.get(entry["id"], ""), LONGEST)

    def late(self):
        return time.monotonic() >= self.student.until

    def execute(self, kind, cell, source):
        """Run a cell in the student's process and note what went wrong."""
        name = cell.grade_id
        try:
            printed, error = self.student.run(source, name)
        except TimeUp:
            self.stopped = True
            if not self.late():         # else the tests say that the time for all was used up
                self.note(f"The cell {name} ran longer than {CELL} s and was stopped.")
        except Died as death:
            self.stopped = True
            self.note(f"The cell {name} ended Python: {death}.")
        else:
            if kind != "locked":
                self.record["output"] = clean(self.record["output"] + printed, SHOWN)
            if error and not self.untouched(kind, cell):
                self.note(f"The cell {name} stopped with {error}.")

    def untouched(self, kind, cell):
        """Is this a cell to answer, or one that builds on answers, as it was handed out?"""
        if kind == "locked" and task_of(cell) in self.master.tasks:
            return self.blank(cell)
        return cell.grade_id in self.unanswered

    def visible(self, cell):
        """Run the visible part of a test; a hidden part has to wait."""
        first, rest = parts(cell.source)
        names = self.names()
        failure = self.attempt(cell, first, names, hidden=False)
        if failure or not rest:
            self.settle(cell, failure or self.without_changes(cell, names, hidden=False))
            return
        self.waiting.append((cell, names, self.student.lives))
        with contextlib.suppress(Died, TimeUp, StudentError):
            self.student.keep(cell.grade_id)
            for name in used(cell.source) & self.master.answer_names:
                names[name]             # later cells may change an array in place

    def hidden(self, cell, names, life):
        """Run the hidden part; where the process had to start again, the visible part once more."""
        first, rest = parts(cell.source)
        try:
            self.student.recall(cell.grade_id)
        except (Died, TimeUp, StudentError) as error:
            if not self.late():
                detail = f"{type(error).__name__}: {clean(str(error))}"
                self.settle(cell, ("failed", UNSEEN, detail))
            return
        failure = None
        if self.student.lives != life:
            names = self.names()
            failure = self.attempt(cell, first, names, hidden=True)
        self.settle(cell, failure or self.attempt(cell, rest, names, hidden=True)
                    or self.without_changes(cell, names, hidden=True))

    def without_changes(self, cell, names, hidden):
        """Once more a test in which a function changed its arguments and returned a value, now
        without these changes: else a function could change the numbers that it is compared with."""
        if not names.rewrote:
            return None
        remote, again = self.student.remote, self.names()
        remote.write_back = False
        failures = (self.attempt(cell, part, again, hidden) for part in parts(cell.source) if part)
        failure = next(filter(None, failures), None)
        remote.write_back = True
        return failure

    def names(self):
        return Names(self.trusted, self.master.answer_names, self.student.get)

    def attempt(self, cell, part, names, hidden):
        """Run a part of a test: None, or (outcome, message for the student, for the teacher)."""
        try:
            remote = self.student.alive()
        except TimeUp:
            return "not run", LATE, ""
        remote.rewrote = False
        try:
            with quiet(), alarm(min(self.student.until, time.monotonic() + TEST)):
                exec(part, names)
        except (Exception, TimeUp, Died) as error:
            return self.judge(error, names.touched, cell, hidden)
        if not remote.alive:
            return self.judge(Died(ENDED), True, cell, hidden)
        names.rewrote |= remote.rewrote
        return None

    def judge(self, error, touched, cell, hidden):
        """What to say about the exception that ended a test."""
        line = line_of(error)
        said = str(error).strip()
        detail = f"line {line}: {type(error).__name__}: {clean(said)}"
        if isinstance(error, (TimeUp, Died)):
            self.stopped = True
        if isinstance(error, TimeUp) and not touched and self.late():
            return "not run", LATE, detail
        if not touched:
            return "grader error", "The grader failed; your teacher will see to it.", detail
        if self.blank(cell) and isinstance(error, (NotDefined, NotImplementedError)):
            return "failed", "There is no answer in its cell yet.", detail
        if hidden:
            hint = hint_of(cell.source, said) if isinstance(error, AssertionError) else ""
            return "failed", f"{UNSEEN} {clean(hint)}".strip(), detail
        if isinstance(error, TimeUp) and self.late():
            message = f"Your code was stopped: the {TOTAL} s for the notebook were used up."
        elif isinstance(error, TimeUp):
            message = f"Your code was stopped: it may take {CALL} s a call, {TEST} s a test."
        elif isinstance(error, Died):
            message = f"Your code ended Python: {error}."
        elif isinstance(error, NotDefined):
            message = f"{error}: there is no answer, or its cell stopped before it."
        elif isinstance(error, StudentError):
            message = f"Your code stopped with {error}." if hasattr(error, "stopped") else said
        elif isinstance(error, AssertionError):
            message = said or f"The check in line {line} of the test failed."
        else:
            message = f"The test can't use what your code returned: {type(error).__name__}: {said}"
        return "failed", clean(message), detail

    def blank(self, cell):
        """Is the task of this test as it was handed out?"""
        task = self.master.tasks[task_of(cell)]
        return all(answer.grade_id in self.unanswered for answer in task.answers)

    def settle(self, cell, failure):
        entry = self.entries[cell.grade_id]
        outcome, entry["message"], entry["detail"] = failure or ("passed", "", "")
        entry["outcome"] = outcome
        entry["score"] = entry["maximum"] if outcome == "passed" else 0.0

    def finish(self, fault):
        """Add up, and say why the tests that didn't run did not."""
        record = self.record
        for entry in self.entries.values():
            if entry["outcome"] == "not run" and fault:
                entry["outcome"], entry["detail"] = "grader error", fault
                entry["message"] = "The grader failed; your teacher will see to it."
            elif entry["outcome"] == "not run":
                self.stopped = True
                entry["message"] = LATE
        for task in record["tasks"]:
            task["score"] = sum(test["score"] for test in task["tests"])
        record["score"] = sum(task["score"] for task in record["tasks"])
        failed = any(test["outcome"] == "grader error" for test in self.entries.values())
        record["status"] = ("grader error" if fault or failed
                            else "stopped" if self.stopped else "graded")

    def note(self, text):
        text = " ".join(clean(text).split())
        if len(self.record["notes"]) < NOTES and text not in self.record["notes"]:
            self.record["notes"].append(text)

    def close(self):
        self.student.close()


def program(master, cells, seed, note):
    """What is run, in order: (kind, cell, source) of "locked", "answer", "words", "added", "test".

    The cells of the master in the master's order; behind each, the code cells that the student
    added there; cells of text belong to the answer in words above them. note: a function that takes
    a sentence for the student.
    """
    found, added, more = handed_in(master, cells, note)
    words = {word for cell in [*found.values(), *sum(added.values(), [])]
             if not cell.nbgrader.get("locked") for word in re.findall(r"\w+", cell.source)}
    made = [("added", cell, cell.source) for cell in added.get(None, [])]
    for cell in master.cells:
        theirs = found.get(cell.grade_id)
        if cell.nbgrader.get("solution"):
            if theirs and cell.nbgrader["grade"]:
                text = theirs.source.strip()
                text = [] if text == bare(cell).strip() else [text]
                if cell.grade_id in more:
                    text += ["(added cells)", *more[cell.grade_id]]
                made.append(("words", cell, "\n\n".join(text)))
                if PICTURE.search(made[-1][2]):
                    note(f"The answer to {cell.grade_id} has a picture, which stands only in the "
                         "notebook.")
            if theirs and theirs.kind == "code":
                made.append(("answer", cell, theirs.source))
        elif cell.kind == "code" and cell.nbgrader.get("grade"):
            made.append(("test", cell, ""))
        elif cell.kind == "code" and cell.nbgrader and needed(cell, master, words):
            made.append(("locked", cell, master.source(cell, seed)))
        if cell.grade_id:
            made += [("added", extra, extra.source) for extra in added.get(cell.grade_id, [])]
    return made


def handed_in(master, cells, note):
    """The submission's cells {grade_id: cell} that the master knows, those that students added,
    {grade_id of the cell before, or None: [cell]}, and the texts that they added between an answer
    in words and the next cell of the set: {its grade_id: [text]}."""
    found, added, more, last, words = {}, {}, {}, None, None
    given = {cell.source.strip() for cell in master.cells if not cell.grade_id}
    answers = {cell.grade_id: cell for cell in master.cells if cell.nbgrader.get("solution")}
    for cell in cells:
        known = master.by_id.get(cell.grade_id)
        if known and cell.grade_id not in found:
            found[cell.grade_id], last = cell, cell.grade_id
            words = last if last in answers and known.nbgrader["grade"] else None
            if cell.grade_id in answers and known.kind != cell.kind:
                note(f"The cell {cell.grade_id} should be a {known.kind} cell.")
            continue
        if known:
            what = ("the copy is left out" if cell.grade_id not in answers
                    else "both are run" if cell.kind == "code"
                    else "both are read" if cell.grade_id == words else "the first one counts")
            note(f"The cell {cell.grade_id} is there twice; {what}.")
        text = cell.source.strip()
        if cell.kind == "markdown" and (cell.grade_id == words if known else text not in given):
            if words and text:
                more.setdefault(words, []).append(text)
        elif cell.kind == "markdown":
            words = None
        if cell.kind == "code" and (not known or cell.grade_id in answers):
            name = f"added after {last}" if last else "added at the top"
            added.setdefault(last, []).append(Cell("code", cell.source, {"grade_id": name}))
    if not answers.keys() & found.keys():
        note(f"No answer to {master.title} was found: is it the right notebook?")
    else:
        for missing in [name for name in answers if name not in found]:
            note(f"The cell {missing} is missing.")
    if list(found) != [cell.grade_id for cell in master.cells if cell.grade_id in found]:
        note("Cells were moved; they are run in the order of the problem set.")
    return found, added, more


def needed(cell, master, words):
    """Does the master or the submission (its words) build on what this locked cell defines?

    If nothing does, it is for the eyes: drawing would cost more than all tests together.
    """
    names = bound(cell.source)
    others = (other for other in master.cells if other.kind == "code" and other is not cell)
    return bool(names & words) or any(names & used(other.source) for other in others)


def trusted_names(master, seed):
    """The names of the master's locked cells that use no answer."""
    names = {"__name__": "__main__"}
    child.put_off_matplotlib()
    with quiet():
        for cell in master.trusted:
            exec(compile(master.source(cell, seed), f"<cell {cell.grade_id}>", "exec"), names)
    return names


@functools.lru_cache(100)
def parts(source):
    """The visible and the hidden part of a test, compiled; None for a hidden part that isn't there.
    """
    lines = source.split("\n")
    marks = [number for number, line in enumerate(lines, 1) if "BEGIN HIDDEN TESTS" in line]
    cut = min(marks, default=len(lines) + 1)
    body = ast.parse(source).body
    seen = sum(node.end_lineno < cut for node in body)
    first, rest = (compile(ast.Module(part, type_ignores=[]), "<test>", "exec")
                   for part in (body[:seen], body[seen:]))
    return first, rest if body[seen:] else None


def hint_of(source, said):
    """What a failed hidden test may tell: what stands in the test itself, after "Hint: ".

    What comes behind it, shapes and numbers that came, can be made to hold a hidden input.
    """
    hints = [""]
    for node in ast.walk(ast.parse(source)):
        parts = node.values if isinstance(node, ast.JoinedStr) else [node]
        texts = [getattr(part, "value", None) for part in parts]
        pattern = "".join(re.escape(t) if isinstance(t, str) else r"\w{1,20}" for t in texts)
        if texts[0] and str(texts[0]).startswith("Hint: ") and (found := re.match(pattern, said)):
            hints.append(found[0])
    return max(hints, key=len)


def line_of(error):
    """The line of the test that raised."""
    line, trace = 0, error.__traceback__
    while trace:
        if trace.tb_frame.f_code.co_filename == "<test>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


@contextlib.contextmanager
def quiet():
    """No prints, warnings or figures of the tests."""
    printed = io.StringIO()
    with warnings.catch_warnings(), np.errstate(), contextlib.redirect_stdout(printed):
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def alarm(until):
    """Raise TimeUp in a test that doesn't end by itself (in the main thread: no other can be)."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(*_):
        raise TimeUp()

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, max(0, until - time.monotonic()) + 0.5)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
