"""Grade a class: every submission in a process of its own, every record written whole.

The folder OUT holds all there is to know of a batch:

    batch.json              which problem set, how it was graded, who is in the class
    records/STUDENT.json    one record a student
    manual.json             marks given by hand, once `merge` has read them
    grades.csv  manual.csv  summary.html  feedback/STUDENT.html    made from these by report.py

Nothing in it depends on the time, the machine or the number of processes: the same submissions give
the same bytes. A batch that was stopped goes on with what it has: a record is kept if it was made
from the same submission, master and seed by the same grader.
"""

import contextlib
import fcntl
import gc
import hashlib
import json
import logging
import multiprocessing
import os
import re
import resource
import shutil
import signal
import threading
import time
import warnings
from concurrent.futures import CancelledError
from dataclasses import asdict
from multiprocessing.connection import wait
from pathlib import Path

from tqdm import tqdm

from . import grading, notebook
from .collect import BadInput, Refused, Student, count, printable
from .master import OPEN_SEED, SEED, bare, personal_seed

TOO_LONG = 180          # seconds; the grader itself stops a submission long before
MEMORY = 8 * 2**30      # bytes of a process that grades, reserved ones included
STARTUP = 120           # seconds until a process is there, on a machine that has no time
GIVE_UP = 5             # processes in a row that don't even start
TRIES = 2               # a worker may be killed by no fault of the submission it has
FORMAT = 1
PART = re.compile(r"\.(.{40}|.*\.(json|csv|html))\.[a-z0-9_]{8}")   # as notebook.write begins one
ONE_AT_A_TIME = threading.Lock()    # for threads of a cluster's worker: tests print, and are timed
WORDS = {
    "missing": "Nothing was handed in.",
    "died": "The grader stopped while it had this submission, so there is no result yet. That is "
    "no fault of yours and costs no points: your teacher has been told.",
    "broken": "The file that you handed in can't be read: {}.",
    "another set": 'This notebook is "{}"; expected "{}".',
    "not yours": "The numbers in this notebook are not yours: was it made from another's, or from "
    "the public version?",
    "changed": "The numbers in this notebook are not the problem set's: expected the line "
    f"seed = {OPEN_SEED}, as it was given.",
}


def grader_version():
    """A digest of the grader's own source: a record made by another version is made anew."""
    here, digest = Path(__file__).parent, hashlib.sha256()
    for name in "notebook", "master", "wire", "child", "sandbox", "remote", "grading":
        digest.update((here / f"{name}.py").read_bytes())
    return digest.hexdigest()


# One submission


def blank(master, status, note, detail=""):
    """A record without a result: nothing was run."""
    record = grading.blank(master) | {"status": status, "notes": [note]}
    if status == "grader error":
        for test in (test for task in record["tasks"] for test in task["tests"]):
            test |= {"outcome": "grader error", "detail": detail}
    return record


def grade_one(master, raw, seed, sandbox):
    """The record of one submission; whatever goes wrong in the grader becomes part of it."""
    try:
        with ONE_AT_A_TIME:
            return grading.grade(master, raw, seed, sandbox=sandbox)
    except Exception as error:
        return blank(master, "grader error", WORDS["died"], f"{type(error).__name__}: {error}")


# Before all are graded


def look(master, submissions, seed_of, again=False):
    """Read all submissions once, and return notes for the teacher.

    A notebook of another problem set gets a fault, one with numbers that aren't the student's gets
    a note. Raises Refused if more than half are so: then it is the master or the seed file that is
    wrong. again: is this a batch that was graded before?
    """
    owners = {seed_of(s.student.id): s.student.id for s in submissions if s.student.listed}
    owners.pop(OPEN_SEED, None)
    books, others, expected, wrong = 0, [], 0, []
    for submission in submissions:
        cells = cells_of(submission)
        books += bool(cells)
        if title := other_title(master, cells):
            others.append(title)
            submission.fault = WORDS["another set"].format(title, printable(master.title))
        elif (seed := seed_in(cells)) is not None:
            own = seed_of(submission.student.id)
            known = submission.student.listed or own == OPEN_SEED   # else nobody gave it numbers
            expected += known
            if seed != own and (known or seed in owners):
                wrong.append((submission, seed, own, known))
    if len(others) > books / 2:
        raise Refused(f"Nothing was graded: {len(others)} of {count(books, 'notebook')} "
                      f'{"is" if len(others) == 1 else "are"} of another problem set, '
                      f'"{others[0]}", not "{printable(master.title)}"; is it the right master?')
    differ = [(seed, own) for _, seed, own, known in wrong if known]
    if len(differ) > max(1, expected / 2):
        raise Refused(f"Nothing was graded: {len(differ)} of {count(expected, 'notebook')} have "
                      + mismatch(differ, again))
    notes = []
    for submission, seed, own, known in wrong:
        if known:
            submission.notes.append(WORDS["changed" if own == OPEN_SEED else "not yours"])
        whose = owners.get(seed) or ("the version for everyone" if seed == OPEN_SEED else "nobody")
        notes.append(f"{submission.file}: has the numbers of {whose}, not of "
                     + ("the version for everyone" if own == OPEN_SEED else submission.student.id))
    return notes


def mismatch(differ, again):
    """Why most notebooks may have other numbers than expected; differ: (theirs, expected)."""
    if again:
        return "other numbers than the batch was graded with; are these its submissions?"
    if all(own == OPEN_SEED for _, own in differ):
        return "numbers of their own; grade with the --seed-file that they were released with"
    if sum(seed == OPEN_SEED for seed, _ in differ) > len(differ) / 2:
        return "the numbers of the version for everyone; grade without --seed-file"
    return ("other numbers than --seed-file gives; is it the file they were released with, and are "
            "the ids of the --roster and the master's name the same?")


def cells_of(submission):
    """The cells that were handed in; none if they can't be read."""
    if submission.file is None or submission.fault:
        return []
    try:
        return notebook.cells(notebook.parse(submission.read()))
    except (OSError, notebook.Unreadable):
        return []


def seed_in(cells):
    """The number in the first line of the cell `numbers`, or None."""
    for cell in cells:
        if cell.grade_id == "numbers" and (line := SEED.match(cell.source)):
            return int(line[0].split()[-1][:20])    # a seed has at most 15 digits
    return None


def other_title(master, cells):
    """The first heading, if these cells are of another problem set: that heading is not the
    master's, and no text of the master's tasks stands there as it was given."""
    def given(text):
        return " ".join(text.split())

    texts = {given(bare(cell)) for cell in master.cells if cell.kind == "markdown"
             and (cell.grade_id or "").startswith("task-") and not cell.nbgrader["solution"]}
    if not texts or texts & {given(cell.source) for cell in cells}:
        return None
    found = [line for cell in cells if cell.kind == "markdown"
             for line in re.findall(r"^# (.+)", cell.source, re.M)]
    if not found or found[0].strip() == master.title:
        return None
    return printable(found[0].strip())


# Many, on this machine


def work(pipe, function, master, sandbox):
    """What a worker process does: it grades what it is sent until the pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)        # Ctrl-C is for the one that hands out work
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))    # a test may build what is asked for
    gc.freeze()             # modules stay: collecting garbage needn't look through them each time
    pipe.send("ready")
    with contextlib.suppress(EOFError, OSError):
        while True:
            raw, seed = pipe.recv()
            pipe.send(function(master, raw, seed, sandbox))


class Worker:
    """A process that grades one submission at a time.

    concurrent.futures would be shorter, but there one process that is killed takes the work of all
    others with it, and nobody learns which submission it had.
    """

    def __init__(self, *given):
        context = multiprocessing.get_context("spawn")      # a fork would copy locks and threads
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=work, args=(theirs, *given), daemon=True)
        self.process.start()
        theirs.close()
        self.ready, self.task, self.tried, self.since = False, None, 0, time.monotonic()

    def give(self, task, tried):
        self.task, self.tried, self.since = task, tried, time.monotonic()
        with contextlib.suppress(OSError):      # it died: `answer` finds that out
            self.pipe.send((task.raw, task.seed))

    def answer(self):
        """Its record, "ready", or None if it died."""
        with contextlib.suppress(EOFError, OSError):
            return self.pipe.recv()
        return None

    @property
    def idle(self):
        return self.ready and self.task is None

    @property
    def overdue(self):
        most = TOO_LONG if self.ready else STARTUP
        return not self.idle and time.monotonic() - self.since > most

    def stop(self):
        self.process.kill()
        self.process.join()
        self.pipe.close()


def on_this_machine(tasks, function, master, sandbox, jobs):
    """Yield (task, record) in the order in which they are done; at most `jobs` are in work.

    A submission whose worker dies is tried once more; if that dies, too, or takes TOO_LONG, its
    record says "grader error". The others go on.
    """
    waiting, workers = ((task, 0) for task in tasks), []
    again, failed = [first] if (first := next(waiting, None)) else [], 0
    try:
        workers += [Worker(function, master, sandbox) for _ in range(jobs if again else 0)]
        while True:
            for worker in workers:
                if worker.idle and (todo := again.pop() if again else next(waiting, None)):
                    worker.give(*todo)
            if all(worker.idle for worker in workers):
                return
            ready = wait([worker.pipe for worker in workers], timeout=1)
            for n, worker in enumerate(workers):
                if worker.pipe not in ready and not worker.overdue:
                    continue
                said = None if worker.overdue else worker.answer()
                if said == "ready":
                    worker.ready = True
                    continue
                if said is None:
                    worker.stop()
                    failed = 0 if worker.ready else failed + 1
                    if failed == GIVE_UP:
                        raise BadInput("the grader's processes end as soon as they are started")
                    workers[n] = Worker(function, master, sandbox)
                    if not worker.task:
                        continue
                    if worker.tried + 1 < TRIES and not worker.overdue:
                        again.append((worker.task, worker.tried + 1))
                        continue
                    why = "takes too long" if worker.overdue else "its process was killed"
                    said = blank(master, "grader error", WORDS["died"], why)
                task, worker.task = worker.task, None
                yield task, said
    finally:
        for worker in workers:
            worker.stop()


# Many, on a cluster


def on_cluster(tasks, function, master, sandbox, address, ahead=4):
    """Yield (task, record) as a Dask cluster has them done.

    The workers need this package and bubblewrap, nothing else: each task carries its submission and
    the master. Dask itself gives the work of a worker that dies to another; a submission that takes
    several with it ends as "grader error". At most `ahead` submissions a thread are on their way.
    """
    try:
        from dask.distributed import Client, as_completed
    except ImportError:
        raise BadInput(
            "--scheduler needs dask.distributed: pip install 'byhand[cluster]'"
        ) from None
    for name in logging.root.manager.loggerDict:
        if name.startswith("distributed"):
            logging.getLogger(name).setLevel(logging.CRITICAL)      # what matters is said below
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")         # of large tasks, and of versions that differ
        try:
            if not address:
                raise ValueError("the address is empty")
            client = Client(address, timeout=10, set_as_default=False)
        except Exception as error:          # Dask's own, of many kinds
            raise BadInput(f"--scheduler {address}: no scheduler answers ({error})"[:300]) from None
        try:
            try:
                client.wait_for_workers(1, timeout=30)
            except TimeoutError:
                raise BadInput(f"--scheduler {address}: it has no workers") from None
            threads = sum(client.nthreads().values())
            tasks, running, futures = iter(tasks), {}, as_completed(loop=client.loop)

            def send():
                if task := next(tasks, None):
                    future = client.submit(
                        function, master, task.raw, task.seed, sandbox,
                        key=f"{task.student}:{task.key}", pure=False,
                    )  # fmt: skip
                    running[future.key] = task
                    futures.add(future)

            for _ in range(ahead * max(threads, 1)):
                send()
            for future in futures:
                task = running.pop(future.key)
                record = result_of(future, master)
                if record is None or client.status != "running":
                    raise BadInput(
                        f"--scheduler {address}: the scheduler is gone; what is graded is kept: "
                        "go on with --resume"
                    )
                future.release()
                send()
                yield task, record
        finally:
            with contextlib.suppress(Exception):
                client.close(timeout=5)


def result_of(future, master):
    """The record of a task that has ended on the cluster; None if the cluster is gone."""
    try:
        if future.status == "finished":
            return future.result()
        if future.status == "error":
            return blank(master, "grader error", WORDS["died"], str(future.exception()))
    except (OSError, CancelledError):       # OSError: the connection
        pass
    return None


# The folder


class Task:
    """A submission to be graded now: its bytes, its seed, and the key of its record."""

    def __init__(self, submission, raw, seed, key):
        self.submission, self.raw, self.seed, self.key = submission, raw, seed, key
        self.student = submission.student.id


class Folder:
    """The folder OUT of a batch: reading and writing what is in it."""

    def __init__(self, path):
        self.path = Path(path)
        self.records = self.path / "records"

    def record_path(self, student):
        return self.records / f"{student}.json"

    def read_json(self, path, default=None):
        """What a file of this folder holds; BadInput if it was damaged."""
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return default
        except (ValueError, RecursionError):
            raise BadInput(f"{path}: damaged; delete it and run grade --resume") from None

    def about(self, optional=False):
        """What batch.json says. If there is none: {} if that may be, else BadInput."""
        about = self.read_json(self.path / "batch.json")
        if about is None and optional:
            return {}
        if not isinstance(about, dict) or "students" not in about:
            raise BadInput(f"{self.path}: expected a folder that `grade` wrote (with a batch.json)")
        return about

    def record(self, student):
        """The student's record, or None."""
        return self.read_json(self.record_path(student))

    def all_records(self):
        """The record of every student of the batch, in its order."""
        students = self.about()["students"]
        found = [self.record(student["student"]) for student in students]
        if None in found:
            raise Refused(
                f"{self.path}: the batch is not finished, {found.count(None)} of {len(found)} "
                "students have no record; finish it with grade --resume"
            )
        return found

    def marks(self):
        """{student: {task: {"score", "comment", "answer"}}} of all marks given by hand."""
        return self.read_json(self.path / "manual.json", {})

    def write_json(self, path, data):
        text = json.dumps(data, indent=1, ensure_ascii=False) + "\n"
        notebook.write(path, text.encode("utf-8", "replace"))

    @contextlib.contextmanager
    def alone(self):
        """No other command may work in this folder at the same time."""
        number = os.open(self.path, os.O_RDONLY)
        try:
            for tries in range(10, -1, -1):     # one that was just killed may take a moment to go
                try:
                    fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if not tries:
                        raise Refused(f"{self.path}: another command is at work in it") from None
                    time.sleep(0.05)
            self._clear_up()
            yield
        finally:
            os.close(number)

    def _clear_up(self):
        """Remove what a command that was killed had begun to write."""
        for place in self.path, self.records, self.path / "feedback":
            for part in place.glob(".*.*"):
                if PART.fullmatch(part.name):
                    part.unlink(missing_ok=True)
        for trial in self.path.glob(".regrade-*"):
            shutil.rmtree(trial, ignore_errors=True)


def open_folder(out, submissions, resume):
    """The Folder to write to, made if need be; Refused if that would mix two batches."""
    folder, out = Folder(out), Path(out)
    source = Path(submissions).resolve()
    if source.is_dir() and (out.resolve() == source or source in out.resolve().parents):
        raise Refused(f"{out}: lies in the folder of the submissions; choose another")
    if out.exists() and not out.is_dir():
        raise BadInput(f"{out}: expected a folder to write to, got a file")
    if out.exists() and not resume and any(out.iterdir()):
        if (out / "batch.json").exists():
            raise Refused(f"{out}: holds a batch already; go on with --resume, or choose another")
        raise Refused(f"{out}: is not empty; choose a new folder")
    out.mkdir(mode=0o700, parents=True, exist_ok=True)      # the marks of a class are for no other
    folder.records.mkdir(exist_ok=True)
    return folder


def describe(master, submissions, notes, personal, deadline, attempts, earlier, numbers=None):
    """What batch.json says. Students of an earlier run who are not in this one stay.

    numbers: what `fingerprint` says of the secret.
    """
    students = [row(submission.student) for submission in submissions]
    known = {student["student"] for student in students}
    students += [old for old in earlier.get("students", []) if old["student"] not in known]
    tasks = [
        {"task": task.name, "title": task.title,
         "maximum": task.maximum + sum(float(c.nbgrader["points"]) for c in task.manual)}
        for task in master.tasks.values()
    ]  # fmt: skip
    numbers = numbers or earlier.get("numbers")
    return {
        "format": FORMAT, "problem_set": master.name, "title": master.title,
        "master": master.sha256, "personal_numbers": personal,
        **({"numbers": numbers} if numbers else {}),
        "deadline": deadline.isoformat() if deadline else None, "attempts": attempts,
        "tasks": tasks, "students": students, "notes": notes,
    }  # fmt: skip


def fingerprint(master, secret):
    """A number by which a secret is known again, and which tells nothing of it: nobody's seed."""
    return personal_seed(secret, master.name, "") if secret else None


def row(student):
    values = asdict(student)
    return {"student": values.pop("id"), **values}


def student_of(values):
    """The Student that `row` wrote."""
    values = dict(values)
    return Student(values.pop("student"), **values)


def complete(record, submission, key, seed):
    """The record as it is stored: with whose it is, and what was graded."""
    student = submission.student
    stored = {name: record[name] for name in ("format", "problem_set", "master")}
    stored |= {"student": student.id, "name": student.name, "seed": seed, "key": key}
    stored["submission"] = {
        "file": submission.file,
        "sha256": key.split(":")[-1] if key else None,
        "attempt": submission.attempt,
        "attempts": submission.attempts,
        "submitted": submission.submitted,
        "late": submission.late,
        "notes": submission.notes,
    }
    return stored | {name: value for name, value in record.items() if name not in stored}


def make_key(version, master, seed, sandbox, raw):
    """What a record depends on. Two records with the same key are the same."""
    return ":".join([version[:16], master.sha256, str(seed), sandbox,
                     hashlib.sha256(raw).hexdigest()])


def seeds(master, secret):
    """The function that gives a student's seed: personal if there is a secret (bytes)."""
    if secret is None:
        return lambda student: OPEN_SEED
    return lambda student: personal_seed(secret, master.name, student)


def run(master, submissions, folder, seed_of, sandbox="bwrap", jobs=1, scheduler=None,
        function=grade_one):
    """Grade what has no record yet; return how many were graded now.

    Every record is written as soon as it is there. function(master, raw, seed, sandbox) makes it,
    in another process. Raises BadInput, OSError or KeyboardInterrupt;
    what is written by then is whole, and a second run goes on with it.
    """
    version = grader_version()
    bar = tqdm(total=len(submissions), desc="Grading", disable=None, leave=False)

    def store(submission, record, key=None):
        student = submission.student.id
        stored = complete(record, submission, key, seed_of(student))
        if folder.record(student) != stored:
            folder.write_json(folder.record_path(student), stored)
        bar.update()

    def to_do():
        """The submissions that must be graded, one at a time; the others are settled here."""
        for submission in submissions:
            old = folder.record(submission.student.id)
            if submission.file is None:
                if was_handed_in(old):
                    bar.update()        # never replaced by "missing"
                else:
                    store(submission, blank(master, "missing", WORDS["missing"]))
                continue
            fault = submission.fault
            if not fault:
                try:
                    raw = submission.read()
                except OSError as error:
                    fault = WORDS["broken"].format(error.strerror or error)
            if fault:
                store(submission, blank(master, "unreadable", fault))
                continue
            seed = seed_of(submission.student.id)
            key = make_key(version, master, seed, sandbox, raw)
            if old and old.get("key") == key and old["status"] != "grader error":
                store(submission, old, key)
            else:
                yield Task(submission, raw, seed, key)

    if scheduler:
        results = on_cluster(to_do(), function, master, sandbox, scheduler)
    else:
        results = on_this_machine(to_do(), function, master, sandbox, jobs)
    graded = 0
    with bar, contextlib.closing(results):
        for task, record in results:
            store(task.submission, record, task.key)
            graded += 1
    return graded


def was_handed_in(record):
    return bool(record) and record["submission"]["file"] is not None


def kept(submissions, folder):
    """A note for the teacher if earlier records stand for students who handed in nothing now."""
    number = sum(s.file is None and was_handed_in(folder.record(s.student.id)) for s in submissions)
    who = count(number, "student") + (" is" if number == 1 else " are")
    return [f"{who} not in this folder or archive: earlier records are kept"] * bool(number)


def adopt(submissions, folder, earlier):
    """Drop earlier records of strangers whose files now belong to a student of the roster, and
    return notes for the teacher. Marks given by hand go to a student who has none."""
    strangers = {old["student"] for old in earlier.get("students", [])}
    strangers -= {submission.student.id for submission in submissions}
    notes, marks = [], folder.marks()
    for submission in submissions:
        for name in sorted(strangers & submission.aliases):
            student = submission.student.id
            if name in marks and student not in marks:
                marks[student] = marks.pop(name)
                folder.write_json(folder.path / "manual.json", dict(sorted(marks.items())))
            folder.record_path(name).unlink(missing_ok=True)
            (folder.path / "feedback" / f"{name}.html").unlink(missing_ok=True)
            earlier["students"] = [s for s in earlier["students"] if s["student"] != name]
            notes.append(f"{name} is {student} now; the record of {name} is dropped")
    return notes
