"""No submission stops the grader, earns what it should not, reads what it must not, or lives on."""

import json
import os
import re
import shutil
import time
from pathlib import Path

import hostile
import pytest
from classroom import grading, remote, sandbox
from classroom.master import Master

pytestmark = pytest.mark.skipif(
    not shutil.which("bwrap") and os.environ.get("BROWSER_TESTS") != "required",
    reason="needs bubblewrap: apt install bubblewrap",
)


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course's folder, with what no submission may read; its master."""
    folder = tmp_path_factory.mktemp("course")
    for name in ("seed", "other.ipynb"):
        (folder / name).write_text(hostile.SECRET)
    path = folder / "01-hostile.ipynb"
    path.write_bytes(hostile.to_bytes(hostile.master()))
    return Master(path), folder


@pytest.fixture
def worlds(monkeypatch):
    """The process namespaces of the sandboxes that a test starts."""
    found = set()
    start = sandbox.Process._start

    def remember(self, *args, **kwargs):
        start(self, *args, **kwargs)
        found.update(map(namespace, descendants(self.process.pid)))
        found.difference_update({namespace(os.getpid()), None})

    monkeypatch.setattr(sandbox.Process, "_start", remember)
    return found


def namespace(pid):
    """The process namespace of a process, None if it is gone or a zombie."""
    try:
        if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return None
        return os.readlink(f"/proc/{pid}/ns/pid")
    except OSError:
        return None


def processes():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def descendants(pid):
    try:
        children = [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
    return children + [n for child in children for n in descendants(child)]


# "::" in the id: pytest-xdist may then run each half on another core (--dist loadscope)
@pytest.mark.parametrize(
    "case", [pytest.param(case, id=f"{n % 2}::{case.slug}") for n, case in enumerate(hostile.CASES)]
)
def test_a_submission(case, course, worlds, monkeypatch):
    master, folder = course
    before = set(descendants(os.getpid()))
    monkeypatch.setenv("COURSE_SECRET", hostile.SECRET)
    if case.status == "stopped":        # the loops among them may end sooner
        monkeypatch.setattr(remote, "CALL", 2)
        monkeypatch.setattr(remote, "CELL", 2)
    raw = case.raw.replace(b"@master", str(folder / "01-hostile.ipynb").encode())
    started = time.monotonic()
    record = grading.grade(master, raw.replace(b"@folder", str(folder).encode()))
    assert time.monotonic() - started < grading.TOTAL
    text = json.dumps(record, ensure_ascii=False)
    assert (record["status"], record["score"]) == (case.status, case.score), text
    tests = [test for task in record["tasks"] for test in task["tests"]]
    words = record["notes"] + [test["message"] for test in tests]
    assert any(case.said in line for line in words), words
    if record["score"] < record["maximum"]:
        assert any(words)
    assert "grader error" not in text and "Traceback" not in text
    assert hostile.SECRET not in text and str(folder) not in strip_attempts(record)
    assert not re.search(r"0x[0-9a-f]{6}", text)
    told = json.dumps([record["notes"], record["output"], words])
    assert hostile.HIDDEN not in told and "HIDDEN TESTS" not in told
    assert len(record["output"]) <= 4000 and "wrote" not in record["output"].replace("wrote []", "")
    assert all(len(line) <= 500 for line in words)
    got = re.findall(r" -> (.*)", record["output"])     # of what a submission only tried
    assert set(got) <= {"None", "-1", "32512"}          # 32512: os.system found no shell to start
    for part in ("seed", "other.ipynb"):
        assert (folder / part).read_text() == hostile.SECRET
    assert not set(descendants(os.getpid())) - before       # earlier tests may have helpers
    assert bool(worlds) == (case.status != "unreadable")
    deadline = time.monotonic() + 5             # the kernel may take a moment to clear up
    while not worlds.isdisjoint(map(namespace, processes())) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert worlds.isdisjoint(map(namespace, processes()))


def strip_attempts(record):
    """What a student was told, without the lines in which their own code named a file."""
    return "\n".join(line for line in record["output"].split("\n") if " failed " not in line)


def test_there_are_at_least_sixty_and_each_has_a_name_of_its_own():
    names = [case.slug for case in hostile.CASES]
    assert len(names) >= 60 and len(set(names)) == len(names)


QUICK = [case for case in hostile.CASES if case.status == "graded"][::8]


@pytest.mark.parametrize("case", QUICK, ids=lambda case: case.slug)
def test_grading_twice_gives_the_same_bytes(case, course):
    master, _ = course
    first, second = (json.dumps(grading.grade(master, case.raw)) for _ in range(2))
    assert first == second
