"""Grades for the systems of a university: Canvas, Moodle, Gradescope.

A grade that isn't final (an answer still to be marked by hand, a fault of the grader, a file that
can't be read, nothing handed in) is an empty cell, which both Canvas and Moodle read as no grade.
"""

import io
import json
import os
import sys
import zipfile
from pathlib import Path

from . import batch, grading, notebook, report, sandbox
from .collect import BadInput, Refused, count, is_notebook
from .master import OPEN_SEED, Master

FORMATS = "canvas", "moodle", "gradescope"
HERE = Path(__file__).resolve().parent


def grades(folder, system, column=None):
    """The table that Canvas or Moodle imports, as bytes, and notes on who isn't in it.

    column: what the assignment is called there; the problem set's title if it isn't given.
    """
    about, found = folder.about(), report.results(folder)
    lines, notes, left_out, numbers = [], [], [], {}
    maker = {"canvas": canvas, "moodle": moodle}[system]
    students = {student["student"]: student for student in about["students"]}
    for result in found:
        student = students[result.record["student"]]
        if not student["listed"]:
            left_out.append(student["student"])
        elif system == "canvas" and (first := numbers.get(student["canvas"])):
            notes.append(f"{student['student']} has the Canvas number of {first}, so is not in the "
                         "table")
        else:
            lines.append((student, result))
            if student["canvas"]:
                numbers[student["canvas"]] = student["student"]
    if left_out:
        notes.append(f"not on the roster, so not in the table: {', '.join(left_out)}")
    if unfinished := sum(not grade(r) and r.record["status"] != "missing" for _, r in lines):
        have = "has" if unfinished == 1 else "have"
        notes.append(f"{count(unfinished, 'student')} {have} no final grade yet: an empty cell")
    return maker(lines, column or about["title"]), notes


def grade(result):
    final = result.final and not result.nothing
    return report.points(round(result.score, 4)) if final else ""


def canvas(lines, column):
    """What Canvas's gradebook imports (lib/gradebook_importer.rb of instructure/canvas-lms).

    The first columns are Student, ID, SIS User ID, SIS Login ID, Section in this order; the second
    line has the points possible. A student is found by ID, the number of the Canvas account, else
    by SIS id, else by login, else by name. The roster's id stands as both of the two.
    """
    maximum = max((result.maximum for _, result in lines), default=0)
    header = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", report.text_cell(column)]
    table = [["    Points Possible", "", "", "", "", report.points(maximum)]]
    for student, result in lines:
        own = student["student"]
        table.append([
            report.text_cell(student["name"] or own), student["canvas"], own, own,
            report.text_cell(student["section"]), grade(result),
        ])  # fmt: skip
    return report.table(header, table, mark=False)


def moodle(lines, column):
    """What Moodle's gradebook imports (grade/import/csv/classes/load_data.php of moodle/moodle).

    In Moodle choose what identifies a student (the ID number, the user name or the email address)
    and which grade item the last two columns belong to. Moodle stops at a student whom it doesn't
    know, and gives a line whose identifier is empty to the student before; so only students of the
    roster are in the table, and the column of email addresses only if all have one.
    """
    emails = all(student["email"] for student, _ in lines)
    header = ["ID number", "Full name", *["Email address"] * emails,
              report.text_cell(column), report.text_cell(f"{column} feedback")]
    table = []
    for student, result in lines:
        table.append([
            student["student"], report.text_cell(student["name"]),
            *[report.text_cell(student["email"])] * emails, grade(result),
            report.text_cell(comment(result)),
        ])  # fmt: skip
    return report.table(header, table, mark=False)


def comment(result):
    """The points of each task in a line, and the comments on marks given by hand."""
    parts = [f"{name}: {report.points(score) or 'not known yet'}"
             for name, score in result.tasks.items()]
    said = [mark["comment"] for name, mark in result.marks.items()
            if mark["comment"] and name not in result.unmarked]
    return "; ".join([*parts, *said])


# Gradescope: gradescope-autograders.readthedocs.io, "Specifications" and "Submission Metadata"

SETUP = """#!/usr/bin/env bash
# Run once by Gradescope, when the image for this autograder is made. It needs Python 3.11 or newer:
# choose a base image with Ubuntu 22.04 or newer.
set -e
export DEBIAN_FRONTEND=noninteractive
apt-get update
apt-get install -y --no-install-recommends bubblewrap python3-venv || true
python=""
for candidate in python3.13 python3.12 python3.11 python3; do
    if "$candidate" -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))'; then
        python=$candidate
        break
    fi
done 2> /dev/null
if [ -z "$python" ]; then
    apt-get install -y --no-install-recommends python3.11 python3.11-venv
    python=python3.11
fi
"$python" -m venv /autograder/venv
/autograder/venv/bin/pip install -r /autograder/source/requirements.txt
chmod -R go-rwx /autograder/source      # tests and numbers are for the grader alone
"""

RUN = """#!/usr/bin/env bash
# Run by Gradescope for each submission: reads /autograder/submission, writes the results.
export PYTHONPATH=/autograder/source OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
exec /autograder/venv/bin/python -m classroom.export /autograder
"""

README = """Autograder for Gradescope: upload this zip as it is (assignment, Configure Autograder).

Students' code runs inside Gradescope's container, a new one for each submission. In it the grader
uses bubblewrap, as everywhere, so that a submission sees neither tests nor numbers nor results.
Whether a container allows bubblewrap is up to Gradescope. If it doesn't:

- made without --no-sandbox, the autograder refuses to run: no results, an error for the teacher.
- made with --no-sandbox, it goes on with limits on time and memory only. A submission that sets out
  to can then read the hidden tests and write its own results. Nothing of other students is there.

To see which it is, submit the solution once and read the first lines of the output.

Answers in words are not marked here: add the points in Gradescope, or grade them elsewhere.
"""


def autograder(master_path, roster=None, seed_of=None, mode="bwrap"):
    """The zip that Gradescope takes as an autograder, as bytes; the same input, the same bytes.

    Numbers are personal if seed_of is given; then Gradescope tells a student by the email address,
    so each of the roster needs one. The course's secret isn't in the archive, only the seeds.
    """
    master = Master(master_path)
    seeds = {}
    for student in (roster or []) if seed_of else []:
        if not student.email:
            raise Refused(f"{student.id}: expected an email address on the roster, because "
                          "Gradescope knows students by it")
        seeds[student.email.casefold()] = seed_of(student.id)
    about = {"master": f"{master.name}.ipynb", "mode": mode, "seeds": seeds}
    byhand = Path(sandbox.python()[3])
    files = {
        "setup.sh": SETUP, "run_autograder": RUN, "README.txt": README,
        "requirements.txt": requirements(),
        "autograder.json": json.dumps(about, indent=1, sort_keys=True) + "\n",
        f"master/{master.name}.ipynb": Path(master_path).read_bytes(),
    }  # fmt: skip
    for package in HERE, byhand:
        for path in sorted(package.iterdir()):
            if path.is_file():
                files[f"{package.name}/{path.name}"] = path.read_bytes()
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)       # of 1980, whenever it is made
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o755 if name in ("setup.sh", "run_autograder") else 0o644) << 16
            archive.writestr(entry, content)
    return made.getvalue()


def requirements():
    """The versions that grade here, so that Gradescope's container grades the same."""
    from importlib.metadata import version

    names = "numpy", "matplotlib", "tqdm", "ipywidgets"     # the last for cells that import it
    return "".join(f"{name}=={version(name)}\n" for name in names)


def gradescope_results(record):
    """A record as Gradescope's results.json. What only the teacher may see isn't in it."""
    tests = [
        {
            "name": f"{report.heading(task)}: {test['id']}", "name_format": "text",
            "score": test["score"], "max_score": test["maximum"],
            "status": "passed" if test["outcome"] == "passed" else "failed",
            "output": report.plain(test["message"]) or report.OUTCOME[test["outcome"]],
            "output_format": "text", "visibility": "visible",
        }
        for task in record["tasks"]
        for test in task["tests"]
    ]  # fmt: skip
    words = [report.STATUS[record["status"]], *record["notes"]]
    words += [
        f"{report.heading({'task': item['id'], 'title': item['title']})} is marked by hand."
        for item in record["manual"]
    ]
    return {"output": report.plain("\n".join(dict.fromkeys(words))), "output_format": "text",
            "stdout_visibility": "hidden", "tests": tests}


def in_container(root):
    """What run_autograder does: grade root/submission, write root/results/results.json.

    Raises BadInput where no result is better than a wrong one: Gradescope then says that the
    autograder failed, and shows the student no score.
    """
    source, root = Path(root) / "source", Path(root)
    about = json.loads((source / "autograder.json").read_text(encoding="utf-8"))
    master = Master(source / "master" / about["master"])
    mode = "bwrap"
    try:
        sandbox.check(mode)
    except sandbox.Unavailable as error:
        if about["mode"] != "none":
            raise BadInput(
                "bubblewrap doesn't work in this container, and this autograder was made without "
                f"--no-sandbox ({error})"
            ) from None
        mode = "none"
    seed = OPEN_SEED
    if about["seeds"]:
        path = root / "submission_metadata.json"
        users = json.loads(path.read_text(encoding="utf-8"))["users"]
        known = [about["seeds"].get(user["email"].casefold()) for user in users]
        seed = next((number for number in known if number is not None), None)
        if seed is None:
            raise BadInput("nobody of this submission is on the roster: their numbers aren't known")
    books = sorted(path for path in (root / "submission").rglob("*.ipynb")
                   if path.is_file() and not path.is_symlink() and is_notebook(path.name))
    books = [path for path in books if path.stem.startswith(master.name)] or books
    if books:
        record = grading.grade(master, notebook.read(books[0]), seed, sandbox=mode)
    else:
        record = batch.blank(master, "unreadable", "Expected a notebook (a file .ipynb), got none.")
    if record["status"] == "grader error":
        raise BadInput("the grader failed: " + "; ".join(record["notes"]))
    (root / "results").mkdir(exist_ok=True)
    text = json.dumps(gradescope_results(record), indent=1) + "\n"
    notebook.write(root / "results" / "results.json", text)
    return f"graded with the sandbox {mode!r}"


if __name__ == "__main__":
    try:
        sys.stdout.write(in_container(sys.argv[1] if len(sys.argv) > 1 else os.curdir) + "\n")
    except (BadInput, OSError, ValueError, KeyError, sandbox.Unavailable) as failure:
        sys.exit(f"The autograder can't grade: {failure}")
