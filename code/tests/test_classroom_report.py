"""What teachers and students read: marks that no longer count, and what a page leaves out."""

import pytest
import small_master
from classroom import export, report
from classroom.collect import Refused
from classroom.master import Master
from test_classroom_batch import (  # noqa: F401
    content,
    grade,
    graded,
    handed_in,
    master,
    merge,
    roster,
    table,
    written,
)


def gradebook(folder, student):
    return next(line for line in table(folder.path / "grades.csv") if line["student"] == student)


def page(folder, student):
    return (folder.path / f"feedback/{student}.html").read_text()


def moodle(folder, student):
    lines = export.grades(folder, "moodle")[0].decode().splitlines()
    return next(line for line in lines if line.startswith(f"{student},"))


# Marks that no longer count


def test_a_mark_above_a_new_maximum_is_not_given(graded, tmp_path):  # noqa: F811
    folder, filled = graded
    assert merge(folder, filled("s1,task-4,2,fine", "s2,task-4,1,")) == 0
    lower = small_master.cells()
    lower["task-4"]["metadata"]["nbgrader"]["points"] = 1
    grade(Master(small_master.write(tmp_path, lower)), tmp_path / "in", folder.path, resume=True)
    line = gradebook(folder, "s1")
    assert (line["score"], line["maximum"], line["task-4"]) == ("6", "7", "")
    assert line["note"] == "to be marked again: task-4"
    assert "6 of 7 points so far" in page(folder, "s1") and "fine" not in page(folder, "s1")
    assert "It will be marked again." in page(folder, "s1")
    assert gradebook(folder, "s2")["task-4"] == "1"
    assert "a mark above the maximum" in (folder.path / "summary.html").read_text()


def test_an_answer_that_changed_since_it_was_marked_has_no_mark(graded, master, tmp_path, roster):  # noqa: F811
    folder, filled = graded
    assert merge(folder, filled("s1,task-4,2,", "s2,task-4,1,well said")) == 0
    assert "5 of 8 points</p>" in page(folder, "s2")
    handed_in(tmp_path / "in", s2="3")
    people = roster("student", "s1", "s2", "s3")
    grade(master, tmp_path / "in", folder.path, people, resume=True)
    line = gradebook(folder, "s2")
    assert (line["score"], line["task-4"]) == ("6", "")
    assert line["note"] == "the answer has changed since it was marked: task-4"
    assert "6 of 8 points so far" in page(folder, "s2")
    assert "it will be marked again" in page(folder, "s2") and "well said" not in page(folder, "s2")
    assert moodle(folder, "s2") == "s2,,,task-1: 3; task-2: 1; task-3: 2; task-4: not known yet"
    sheet = folder.path / "manual.csv"
    assert [(line["score"], line["comment"]) for line in table(sheet)] == [
        ("2", ""), ("1", "well said"), ("", "")]
    assert merge(folder, sheet) == 0            # as it is: the mark stands
    assert gradebook(folder, "s2")["task-4"] == "1" and gradebook(folder, "s2")["note"] == ""
    assert moodle(folder, "s2").endswith(",7,task-1: 3; task-2: 1; task-3: 2; task-4: 1; well said")


def test_regrading_says_whose_mark_no_longer_counts(graded):  # noqa: F811
    folder, filled = graded
    assert merge(folder, filled("s1,task-4,2,")) == 0
    old = {record["student"]: record for record in folder.all_records()}
    new = old["s1"] | {"manual": [old["s1"]["manual"][0] | {"answer": "another"}]}
    assert report.changes(folder, old, [new])[1] == (
        "s1: 8 → 6 of 8; task-4: to be marked again")


# The sheet


def test_a_mark_for_someone_who_handed_in_nothing_stays_in_the_sheet(tmp_path, master, roster):  # noqa: F811
    """As for an answer on paper."""
    folder = grade(master, handed_in(tmp_path / "in", s1="3"), tmp_path / "out",
                   roster("student", "s1", "s2"))
    sheet = written(tmp_path / "sheet.csv", "student,task,score\ns2,task-4,2\n")
    assert merge(folder, sheet) == 0
    assert [(line["student"], line["score"]) for line in table(folder.path / "manual.csv")] == [
        ("s1", ""), ("s2", "2")]


def test_a_mark_can_be_withdrawn(graded, capsys):  # noqa: F811
    folder, filled = graded
    assert merge(folder, filled("s1,task-4,2,fine", "s2,task-4,1,")) == 0
    assert merge(folder, filled("s1,task-4,-,fine")) == 0
    assert "1 mark read, 1 of them withdrawn; 2 answers are still" in capsys.readouterr().out
    assert "task-4" not in folder.marks().get("s1", {}) and folder.marks()["s2"]
    assert gradebook(folder, "s1")["note"] == "to be marked by hand: task-4"
    assert "fine" not in page(folder, "s1") and "Not marked yet" in page(folder, "s1")
    assert [line["score"] for line in table(folder.path / "manual.csv")] == ["", "1", ""]


def test_a_withdrawal_that_is_not_merged_yet_stays_in_the_sheet(graded, master, tmp_path):  # noqa: F811
    folder, filled = graded
    assert merge(folder, filled("s1,task-4,2,fine")) == 0
    sheet = folder.path / "manual.csv"
    sheet.write_bytes(filled("s1,task-4,-,fine").read_bytes())
    grade(master, tmp_path / "in", folder.path, resume=True)
    assert table(sheet)[0]["score"] == "-"
    assert merge(folder, sheet) == 0 and table(sheet)[0]["score"] == ""


def test_a_row_is_named_as_a_spreadsheet_counts(graded):  # noqa: F811
    folder, filled = graded
    sheet = filled('s1,task-4,1,"three', 'lines of', 'comment"', "s2,task-4,3,")
    with pytest.raises(Refused, match=r"sheet\.csv: s2, task-4 \(row 3\): expected a score from 0"):
        report.read_marks(folder, sheet)


# Pages


def test_the_summary_compares_what_is_known_of_everyone(graded):  # noqa: F811
    folder, filled = graded
    assert merge(folder, filled("s1,task-4,2,")) == 0
    summary = folder.path / "summary.html"
    assert "highest 6 of the 6 points that are known so far." in summary.read_text()
    assert merge(folder, filled("s2,task-4,1,", "s3,task-4,0,")) == 0
    assert "highest 8 of the 8 points." in summary.read_text()
    assert "so far" not in summary.read_text()


def test_who_has_no_points_or_notes_on_files_needs_attention(tmp_path, master, roster):  # noqa: F811
    source = handed_in(tmp_path / "in", s1="3", s2="0", s3="3")
    written(source / "s3/01-small-2.ipynb", "3")
    folder = grade(master, source, tmp_path / "out", roster("student", "s1", "s2", "s3"))
    said = (folder.path / "summary.html").read_text().split("Who needs attention")[1]
    assert "s2</a></th><td></td><td>no points in the tests</td>" in said
    [note] = folder.record("s3")["submission"]["notes"]
    assert f"s3</a></th><td></td><td>{report.escape(report.joined([note]))}</td>" in said
    assert "s1.html" not in said


def test_the_page_of_someone_who_handed_in_nothing_is_one_sentence(tmp_path, master, roster):  # noqa: F811
    folder = grade(master, handed_in(tmp_path / "in", s1="3"), tmp_path / "out",
                   roster("student", "s1", "s2"))
    assert page(folder, "s2").count("Nothing was handed in.") == 1
    assert "points" not in page(folder, "s2") and "task-1" not in page(folder, "s2")
    merge(folder, written(tmp_path / "sheet.csv", "student,task,score\ns2,task-4,2\n"))
    assert "2 of 8 points</p>" in page(folder, "s2")      # an answer on paper


def test_a_test_has_one_name_everywhere(graded):  # noqa: F811
    folder, _ = graded
    assert "task-3-test: <span" in page(folder, "s2") and "Test 1" not in page(folder, "s2")
    assert "task-3-test" in (folder.path / "summary.html").read_text()
    results = export.gradescope_results(folder.record("s2"))
    assert results["tests"][2]["name"] == "Task 3 · A fault: task-3-test"
