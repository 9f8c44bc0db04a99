"""The commands of `python -m classroom`.

Whatever is wrong with what a command was given ends it with one line on the error stream and exit
code 2; what would do harm is refused with exit code 1; stopped by Ctrl-C it is 130.
"""

import argparse
import codecs
import contextlib
import errno
import os
import re
import shutil
import sys
import tempfile
from datetime import date, datetime
from pathlib import Path

from . import batch, collect, export, notebook, release, report, sandbox
from .collect import BadInput, Refused, count
from .master import BadMaster, Master

SECRET = 16             # bytes that the course's secret must have
PART = re.compile(r"(\..+\.|\.regrade-|classroom-)[a-z0-9_]{8}")     # what is only half written
MASTER_FIRST = ": first the master, then the submissions"
NO_SANDBOX = (
    "grade without bubblewrap: a submission can then read, change and send whatever you can, the "
    "tests, other submissions and your files among them"
)


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message):
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def parser():
    top = Parser(prog="python -m classroom", description="Release problem sets to a class, grade "
                 "what comes back, hand out feedback.")
    commands = top.add_subparsers(metavar="COMMAND", required=True, parser_class=Parser)

    def command(function, name, text, **more):
        made = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".",
                                   **more)
        made.set_defaults(run=function)
        return made

    def common(made, jobs=True):
        if jobs:
            made.add_argument("--jobs", type=positive, default=max(1, os.cpu_count() or 1),
                              metavar="N", help="processes at a time (as many as processors)")
        made.add_argument("--no-sandbox", action="store_true", help=NO_SANDBOX)

    def roster(made):
        made.add_argument("--roster", type=Path, metavar="R.csv", help="the class: a CSV file with "
                          "columns student (the id) and name, and if you like email, canvas, "
                          "moodle, section")
        made.add_argument("--seed-file", type=Path, metavar="F", help="the course's secret, from "
                          "which each student's own numbers are made (16 bytes or more)")

    made = command(run_release, "release", "make the student versions of problem sets; a set whose "
                   "solution fails or whose tests leak is refused")
    made.add_argument("masters", nargs="+", type=Path, metavar="MASTER")
    made.add_argument("-o", "--out", type=Path, required=True, metavar="DIR")
    roster(made), common(made)

    made = command(run_check, "check", "show what a student would read after handing in a notebook")
    made.add_argument("notebook", type=Path, metavar="NOTEBOOK")
    made.add_argument("--master", type=Path, metavar="MASTER", help="the problem set it answers; "
                      "without it NOTEBOOK is a master, and its own solution is graded")
    made.add_argument("--student", metavar="ID", help="whose numbers are in it (with --seed-file)")
    made.add_argument("--seed-file", type=Path, metavar="F", help="the course's secret")
    common(made, jobs=False)

    made = command(run_grade, "grade", "grade a class: a folder or a zip of submissions")
    made.add_argument("master", type=Path, metavar="MASTER")
    made.add_argument("submissions", type=Path, metavar="SUBMISSIONS",
                      help="a folder with a folder a student, or the zip of Canvas or Moodle")
    made.add_argument("-o", "--out", type=Path, required=True, metavar="OUT")
    roster(made), common(made)
    made.add_argument("--scheduler", metavar="ADDRESS", help="hand the work to a Dask cluster, "
                      "such as tcp://host:8786; it sees tests and submissions, so it must be yours")
    made.add_argument("--resume", action="store_true", help="go on with the batch in OUT; what is "
                      "graded and has not changed is kept")
    made.add_argument("--deadline", type=moment, metavar="TIME", help="such as 2026-05-04T18:00 or "
                      "2026-05-04T18:00+02:00; later ones are marked late, no points are taken off")
    made.add_argument("--attempts", choices=("last", "first"), default="last", help="which counts "
                      "of several: the last before the deadline (else the last), or the first")

    made = command(run_merge, "merge", "read the marks given by hand from a filled-in manual.csv")
    made.add_argument("out", type=Path, metavar="OUT")
    made.add_argument("sheet", type=Path, metavar="SHEET.csv")

    made = command(run_regrade, "regrade", "grade again after a test was mended; shows whose score "
                   "changes and why, keeps marks given by hand")
    made.add_argument("master", type=Path, metavar="MASTER")
    made.add_argument("submissions", type=Path, metavar="SUBMISSIONS")
    made.add_argument("out", type=Path, metavar="OUT")
    made.add_argument("--dry-run", action="store_true", help="show the changes, write nothing")
    made.add_argument("--scheduler", metavar="ADDRESS", help="hand the work to a Dask cluster")
    common(made)

    made = command(run_export, "export", "write grades for Canvas or Moodle, or the autograder for "
                   "Gradescope")
    made.add_argument("source", type=Path, metavar="OUT",
                      help="the folder that grade wrote; for Gradescope the master")
    made.add_argument("--format", required=True, choices=export.FORMATS)
    made.add_argument("-o", "--out", type=Path, required=True, metavar="FILE")
    made.add_argument("--column", metavar="NAME", help="what Canvas or Moodle calls the assignment "
                      "(its title here, if not given)")
    roster(made)
    made.add_argument("--no-sandbox", action="store_true", help="Gradescope: " + NO_SANDBOX)
    return top


def positive(text):
    if not text.isdecimal() or not 1 <= int(text) <= 1000:
        raise argparse.ArgumentTypeError(f"expected a number from 1 to 1000, got {text!r}")
    return int(text)


def moment(text):
    """A time with its zone; this machine's zone if none is given. A day alone is refused: it would
    end when it begins."""
    with contextlib.suppress(ValueError):
        date.fromisoformat(text)
        raise argparse.ArgumentTypeError(
            f"expected a day and an hour such as 2026-05-04T18:00, got {text!r}"
        )
    try:
        time = datetime.fromisoformat(text)
        return time if time.tzinfo else time.astimezone()
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(
            f"expected a time such as 2026-05-04T18:00, got {text!r}"
        ) from None


def say(text):
    """Print; names and file names may hold signs that steer a terminal."""
    sys.stdout.write(f"{report.plain(text)}\n")


def warn(text):
    sys.stderr.write(f"{report.plain(text)}\n")


# What the commands read


def read_secret(path):
    """The course's secret: the bytes of a file, without a byte order mark and white space around.

    Text in several lines or with a comma is refused: that is a roster, probably.
    """
    if path is None:
        return None
    with open(path, "rb") as file:
        secret = file.read(4096).removeprefix(codecs.BOM_UTF8).strip()
        mode = os.fstat(file.fileno()).st_mode
    if len(secret) < SECRET:
        raise BadInput(f"{path}: expected a secret of at least {SECRET} bytes, got {len(secret)}")
    is_text = "\ufffd" not in secret.decode("utf-8", "replace")[:-1]
    if is_text and set(b",;\r\n") & set(secret):
        raise BadInput(f"{path}: expected a secret in one line, without commas; is it the roster?")
    if mode & 0o077:
        warn(f"warning: {path} can be read by others on this machine: chmod 600 {path}")
    return secret


def read_master(path, more=""):
    """The master; `more` is said of another kind of file."""
    if path.exists() and path.suffix.lower() != ".ipynb":
        raise BadInput(f"expected a master (.ipynb), got {path}{more}")
    try:
        return Master(path)
    except (BadMaster, notebook.Unreadable) as error:
        said = str(error)
        raise BadInput(said if path.name in said else f"{path}: {said}") from None


def graded_folder(path, more):
    """The folder that `grade` wrote; `more` is said of a file."""
    if path.is_file():
        raise BadInput(f"expected a folder that `grade` wrote, got {path}{more}")
    return batch.Folder(path)


def sandbox_mode(arguments):
    """ "bwrap" or "none"; BadInput if bubblewrap is wanted and doesn't work here."""
    mode = "none" if arguments.no_sandbox else "bwrap"
    if not getattr(arguments, "scheduler", None):       # then it is needed there, not here
        try:
            sandbox.check(mode)
        except sandbox.Unavailable as error:
            raise BadInput(str(error)) from None
    if mode == "none":
        warn("warning: without bubblewrap a submission can read, change and send what you can")
    return mode


# The commands


def run_release(arguments):
    roster = arguments.roster and collect.read_roster(arguments.roster)
    secret = read_secret(arguments.seed_file)
    if secret and not roster:
        raise BadInput("--seed-file: numbers of their own are for the students of a --roster")
    files = release.release(
        arguments.masters, arguments.out, roster and [student.id for student in roster], secret,
        jobs=arguments.jobs, sandbox=sandbox_mode(arguments),
    )  # fmt: skip
    say(f"{count(len(files) - 1, 'notebook')} and {files[-1].name} are in {arguments.out}")


def run_check(arguments):
    master = read_master(arguments.master or arguments.notebook)
    secret, seed = read_secret(arguments.seed_file), None
    if bool(secret) != bool(arguments.student):
        raise BadInput("a student's own numbers need both --student and --seed-file")
    if secret:
        seed = batch.seeds(master, secret)(arguments.student)
    say(release.check(arguments.notebook, arguments.master, seed, sandbox_mode(arguments)))


def run_grade(arguments):
    master = read_master(arguments.master, MASTER_FIRST)
    secret = read_secret(arguments.seed_file)
    roster = arguments.roster and collect.read_roster(arguments.roster)
    earlier = batch.Folder(arguments.out).about(optional=True) if arguments.resume else {}
    fits(earlier, master, secret, arguments.out)
    deadline = arguments.deadline or stored_deadline(earlier)
    submissions, notes = collect.collect(arguments.submissions, master.name, roster, deadline,
                                         arguments.attempts)
    mode = sandbox_mode(arguments)
    notes += batch.look(master, submissions, batch.seeds(master, secret))
    solve(master, mode, arguments)
    folder = batch.open_folder(arguments.out, arguments.submissions, arguments.resume)
    with folder.alone():
        dropped = batch.adopt(submissions, folder, earlier)
        notes += batch.kept(submissions, folder)
        about = batch.describe(master, submissions, notes, secret is not None, deadline,
                               arguments.attempts, earlier, batch.fingerprint(master, secret))
        folder.write_json(folder.path / "batch.json", about)
        batch.run(master, submissions, folder, batch.seeds(master, secret), mode, arguments.jobs,
                  arguments.scheduler)
        found = report.write(folder)
    say(outcome(found))
    notes += dropped
    if deadline:
        notes.insert(0, f"the deadline is {deadline.isoformat(' ')}")
    notes += [f"the grader failed for {number} of them ({plain}); go on with --resume"
              for plain, number in sorted(report.faults(found).items())]
    for note in notes:
        say(f"note: {note}")
    say(f"{folder.path}: grades.csv, summary.html, feedback/"
        + (", manual.csv (to fill in and merge)" if any(r.unmarked for r in found) else ""))


def fits(earlier, master, secret, out):
    """Refuse to go on with a batch of another problem set, or with other numbers."""
    if not earlier:
        return
    if earlier["problem_set"] != master.name:
        raise Refused(f"{out}: holds a batch of {earlier['problem_set']}, not of {master.name}")
    if earlier["personal_numbers"] != (secret is not None):
        what = "with" if earlier["personal_numbers"] else "without"
        raise Refused(f"{out}: was graded {what} --seed-file; go on {what} it")
    numbers = batch.fingerprint(master, secret)
    if earlier.get("numbers", numbers) != numbers:
        raise Refused(f"{out}: was graded with another --seed-file; go on with that one")


def solve(master, mode, arguments):
    """Refused if the master's own solution doesn't pass here: nobody's could."""
    if arguments.scheduler:                             # then it is graded elsewhere
        return
    if faults := release.run_faults(master, sandbox=mode, empty=False):
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise Refused(f"Nothing was graded: {faults[0]}{more}")


def stored_deadline(about):
    return datetime.fromisoformat(about["deadline"]) if about.get("deadline") else None


def outcome(found):
    counts = {}
    for result in found:
        status = result.record["status"]
        counts[status] = counts.get(status, 0) + 1
    said = ", ".join(f"{number} {status}" for status, number in sorted(counts.items()))
    return f"{count(len(found), 'student')}: {said}"


def run_merge(arguments):
    folder = graded_folder(arguments.out, ": first the folder, then the sheet")
    folder.about()
    with folder.alone():
        marks, before = report.read_marks(folder, arguments.sheet), folder.marks()
        merged = {student: dict(tasks) for student, tasks in before.items()}
        for student, tasks in marks.items():
            merged.setdefault(student, {}).update(tasks)
        merged = {s: {task: mark for task, mark in sorted(tasks.items()) if mark}
                  for s, tasks in sorted(merged.items())}
        folder.write_json(folder.path / "manual.json", merged)
        arguments.kept = "the marks are read: make room and merge again"
        pairs = {(student, task) for student, tasks in marks.items() for task in tasks}
        found = report.write(folder, merged=pairs)
    left = sum(len(result.unmarked) for result in found)
    withdrawn = sum(mark is None for tasks in marks.values() for mark in tasks.values())
    more = f", {withdrawn} of them withdrawn" if withdrawn else ""
    say(f"{count(len(pairs), 'mark')} read{more}; {count(left, 'answer')} "
        f"{'is' if left == 1 else 'are'} still to be marked")


def run_regrade(arguments):
    master = read_master(arguments.master, MASTER_FIRST)
    folder = graded_folder(arguments.out, f"{MASTER_FIRST}, then the folder")
    about = folder.about()
    if about["problem_set"] != master.name:
        raise Refused(f"{arguments.out}: holds a batch of {about['problem_set']}, not of "
                      f"{master.name}")
    with folder.alone():
        old = {record["student"]: record for record in folder.all_records()}
        deadline = stored_deadline(about)
        students = [batch.student_of(values) for values in about["students"]]
        submissions, _ = collect.collect(arguments.submissions, master.name, students,
                                         deadline, about["attempts"])
        new = [s for s in submissions if s.student.id not in old]
        submissions = [s for s in submissions if s.student.id in old and
                       (s.file or not batch.was_handed_in(old[s.student.id]))]
        mode = sandbox_mode(arguments)
        found = batch.look(master, submissions, lambda student: old[student]["seed"], again=True)
        notes = [note for note in found if note not in about["notes"]]
        solve(master, mode, arguments)
        place = tempfile.mkdtemp(prefix=".regrade-", dir=folder.path)
        try:
            trial = batch.Folder(place)
            trial.records.mkdir()
            batch.run(master, submissions, trial, lambda student: old[student]["seed"], mode,
                      arguments.jobs, arguments.scheduler)
            records = [trial.record(s.student.id) for s in submissions]
        finally:
            shutil.rmtree(place, ignore_errors=True)
        for line in report.changes(folder, old, records):
            say(line)
        for note in notes:
            say(f"note: {note}")
        for submission in new:
            say(f"note: {submission.file}: not in this batch; add it with grade --resume")
        if arguments.dry_run:
            say("Nothing was written.")
            return
        arguments.kept = "only a part is written: make room and regrade again"
        for record in records:
            if record != old[record["student"]]:
                folder.write_json(folder.record_path(record["student"]), record)
        described = batch.describe(master, [], about["notes"], about["personal_numbers"], deadline,
                                   about["attempts"], about)
        folder.write_json(folder.path / "batch.json", described)
        report.write(folder)


def run_export(arguments):
    if arguments.out.exists() and not arguments.out.is_file():
        raise BadInput(f"{arguments.out}: expected a file to write, got a folder or a device")
    if arguments.format == "gradescope":
        master = read_master(arguments.source, ": an autograder is made from a problem set")
        roster = arguments.roster and collect.read_roster(arguments.roster)
        secret = read_secret(arguments.seed_file)
        if bool(roster) != bool(secret):
            raise BadInput("numbers for each student need both --roster and --seed-file")
        data = export.autograder(
            arguments.source, roster, secret and batch.seeds(master, secret),
            "none" if arguments.no_sandbox else "bwrap",
        )  # fmt: skip
        notes = []
    else:
        folder = graded_folder(arguments.source, ": from a master comes --format gradescope")
        data, notes = export.grades(folder, arguments.format, arguments.column)
    notebook.write(arguments.out, data)
    for note in notes:
        say(f"note: {note}")
    say(f"{arguments.out} is written")


def main(arguments=None):
    """Run a command; returns the exit code."""
    arguments = parser().parse_args(arguments)
    try:
        arguments.run(arguments)
        return 0
    except KeyboardInterrupt:
        more = f" Go on with: grade … -o {arguments.out} --resume" if hasattr(arguments, "resume") \
            else ""
        warn(f"Stopped; what was done is kept.{more}")
        return 130
    except BrokenPipeError:
        with contextlib.suppress(OSError):
            sys.stdout.close()
        return 0
    except (Refused, release.Refused) as error:
        warn(str(error))
        return 1
    except (BadInput, BadMaster, notebook.Unreadable, sandbox.Unavailable) as error:
        warn(str(error))
        return 2
    except OSError as error:
        warn(trouble(error, arguments))
        return 2
    except MemoryError:
        warn("There is not enough memory; try fewer --jobs.")
        return 2


def trouble(error, arguments):
    """What the system said, with the file in question and what to do."""
    where = error.filename2 or error.filename or getattr(arguments, "out", None)
    parts = Path(str(where)).parts
    for n, part in enumerate(parts):
        if PART.fullmatch(part):        # the teacher knows the folder
            where = Path(*parts[:n])
            break
    said = f"{where}: {error.strerror}" if where and error.strerror else str(error) or repr(error)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        if hasattr(arguments, "resume"):
            return f"{said}; what was graded is kept: make room and go on with --resume"
        return f"{said}; {getattr(arguments, 'kept', 'nothing was changed')}"
    return said
