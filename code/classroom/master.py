"""Masters: a problem set with its solutions and tests, in nbgrader's format (schema 3).

Answers stand between ### BEGIN SOLUTION and ### END SOLUTION, tests that students don't see between
### BEGIN HIDDEN TESTS and ### END HIDDEN TESTS. The task of a cell is its grade_id up to the second
dash: task-2-test belongs to task-2.
"""

import ast
import builtins
import copy
import functools
import hashlib
import hmac
import re
import symtable
from dataclasses import dataclass, field
from pathlib import Path

from . import notebook

OPEN_SEED = 2026                       # the numbers of the version for everyone
SEED = re.compile(r"\Aseed = \d+\b")    # the first line of the cell "numbers"
STUB = {"code": ["# YOUR CODE HERE", "raise NotImplementedError()"],
        "markdown": ["YOUR ANSWER HERE"]}    # as nbgrader writes them
FLAGS = "grade", "solution", "locked"


class BadMaster(ValueError):
    """The notebook can't be a master; the message says which cell and why."""


@dataclass
class Task:
    """A task: its title and its cells; its tests give up to `maximum` points."""

    name: str
    title: str = ""
    answers: list = field(default_factory=list)
    tests: list = field(default_factory=list)
    manual: list = field(default_factory=list)

    @property
    def maximum(self):
        return sum(points(cell) for cell in self.tests)


def points(cell):
    return float(cell.nbgrader["points"])


def task_of(cell):
    """task-2 for task-2-test-1."""
    return "-".join(cell.grade_id.split("-")[:2])


def personal_seed(secret, problem_set, student):
    """A student's own seed: 48 bits of HMAC-SHA256 of the set and the id, keyed with the secret.

    Without the secret (bytes, at least 16) nobody can tell it from another's, and it tells
    nothing about the secret.
    """
    if len(secret) < 16:
        raise ValueError(f"the course's secret: expected at least 16 bytes, got {len(secret)}")
    message = f"{problem_set}\0{student}".encode()
    return int.from_bytes(hmac.digest(secret, message, "sha256")[:6], "big")


def cut(source, what, stub=None):
    """The text without its regions ### BEGIN what ... ### END what; each gives way to the stub.

    Returns (text, number of regions, their lines). Raises BadMaster if a marker has no partner.
    """
    kept, taken, inside, regions = [], [], False, 0
    for line in source.split("\n"):
        if f"BEGIN {what}" in line or f"END {what}" in line:
            if inside == (f"BEGIN {what}" in line):
                raise BadMaster(f"### {line.strip(' #')} has no partner")
            inside = not inside
            if inside:
                indent = line[: len(line) - len(line.lstrip())]
                kept += [indent + text for text in stub or []]
                regions += 1
        else:
            (taken if inside else kept).append(line)
    if inside:
        raise BadMaster(f"### BEGIN {what} has no partner")
    return "\n".join(kept), regions, taken


def bare(cell):
    """The text of a master's cell as students get it: no solution, no hidden test."""
    source, regions, _ = cut(cell.source, "SOLUTION", STUB[cell.kind])
    if cell.nbgrader.get("solution") and not regions:
        source = "\n".join(STUB[cell.kind])
    return cut(source, "HIDDEN TESTS")[0].rstrip()


def seeded(cell, source, seed):
    """The text of a cell with the numbers of this seed."""
    return SEED.sub(f"seed = {seed}", source) if cell.grade_id == "numbers" else source


@functools.lru_cache(1000)
def bound(source):
    """The names that a piece of code defines at its top level: assignments, functions, imports."""
    names, todo = set(), list(ast.parse(source).body)
    while todo:
        node = todo.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Store):
                names.add(node.id)
        elif isinstance(node, ast.alias):
            names.add((node.asname or node.name).split(".")[0])
        elif not isinstance(node, (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp,
                                   ast.GeneratorExp)):
            todo += ast.iter_child_nodes(node)
    return names


@functools.lru_cache(1000)
def used(source):
    """The names that a piece of code takes from elsewhere: not those it defines, nor builtins."""
    found, todo = set(), [symtable.symtable(source, "", "exec")]
    while todo:
        table = todo.pop()
        top = table.get_type() == "module"
        found |= {symbol.get_name() for symbol in table.get_symbols()
                  if symbol.is_referenced() and (top or symbol.is_global())}
        todo += table.get_children()
    return found - bound(source) - set(dir(builtins))


class Master:
    """A problem set, read from a file and checked.

    name, sha256, title; notebook (as JSON), cells; tasks {name: Task}; by_id {grade_id: cell};
    answer_names: what the answers define; trusted: the locked cells that use none of it.
    Raises BadMaster, or notebook.Unreadable, or OSError.
    """

    def __init__(self, path):
        path = Path(path)
        raw = notebook.read(path)
        self.name, self.sha256 = path.stem, hashlib.sha256(raw).hexdigest()
        self.notebook = notebook.parse(raw)
        self.cells = notebook.cells(self.notebook)
        if len(self.cells) != len(self.notebook["cells"]):
            raise BadMaster(f"{path.name}: only code and markdown cells are expected")
        self.by_id, self.tasks = {}, {}
        for number, cell in enumerate(self.cells, 1):
            try:
                self._add(cell)
            except (BadMaster, SyntaxError) as error:
                where = cell.grade_id or f"number {number}"
                raise BadMaster(f"{path.name}, cell {where}: {error}") from None
        heading = re.search(r"^# (.+)", "\n".join(c.source for c in self.cells), re.M)
        self.title = heading[1].strip() if heading else self.name
        if not self.tasks:
            raise BadMaster(f"{path.name}: expected cells with nbgrader metadata, found none")
        for task in self.tasks.values():
            if task.answers and not task.tests or not (task.tests or task.manual):
                raise BadMaster(f"{path.name}: {task.name} has nothing that gives points")
        answers = [cell for task in self.tasks.values() for cell in task.answers]
        self.answer_names = {name for cell in answers for name in bound(cell.source)}
        self.trusted = [
            cell for cell in self.cells
            if cell.kind == "code" and cell.nbgrader.get("locked") and not cell.nbgrader["grade"]
            and not used(cell.source) & self.answer_names
        ]

    def _add(self, cell):
        """Check one cell and file it under its task."""
        cut(cell.source, "SOLUTION"), cut(cell.source, "HIDDEN TESTS")
        if cell.kind == "code":
            ast.parse(cell.source), ast.parse(bare(cell))
        if not cell.nbgrader:
            if cell.kind == "code" or "BEGIN SOLUTION" in cell.source:
                raise BadMaster("expected nbgrader metadata, found none")
            return
        version, name = cell.nbgrader.get("schema_version"), cell.grade_id
        if version != 3:
            raise BadMaster(f"expected nbgrader schema 3, got {version}")
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]*", name or ""):
            raise BadMaster(f"expected a grade_id of letters, digits, - and _, got {name!r}")
        if cell.grade_id in self.by_id:
            raise BadMaster("its grade_id stands twice")
        self.by_id[cell.grade_id] = cell
        grade, solution, locked = (cell.nbgrader.get(flag) for flag in FLAGS)
        if not all(isinstance(flag, bool) for flag in (grade, solution, locked)):
            raise BadMaster(f"expected true or false for each of {', '.join(FLAGS)}")
        if grade and not (isinstance(cell.nbgrader.get("points"), (int, float))
                          and 0 < cell.nbgrader["points"] < 1000):
            raise BadMaster(f"expected points above 0, got {cell.nbgrader.get('points')}")
        if cell.grade_id == "numbers" and not SEED.match(cell.source):
            raise BadMaster(f"expected the first line seed = {OPEN_SEED}")
        if not cell.grade_id.startswith("task-"):
            if grade or solution:
                raise BadMaster("an answer or a test: expected a grade_id task-N or task-N-name")
            return
        task = self.tasks.setdefault(task_of(cell), Task(task_of(cell)))
        if cell.kind == "markdown" and not solution:
            heading = re.search(r"^#+ (.+?)(?: \([^()]*points?[^()]*\))?$", cell.source, re.M)
            task.title = task.title or (heading[1] if heading else "")
        elif grade and solution:
            task.manual.append(cell)
        elif solution:
            if not cut(cell.source, "SOLUTION")[1]:
                raise BadMaster("an answer without ### BEGIN SOLUTION")
            task.answers.append(cell)
        elif grade:
            task.tests.append(cell)

    @property
    def maximum(self):
        """The points that tests give; a teacher's marks come on top."""
        return sum(task.maximum for task in self.tasks.values())

    def source(self, cell, seed=OPEN_SEED):
        """The whole text of a cell, with the numbers of this seed."""
        return seeded(cell, cell.source, seed)

    def student_version(self, seed=OPEN_SEED):
        """The notebook for students, as JSON: no answers, no hidden tests, no outputs."""
        made = copy.deepcopy(self.notebook)
        made["metadata"] = {key: value for key, value in made["metadata"].items()
                            if key in ("kernelspec", "language_info")}
        for cell, raw in zip(self.cells, made["cells"]):
            raw["source"] = seeded(cell, bare(cell), seed).splitlines(keepends=True)
            raw["metadata"] = {}
            if cell.nbgrader:
                raw["metadata"] = {"nbgrader": cell.nbgrader, "deletable": False}
                if cell.nbgrader["locked"]:
                    raw["metadata"]["editable"] = False
            raw.pop("attachments", None)
            if cell.kind == "code":
                raw["outputs"], raw["execution_count"] = [], None
        return made
