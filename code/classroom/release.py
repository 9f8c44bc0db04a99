"""Release: the student versions of masters, after every master has shown that it is sound.

A master is released only if its own solution earns full marks and the empty release earns none, if
no line of a solution or of a hidden test can be read in what students get, and if every task is
complete. Otherwise nothing is written, and each fault gets one line.
"""

import contextlib
import copy
import io
import keyword
import multiprocessing
import os
import pickle
import re
import shutil
import tempfile
import zipfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tqdm import tqdm

from . import collect, grading, notebook
from .master import (
    OPEN_SEED,
    STUB,
    BadMaster,
    Master,
    cut,
    personal_seed,
    points,
    seeded,
    task_of,
    used,
)

TRIED = 5               # so many students' numbers the solution is run with
ZIP = "problem-sets.zip"
CELL_KEYS = {"cell_type", "id", "metadata", "source", "outputs", "execution_count"}
NBGRADER_KEYS = {"schema_version", "grade_id", "grade", "solution", "locked", "task", "points",
                 "cell_type", "checksum"}
REGIONS = "SOLUTION", "HIDDEN TESTS"
META = {"nbgrader", "deletable", "editable"}
MARKER = re.compile(        # what was meant as one
    r"^\s*(?:###+\s*(?:BEGIN|END)\b|#+\s*(?i:begin|end)[ _-]*(?i:solution|hidden|test)).*$", re.M)


class Refused(collect.Refused):
    """A release that must not be: `faults` has one line for each reason."""

    def __init__(self, faults):
        super().__init__("\n".join(faults))
        self.faults = faults


# What can be seen without running anything


def words(text):
    """The names, numbers and words of a line, Python's keywords aside."""
    found = re.findall(r"[^\W\d]\w*|\d[\d.]*", text)
    return [word for word in found if not keyword.iskeyword(word)]


def telling(line, kind):
    """Whether a line gives something away, as `return x` or `for i in range(m):` doesn't."""
    if kind == "code" and re.match(r"(import|from|def|class|for|while|with|if|elif|else|try)\b|@"
                                   r"|\w+ = np\.random\.default_rng\(", line):
        return False
    return len(line) >= 16 and len(words(line)) >= 4


def squeezed(text):
    return " ".join(text.split())


def texts(part, where="notebook"):
    """Every (place, text) in a notebook as JSON: sources, outputs, metadata, all there is."""
    if isinstance(part, str):
        yield where, squeezed(part)
    elif isinstance(part, list):
        if all(isinstance(line, str) for line in part):
            yield where, squeezed("".join(part))
        else:
            for item in part:
                yield from texts(item, where)
    elif isinstance(part, dict):
        for key, item in part.items():
            yield from texts(key, where)
            yield from texts(item, where)


def regions(cell):
    """(kind of region, its lines that give something away) of a master's cell."""
    for what in REGIONS:
        lines = [squeezed(line) for line in cut(cell.source, what)[2]]
        lines = [line for line in lines if telling(line, cell.kind)]
        if lines:
            yield what, lines


def given(master, cell, what):
    """The cells of a task whose text is shown on purpose, so that a region may repeat its lines:
    the answer's own cell and the code given with it; for a hidden test, the task's other tests."""
    for other in master.cells:
        if other.grade_id and task_of(other) == task_of(cell):
            graded = other.nbgrader["grade"]
            same = other.kind == cell.kind
            if other is cell or (graded if what == "HIDDEN TESTS" else same and not graded):
                yield other.grade_id


def leaks(master, student):
    """Lines of solutions and hidden tests that the student version shows somewhere.

    student: the version for students, as JSON.
    """
    places = [("the notebook's metadata", text) for _, text in texts(student["metadata"])]
    names = {}
    for number, cell in enumerate(student["cells"], 1):
        name = cell["metadata"].get("nbgrader", {}).get("grade_id")
        where = f"cell {name or number}"
        names[where] = name
        places += texts({k: v for k, v in cell.items() if k != "source"}, where + " (not its text)")
        places += texts(cell["source"], where)
    for cell in master.cells:
        for what, lines in regions(cell):
            shown = set(given(master, cell, what))
            secret = 0
            for line in lines:
                seen = [where for where, text in places if line in text]
                secret += not seen
                for where in seen:
                    if names.get(where) not in shown:
                        yield (f"{where} shows a line of the {_region(what)} of cell "
                               f"{cell.grade_id}: {line}")
            if not secret:
                yield (f"cell {cell.grade_id}: students can read every line of its "
                       f"{_region(what)}")


def _region(what):
    return "solution" if what == "SOLUTION" else "hidden test"


def marker_faults(cell):
    """Markers that nothing understands, and regions where nbgrader allows none."""
    graded, solution = cell.nbgrader.get("grade"), cell.nbgrader.get("solution")
    for line in MARKER.findall(cell.source):
        if not re.fullmatch(rf"### (?:BEGIN|END) (?:{'|'.join(REGIONS)})", line.strip()):
            yield f"unknown marker: {line.strip()}"
    if cut(cell.source, "SOLUTION")[1] and not solution:
        yield "a solution in a cell that is no answer"
    if cut(cell.source, "HIDDEN TESTS")[1] and (solution or not graded):
        yield "hidden tests in a cell that is no test"


def task_faults(master):
    """Tasks that lack their text, their answer or their points."""
    texted = {task_of(cell) for cell in master.cells if cell.kind == "markdown"
              and cell.grade_id and not cell.nbgrader["solution"]}
    for task in master.tasks.values():
        if task.name not in texted or not task.title:
            yield f"{task.name}: expected a text with a title"
        if not task.answers and not task.manual:
            yield f"{task.name}: expected a cell for the answer"
        for cell in task.tests + task.manual:
            if points(cell) <= 0:
                yield f"{cell.grade_id}: expected points above 0"


def trust_faults(master):
    """Cells that tests rely on and that the grader can't run itself, as a name is an answer's."""
    for name in "setup", "numbers":
        cell = master.by_id.get(name)
        if cell is None:
            yield f"expected a cell {name}"
        elif cell not in master.trusted:
            clash = ", ".join(sorted(used(cell.source) & master.answer_names)) or "no locked code"
            yield f"cell {name} uses what an answer defines: {clash}"


def form_faults(master, student):
    """What a student version may not hold: outputs, counts, foreign metadata, unknown lines."""
    if extra := set(student["metadata"]) - {"kernelspec", "language_info"}:
        yield f"the notebook's metadata hold {', '.join(sorted(extra))}"
    for cell, made in zip(master.cells, student["cells"], strict=True):
        where = f"cell {cell.grade_id or made.get('id')}"
        if made.get("outputs") or made.get("execution_count") is not None:
            yield f"{where} keeps its outputs"
        extra = set(made) - CELL_KEYS | set(made["metadata"]) - META
        extra |= set(made["metadata"].get("nbgrader", {})) - NBGRADER_KEYS
        if extra:
            yield f"{where} holds {', '.join(sorted(extra))}"
        if cell.nbgrader.get("solution"):
            own = {line.strip() for line in cell.source.split("\n")} | {*STUB[cell.kind]}
            for line in "".join(made["source"]).split("\n"):
                if line.strip() not in own:
                    yield f"{where}: a line that the master doesn't have: {line.strip()}"


def static_faults(master, student=None):
    """All that is wrong with a master as it stands, a line each; nothing is run."""
    student = master.student_version() if student is None else student
    found = [f"cell {cell.grade_id or number}: {fault}"
             for number, cell in enumerate(master.cells, 1) for fault in marker_faults(cell)]
    found += [*task_faults(master), *trust_faults(master)]
    found += [*form_faults(master, student), *leaks(master, student)]
    return [f"{master.name}: {fault}" for fault in dict.fromkeys(found)]


# What shows when it is run


def run_faults(master, seed=OPEN_SEED, sandbox="bwrap", empty=True):
    """What the grader says of the solution and, if empty, of the release without answers."""
    if any(trust_faults(master)):       # then every test fails, which tells nothing more
        return []
    found = []
    whose = "" if seed == OPEN_SEED else " with a student's numbers"

    def graded(what, tried):
        record = grading.grade(master, notebook.dump(tried).encode(), seed, sandbox=sandbox)
        if record["status"] != "graded":
            said = "; ".join(record["notes"]) or "no reason given"
            found.append(f"{what} isn't graded{whose}: {record['status']}: {said}")
        return [test for task in record["tasks"] for test in task["tests"]]

    for test in graded("the solution", personal(master, seed)):
        if test["outcome"] != "passed" or test["score"] < test["maximum"]:
            said = squeezed(test["detail"] or test["message"])[:300]
            found.append(f"{test['id']}: the solution doesn't pass{whose}: {said}")
    for test in graded("the empty release", master.student_version(seed)) if empty else ():
        if test["score"] > 0:
            found.append(f"{test['id']}: the empty release earns {test['score']:g} points")
        elif test["outcome"] == "grader error":
            found.append(f"{test['id']}: the test fails by itself without an answer{whose}: "
                         f"{squeezed(test['detail'] or test['message'])[:300]}")
    return [f"{master.name}: {fault}" for fault in found]


def personal(master, seed):
    """The master itself, with the numbers of this seed."""
    made = copy.deepcopy(master.notebook)
    for cell, raw in zip(master.cells, made["cells"]):
        raw["source"] = seeded(cell, cell.source, seed)
    return made


def numbers(master, seeds):
    """What the cell `numbers` defines with each seed, as bytes: two that are equal are the same
    problem."""
    cell = master.by_id.get("numbers")
    if cell is None:
        return []
    from matplotlib import pyplot

    pyplot.switch_backend("agg")
    before, found = {"__name__": "__main__"}, []
    with contextlib.redirect_stdout(io.StringIO()):
        for other in master.trusted[: master.trusted.index(cell)]:
            exec(compile(other.source, other.grade_id, "exec"), before)
        for seed in seeds:
            names = dict(before)
            exec(compile(master.source(cell, seed), "numbers", "exec"), names)
            pyplot.close("all")
            found.append(b"".join(_frozen(name, value) for name, value in sorted(names.items())
                                  if name not in before and name != "seed"))
    return found


def _frozen(name, value):
    try:
        return pickle.dumps((name, value))
    except Exception:                   # a function, a figure: no number of a task
        return b""


def shared_numbers(master, seeds):
    """Pairs of students whose numbers are the same; seeds: {student: seed}."""
    first = {}
    for student, made in zip(seeds, numbers(master, seeds.values())):
        if made and first.setdefault(made, student) != student:
            yield f"{master.name}: {first[made]} and {student} have the same numbers"


# Releasing


def release(masters, out, roster=None, secret=None, jobs=1, sandbox="bwrap", progress=True):
    """Write the student versions of masters into the folder out; returns the files' paths.

    masters: paths. Without a roster each set is for everyone, with the open seed: out/SET.ipynb.
    With one (ids of students) and the course's secret (bytes), each student gets a notebook with
    numbers of their own: out/SET/STUDENT/SET.ipynb. In both cases out/problem-sets.zip has them
    all. jobs: processes that check.

    out must be new or empty; it appears whole, or not at all. Raises Refused with a line for each
    fault, BadInput, OSError.
    """
    out = Path(out)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise Refused([f"{out}: expected a new or an empty folder"])
    students = _students(roster, secret)
    read = _read(masters)
    jobs_of = _trials(read, students, secret, sandbox)
    faults = [fault for master in read for fault in static_faults(master)]
    for master in read:
        seeds = {student: personal_seed(secret, master.name, student) for student in students}
        faults += shared_numbers(master, seeds)
    for found in _each(_trial, jobs_of, jobs, "checking", progress):
        faults += found
    if faults:
        raise Refused(list(dict.fromkeys(faults)))
    return _write(read, out, students, secret, progress)


def publish(masters, out):
    """Write the student versions for everyone into the folder out of a site, whose place they take.

    Unlike a release it runs nothing, so it needs no sandbox. Raises Refused, BadInput, OSError.
    """
    read = _read(masters)
    if faults := [fault for master in read for fault in static_faults(master)]:
        raise Refused(faults)
    shutil.rmtree(out, ignore_errors=True)
    return _write(read, Path(out), [], None, progress=False)


def _students(roster, secret):
    """The ids, each fit to name a folder on every system."""
    if roster is None:
        return []
    students = list(roster)
    if not secret:
        raise collect.BadInput("numbers for each student need the course's secret: --seed-file")
    if not students:
        raise collect.BadInput("expected students on the roster, found none")
    names = set()
    for student in students:
        if not collect.SAFE.fullmatch(student):
            raise collect.BadInput(f"student {student!r}: this id can't name a folder")
        if student.casefold() in names:
            raise collect.BadInput(f"student {student!r}: this id stands twice")
        names.add(student.casefold())
    return students


def _read(masters):
    read, faults = [], []
    for path in masters:
        try:
            read.append(Master(path))
        except (BadMaster, notebook.Unreadable) as error:
            said = str(error)
            faults.append(said if Path(path).name in said else f"{Path(path).name}: {said}")
    names = [master.name for master in read]
    faults += [f"{name}: two masters have this name"
               for name in dict.fromkeys(names) if names.count(name) > 1]
    if faults:
        raise Refused(faults)
    if not read:
        raise collect.BadInput("expected at least one master")
    return read


def _trials(read, students, secret, sandbox):
    """Arguments of `_trial`: every set once with the open seed, and with some students' own."""
    step = max(1, len(students) // TRIED)
    for master in read:
        yield master, OPEN_SEED, sandbox, True
        for student in students[::step][:TRIED]:
            yield master, personal_seed(secret, master.name, student), sandbox, False


def _trial(arguments):
    return run_faults(*arguments)


def _each(function, items, jobs, what, progress):
    """The results of function for items, in order, from so many processes, with a bar."""
    items = list(items)
    with contextlib.ExitStack() as stack:
        work = map(function, items)
        if jobs > 1:
            context = multiprocessing.get_context("spawn")
            work = stack.enter_context(ProcessPoolExecutor(jobs, context)).map(function, items)
        yield from tqdm(work, what, len(items), disable=not progress, leave=False)


def _write(read, out, students, secret, progress):
    files = {}
    for master in read:
        if not students:
            files[f"{master.name}.ipynb"] = master, OPEN_SEED
        for student in students:
            seed = personal_seed(secret, master.name, student)
            files[f"{master.name}/{student}/{master.name}.ipynb"] = master, seed
    out.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        with zipfile.ZipFile(part / ZIP, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, (master, seed) in tqdm(files.items(), "writing", disable=not progress,
                                             leave=False):
                text = notebook.dump(master.student_version(seed))
                (part / name).parent.mkdir(parents=True, exist_ok=True)
                notebook.write(part / name, text)
                archive.writestr(_entry(name), text)
        part.chmod(0o755)
        if out.exists():
            out.rmdir()
        os.replace(part, out)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    return [out / name for name in [*files, ZIP]]


def _entry(name):
    """A file of the archive, without the time: releasing twice gives the same bytes."""
    entry = zipfile.ZipInfo(name)
    entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
    return entry


# Trying


def check(path, master=None, seed=OPEN_SEED, sandbox="bwrap"):
    """What a student would read after handing in this notebook, as text for a teacher.

    master: the path of the problem set; None if the notebook is a master itself: then its own
    solution is graded, and what a release would refuse stands first.
    """
    own = Master(path if master is None else master)
    seed = OPEN_SEED if seed is None else seed
    lines = [] if master else [f"A release would be refused: {fault}" for fault in
                               static_faults(own) + run_faults(own, seed, sandbox)]
    record = grading.grade(own, notebook.read(path), seed, sandbox=sandbox)
    lines += [own.title, f"{_number(record['score'])} of {_number(record['maximum'])} points, "
                         f"{record['status']}", *record["notes"]]
    for task in record["tasks"]:
        lines.append(f"\n{task['title'] or task['task']}: {_number(task['score'])} of "
                     f"{_number(task['maximum'])}")
        for test in task["tests"]:
            said = f": {test['message']}" if test["message"] else ""
            lines.append(f"  {test['id']} {test['outcome']}{said}")
    for manual in record["manual"]:
        lines.append(f"\n{manual['title'] or manual['id']}: marked by hand, up to "
                     f"{_number(manual['maximum'])}")
    if record["output"].strip():
        lines += ["\nPrinted:", record["output"].rstrip()]
    return "\n".join(lines)


def _number(value):
    return f"{value:g}"
