"""The commands as a teacher types them: what they do, and one clear line for whatever is wrong."""

import csv
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
import small_master
from classroom import cli, notebook, sandbox
from classroom.master import Master, personal_seed
from test_classroom_batch import cluster  # noqa: F401

CODE = Path(cli.__file__).parents[1]
SECRET = b"a secret of the course"
RIGHT = {
    "task-1": "def deviation(values):\n    values = np.asarray(values)\n    return values.std()",
    "task-2": "largest = max(x)",
    "task-3": "def mended(p, y, inputs):\n    return ((p - y)[:, None] * inputs).mean(axis=0)",
    "task-4": "Because it is a mean.",
}


def need(program):
    if not shutil.which(program):
        if os.environ.get("BROWSER_TESTS") == "required":
            pytest.fail(f"{program} is required")
        pytest.skip(f"needs {program}: apt install bubblewrap")


@pytest.fixture
def run(capsys):
    """Run a command; returns the exit code, the output and the error stream."""

    def command(*arguments):
        try:
            code = cli.main([str(argument) for argument in arguments])
        except SystemExit as stopped:
            code = stopped.code
        said = capsys.readouterr()
        return code, said.out, said.err

    return command


@pytest.fixture
def fails(run):
    """Run a command that must fail with this exit code and one line that has these words."""

    def command(code, words, *arguments):
        stopped, _, error = run(*arguments)
        assert (stopped, error.count("\n")) == (code, 1), error
        assert words in error, error

    return command


@pytest.fixture
def path(tmp_path):
    return small_master.write(tmp_path)


def answered(master, seed=2026, **answers):
    """A student's notebook with these answers: task_1="…" for the cell task-1."""
    made = Master(master).student_version(seed)
    for cell in made["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id", "")
        if name.replace("-", "_") in answers:
            cell["source"] = answers[name.replace("-", "_")]
    return notebook.dump(made)


def right(**changed):
    return {name.replace("-", "_"): text for name, text in RIGHT.items()} | changed


def hand_in(folder, **books):
    for student, text in books.items():
        (folder / student).mkdir(parents=True, exist_ok=True)
        (folder / student / "01-small.ipynb").write_text(text)
    return folder


def content(folder):
    return {str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(Path(folder).rglob("*")) if path.is_file()}


def table(path):
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))


@pytest.fixture
def course(tmp_path, path):
    """A roster, a seed file and what three of four students handed in, with their own numbers."""
    roster, secret = tmp_path / "roster.csv", tmp_path / "secret"
    roster.write_text("student,name,email\ns1,Ada,a@x.org\ns2,Ben,b@x.org\ns3,Cy,c@x.org\n"
                      "s4,Di,d@x.org\n")
    secret.touch(mode=0o600)
    secret.write_bytes(SECRET + b"\n")
    seeds = {student: personal_seed(SECRET, "01-small", student) for student in ("s1", "s2", "s3")}
    hand_in(
        tmp_path / "in",
        s1=answered(path, seeds["s1"], **right()),
        s2=answered(path, seeds["s2"], **right(task_1="def deviation(v):\n    return v.max()")),
        s3=answered(path, seeds["s3"], **right(task_2="largest = 'the last'")),
    )
    return ["--roster", roster, "--seed-file", secret]


def test_a_course_from_grading_to_the_way_back(tmp_path, path, course, run):
    """Grade, mark by hand, merge, mend a test, regrade, export."""
    need("bwrap")
    out = tmp_path / "out"
    code, said, error = run("grade", path, tmp_path / "in", "-o", out, *course, "--jobs", 2)
    assert (code, error) == (0, "")
    assert said.splitlines()[0] == "4 students: 3 graded, 1 missing"
    assert [line["score"] for line in table(out / "grades.csv")] == ["6", "3", "5", "0"]
    feedback = (out / "feedback/s3.html").read_text()
    assert "largest" in feedback
    hidden = (out / "feedback/s2.html").read_text()
    assert "2.0, 5.0" not in hidden and "2 ** 0.5" not in hidden

    again = tmp_path / "again"
    run("grade", path, tmp_path / "in", "-o", again, *course, "--jobs", 1)
    assert content(again) == content(out)
    assert str(tmp_path) not in json.dumps({k: v.decode() for k, v in content(out).items()})

    sheet = tmp_path / "marks.csv"
    sheet.write_text("student,task,score,comment\ns1,task-4,2,\ns2,task-4,1,short\n")
    assert run("merge", out, sheet)[0] == 0
    before = content(out)
    mended = small_master.cells()
    mended["task-1-test"]["source"] = small_master.TEST_1.split("### BEGIN")[0].replace(
        'compare(deviation(np.array([1.0, 3.0])), 1.0, "deviation of 1 and 3")',
        "assert deviation(np.array([1.0, 3.0])) > 0")
    (tmp_path / "mended").mkdir()
    newer = small_master.write(tmp_path / "mended", mended)
    code, said, error = run("regrade", newer, tmp_path / "in", out, "--dry-run")
    assert (code, error) == (0, "")
    assert said.splitlines()[0] == "1 of 4 students have another result:"
    assert said.splitlines()[1].startswith(
        "s2 (Ben): 4 → 7 of 8; task-1-test: 0 failed → 3 passed")
    assert content(out) == before
    assert run("regrade", newer, tmp_path / "in", out)[0] == 0
    line = table(out / "grades.csv")[1]
    assert (line["score"], line["task-4"]) == ("7", "1")
    assert run("regrade", newer, tmp_path / "in", out)[1].startswith("0 of 4 students have another")
    assert not list(out.glob(".*"))

    code, said, _ = run("export", out, "--format", "canvas", "-o", tmp_path / "c.csv")
    assert code == 0 and "1 student has no final grade yet" in said
    assert (tmp_path / "c.csv").read_text().splitlines()[2:] == [
        "Ada,,s1,s1,,8", "Ben,,s2,s2,,7", "Cy,,s3,s3,,", "Di,,s4,s4,,"]


def test_a_student_with_anothers_numbers_earns_nothing_for_them(tmp_path, path, course, run):
    need("bwrap")
    copied = right(task_2=f"largest = {largest('s1')}")
    seed = personal_seed(SECRET, "01-small", "s1")
    hand_in(tmp_path / "in", s4=answered(path, seed, **copied))
    run("grade", path, tmp_path / "in", "-o", tmp_path / "out", *course)
    assert [line["task-2"] for line in table(tmp_path / "out/grades.csv")] == ["1", "1", "0", "0"]


def test_one_with_anothers_numbers_is_told_and_the_teacher_learns_whose(tmp_path, path, course,
                                                                        run):
    need("bwrap")
    source, out = tmp_path / "in", tmp_path / "out"
    seed = personal_seed(SECRET, "01-small", "s4")
    hand_in(source, s2=answered(path, seed, **right()), s4=answered(path, seed, **right()))
    assert "in/" not in (said := run("grade", path, source, "-o", out, *course)[1])
    assert "note: s2/01-small.ipynb: has the numbers of s4, not of s2\n" in said
    page = (out / "feedback/s2.html").read_text()
    assert "The numbers in this notebook are not yours: was it made from" in page
    assert "s4" not in page and "not yours" not in (out / "feedback/s4.html").read_text()
    assert "the numbers of s4" in (out / "summary.html").read_text()
    before = content(out)
    assert run("regrade", path, source, out)[1].startswith("0 of 4 students have another")
    assert content(out) == before
    hand_in(source, s2=answered(path, **right()))
    said = run("grade", path, source, "-o", out, *course, "--resume")[1]
    assert "has the numbers of the version for everyone, not of s2" in said


def test_numbers_of_most_that_are_others_are_refused(tmp_path, path, course, fails, run):
    """With another seed file, without one, with one that nobody needed; and when graded again."""
    need("bwrap")
    source, out, public = tmp_path / "in", tmp_path / "out", tmp_path / "public"
    other = tmp_path / "other"
    other.write_bytes(SECRET + b" of another")
    other.chmod(0o600)
    command = "grade", path, source, "-o", out
    fails(1, "3 of 3 notebooks have other numbers than --seed-file gives", *command, *course[:2],
          "--seed-file", other)
    fails(1, "3 of 3 notebooks have numbers of their own; grade with the --seed-file", *command)
    hand_in(public, s1=answered(path, **right()), s2=answered(path), s3="no notebook")
    fails(1, "2 of 2 notebooks have the numbers of the version for everyone; grade without",
          "grade", path, public, "-o", out, *course)
    assert not out.exists()
    assert run("grade", path, public, "-o", out)[0] == 0
    before = content(out)
    fails(1, "2 of 2 notebooks have other numbers than the batch was graded with", "regrade", path,
          hand_in(public, **{s: (source / s / "01-small.ipynb").read_text() for s in ("s1", "s2")}),
          out)
    assert content(out) == before


def other_set(path, **answers):
    """A student's notebook of another problem set."""
    book = json.loads(answered(path, **answers))
    for cell in book["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = "".join(cell["source"]).replace("A small set", "Another set") \
                .replace("Task", "Exercise")
    return json.dumps(book)


def test_a_notebook_of_another_problem_set_is_not_graded(tmp_path, path, run, fails):
    need("bwrap")
    source, out = tmp_path / "in", tmp_path / "out"
    renamed = answered(path, **right()).replace("# A small set", "# My homework")
    hand_in(source, s1=other_set(path, **right()), s2=renamed, s3=answered(path, **right()))
    assert run("grade", path, source, "-o", out)[0] == 0
    lines = table(out / "grades.csv")
    assert [line["status"] for line in lines] == ["unreadable", "graded", "graded"]
    said = 'This notebook is "Another set"; expected "A small set".'
    assert lines[0]["note"] == said.rstrip(".")
    assert "Another set" in (out / "feedback/s1.html").read_text()
    hand_in(source, s2=other_set(path))
    before = content(out)
    for command in (["grade", path, source, "-o", out, "--resume"], ["regrade", path, source, out],
                    ["grade", path, source, "-o", tmp_path / "new"]):
        fails(1, '2 of 3 notebooks are of another problem set, "Another set", not "A small set"; '
                 "is it the right master?", *command)
    assert content(out) == before and not (tmp_path / "new").exists()


def test_going_on_with_another_seed_file_is_refused(tmp_path, path, course, run, fails):
    need("bwrap")
    out = tmp_path / "out"
    command = "grade", path, tmp_path / "in", "-o", out, *course, "--resume"
    assert run(*command)[0] == 0
    assert run("regrade", path, tmp_path / "in", out)[0] == 0
    before = content(out)
    course[3].write_bytes(SECRET[::-1])
    fails(1, "was graded with another --seed-file; go on with that one", *command)
    assert content(out) == before
    about = json.loads((out / "batch.json").read_text())
    about.pop("numbers")                                # as it was written before
    (out / "batch.json").write_text(json.dumps(about))
    course[3].write_bytes(SECRET)
    assert run(*command)[0] == 0 and content(out) == before


def test_a_stranger_who_is_found_on_the_roster_is_there_once(tmp_path, path, run):
    """Record, page and line of the gradebook go; marks by hand stay, with the student."""
    need("bwrap")
    roster, out, source = tmp_path / "r.csv", tmp_path / "out", tmp_path / "m.zip"
    with zipfile.ZipFile(source, "w") as archive:
        for who in ("Ada Abel_12", "Ben Bolt_13"):
            archive.writestr(f"{who}_assignsubmission_file/01-small.ipynb",
                             answered(path, **right()))
    roster.write_text("student,name\ns1,Ada Abel\ns2,Benjamin Bolt\n")
    command = "grade", path, source, "-o", out, "--roster", roster, "--resume"
    assert run(*command)[0] == 0
    sheet = tmp_path / "marks.csv"
    sheet.write_text("student,task,score\nmoodle-13,task-4,2\n")
    assert run("merge", out, sheet)[0] == 0
    roster.write_text("student,name\ns1,Ada Abel\ns2,Ben Bolt\n")
    code, said, _ = run(*command)
    assert code == 0 and "note: moodle-13 is s2 now; the record of moodle-13 is dropped" in said
    assert [(line["student"], line["score"], line["task-4"]) for line in table(
        out / "grades.csv")] == [("s1", "6", ""), ("s2", "8", "2")]
    assert not [name for name, raw in content(out).items()
                if "moodle-13" in name or b"moodle-13" in raw and name != "manual-unread.csv"]


def test_a_master_whose_own_solution_fails_grades_nobody(tmp_path, path, run, fails):
    need("bwrap")
    source, out = hand_in(tmp_path / "in", s1=answered(path, **right())), tmp_path / "out"
    assert run("grade", path, source, "-o", out)[0] == 0
    before = content(out)
    wrong = small_master.cells()
    wrong["task-2"]["source"] = wrong["task-2"]["source"].replace("x.max()", "x.min()")
    small_master.write(tmp_path, wrong)
    words = "Nothing was graded: 01-small: task-2-test: the solution doesn't pass"
    fails(1, words, "regrade", path, source, out)
    fails(1, words, "grade", path, source, "-o", tmp_path / "new")
    assert content(out) == before and not (tmp_path / "new").exists()


def largest(student):
    import numpy as np

    seed = personal_seed(SECRET, "01-small", student)
    return float(np.random.default_rng([seed, 1]).normal(size=4).round(3).max())


def test_release_and_check(tmp_path, path, course, run):
    need("bwrap")
    code, said, _ = run("release", path, "-o", tmp_path / "released", *course, "--jobs", 1)
    assert code == 0 and said.startswith("4 notebooks and problem-sets.zip are in")
    assert (tmp_path / "released/01-small/s1/01-small.ipynb").exists()
    code, said, _ = run("check", tmp_path / "in/s3/01-small.ipynb", "--master", path,
                        "--student", "s3", *course[2:])
    assert code == 0 and "5 of 6 points" in said


def test_a_master_that_must_not_be_released(tmp_path, path, run):
    need("bwrap")
    wrong = small_master.cells()
    wrong["task-2"]["source"] = wrong["task-2"]["source"].replace("x.max()", "x.min()")
    code, said, error = run("release", small_master.write(tmp_path, wrong), "-o", tmp_path / "out")
    assert (code, said) == (1, "") and "task-2-test" in error and "Traceback" not in error
    assert not (tmp_path / "out").exists()


def test_the_archive_of_canvas_with_a_deadline_that_is_kept(tmp_path, path, run):
    """Canvas marks who was late; --resume knows the deadline, which plain folders need."""
    need("bwrap")
    with zipfile.ZipFile(tmp_path / "submissions.zip", "w") as archive:
        archive.writestr("berganna_7_100_01-small.ipynb", answered(path, **right()))
        archive.writestr("itoken_LATE_8_101_01-small-1.ipynb", answered(path))
    (tmp_path / "r.csv").write_text("student,name\ns1,Anna Berg\ns2,Ken Ito\n")
    out, how = tmp_path / "out", ["--roster", tmp_path / "r.csv"]
    code, said, _ = run("grade", path, tmp_path / "submissions.zip", "-o", out, *how,
                        "--deadline", "2026-05-04T18:00-05:00")
    assert code == 0 and "1 submission doesn't say when it was handed in" in said
    assert "note: the deadline is 2026-05-04 18:00:00-05:00\n" in said
    assert [(line["score"], line["late"]) for line in table(out / "grades.csv")] == [
        ("6", ""), ("0", "late")]
    hand_in(tmp_path / "in", s1=answered(path))
    os.utime(tmp_path / "in/s1/01-small.ipynb", (1777935601, 1777935601))   # 18:00:01 over there
    code, said, _ = run("grade", path, tmp_path / "in", "-o", out, *how, "--resume")
    assert code == 0 and "note: the deadline is 2026-05-04 18:00:00-05:00\n" in said
    lines = table(out / "grades.csv")
    assert [(line["score"], line["late"]) for line in lines] == [("0", "late"), ("0", "late")]


def test_help_for_every_command(run):
    code, said, _ = run("--help")
    assert code == 0
    for command in ("release", "check", "grade", "merge", "regrade", "export"):
        assert command in said
        assert run(command, "--help")[0] == 0


def test_it_starts_as_a_module():
    done = subprocess.run([sys.executable, "-m", "classroom", "grade", "x"], cwd=CODE, text=True,
                          capture_output=True)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert done.stderr.startswith("python -m classroom grade: ")


# What is wrong with what a command was given


def test_masters_that_are_none(tmp_path, path, fails):
    source, out = hand_in(tmp_path / "in", s1="x"), tmp_path / "out"
    (tmp_path / "empty.ipynb").touch()
    (tmp_path / "text.ipynb").write_text("Dear teacher")
    plain = {"cells": [{"cell_type": "markdown", "metadata": {}, "source": "# Notes"}],
             "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (tmp_path / "plain.ipynb").write_text(json.dumps(plain))
    for name, words in (("nowhere.ipynb", "nowhere.ipynb: No such file"),
                        ("in", f"expected a master (.ipynb), got {source}"),
                        ("empty.ipynb", "empty.ipynb: The file is empty."),
                        ("text.ipynb", "text.ipynb: The file is not a notebook"),
                        ("plain.ipynb", "plain.ipynb: expected cells with nbgrader metadata")):
        for command in (["grade", tmp_path / name, source, "-o", out],
                        ["check", tmp_path / name],
                        ["export", tmp_path / name, "--format", "gradescope", "-o", out]):
            fails(2, words, *command)
    assert not out.exists()


def test_submissions_that_are_none(tmp_path, path, fails):
    out, archive = tmp_path / "out", tmp_path / "a.zip"
    archive.write_bytes(b"PK")
    (tmp_path / "none").mkdir()
    for name, words in (("nowhere", "nowhere: No such file"), ("none", "found none"),
                        ("a.zip", "got another file or a broken zip"),
                        (path.name, "expected a folder or a zip of submissions, got a notebook")):
        fails(2, words, "grade", path, tmp_path / name, "-o", out)
    assert not out.exists()


def test_rosters_and_seed_files_that_are_none(tmp_path, path, fails, run):
    source, out = hand_in(tmp_path / "in", s1="x"), tmp_path / "out"
    command = "grade", path, source, "-o", out
    roster, secret = tmp_path / "r.csv", tmp_path / "secret"
    fails(2, "r.csv: No such file", *command, "--roster", roster)
    roster.write_text("student\ns1\ns1\n")
    fails(2, "line 3: the id 's1' stands in line 2, too", *command, "--roster", roster)
    fails(2, "in: Is a directory", *command, "--roster", source)
    roster.write_text("student\ns1\n")
    fails(2, "secret: No such file", *command, "--seed-file", secret)
    secret.write_text("\n")
    fails(2, "expected a secret of at least 16 bytes, got 0", *command, "--seed-file", secret)
    secret.write_bytes(SECRET)
    secret.chmod(0o600)
    fails(2, "--seed-file: numbers of their own are for", "release", path, "-o", out,
          "--seed-file", secret)
    assert not out.exists()
    secret.chmod(0o644)
    if shutil.which("bwrap"):
        error = run(*command, "--seed-file", secret)[2]
        assert error == f"warning: {secret} can be read by others on this machine: " \
            f"chmod 600 {secret}\n"


def test_a_secret_is_never_shown_and_a_roster_is_no_secret(tmp_path, path, course, fails, run):
    roster, secret = course[1], course[3]
    out = tmp_path / "out"
    fails(2, "secret: expected a column 'student' in its first line", "release", path, "-o", out,
          "--roster", secret, "--seed-file", roster)
    assert SECRET.decode() not in run("release", path, "-o", out, "--roster", secret)[2]
    for text in ("student,name,canvas,section", "student;name;canvas;section",
                 "a line of a roster\nanother line\n"):
        secret.write_text(text)
        fails(2, "expected a secret in one line, without commas", "grade", path, tmp_path / "in",
              "-o", out, "--roster", roster, "--seed-file", secret)
    assert not out.exists()
    secret.write_bytes(b"\xef\xbb\xbf" + SECRET + b"\r\n")
    assert cli.read_secret(secret) == SECRET
    secret.write_bytes(b",\n\xff" * 8)       # bytes at random may hold anything
    assert cli.read_secret(secret) == b",\n\xff" * 8


@pytest.mark.parametrize(("option", "words"), [
    (["--jobs", "0"], "expected a number from 1 to 1000, got '0'"),
    (["--jobs", "many"], "expected a number from 1 to 1000, got 'many'"),
    (["--deadline", "2026-05-04"],
     "expected a day and an hour such as 2026-05-04T18:00, got '2026-05-04'"),
    (["--deadline", "tomorrow"], "expected a time such as 2026-05-04T18:00, got 'tomorrow'"),
    (["--attempts", "best"], "invalid choice: 'best'"),
    (["--scheduler", "carrier-pigeon://x"], "no scheduler answers"),
    (["--frobnicate"], "unrecognized arguments: --frobnicate"),
])
def test_options_that_are_none(tmp_path, path, fails, option, words):
    if "--scheduler" in option:
        pytest.importorskip("distributed", reason="needs dask.distributed")
    source = hand_in(tmp_path / "in", s1="x")
    fails(2, words, "grade", path, source, "-o", tmp_path / "out", *option)


def test_folders_that_hold_something_else(tmp_path, path, fails, run):
    need("bwrap")
    source, out = hand_in(tmp_path / "in", s1="x"), tmp_path / "out"
    fails(2, "expected a folder that `grade` wrote", "merge", source, path)
    fails(2, "expected a folder that `grade` wrote", "regrade", path, source, out)
    fails(2, "expected a folder that `grade` wrote", "export", out, "--format", "moodle",
          "-o", tmp_path / "m.csv")
    fails(2, "expected a folder to write to, got a file", "grade", path, source, "-o", path)
    fails(1, "is not empty; choose a new folder", "grade", path, source, "-o", tmp_path)
    assert run("grade", path, source, "-o", out)[0] == 0
    fails(1, "holds a batch already", "grade", path, source, "-o", out)
    other = path.rename(path.with_name("02-other.ipynb"))
    fails(1, "holds a batch of 01-small, not of 02-other", "grade", other, source, "-o", out,
          "--resume")
    fails(1, "holds a batch of 01-small, not of 02-other", "regrade", other, source, out)
    fails(2, "sheet.csv: No such file", "merge", out, tmp_path / "sheet.csv")
    fails(2, "expected columns student, task, score", "merge", out, out / "batch.json")
    fails(2, "invalid choice: 'excel'", "export", out, "--format", "excel", "-o", "x")
    for target in (source, "/dev/full"):
        fails(2, "expected a file to write, got a folder or a device", "export", out,
              "--format", "canvas", "-o", target)
    fails(2, "No such file or directory", "export", out, "--format", "canvas",
          "-o", tmp_path / "no/such/x.csv")
    (out / "records/s1.json").write_text("{")
    fails(2, "s1.json: damaged; delete it and run grade --resume", "export", out,
          "--format", "canvas", "-o", tmp_path / "x.csv")
    (out / "records/s1.json").unlink()
    fails(1, "the batch is not finished, 1 of 1 students have no record", "export", out,
          "--format", "canvas", "-o", tmp_path / "x.csv")
    assert not (tmp_path / "x.csv").exists()


def test_arguments_in_another_order(tmp_path, path, fails, run):
    need("bwrap")
    source, out = hand_in(tmp_path / "in", s1=answered(path, **right())), tmp_path / "out"
    archive, sheet = tmp_path / "canvas.zip", tmp_path / "sheet.csv"
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("s1.ipynb", answered(path, **right()))
    sheet.write_text("student,task,score\ns1,task-4,2\n")
    first = "first the master, then the submissions"
    for other in archive, source:
        words = f"expected a master (.ipynb), got {other}: {first}"
        fails(2, words, "grade", other, path, "-o", out)
        fails(2, words, "regrade", other, path, out)
    code, said, _ = run("grade", path, archive, "-o", out)
    assert code == 0 and said.startswith("1 student: 1 graded\n")
    graded = "expected a folder that `grade` wrote, got"
    fails(2, f"{graded} {archive}: {first}, then the folder", "regrade", path, out, archive)
    fails(2, f"{graded} {sheet}: first the folder, then the sheet", "merge", sheet, out)
    to = "-o", tmp_path / "x"
    fails(2, f"{graded} {path}: from a master comes --format gradescope", "export", path,
          "--format", "canvas", *to)
    fails(2, f"expected a master (.ipynb), got {out}: an autograder is made from a problem set",
          "export", out, "--format", "gradescope", *to)
    assert run("merge", out, sheet)[1] == "1 mark read; 0 answers are still to be marked\n"
    sheet.write_text("student,task,score\ns1,task-4,-\n")
    assert run("merge", out, sheet)[1] == (
        "1 mark read, 1 of them withdrawn; 1 answer is still to be marked\n")


def test_what_another_program_keeps_in_the_folder_stays(tmp_path, path, run):
    """The lock of a spreadsheet that has the sheet open, a settings folder's file."""
    need("bwrap")
    out = tmp_path / "out"
    command = "grade", path, hand_in(tmp_path / "in", s1="x"), "-o", out, "--resume"
    assert run(*command)[0] == 0
    names = ".~lock.manual.csv#", ".manual.csv.swp", ".my.settings"
    for name in (*names, ".manual.csv.k3_x9abc"):
        (out / name).write_text("x")
    assert run(*command)[0] == 0
    assert sorted(path.name for path in out.glob(".*")) == sorted(names)


def test_a_full_disk_and_a_file_half_written_are_told_by_the_folders_name(tmp_path, path, run,
                                                                          fails, monkeypatch):
    need("bwrap")
    out, sheet = tmp_path / "out", tmp_path / "sheet.csv"
    source = hand_in(tmp_path / "in", s1=answered(path, **right()))
    assert run("grade", path, source, "-o", out)[0] == 0
    sheet.write_text("student,task,score\ns1,task-4,2\n")
    to = "export", out, "--format", "canvas", "-o"
    fails(2, f"{tmp_path / 'no/such'}: No such file or directory", *to, tmp_path / "no/such/x.csv")
    before, room = content(out), []

    def full(number):
        if not room:
            raise OSError(28, "No space left on device")
        room.pop()

    monkeypatch.setattr(notebook.os, "fsync", full)
    said = "No space left on device; nothing was changed"
    fails(2, f"{tmp_path / 'x.csv'}: {said}", *to, tmp_path / "x.csv")
    fails(2, f"{tmp_path / 'new'}: {said}", "release", path, "-o", tmp_path / "new", "--jobs", 1)
    fails(2, f"{out}: {said}", "merge", out, sheet)
    fails(2, f"{out}: {said}", "regrade", path, source, out)
    assert content(out) == before and not (tmp_path / "new").exists()
    room.append(1)
    fails(2, "the marks are read: make room and merge again", "merge", out, sheet)
    monkeypatch.undo()
    assert run("merge", out, sheet)[0] == 0 and table(out / "grades.csv")[0]["score"] == "8"


def test_going_on_without_the_seed_file_is_refused(tmp_path, path, course, run, fails):
    """All numbers would be wrong, and everyone would lose points."""
    need("bwrap")
    command = "grade", path, tmp_path / "in", "-o", tmp_path / "out"
    assert run(*command, *course)[0] == 0
    fails(1, "was graded with --seed-file; go on with it", *command, "--resume")


def test_without_bubblewrap_nothing_is_graded_unless_asked_for(tmp_path, path, fails, run,
                                                               monkeypatch):
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: None)
    sandbox.check.cache_clear()
    source, out = hand_in(tmp_path / "in", s1=answered(path, **right())), tmp_path / "out"
    fails(2, "bubblewrap is missing", "grade", path, source, "-o", out)
    assert not out.exists()
    code, _, error = run("grade", path, source, "-o", out, "--no-sandbox", "--jobs", 1)
    assert code == 0 and error.startswith("warning: without bubblewrap a submission can read")
    assert table(out / "grades.csv")[0]["score"] == "6"


def test_where_nothing_may_be_written(tmp_path, path, fails):
    need("bwrap")
    source = hand_in(tmp_path / "in", s1="x")
    fails(2, "/proc/nowhere", "grade", path, source, "-o", "/proc/nowhere/out")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everything")
def test_no_permission(tmp_path, path, fails):
    source, out = hand_in(tmp_path / "in", s1="x"), tmp_path / "out"
    path.chmod(0)
    fails(2, f"{path}: Permission denied", "grade", path, source, "-o", out)
    path.chmod(0o600)
    tmp_path.chmod(0o500)
    fails(2, "Permission denied", "grade", path, source, "-o", out)
    tmp_path.chmod(0o700)


def test_a_full_disk_stops_it_and_every_record_is_whole(tmp_path, path):
    """On a file system of 40 kB; with room again it goes on."""
    need("bwrap")
    books = {f"s{n:02}": answered(path, **right()) for n in range(20)}
    source, small, kept = hand_in(tmp_path / "in", **books), tmp_path / "small", tmp_path / "kept"
    small.mkdir(), kept.mkdir()
    command = [sys.executable, "-m", "classroom", "grade", str(path), str(source),
               "-o", str(small / "out"), "--no-sandbox", "--jobs", "2"]
    line = f"{' '.join(command)}; code=$?; cp -r {small}/out {kept}; exit $code"
    done = subprocess.run(
        ["bwrap", "--dev-bind", "/", "/", "--size", "40960", "--tmpfs", str(small), "--chdir",
         str(CODE), "sh", "-c", line], capture_output=True, text=True)
    if "Operation not permitted" in done.stderr:
        pytest.skip("bubblewrap may not mount here")
    assert done.returncode == 2, done.stderr
    error = done.stderr.replace("\r", "\n").splitlines()[-1]
    assert "No space left on device" in error and "go on with --resume" in error
    assert "Traceback" not in done.stderr
    records = list(kept.glob("out/records/*.json"))
    assert 0 < len(records) < 20
    assert all(json.loads(record.read_text())["status"] == "graded" for record in records)
    command[command.index("-o") + 1] = str(kept / "out")
    done = subprocess.run([*command, "--resume"], cwd=CODE, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len(table(kept / "out/grades.csv")) == 20


def test_a_scheduler_that_dies_leaves_what_is_graded(tmp_path, path, cluster):  # noqa: F811
    need("bwrap")
    address, _, _, scheduler = cluster
    source = hand_in(tmp_path / "in", **{f"s{n}": answered(path, **right()) for n in range(9)})
    out = tmp_path / "out"
    running = subprocess.Popen(
        [sys.executable, "-m", "classroom", "grade", str(path), str(source), "-o", str(out),
         "--scheduler", address], cwd=CODE, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 60
    while time.monotonic() < until and not list(out.glob("records/s*.json")):
        time.sleep(0.02)
    scheduler.kill()
    _, error = running.communicate(timeout=60)
    assert running.returncode == 2
    assert error.replace("\r", "\n").splitlines()[-1] == (
        f"--scheduler {address}: the scheduler is gone; what is graded is kept: "
        "go on with --resume")
    assert "Traceback" not in error
    assert 0 < len(list(out.glob("records/s*.json"))) < 9


def test_ctrl_c_ends_it_cleanly_and_says_how_to_go_on(tmp_path, path):
    need("bwrap")
    import psutil

    source = hand_in(tmp_path / "in", s1=answered(path, **right()), s2=answered(
        path, **dict.fromkeys(right(), "while True: pass")))
    out = tmp_path / "out"
    running = subprocess.Popen(
        [sys.executable, "-m", "classroom", "grade", str(path), str(source), "-o", str(out),
         "--jobs", "2"], cwd=CODE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))    # jobs with & ignore it
    until = time.monotonic() + 60
    while time.monotonic() < until and not (out / "records/s1.json").exists():
        time.sleep(0.05)
    started = psutil.Process(running.pid).children(recursive=True)
    os.killpg(running.pid, signal.SIGINT)       # as a terminal does, to all of them
    _, error = running.communicate(timeout=30)
    assert running.returncode == 130
    assert error.splitlines()[-1] == (
        f"Stopped; what was done is kept. Go on with: grade … -o {out} --resume")
    assert "Traceback" not in error
    _, alive = psutil.wait_procs(started, timeout=10)
    assert not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]
    assert (out / "records/s1.json").exists() and not (out / "grades.csv").exists()
