"""A class is graded: nothing is lost, whatever is handed in and whenever the power fails."""

import csv
import html
import io
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import hostile
import pytest
import small_master
from classroom import batch, collect, grading, remote, report
from classroom.collect import BadInput, Refused
from classroom.master import Master

DEADLINE = datetime(2026, 5, 4, 18, tzinfo=UTC)


def fake(master, raw, seed, sandbox):
    """Stands for the grader: the submission says how many tests pass, or what befalls it."""
    said = raw.decode()
    if said.startswith("die"):
        os.kill(os.getpid(), signal.SIGKILL)
    if said.startswith("sleep"):
        time.sleep(60)
    if said.startswith("wait"):
        time.sleep(0.3)
        said = "3"
    if log := os.environ.get("GRADED_LOG"):
        with open(log, "a") as file:
            file.write(raw.decode() + "\n")
    record = grading.blank(master) | {"status": "graded", "output": f"seed {seed}"}
    tests = [test for task in record["tasks"] for test in task["tests"]]
    for n, test in enumerate(tests):
        passed = n < int(said.split()[0])
        test |= {"outcome": "passed" if passed else "failed", "detail": "expected 42",
                 "message": "" if passed else "expected <b>shape</b>",
                 "score": test["maximum"] if passed else 0.0}
    for task in record["tasks"]:
        task["score"] = sum(test["score"] for test in task["tests"])
    record["score"] = sum(task["score"] for task in record["tasks"])
    for item in record["manual"]:
        item["answer"] = f"=because {said}"
    return record


@pytest.fixture
def master(tmp_path):
    return Master(small_master.write(tmp_path))


@pytest.fixture
def roster(tmp_path):
    return lambda *lines: collect.read_roster(written(tmp_path / "roster.csv", "\n".join(lines)))


def written(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def handed_in(folder, **students):
    """A folder of submissions: s001="3" writes s001/01-small.ipynb."""
    for student, text in students.items():
        written(folder / student / "01-small.ipynb", text)
    return folder


def zipped(path, *entries):
    """A zip of (name or ZipInfo, bytes)."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return path


def collected(source, roster=None, **how):
    """{student: submission} and the notes."""
    found, notes = collect.collect(source, "01-small", roster, **how)
    return {submission.student.id: submission for submission in found}, notes


def grade(master, source, out, roster=None, resume=False, jobs=2, **how):
    submissions, notes = collect.collect(source, master.name, roster)
    folder = batch.open_folder(out, source, resume)
    with folder.alone():
        return graded_in(folder, master, submissions, notes, jobs, **how)


def graded_in(folder, master, submissions, notes, jobs, **how):
    earlier = folder.about(optional=True)
    notes += batch.kept(submissions, folder)
    folder.write_json(folder.path / "batch.json", batch.describe(
        master, submissions, notes, False, None, "last", earlier))
    folder.graded = batch.run(master, submissions, folder, batch.seeds(master, None), jobs=jobs,
                              function=how.pop("function", fake), **how)
    report.write(folder)
    return folder


def content(folder):
    """Every file of a folder with its bytes."""
    return {str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(Path(folder).rglob("*")) if path.is_file()}


def table(path):
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))


# The roster


def test_a_roster_as_excel_writes_it(tmp_path):
    """A byte order mark, semicolons, CRLF, quotes, empty lines, columns of no interest."""
    path = written(tmp_path / "r.csv", '\ufeffStudent;Name;Grade;Canvas\r\ns1;"Berg; Änne";A;12\r\n'
                                       ';;;\r\ns2;Ito\r\n')
    first, second = collect.read_roster(path)
    assert (first.id, first.name, first.canvas) == ("s1", "Berg; Änne", "12")
    assert (second.id, second.name, second.canvas) == ("s2", "Ito", "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("student,name\ns1,A\ns2,B\nS1,C\n", "line 4: the id 's1' stands in line 2, too"),
        ("student,name\ns1,A\n,B\n", "line 3: the student's id is empty"),
        ("student,name\n../s1,A\n", "line 2: expected an id of letters"),
        ("student,canvas\ns1,7\ns2,7\n", "line 3: the canvas number '7' stands in line 2, too"),
        ("name,mail\nA,b\n", "r.csv: expected a column 'student' in its first line, found none"),
        ("student,name\n", "expected at least one student"),
        ("student,name\ns1,A,\ns2,Berg, Anna\n", "line 3: expected 2 cells as in the first line, "
         "got 3"),
        ("", "found nothing"),
        ('student,name\ns1,"A\n', "no CSV"),
        ("student,name\ns1,Änne\n".encode("cp1252"), "line 2: expected text in UTF-8"),
    ],
)
def test_a_roster_with_a_fault_is_refused_and_the_line_is_named(tmp_path, text, said):
    with pytest.raises(BadInput, match=re.escape(said)):
        collect.read_roster(written(tmp_path / "r.csv", text))


# Folders


def test_folders_and_files_carry_the_student(tmp_path, roster):
    handed_in(tmp_path / "in", s1="1")
    written(tmp_path / "in/s2/01-small/anything.ipynb", "2")
    written(tmp_path / "in/S3.ipynb", "3")
    written(tmp_path / "in/s1/.ipynb_checkpoints/01-small-checkpoint.ipynb", "old")
    written(tmp_path / "in/.DS_Store", "x")
    (tmp_path / "in/s4").mkdir()
    found, notes = collected(tmp_path / "in", roster("student", "s1", "s2", "s3", "s4", "s5"))
    assert [s.file for s in found.values()] == [
        "s1/01-small.ipynb", "s2/01-small/anything.ipynb", "S3.ipynb", None, None]
    assert found["s2"].read() == b"2"
    assert notes == []


def test_who_is_not_on_the_roster_is_graded_and_noted(tmp_path, roster):
    found, notes = collected(handed_in(tmp_path / "in", s1="1", guest="2"), roster("student", "s1"))
    assert list(found) == ["s1", "guest"]
    assert not found["guest"].student.listed
    assert notes == ["guest/01-small.ipynb: matches nobody on the roster; graded as guest"]


def test_odd_folder_names_become_safe_ones_and_stay_apart(tmp_path):
    names = {"a b": "1", "..c": "2", "é!": "3", "e?": "4"}
    found, _ = collected(handed_in(tmp_path / "in", **names))
    assert len(found) == 3                      # ..c is a hidden folder
    assert all(collect.SAFE.fullmatch(name) for name in found)


def test_other_files_are_named_and_other_problem_sets_passed_over(tmp_path):
    written(tmp_path / "in/s1/report.pdf", "%PDF")
    handed_in(tmp_path / "in", s2="2")
    written(tmp_path / "in/s2/02-other.ipynb", "later in the alphabet")
    found, _ = collected(tmp_path / "in")
    assert found["s1"].fault == (
        "Expected a notebook (a file that ends in .ipynb), and got report.pdf.")
    assert (found["s2"].file, found["s2"].attempts) == ("s2/01-small.ipynb", 1)


def test_links_and_pipes_are_noted_and_never_opened(tmp_path):
    secret = written(tmp_path / "secret.ipynb", "of the teacher")
    handed_in(tmp_path / "in", s1="1")
    (tmp_path / "in/s2").mkdir()
    (tmp_path / "in/s2/01-small.ipynb").symlink_to(secret)
    (tmp_path / "in/s3").symlink_to(tmp_path / "in/s1")
    os.mkfifo(tmp_path / "in/s1/pipe.ipynb")
    found, notes = collected(tmp_path / "in")
    assert list(found) == ["s1"]
    assert found["s1"].attempts == 1
    assert len(notes) == 3 and all(note.endswith("no ordinary file, not read") for note in notes)


def test_the_last_attempt_in_time_counts_and_late_is_marked(tmp_path):
    times = {"s1": ["05-03", "05-04", "05-05"], "s2": ["05-05", "05-06"], "s3": ["05-04"]}
    for student, days in times.items():
        for n, day in enumerate(days):
            path = written(tmp_path / f"in/{student}/01-small-{n}.ipynb", day)
            when = datetime.fromisoformat(f"2026-{day}T12:00+00:00").timestamp()
            os.utime(path, (when, when))
    found, _ = collected(tmp_path / "in", deadline=DEADLINE)
    assert [(s.read(), s.late, s.attempt, s.attempts) for s in found.values()] == [
        (b"05-04", False, 2, 3), (b"05-06", True, 2, 2), (b"05-04", False, 1, 1)]
    assert found["s1"].notes == ["You handed in 3 notebooks; this is about 01-small-1.ipynb. Not "
                                 "looked at: 01-small-0.ipynb, 01-small-2.ipynb (late)."]
    assert found["s2"].notes[0].endswith("Not looked at: 01-small-0.ipynb.")
    found, _ = collected(tmp_path / "in", deadline=DEADLINE, attempts="first")
    assert [s.read() for s in found.values()] == [b"05-03", b"05-05", b"05-04"]


def test_nbgraders_timestamp_counts_before_the_files_time(tmp_path):
    for student, said in [("s1", "2026-05-04 18:00:01.000000 UTC"), ("s2", "2026-05-04 17:59:59"),
                          ("s3", "2026-99-99 00:00:00"), ("s4", "soon")]:
        written(tmp_path / f"in/{student}/01-small/01-small.ipynb", "1")
        written(tmp_path / f"in/{student}/01-small/timestamp.txt", said)
    found, _ = collected(tmp_path / "in", deadline=DEADLINE)
    assert [(s.late, s.submitted) for s in found.values()][:2] == [
        (True, "2026-05-04T18:00:01+00:00"), (False, "2026-05-04T17:59:59+00:00")]
    assert list(found) == ["s1", "s2", "s3", "s4"]


def test_a_students_own_timestamp_does_not_count(tmp_path):
    handed_in(tmp_path / "in", s1="1")
    written(tmp_path / "in/s1/timestamp.txt", "2020-01-01 00:00:00")
    found, _ = collected(tmp_path / "in", deadline=DEADLINE)
    assert not found["s1"].submitted.startswith("2020")


def test_a_name_of_many_digits_stops_nobody(tmp_path):
    long = f"s1/{'1' * 5000}.ipynb"
    archive = zipped(tmp_path / "in.zip", (long, "1"), ("s2/01-small.ipynb", "2"))
    assert list(collected(archive)[0]) == ["s1", "s2"]


# Archives


def test_canvas_names(tmp_path, roster):
    """Account number first, then the name; LATE; a file handed in again; an unknown student."""
    archive = zipped(
        tmp_path / "submissions.zip",
        ("bergannamaria_12_100_01-small.ipynb", "1"),
        ("bergannamaria_12_101_01-small-1.ipynb", "again"),
        ("itoken_LATE_13_99_01-small.ipynb", "2"),
        ("oneilpat_14_98_01-small.ipynb", "3"),
        ("nobody_15_97_01-small.ipynb", "4"),
        ("LATE_anon_a1B2c_96_01-small.ipynb", "5"),
    )
    found, notes = collected(archive, roster(
        "student,name,canvas", "s1,Anna Maria Berg,", 's2,"Ito, Ken",', "s3,Other Name,14"))
    assert [(name, s.read(), s.late) for name, s in found.items()] == [
        ("s1", b"again", False), ("s2", b"2", True), ("s3", b"3", False),
        ("canvas-15", b"4", False), ("canvas-a1B2c", b"5", True)]
    assert found["s1"].student.canvas == "12"           # known now, for the way back
    assert len(notes) == 2


def test_two_of_one_name_are_not_guessed(tmp_path, roster):
    archive = zipped(tmp_path / "c.zip", ("kimlee_1_100_01-small.ipynb", "1"),
                     ("kimlee_2_101_01-small.ipynb", "2"), ("raypat_3_102_01-small.ipynb", "3"),
                     ("itoken_4_103_01-small.ipynb", "4"))
    found, _ = collected(archive, roster("student,name", "s1,Lee Kim", "s2,Pat Ray", "s3,Ray Pat",
                                         "s4,Ken Ito"))
    assert [name for name, s in found.items() if s.file] == [
        "s4", "canvas-1", "canvas-2", "canvas-3"]


@pytest.mark.parametrize("form", [
    "{}_assignsubmission_file/01-small.ipynb", "{}_assignsubmission_file_/sub/01-small.ipynb",
    "{}_assignsubmission_file_01-small.ipynb"])
def test_moodle_names(tmp_path, roster, form):
    archive = zipped(
        tmp_path / "m.zip",
        *[(form.format(who), who) for who in ("Änne van Berg_501", "Lee Kim_502", "No One_503")],
        ("Pat Ray_504_assignsubmission_onlinetext/onlinetext.html", "words"))
    found, _ = collected(archive, roster("student,name,moodle", "s1,Änne van Berg,",
                                         "s2,Lee Kim,502", "s3,Pat Ray,"))
    assert [s.read and s.read().decode() for s in found.values()] == [
        "Änne van Berg_501", "Lee Kim_502", None, "No One_503"]
    assert found["s3"].fault.endswith("got onlinetext.html.")


def test_moodles_number_of_another_assignment_is_nobodys(tmp_path, roster):
    """Each assignment has numbers of its own: they only tell two of one name apart."""
    people = roster("student,name,moodle", "s1,Ada Abel,1", "s2,Ben Bolt,2", "s3,Lee Kim,3",
                    "s4,Lee Kim,4", "s5,Pat Ray,")
    names = "Ada Abel_2", "Ben Bolt_7", "Lee Kim_4", "Lee Kim_3", "Pat Ray_1", "Pat Ray_8"
    archive = zipped(tmp_path / "m.zip", *[
        (f"{name}_assignsubmission_file/01-small.ipynb", name) for name in names])
    found, _ = collected(archive, people)
    assert {name: s.read().decode() for name, s in found.items() if s.file} == {
        "s1": "Ada Abel_2", "s2": "Ben Bolt_7", "s3": "Lee Kim_3", "s4": "Lee Kim_4",
        "moodle-1": "Pat Ray_1", "moodle-8": "Pat Ray_8"}


def test_files_of_nobody_on_the_roster_and_files_that_are_no_notebooks_are_refused(
    tmp_path, roster
):
    source = handed_in(tmp_path / "in", s1="1", s2="2")
    with pytest.raises(BadInput, match="in: 2 files, and none belongs to anyone on the roster; its "
                                       "first file is s1/01-small.ipynb"):
        collect.collect(source, "01-small", roster("student", "ada", "ben"))
    written(tmp_path / "words/s1/report.pdf", "%PDF")
    with pytest.raises(BadInput, match="found 1 file and none of them"):
        collect.collect(tmp_path / "words", "01-small")
    (tmp_path / "none").mkdir()
    with pytest.raises(BadInput, match="found none"):
        collect.collect(tmp_path / "none", "01-small", roster("student", "s1"))


@pytest.mark.parametrize("more", ["-final", "_v2", " (1)", "-Kopie", " - Copy", "-2", "3"])
def test_names_that_begin_with_the_problem_sets_count_as_it(tmp_path, more):
    names = "01-small", "01-smaller", "02-other"
    for n, name in enumerate((*names, f"01-small{more}")):
        os.utime(written(tmp_path / f"in/s1/{name}.ipynb", name), (n, n))
    found, _ = collected(tmp_path / "in")
    assert (found["s1"].file, found["s1"].attempts) == (f"s1/01-small{more}.ipynb", 2)
    assert found["s1"].notes == [f"You handed in 2 notebooks; this is about 01-small{more}.ipynb. "
                                 "Not looked at: 01-small.ipynb."]


def test_a_deadline_is_not_applied_where_the_archive_has_no_times(tmp_path):
    archive = zipped(tmp_path / "c.zip", ("kimlee_1_100_01-small.ipynb", "1"))
    found, notes = collected(archive, deadline=DEADLINE)
    assert not found["canvas-1"].late
    assert "1 submission doesn't say when it was handed in" in notes[0]


def entry(name, mode=None, **settings):
    made = zipfile.ZipInfo(name)
    made.create_system = 3
    if mode:
        made.external_attr = mode << 16
    for setting, value in settings.items():
        setattr(made, setting, value)
    return made


def test_paths_that_lead_out_and_links_are_noted_and_not_read(tmp_path):
    archive = zipped(
        tmp_path / "a.zip", ("../../s1/01-small.ipynb", "1"), ("/etc/01-small.ipynb", "2"),
        ("C:/s1/01-small.ipynb", "3"), ("s2\\..\\01-small.ipynb", "4"),
        (entry("s3/01-small.ipynb", stat.S_IFLNK | 0o777), "/etc/passwd"),
        ("s4/01-small.ipynb", "good"), ("__MACOSX/s4/._01-small.ipynb", "x"))
    found, notes = collected(archive)
    assert [(name, s.read()) for name, s in found.items()] == [("s4", b"good")]
    assert len(notes) == 5
    assert sorted(os.listdir(tmp_path)) == ["a.zip"]


def test_windows_paths_and_a_common_folder(tmp_path):
    archive = zipped(tmp_path / "a.zip", ("all\\s1\\01-small.ipynb", "1"),
                     ("all\\s2\\01-small.ipynb", "2"))
    assert list(collected(archive)[0]) == ["s1", "s2"]


def test_a_name_twice_counts_as_two_attempts(tmp_path):
    with pytest.warns(UserWarning, match="Duplicate"):
        archive = zipped(tmp_path / "a.zip", ("s1/01-small.ipynb", "1"), ("s1/01-small.ipynb", "2"))
    found, notes = collected(archive)
    assert found["s1"].attempts == 2
    assert notes == ["s1/01-small.ipynb: stands twice in the archive; both count as handed in"]


@pytest.mark.parametrize(("stored", "shown"), [
    ("Bärbel".encode("cp437"), "Bärbel"), ("Bärbel".encode(), "Bärbel")])
def test_names_in_old_encodings(tmp_path, stored, shown):
    """Programs store cp437, as the standard says, or UTF-8 without saying so."""
    archive = zipped(tmp_path / "a.zip", ("X" * len(stored) + "/01-small.ipynb", "1"))
    raw = archive.read_bytes().replace(b"X" * len(stored), stored)
    archive.write_bytes(raw)
    assert list(collected(archive)[0]) == [shown]


def test_an_archive_with_bad_files_gives_the_good_ones(tmp_path, master):
    """Encrypted, broken, packed in an unknown way, a bomb, a zip in the zip, too large."""
    good, bomb = "3", b"[" + b"0" * (9 << 20) + b"]"
    archive = zipped(
        tmp_path / "a.zip", ("s1/01-small.ipynb", "ENCRYPTED" * 9), ("s2/01-small.ipynb", bomb),
        (entry("s3/01-small.ipynb"), "BROKEN" * 9), (entry("s4/01-small.ipynb"), "METHOD" * 9),
        ("s5/work.zip", zipped(tmp_path / "inner.zip", ("x.ipynb", "1")).read_bytes()),
        ("s6/01-small.ipynb", b"0" * (11 << 20)), ("s7/01-small.ipynb", good))
    raw = bytearray(archive.read_bytes().replace(b"BROKENBROKEN", b"BROKENbroken", 1))
    directory = raw.index(b"PK\1\2")
    for name, offset, value in ((b"s1/", -38, 1), (b"s4/", -36, 99)):
        raw[raw.index(name, directory) + offset] = value
    local = raw.index(b"s4/") - 22
    raw[local] = 99
    archive.write_bytes(raw)
    (tmp_path / "inner.zip").unlink()
    folder = grade(master, archive, tmp_path / "out")
    records = {record["student"]: record for record in folder.all_records()}
    assert {name: record["status"] for name, record in records.items()} == {
        "s1": "unreadable", "s2": "unreadable", "s3": "unreadable", "s4": "unreadable",
        "s5": "unreadable", "s6": "unreadable", "s7": "graded"}
    notes = {name: record["notes"][0] for name, record in records.items() if record["notes"]}
    assert "encrypted" in notes["s1"] and "packed as no notebook is" in notes["s2"]
    assert "broken in the archive" in notes["s3"] and "broken in the archive" in notes["s4"]
    assert "got work.zip" in notes["s5"] and "11 MB" in notes["s6"]


@pytest.mark.parametrize(("raw", "said"), [
    (b"", "got an empty file"), (b"PK\3\4 cut off", "no zip or a broken|another file or a broken"),
    (b"{}", "another file or a broken zip")])
def test_no_archive_at_all(tmp_path, raw, said):
    with pytest.raises(BadInput, match=said):
        collect.files(written(tmp_path / "a.zip", raw))


def test_an_archive_of_too_many_files_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(collect, "MOST_FILES", 3)
    archive = zipped(tmp_path / "a.zip", *[(f"s{n}.ipynb", "1") for n in range(4)])
    with pytest.raises(BadInput, match="expected at most 3 files, found 4"):
        collect.files(archive)


# Grading many


def test_the_same_submissions_give_the_same_bytes(tmp_path, master, roster):
    """One process or three, in whatever order they end; in another place, at another time."""
    students = {f"s{n}": f"{n % 4}" for n in range(9)} | {"s3": "wait"}
    handed_in(tmp_path / "in", **students)
    people = roster("student", *students, "absent")
    one = grade(master, tmp_path / "in", tmp_path / "one", people, jobs=1)
    shutil.copytree(tmp_path / "in", tmp_path / "elsewhere")
    two = grade(master, tmp_path / "elsewhere", tmp_path / "a/b/two", people, jobs=3)
    assert content(one.path) == content(two.path)
    assert one.graded == 9
    assert len(content(one.path / "records")) == len(content(one.path / "feedback")) == 10
    assert stat.S_IMODE(one.path.stat().st_mode) == 0o700


def test_a_worker_that_dies_or_hangs_costs_one_submission(tmp_path, master, monkeypatch):
    monkeypatch.setattr(batch, "TOO_LONG", 4)
    handed_in(tmp_path / "in", s1="3", s2="die", s3="2", s4="sleep", s5="no number", s6="1", s7="3")
    records = grade(master, tmp_path / "in", tmp_path / "out", function=fake_or_fault).all_records()
    assert [record["status"] for record in records] == [
        "graded", "grader error", "graded", "grader error", "grader error", "graded", "graded"]
    details = [record["tasks"][0]["tests"][0]["detail"] for record in records]
    assert details[1] == "its process was killed" and details[3] == "takes too long"
    lines = table(tmp_path / "out/grades.csv")
    assert [line["score"] for line in lines] == ["6", "", "4", "", "", "3", "6"]      # never a zero
    assert "no fault of yours" in (tmp_path / "out/feedback/s2.html").read_text()
    found = report.results(batch.Folder(tmp_path / "out"))
    assert report.faults(found)["its process was killed"] == 1


def fake_or_fault(master, raw, seed, sandbox):
    """`fake` inside `grade_one`, as the grader is."""
    kept, grading.grade = grading.grade, lambda *given, sandbox: fake(*given, sandbox)
    try:
        return batch.grade_one(master, raw, seed, sandbox)
    finally:
        grading.grade = kept


def test_resume_grades_what_is_new_or_changed_and_nothing_else(tmp_path, master, monkeypatch):
    source, out = handed_in(tmp_path / "in", s1="1", s2="2", s3="die"), tmp_path / "out"
    grade(master, source, out)
    with pytest.raises(Refused, match="holds a batch already"):
        grade(master, source, out)
    handed_in(source, s2="3", s3="3", s4="1")
    assert grade(master, source, out, resume=True).graded == 3
    assert grade(master, source, out, resume=True).graded == 0
    assert content(out) == content(grade(master, source, tmp_path / "fresh").path)
    mended = small_master.cells()
    mended["task-2-test"]["source"] += "\n# mended"
    assert grade(Master(small_master.write(tmp_path, mended)), source, out, resume=True).graded == 4


def test_students_who_are_not_in_a_second_archive_keep_their_grades(tmp_path, master, roster):
    people = roster("student", "s1", "s2", "s3")
    grade(master, handed_in(tmp_path / "in", s1="3"), tmp_path / "out", people)
    late = handed_in(tmp_path / "late", s2="2")
    folder = grade(master, late, tmp_path / "out", people, resume=True)
    assert [line["score"] for line in table(tmp_path / "out/grades.csv")] == ["6", "4", "0"]
    assert "1 student is not in this folder" in folder.about()["notes"][0]


KILLED = """
import sys
sys.path[:0] = {path!r}
from pathlib import Path
from test_classroom_batch import Master, grade
if __name__ == "__main__":
    grade(Master({master!r}), Path({source!r}), Path({out!r}), resume=True)
"""


@pytest.mark.parametrize("records", [0, 1, 5])
def test_killed_at_any_moment_it_goes_on_and_ends_with_the_same_gradebook(tmp_path, records):
    path = small_master.write(tmp_path)
    source = handed_in(tmp_path / "in", **{f"s{n}": f"wait {n}" for n in range(8)})
    whole = grade(Master(path), source, tmp_path / "whole")
    out = tmp_path / "out"
    script = written(tmp_path / "go.py", KILLED.format(
        path=[str(Path(__file__).parent), str(Path(batch.__file__).parents[1])],
        master=str(path), source=str(source), out=str(out)))
    running = subprocess.Popen([sys.executable, script], stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while time.monotonic() < until and not (
        (out / "batch.json").exists() and len(list(out.glob("records/s*.json"))) >= records
    ):
        time.sleep(0.01)
    running.kill()
    running.wait()
    left = {path: path.read_bytes() for path in out.glob("records/s*.json")}
    assert len(left) < 8 and not (out / "grades.csv").exists()
    assert all(json.loads(raw)["status"] == "graded" for raw in left.values())
    folder = grade(Master(path), source, out, resume=True)
    assert folder.graded == 8 - len(left)
    assert content(out) == content(whole.path)


def test_two_commands_at_once_in_one_folder_are_refused(tmp_path, master):
    folder = grade(master, handed_in(tmp_path / "in", s1="1"), tmp_path / "out")
    with folder.alone(), pytest.raises(Refused, match="another command is at work"):
        with batch.Folder(folder.path).alone():
            pass


def test_the_folder_of_the_submissions_and_full_folders_are_refused(tmp_path, master):
    source = handed_in(tmp_path / "in", s1="1")
    for out, said in ((source, "lies in the folder"), (source / "out", "lies in the folder"),
                      (tmp_path, "is not empty")):
        with pytest.raises(Refused, match=said):
            batch.open_folder(out, source, resume=False)


# A cluster


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    """A Dask scheduler and two workers, as processes; yields its address and the workers."""
    try:
        import distributed  # noqa: F401
    except ImportError:
        if os.environ.get("BROWSER_TESTS") == "required":
            raise
        pytest.skip("needs dask.distributed: pip install -e '.[cluster]'")
    log = tmp_path / "log"
    paths = [str(Path(__file__).parent), str(Path(batch.__file__).parents[1])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths), "GRADED_LOG": str(log)}
    where = tmp_path / "scheduler.json"

    def start(*line):
        return subprocess.Popen([sys.executable, "-m", "dask", *line], env=environment,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    processes = [start("scheduler", "--port", "0", "--host", "127.0.0.1", "--no-dashboard",
                       "--scheduler-file", str(where))]
    for _ in range(2):
        processes.append(start("worker", "--scheduler-file", str(where), "--nthreads", "1",
                               "--no-nanny", "--no-dashboard", "--local-directory", str(tmp_path)))
    until = time.monotonic() + 60
    while not where.exists() and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(0.2)
    yield json.loads(where.read_text())["address"], processes[1:], log, processes[0]
    for process in processes:
        process.kill()
        process.wait()


def test_a_cluster_loses_a_worker_and_nothing_else(tmp_path, master, cluster):
    """The same files as on one machine; what the dead worker had in hand is done by the other."""
    address, workers, log, _ = cluster
    students = {f"s{n:02}": f"wait {n}" for n in range(16)}
    source = handed_in(tmp_path / "in", **students)
    local = grade(master, source, tmp_path / "local", jobs=4)

    from threading import Thread

    def strike():
        until = time.monotonic() + 60
        while time.monotonic() < until and not (log.exists() and log.read_text().count("\n") > 3):
            time.sleep(0.02)
        workers[0].kill()

    striking = Thread(target=strike)
    striking.start()
    remote = grade(master, source, tmp_path / "remote", scheduler=address)
    striking.join()
    assert workers[0].poll() is not None and workers[1].poll() is None
    assert content(remote.path) == content(local.path)
    assert remote.graded == 16
    done = log.read_text().splitlines()
    assert set(done) == set(students.values())
    assert len(done) <= 17      # at most the one that was done, but not handed over, when it died


def test_a_submission_that_kills_workers_ends_as_grader_error(tmp_path, master, cluster):
    address, *_ = cluster
    source = handed_in(tmp_path / "in", s1="3", s2="no number")
    records = grade(master, source, tmp_path / "out", scheduler=address).all_records()
    assert [record["status"] for record in records] == ["graded", "grader error"]


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense://x", "tcp://no port", ""])
def test_no_scheduler_at_this_address(tmp_path, master, address):
    pytest.importorskip("distributed", reason="needs dask.distributed")
    source = handed_in(tmp_path / "in", s1="3")
    tasks = [batch.Task(collect.collect(source, "01-small")[0][0], b"3", 1, "key")]
    with pytest.raises(BadInput, match="no scheduler answers"):
        list(batch.on_cluster(iter(tasks), fake, master, "bwrap", address))


# What teacher and students read


def test_the_gradebook(tmp_path, master, roster):
    people = roster("student,name", "s1,=HYPERLINK(1)", 's2,"-2+3"', "s3,@x", "s4,Ok")
    source = handed_in(tmp_path / "in", s1="3", s2="1", s4="0")
    written(source / "s3/=1+1.pdf", "x")
    grade(master, source, tmp_path / "out", people)
    lines = table(tmp_path / "out/grades.csv")
    assert list(lines[0]) == ["student", "name", "status", "score", "maximum", "task-1", "task-2",
                              "task-3", "task-4", "late", "note"]
    assert [line["name"] for line in lines] == ["'=HYPERLINK(1)", "'-2+3", "'@x", "Ok"]
    assert [lines[0][name] for name in ("score", "maximum", "task-1", "task-4")] == [
        "6", "8", "3", ""]
    assert lines[0]["note"] == "to be marked by hand: task-4"
    assert (lines[2]["status"], lines[2]["score"], lines[2]["task-4"]) == ("unreadable", "0", "0")


def test_feedback_is_safe_and_says_nothing_that_is_for_the_teacher(tmp_path, master, roster):
    people = roster("student,name", "s1,<script>alert(1)</script>")
    grade(master, handed_in(tmp_path / "in", s1="1"), tmp_path / "out", people)
    page = (tmp_path / "out/feedback/s1.html").read_text()
    assert "<script" not in page and "&lt;script&gt;" in page
    assert "expected &lt;b&gt;shape&lt;/b&gt;" in page
    assert "expected 42" not in page            # the detail is the teacher's
    assert 'lang="en"' in page and "<title>A small set: " in page and 'scope="col"' in page
    assert "default-src 'none'" in page
    assert not re.search(r"(?:src|href)=|url\(|@import", page)
    assert "✓ passed" in page and "✗ not passed" in page
    assert "3 of 8 points so far" in page and "marked by hand" in page
    assert "expected 42" in (tmp_path / "out/records/s1.json").read_text()


@pytest.mark.parametrize("status", list(report.STATUS))
def test_every_status_has_a_page_in_words(tmp_path, master, status):
    folder = grade(master, handed_in(tmp_path / "in", s1="3"), tmp_path / "out")
    record = folder.record("s1") | {"status": status, "notes": ["A note."]}
    page = report.feedback(folder.about(), report.Result(record, {}))
    assert html.escape(report.STATUS[status]) in page and "A note." in page


def test_the_summary_shows_tasks_hard_tests_and_who_needs_attention(tmp_path, master, roster):
    people = roster("student", *[f"s{n}" for n in range(1, 8)])
    source = handed_in(tmp_path / "in", s1="3", s2="1", s3="2", s4="0", s5="die")
    written(source / "s6/x.pdf", "x")
    grade(master, source, tmp_path / "out", people)
    page = (tmp_path / "out/summary.html").read_text()
    assert "7 students: 4 graded, 1 grader error, 1 missing, 1 unreadable." in page
    assert "Median 3.5, lowest 0, highest 6 of the 6 points that are known so far." in page
    assert page.index("task-3-test") < page.index("task-2-test") < page.index("task-1-test")
    assert "3 of 5</td>" in page
    for student, why in (("s5", "grader error"), ("s6", "unreadable"), ("s7", "missing")):
        assert re.search(rf'feedback/{student}.html">{student}</a></th><td></td><td>{why}', page)
    assert "<svg" in page and "<script" not in page


# Marks by hand


@pytest.fixture
def graded(tmp_path, master):
    """A graded batch of three, its folder, and a function that writes a filled-in sheet."""
    folder = grade(master, handed_in(tmp_path / "in", s1="3", s2="2", s3="1"), tmp_path / "out")

    def filled(*lines, header="student,task,score,comment", name="sheet.csv"):
        return written(tmp_path / name, "\n".join([header, *lines]) + "\n")

    return folder, filled


def merge(folder, sheet):
    from classroom import cli

    return cli.main(["merge", str(folder.path), str(sheet)])


def test_the_sheet_is_filled_in_and_merged(graded, capsys):
    folder, _ = graded
    sheet = folder.path / "manual.csv"
    lines = table(sheet)
    assert [(line["student"], line["task"], line["maximum"], line["answer"]) for line in lines] == [
        ("s1", "task-4", "2", "'=because 3"), ("s2", "task-4", "2", "'=because 2"),
        ("s3", "task-4", "2", "'=because 1")]
    text = sheet.read_text(encoding="utf-8-sig").splitlines()
    text[1] += "1.5,=very <good>"
    text[1] = text[1].replace(",,1.5", ",1.5")
    sheet.write_text("\n".join(text) + "\n")
    assert merge(folder, sheet) == 0
    assert capsys.readouterr().out == "1 mark read; 2 answers are still to be marked\n"
    line = table(folder.path / "grades.csv")[0]
    assert (line["score"], line["task-4"], line["note"]) == ("7.5", "1.5", "")
    page = (folder.path / "feedback/s1.html").read_text()
    assert "7.5 of 8 points</p>" in page and "=very &lt;good&gt;" in page
    assert table(sheet)[0]["comment"] == "'=very <good>"
    before = content(folder.path)
    assert merge(folder, sheet) == 0 and content(folder.path) == before


def test_a_sheet_as_a_german_excel_writes_it(graded):
    folder, filled = graded
    sheet = filled("s2;task-4;1,5;gut\r", header="\ufeffStudent;Task;Score;Comment\r")
    assert merge(folder, sheet) == 0
    assert table(folder.path / "grades.csv")[1]["task-4"] == "1.5"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("s9,task-4,1,", "s9, task-4 (row 3): there is no such student in this batch"),
        ("s2,task-1,1,", "s2, task-1 (row 3): this is no task marked by hand"),
        ("s2,task-4,2.5,", "s2, task-4 (row 3): expected a score from 0 to 2, got '2.5'"),
        ("s2,task-4,-1,", "s2, task-4 (row 3): expected a score from 0 to 2, got '-1'"),
        ("s2,task-4,good,", "s2, task-4 (row 3): expected a score from 0 to 2, got 'good'"),
        ("s2,task-4,nan,", "s2, task-4 (row 3): expected a score from 0 to 2, got 'nan'"),
        ("s1,task-4,2,", "s1, task-4 (row 3): it stands in row 2, too"),
        ("s2,task-4,,forgot", "s2, task-4 (row 3): a comment without a score"),
    ],
)
def test_a_sheet_with_a_fault_is_refused_whole(graded, capsys, line, said):
    folder, filled = graded
    before = content(folder.path)
    assert merge(folder, filled("s1,task-4,1,fine", line)) == 1
    error = capsys.readouterr().err
    assert said in error and error.endswith("; nothing was merged\n") and error.count("\n") == 1
    assert content(folder.path) == before


def test_marks_survive_a_second_run_and_an_answer_that_changed_is_flagged(graded, master, tmp_path):
    folder, filled = graded
    assert merge(folder, filled("s1,task-4,2,fine", "s2,task-4,1,")) == 0
    handed_in(tmp_path / "in", s2="3", s3="2")
    grade(master, tmp_path / "in", folder.path, resume=True)
    lines = table(folder.path / "grades.csv")
    assert [line["task-4"] for line in lines] == ["2", "", ""]
    assert lines[1]["note"] == "the answer has changed since it was marked: task-4"
    assert lines[0]["note"] == ""
    renamed = small_master.cells()
    renamed["task-4"]["metadata"]["nbgrader"]["grade_id"] = "task-4-why"
    newer = Master(small_master.write(tmp_path, renamed))
    grade(newer, tmp_path / "in", folder.path, resume=True)
    line = table(folder.path / "grades.csv")[0]
    assert (line["task-4"], line["score"]) == ("", "6")
    assert line["note"].endswith("a mark for what is no task any more: task-4")


def test_work_in_the_sheet_that_is_not_merged_yet_is_never_overwritten(graded, master, tmp_path):
    folder, filled = graded
    sheet = folder.path / "manual.csv"
    sheet.write_bytes(filled("s1,task-4,2,half done", "s3,task-4,0,").read_bytes())
    grade(master, tmp_path / "in", folder.path, resume=True)
    assert [(line["score"], line["comment"]) for line in table(sheet)] == [
        ("2", "half done"), ("", ""), ("0", "")]
    assert not (folder.path / "manual.json").exists()
    assert merge(folder, filled("s1,task-4,1,other")) == 0
    assert [line["score"] for line in table(sheet)] == ["1", "", "0"]
    sheet.write_bytes(b"\xff\xfe no table")
    grade(master, tmp_path / "in", folder.path, resume=True)
    assert (folder.path / "manual-unread.csv").read_bytes() == b"\xff\xfe no table"


# A hostile class


def impatient(master, raw, seed, sandbox):
    """The grader itself, with less time for each cell and call."""
    remote.CALL = remote.CELL = 2
    return batch.grade_one(master, raw, seed, sandbox)


def test_a_hostile_class_is_graded_to_its_end(tmp_path):
    """A third of the hostile submissions, in one batch, for their number: each has its record,
    its line in the gradebook and its page in words, and no page holds a hidden test."""
    if not shutil.which("bwrap") and os.environ.get("BROWSER_TESTS") != "required":
        pytest.skip("needs bubblewrap: apt install bubblewrap")
    written(tmp_path / "01-hostile.ipynb", hostile.to_bytes(hostile.master()))
    cases = {f"s{n:03}": case for n, case in enumerate(hostile.CASES[::3])}
    for student, case in cases.items():
        written(tmp_path / "in" / student / "01-hostile.ipynb", case.raw)
    folder = grade(Master(tmp_path / "01-hostile.ipynb"), tmp_path / "in", tmp_path / "out",
                   function=impatient)
    lines = table(folder.path / "grades.csv")
    assert [line["student"] for line in lines] == list(cases)
    assert "grader error" not in {line["status"] for line in lines}
    for line, case in zip(lines, cases.values()):
        assert (line["status"], float(line["score"])) == (case.status, case.score), case.name
        page = (folder.path / f"feedback/{line['student']}.html").read_text()
        assert html.escape(report.STATUS[case.status]) in page
        assert hostile.HIDDEN not in page and "<script" not in page, case.name
