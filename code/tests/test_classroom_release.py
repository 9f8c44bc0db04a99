"""A release gives away no solution, and a master that is wrong is refused with the reason."""

import json
import os
import shutil
import zipfile

import pytest
import small_master
from classroom import collect, notebook, release
from classroom.master import Master

SECRET = b"a secret of the course"
needs_sandbox = pytest.mark.skipif(
    not shutil.which("bwrap") and os.environ.get("BROWSER_TESTS") != "required",
    reason="needs bubblewrap: apt install bubblewrap",
)


@pytest.fixture
def parts():
    """The cells of a sound master, to spoil."""
    return small_master.cells()


@pytest.fixture
def faults(parts, tmp_path):
    """What a release would refuse in the (spoilt) master, without running it."""
    return lambda: release.static_faults(Master(small_master.write(tmp_path, parts)))


@pytest.fixture
def refused(parts, tmp_path):
    """The reasons why the (spoilt) master isn't released; nothing may be written."""

    def tried(*arguments, **options):
        path, out = small_master.write(tmp_path, parts), tmp_path / "out"
        with pytest.raises(collect.BadInput) as caught:
            release.release([path], out, *arguments, progress=False, **options)
        assert [found.name for found in tmp_path.iterdir()] == [path.name]
        return str(caught.value)

    return tried


def text_of(cell):
    return "".join(cell["source"])


# What a release is


@needs_sandbox
def test_a_release_for_everyone(tmp_path):
    path, out = small_master.write(tmp_path), tmp_path / "out"
    files = release.release([path], out, progress=False)
    assert files == [out / "01-small.ipynb", out / "problem-sets.zip"]
    told = json.loads(files[0].read_text(encoding="utf-8"))
    cells = {cell["metadata"]["nbgrader"]["grade_id"]: cell for cell in told["cells"]}
    assert text_of(cells["numbers"]).startswith("seed = 2026\n")
    assert text_of(cells["task-1"]).endswith(
        'mean."""\n    # YOUR CODE HERE\n    raise NotImplementedError()')
    assert text_of(cells["task-4"]) == "YOUR ANSWER HERE"
    assert "2.0, 5.0" not in files[0].read_text(encoding="utf-8")
    with zipfile.ZipFile(files[1]) as archive:
        assert archive.namelist() == ["01-small.ipynb"]
        assert archive.read("01-small.ipynb") == files[0].read_bytes()


@needs_sandbox
def test_each_student_gets_numbers_of_their_own(tmp_path):
    path, out = small_master.write(tmp_path), tmp_path / "out"
    files = release.release([path], out, ["s001", "Żaneta K"], SECRET, progress=False)
    names = [file.relative_to(out).as_posix() for file in files]
    assert names == ["01-small/s001/01-small.ipynb", "01-small/Żaneta K/01-small.ipynb",
                     "problem-sets.zip"]
    numbers = [text_of(json.loads(file.read_text(encoding="utf-8"))["cells"][2]).split("\n")
               for file in files[:2]]
    assert numbers[0][0] != numbers[1][0] != "seed = 2026"
    assert numbers[0][1:] == numbers[1][1:]
    with zipfile.ZipFile(files[2]) as archive:
        assert archive.namelist() == names[:2]


@needs_sandbox
def test_the_same_release_twice_has_the_same_bytes(tmp_path):
    path = small_master.write(tmp_path)
    made = [
        {file.name: file.read_bytes()
         for file in release.release([path], tmp_path / name, ["a", "b"], SECRET, jobs=jobs,
                                     progress=False)}
        for name, jobs in (("one", 1), ("two", 2))
    ]
    assert made[0] == made[1]


@needs_sandbox
def test_an_older_release_is_not_overwritten(tmp_path):
    path, out = small_master.write(tmp_path), tmp_path / "out"
    release.release([path], out, progress=False)
    before = {file.name: file.read_bytes() for file in out.iterdir()}
    with pytest.raises(release.Refused, match="expected a new or an empty folder"):
        release.release([path], out, progress=False)
    assert {file.name: file.read_bytes() for file in out.iterdir()} == before


@needs_sandbox
def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch):
    path, write, written = small_master.write(tmp_path), notebook.write, []

    def full(file, text):
        if written:
            raise OSError(28, "No space left on device")
        written.append(file)
        write(file, text)

    monkeypatch.setattr(notebook, "write", full)
    with pytest.raises(OSError, match="No space"):
        release.release([path], tmp_path / "out", ["a", "b"], SECRET, progress=False)
    assert written
    assert [found.name for found in tmp_path.iterdir()] == [path.name]


def test_outputs_attachments_and_notes_stay_behind(parts, tmp_path):
    secret = "distances = values - values.mean()"
    printed = {"output_type": "stream", "name": "stdout", "text": [secret]}
    parts["task-1"] |= {"outputs": [printed], "execution_count": 3}
    parts["task-1"]["metadata"]["note"] = secret
    parts["task-4"]["attachments"] = {"board.png": {"image/png": secret}}
    told = small_master.notebook(parts)
    told["metadata"]["author"] = secret
    path = tmp_path / "01-small.ipynb"
    path.write_text(json.dumps(told), encoding="utf-8")
    master = Master(path)
    made = master.student_version()
    assert secret not in json.dumps(made)
    assert release.static_faults(master) == []
    assert release.static_faults(master, told)      # the check itself sees every one of them
    seen = " ".join(release.static_faults(master, told))
    for where in "not its text", "the notebook's metadata", "outputs", "attachments", "note":
        assert where in seen


# What is refused


@needs_sandbox
def test_a_wrong_solution_is_refused(parts, refused):
    parts["task-2"]["source"] = parts["task-2"]["source"].replace("max", "min")
    assert "01-small: task-2-test: the solution doesn't pass" in refused()


@needs_sandbox
def test_a_solution_that_is_right_for_some_students_only_is_refused(parts, refused):
    parts["task-2"]["source"] = ("### BEGIN SOLUTION\nlargest = {'small': 0.766}.get('small')\n"
                                 "### END SOLUTION")
    parts["task-2-test"]["source"] = (
        "if seed == 2026:\n    largest = max(x)\ncompare(largest, max(x), 'largest')")
    said = refused(["s001", "s002", "s003"], SECRET)
    assert "task-2-test: the solution doesn't pass with a student's numbers" in said


@needs_sandbox
def test_a_test_that_the_empty_release_passes_is_refused(parts, refused):
    parts["task-2-test"]["source"] = "assert max(x) < 10"
    assert "01-small: task-2-test: the empty release earns 1 points" in refused()


@needs_sandbox
def test_a_test_that_is_wrong_itself_is_refused(parts, refused):
    parts["task-2-test"]["source"] = "compare(largest, max(y), 'largest')"
    assert "task-2-test" in refused()


@needs_sandbox
def test_students_with_the_same_numbers_are_refused(parts, refused):
    parts["numbers"]["source"] = ("seed = 2026\n"
                                  "x = np.random.default_rng(seed).integers(2, size=2) * 1.0")
    said = refused([f"s{number}" for number in range(9)], SECRET)
    assert "have the same numbers" in said


@pytest.mark.parametrize("place, source", [
    ("task-3-text", "## Task 3 · A fault (2 points)\nAs in `distances = values - values.mean()`."),
    ("task-2-test", "distances = values - values.mean()\ncompare(largest, max(x), 'largest')"),
    ("setup", small_master.SETUP + "\ndef own(values):\n    distances = values  -  values.mean()"),
])
def test_a_line_of_a_solution_elsewhere_is_a_fault(place, source, parts, faults):
    parts[place]["source"] = source
    assert faults() == [f"01-small: cell {place} shows a line of the solution of cell task-1: "
                        "distances = values - values.mean()"]


def test_a_line_of_a_hidden_test_elsewhere_is_a_fault(parts, faults):
    parts["task-1-text"]["source"] += (
        '\n`assert abs(deviation(np.array([2.0, 2.0, 5.0])) - 2 ** 0.5) < 1e-9, '
        '"Hint: how many values?"`')
    assert "cell task-1-text shows a line of the hidden test of cell task-1-test" in faults()[0]


def test_given_code_may_return_in_the_solution_but_not_be_all_of_it(parts, faults):
    assert faults() == []
    parts["task-3-given"]["source"] = "\n".join(small_master.ANSWER_3.split("\n")[1:-1])
    assert faults() == ["01-small: cell task-3: students can read every line of its solution"]


def test_a_sentence_of_a_model_answer_elsewhere_is_a_fault(parts, faults):
    parts["title"]["source"] += "\nBecause a mean does not grow with the batch."
    assert "cell title shows a line of the solution of cell task-4" in faults()[0]


@pytest.mark.parametrize("marker", [
    "### BEGIN MARK SCHEME", "### Begin solution", "## END SOLUTION", "###BEGIN HIDDEN TEST",
    "# begin hidden tests",
])
def test_a_marker_that_nothing_understands_is_a_fault(marker, parts, tmp_path):
    parts["task-2-test"]["source"] += f"\n{marker}\nassert largest < 1000"
    path = small_master.write(tmp_path, parts)
    with pytest.raises(collect.BadInput, match="marker|partner"):
        release.release([path], tmp_path / "out", progress=False)


@pytest.mark.parametrize("name, marker, said", [
    ("task-2-test", "SOLUTION", "a solution in a cell that is no answer"),
    ("task-2", "HIDDEN TESTS", "hidden tests in a cell that is no test"),
])
def test_regions_stand_where_nbgrader_allows_them(name, marker, said, parts, faults):
    parts[name]["source"] += f"\n### BEGIN {marker}\nlargest = 1\n### END {marker}"
    assert f"01-small: cell {name}: {said}" in faults()


def test_a_name_of_the_setup_that_an_answer_takes_is_a_fault(parts, faults):
    parts["task-2"]["source"] = ("### BEGIN SOLUTION\nlargest, compare = x.max(), compare\n"
                                 "### END SOLUTION")
    parts["numbers"]["source"] += "\ncompare(1, 1, 'nothing')"
    assert faults() == ["01-small: cell numbers uses what an answer defines: compare"]


@pytest.mark.parametrize("name, said", [
    ("task-1-text", "task-1: expected a text with a title"),
    ("task-3", "task-3: expected a cell for the answer"),
    ("task-3-test", "task-3 has nothing that gives points"),
    ("numbers", "expected a cell numbers"),
])
def test_a_task_must_be_complete(name, said, parts, refused):
    del parts[name]
    assert said in refused()


def test_every_fault_gets_its_line(parts, refused):
    parts["task-2-test"]["source"] += "\n### BEGIN MARK SCHEME"
    del parts["task-1-text"]
    said = refused(sandbox="none").split("\n")
    assert any("MARK SCHEME" in line for line in said)
    assert any("task-1: expected a text" in line for line in said)


@pytest.mark.parametrize("roster, secret, said", [
    (["a"], None, "--seed-file"),
    ([], SECRET, "found none"),
    (["a", "A"], SECRET, "stands twice"),
    (["../a"], SECRET, "can't name a folder"),
    (["a/b"], SECRET, "can't name a folder"),
    ([".."], SECRET, "can't name a folder"),
    (["a."], SECRET, "can't name a folder"),
    ([""], SECRET, "can't name a folder"),
    (["a"], b"short", "at least 16 bytes"),
])
def test_a_roster_that_can_not_be_used(roster, secret, said, tmp_path):
    path = small_master.write(tmp_path)
    with pytest.raises(ValueError, match=said):
        release.release([path], tmp_path / "out", roster, secret, progress=False)
    assert [found.name for found in tmp_path.iterdir()] == [path.name]


def test_what_is_no_master_is_named(tmp_path):
    (tmp_path / "notes.ipynb").write_text("notes")
    with pytest.raises(release.Refused, match=r"^notes.ipynb: The file is not a notebook"):
        release.release([tmp_path / "notes.ipynb"], tmp_path / "out", progress=False)
    with pytest.raises(OSError, match="missing.ipynb"):
        release.release([tmp_path / "missing.ipynb"], tmp_path / "out", progress=False)
    with pytest.raises(release.Refused, match="two masters have this name"):
        path = small_master.write(tmp_path)
        release.release([path, path], tmp_path / "out", progress=False)


def test_a_site_takes_only_sound_sets(parts, tmp_path):
    path, out = small_master.write(tmp_path, parts), tmp_path / "site"
    release.publish([path], out)
    before = sorted(file.name for file in out.iterdir())
    assert before == ["01-small.ipynb", "problem-sets.zip"]
    assert "distances" not in (out / "01-small.ipynb").read_text(encoding="utf-8")
    parts["title"]["source"] += "\ndistances = values - values.mean()"
    with pytest.raises(release.Refused, match="cell title shows a line of the solution"):
        release.publish([small_master.write(tmp_path, parts)], out)
    assert sorted(file.name for file in out.iterdir()) == before


# Trying


@needs_sandbox
def test_check_shows_a_teacher_what_a_student_reads(parts, tmp_path):
    master = small_master.write(tmp_path, parts)
    said = release.check(master)
    assert said.startswith("A small set\n6 of 6 points")
    assert "refused" not in said
    parts["task-1"]["source"] = ("def deviation(values):\n"
                                 "    return np.sqrt(((values - values.mean()) ** 2).sum() / 2)")
    tried = small_master.write(tmp_path, parts, "tried")
    said = release.check(tried, master)
    assert "3 of 6 points" in said
    assert "Hint: how many values?" in said
    assert "2.0, 5.0" not in said       # the hidden test's numbers
    parts = small_master.cells()
    parts["task-2-test"]["source"] = "compare(largest, min(x), 'largest')"
    assert "A release would be refused" in release.check(small_master.write(tmp_path, parts))
