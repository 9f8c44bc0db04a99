"""What goes to Canvas, Moodle and Gradescope, read as those systems read it."""

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile

import pytest
import small_master
from classroom import batch, export, report
from classroom.collect import Refused, Student
from classroom.master import Master
from test_classroom_batch import grade, handed_in, roster, written  # noqa: F401
from test_classroom_cli import answered, need, right


@pytest.fixture
def path(tmp_path):
    return small_master.write(tmp_path)


@pytest.fixture
def folder(tmp_path, path, roster):  # noqa: F811
    """Six students: final, marked, not marked, missing, unreadable, not on the roster."""
    people = roster(
        "student,name,email,canvas,section", 's1,"Berg, Änne",a@x.org,11,A',
        "s2,Ken Ito,b@x.org,12,",
        "s3,=1+1,c@x.org,,", "s4,Pat Ray,d@x.org,14,", "s5,Lee Kim,e@x.org,15,")
    source = handed_in(tmp_path / "in", s1="3", s2="2", s3="1", guest="3")
    written(source / "s5/x.pdf", "x")
    made = grade(Master(path), source, tmp_path / "out", people)
    marks = {name: {"task-4": {"score": score, "comment": "well said, =so",
                               "answer": report.digest(f"=because {said}")}}
             for name, score, said in (("s1", 2.0, 3), ("s2", 0.5, 2))}
    made.write_json(made.path / "manual.json", marks)
    return made


def read(data):
    return list(csv.reader(io.StringIO(data.decode("utf-8"))))


# Canvas


def as_canvas_reads(data):
    """{id, login or name: grade} and the points possible, by the rules of gradebook_importer.rb."""
    rows = read(data)
    header = rows[0]
    assert len(header) > 3 and "Student" in header[0] and "ID" in header[1]
    assert re.match(r"SIS\s+User\s+ID", header[2]) and re.match(r"SIS\s+Login\s+ID", header[3])
    assert "Section" in header[4]           # the last column before the assignments
    assert "Points Possible" in rows[1][0]
    return header[5], rows[1][5], {row[1] or row[2] or row[0]: row[5] for row in rows[2:]}


def test_canvas_reads_the_table(folder):
    data, notes = export.grades(folder, "canvas", "01 One neuron (4711)")
    assert as_canvas_reads(data) == ("01 One neuron (4711)", "8", {
        "11": "8", "12": "4.5", "s3": "", "14": "", "15": ""})
    assert read(data)[2] == ["Berg, Änne", "11", "s1", "s1", "A", "8"]
    assert read(data)[4][0] == "'=1+1"
    assert notes == ["not on the roster, so not in the table: guest",
                     "2 students have no final grade yet: an empty cell"]


def test_a_canvas_number_stands_once_in_the_table(folder):
    """A stranger of Canvas's archive may be one of the roster; an id may have been corrected."""
    about = folder.about()
    about["students"][2]["canvas"] = about["students"][5]["canvas"] = "11"
    folder.write_json(folder.path / "batch.json", about)
    data, notes = export.grades(folder, "canvas")
    assert [row[1] for row in read(data)[2:]] == ["11", "12", "14", "15"]
    assert notes[0] == "s3 has the Canvas number of s1, so is not in the table"
    assert notes[1] == "not on the roster, so not in the table: guest"


def test_a_fault_of_the_grader_is_no_grade(folder):
    record = folder.record("s1") | {"status": "grader error"}
    folder.write_json(folder.record_path("s1"), record)
    assert as_canvas_reads(export.grades(folder, "canvas")[0])[2]["11"] == ""


# Moodle


def test_moodle_reads_the_table(folder):
    """Every line has an identifier: Moodle gives one without to the student before."""
    rows = read(export.grades(folder, "moodle")[0])
    assert rows[0] == ["ID number", "Full name", "Email address", "A small set",
                       "A small set feedback"]
    assert [row[0] for row in rows[1:]] == ["s1", "s2", "s3", "s4", "s5"]
    assert [row[3] for row in rows[1:]] == ["8", "4.5", "", "", ""]
    assert rows[1][4] == "task-1: 3; task-2: 1; task-3: 2; task-4: 2; well said, =so"
    assert rows[3][1] == "'=1+1"


def test_email_addresses_are_left_out_unless_everyone_has_one(folder):
    about = folder.about()
    about["students"][1]["email"] = ""
    folder.write_json(folder.path / "batch.json", about)
    rows = read(export.grades(folder, "moodle")[0])
    assert rows[0] == ["ID number", "Full name", "A small set", "A small set feedback"]


# Gradescope

KEYS = {"name", "name_format", "score", "max_score", "status", "output", "output_format",
        "visibility"}


@pytest.fixture
def container(tmp_path, path):
    """Unpack an autograder as Gradescope does, hand in a notebook, run it; gives the process."""
    root = tmp_path / "autograder"

    def graded(book, email="a@x.org", roster=None, seed_of=None, **how):  # noqa: F811
        shutil.rmtree(root, ignore_errors=True)
        data = export.autograder(path, roster, seed_of, **how)
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            archive.extractall(root / "source")
        for name, text in book.items():
            written(root / "submission" / name, text)
        written(root / "submission_metadata.json", json.dumps({"users": [{"email": email}]}))
        return subprocess.run(
            [sys.executable, "-m", "classroom.export", root], capture_output=True, text=True,
            env=os.environ | {"PYTHONPATH": str(root / "source")}, cwd=root)

    graded.results = root / "results/results.json"
    return graded


def test_the_archive_has_what_gradescope_runs(path):
    data = export.autograder(path)
    assert data == export.autograder(path)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = archive.namelist()
        for name in "setup.sh", "run_autograder":           # at the root, and programs
            assert archive.read(name).startswith(b"#!/usr/bin/env bash\n")
            assert archive.getinfo(name).external_attr >> 16 & 0o111
            subprocess.run(["bash", "-n"], input=archive.read(name), check=True)
        assert b"hidden tests" in archive.read("README.txt")
        assert re.fullmatch(rb"(\w+==[\w.]+\n){4}", archive.read("requirements.txt"))
    assert {"master/01-small.ipynb", "classroom/grading.py", "byhand/__init__.py"} <= set(names)
    assert not [name for name in names if "__pycache__" in name or "secret" in name]


def test_a_submission_in_the_container(path, container):
    need("bwrap")
    wrong = answered(path, **right(task_1="def deviation(v):\n    return v.max()"))
    done = container({"01-small.ipynb": wrong})
    assert done.returncode == 0, done.stderr
    results = json.loads(container.results.read_text())
    assert set(results) == {"output", "output_format", "stdout_visibility", "tests"}
    assert all(set(test) == KEYS for test in results["tests"])
    assert [(test["score"], test["max_score"], test["status"]) for test in results["tests"]] == [
        (0.0, 3.0, "failed"), (1.0, 1.0, "passed"), (2.0, 2.0, "passed")]
    assert "Task 4 · Why is marked by hand." in results["output"]
    assert "sandbox 'bwrap'" in done.stdout


def test_personal_numbers_are_found_by_the_email_address(path, container):
    need("bwrap")
    students = [Student("s1", email="A@x.org"), Student("s2", email="b@x.org")]
    seed_of = batch.seeds(Master(path), b"a secret of the course")
    how = {"roster": students, "seed_of": seed_of}
    book = {"01-small.ipynb": answered(path, seed_of("s1"), **right())}
    assert container(book, **how).returncode == 0
    scores = [test["score"] for test in json.loads(container.results.read_text())["tests"]]
    assert scores == [3.0, 1.0, 2.0]
    done = container(book, email="stranger@x.org", **how)
    assert done.returncode == 1 and "nobody of this submission is on the roster" in done.stderr
    assert not container.results.exists()
    with pytest.raises(Refused, match="s3: expected an email address"):
        export.autograder(path, [Student("s3")], seed_of)


def test_no_notebook_in_the_submission(path, container):
    need("bwrap")
    assert container({"report.pdf": "x"}).returncode == 0
    results = json.loads(container.results.read_text())
    assert "Expected a notebook" in results["output"]
    assert sum(test["score"] for test in results["tests"]) == 0


def test_a_container_without_bubblewrap(path, container, monkeypatch, tmp_path):
    """No results unless the archive was made for that: no score is better than a forged one."""
    programs = tmp_path / "programs"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    book = {"01-small.ipynb": answered(path, **right())}
    done = container(book)
    assert done.returncode == 1 and "bubblewrap doesn't work in this container" in done.stderr
    assert "Traceback" not in done.stderr and not container.results.exists()
    done = container(book, mode="none")
    assert done.returncode == 0 and "sandbox 'none'" in done.stdout
    assert sum(t["score"] for t in json.loads(container.results.read_text())["tests"]) == 6


def test_a_grader_error_gives_no_results(path, tmp_path, monkeypatch):
    need("bwrap")
    with zipfile.ZipFile(io.BytesIO(export.autograder(path))) as archive:
        archive.extractall(tmp_path / "a/source")
    written(tmp_path / "a/submission/x.ipynb", "3")
    monkeypatch.setattr(export.grading, "grade", lambda master, *_, **__: batch.blank(
        master, "grader error", "A fault."))
    with pytest.raises(export.BadInput, match="the grader failed: A fault"):
        export.in_container(tmp_path / "a")
    assert not (tmp_path / "a/results/results.json").exists()
