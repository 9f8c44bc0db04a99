"""nbgrader itself releases, validates and grades the masters, so that a course can go on with it.

It runs in an environment of its own, .venv/nbgrader or the bin folder that $NBGRADER names. Set 7
is tried, and a small one (set 1 in test_teaching.py); $NBGRADER_ALL=1 tries every one.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest
import small_master
from classroom.master import Master, bare
from classroom.notebook import dump

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("NBGRADER") or ROOT / ".venv/nbgrader/bin")
MASTERS = sorted(ROOT.glob("chapters/problems/*.ipynb"))
SOME = MASTERS if os.environ.get("NBGRADER_ALL") else MASTERS[6:7]

pytestmark = pytest.mark.skipif(
    not (BIN / "nbgrader").exists() and os.environ.get("BROWSER_TESTS") != "required",
    reason="needs nbgrader in an environment of its own: make nbgrader",
)

GRADES = """
import json
from nbgrader.api import Gradebook
with Gradebook("sqlite:///gradebook.db") as book:
    print(json.dumps({
        submission.student.id: {
            grade.name: [grade.auto_score, grade.max_score, grade.needs_manual_grade]
            for notebook in submission.notebooks for grade in notebook.grades
        } for submission in book.assignment_submissions(NAME)
    }))
"""


@pytest.fixture(scope="module", params=[None, *SOME], ids=lambda path: path and path.stem)
def path(request, tmp_path_factory):
    """A master: a small one, made for this test, and those of the book."""
    return request.param or small_master.write(tmp_path_factory.mktemp("master"))


@pytest.fixture(scope="module")
def master(path):
    return Master(path)


@pytest.fixture(scope="module")
def course(master, path, tmp_path_factory):
    """A course folder in which nbgrader has released the set and graded two submissions."""
    folder = tmp_path_factory.mktemp("course")
    put(folder / "source" / master.name / path.name, path.read_bytes())
    nbgrader(folder, "generate_assignment", master.name, "--create")
    released = (folder / "release" / master.name / path.name).read_bytes()
    put(folder / "submitted/solver" / master.name / path.name, path.read_bytes())
    put(folder / "submitted/empty" / master.name / path.name, released)
    nbgrader(folder, "autograde", master.name, "--create")
    return folder


@pytest.fixture(scope="module")
def grades(course, master):
    """{student: {cell: [score, maximum, whether a person must look]}} of nbgrader's gradebook."""
    return json.loads(run(course, "python", "-c", GRADES.replace("NAME", repr(master.name))))


def put(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def run(folder, command, *arguments):
    """What a command of nbgrader's environment prints; nothing of this machine's own is read."""
    environment = {
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT / "code"),
        "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MPLBACKEND": "agg",
        "HOME": str(folder), "IPYTHONDIR": str(folder / ".ipython"),
        "JUPYTER_CONFIG_DIR": str(folder / ".jupyter"), "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }  # fmt: skip
    done = subprocess.run([BIN / command, *arguments], cwd=folder, env=environment, text=True,
                          capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout + done.stderr * (command == "nbgrader")


def nbgrader(folder, *arguments):
    return run(folder, "nbgrader", *arguments)


def sources(raw):
    cells = json.loads(raw)["cells"]
    return [(cell["cell_type"], "".join(cell["source"]).rstrip()) for cell in cells]


def test_its_release_is_ours(course, master, path):
    theirs = (course / "release" / master.name / path.name).read_bytes()
    assert sources(dump(master.student_version())) == sources(theirs)


def test_the_cells_keep_their_names_and_points(course, master, path):
    released = json.loads((course / "release" / master.name / path.name).read_bytes())
    told = {cell["metadata"]["nbgrader"]["grade_id"]: cell["metadata"]["nbgrader"].get("points")
            for cell in released["cells"] if "nbgrader" in cell["metadata"]}
    assert told == {name: cell.nbgrader.get("points") for name, cell in master.by_id.items()}


def test_validate_finds_the_solution_right_and_the_release_wrong(course, master, path, tmp_path):
    assert "Success! Your notebook passes all the tests" in nbgrader(
        course, "validate", f"source/{master.name}/{path.name}")
    put(course / "mine.ipynb", dump(master.student_version()).encode())
    said = nbgrader(course, "validate", "mine.ipynb")
    tests = [cell for task in master.tasks.values() for cell in task.tests]
    failed = sum(bool(bare(cell)) for cell in tests)        # one may be hidden as a whole
    assert f"VALIDATION FAILED ON {failed} CELL(S)" in said


def test_the_solution_gets_full_marks(grades, master):
    tests = {cell.grade_id: cell.nbgrader["points"]
             for task in master.tasks.values() for cell in task.tests}
    found = {name: score for name, (score, _, _) in grades["solver"].items() if name in tests}
    assert found == tests


def test_the_empty_release_gets_nothing(grades):
    assert grades["empty"]
    assert not any(score for score, _, _ in grades["empty"].values())


def test_what_a_person_marks_waits_for_a_person(grades, master):
    manual = {cell.grade_id: cell.nbgrader["points"]
              for task in master.tasks.values() for cell in task.manual}
    waiting = {name: most for name, (_, most, waits) in grades["solver"].items() if waits}
    assert waiting == manual
