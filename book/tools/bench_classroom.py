"""How long does grading a class take? 1,000 made-up submissions, and a sample of them by nbgrader.

    make bench-classroom
    python book/tools/bench_classroom.py                the same, with nbgrader in .venv/nbgrader
    python book/tools/bench_classroom.py --count 100    fewer, and a smaller sample

The submissions are of problem set 1: right, half right, empty, with a usual mistake, and one in
fifty that never ends. The table gives the time by the clock, and the most memory that the command
and all its processes had at once; pages that they share are counted once. nbgrader works through
the sample one by one, as it does, and so does the grader in the line above it; those that never end
are left out of the sample. Without nbgrader ($NBGRADER may name its bin folder) its line is left
out.
"""

import argparse
import importlib.util
import os
import platform
import shutil
import sys
import tempfile
import time
from pathlib import Path

import psutil
from classroom import notebook
from classroom.master import Master

ROOT = Path(__file__).resolve().parents[2]
MASTER = ROOT / "chapters/problems/01-one-neuron.ipynb"
MISTAKES = ROOT / "code/tests/wrong_answers/ps01.py"
NBGRADER = Path(os.environ.get("NBGRADER") or ROOT / ".venv/nbgrader/bin")
MINUTES, MEGABYTES, SHARE = 5, 500, 1 / 4       # what is asked for
ENDLESS = 50                                    # one in so many


def submissions(master, count):
    """[(student, notebook as text, whether it ends)], every one another text."""
    solution = {cell.grade_id: cell.source for task in master.tasks.values()
                for cell in [*task.answers, *task.manual]}
    spec = importlib.util.spec_from_file_location("mistakes", MISTAKES)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    mistakes = [answers for _, answers, _ in module.WRONG]
    first = next(iter(master.tasks.values())).answers[0].grade_id
    half = dict(list(solution.items())[: len(solution) // 2])
    kinds = [solution, half, {}, *(solution | wrong for wrong in mistakes)]
    for n in range(count):
        ends = n % ENDLESS != ENDLESS - 1
        answers = dict(kinds[n % len(kinds)])
        if not ends:
            answers[first] = "while True:\n    pass"
        yield f"s{n:04}", filled_in(master, answers, f"# student {n}\n"), ends


def filled_in(master, answers, remark):
    made = master.student_version()
    for cell in made["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if name in answers:
            remarked = remark if cell["cell_type"] == "code" else ""
            cell["source"] = (remarked + answers[name]).splitlines(keepends=True)
    return notebook.dump(made)


def put(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def timed(*command, folder, environment=None, quiet=True):
    """Run a command: seconds by the clock, and the most memory in MB of it and all it started."""
    start, most = time.monotonic(), 0
    with tempfile.TemporaryFile("w+") as said:
        running = psutil.Popen([str(part) for part in command], cwd=folder, env=environment,
                               stdout=said, stderr=said if quiet else None)
        while running.poll() is None:
            most = max(most, memory(running))
            time.sleep(0.3)
        seconds = time.monotonic() - start
        said.seek(0)
        if running.returncode:
            sys.exit(f"{' '.join(map(str, command[:4]))} failed:\n{said.read()[-2000:]}")
    return seconds, most / 1e6


def memory(process):
    """Bytes of a process and its descendants, without those that end while they are counted."""
    total = 0
    try:
        for one in [process, *process.children(recursive=True)]:
            try:
                total += one.memory_full_info().pss     # its share of what it shares
            except psutil.Error:
                continue
    except psutil.Error:
        pass
    return total


def by_us(folder, source, jobs):
    out = folder / f"out-{source.name}"
    return timed(sys.executable, "-m", "classroom", "grade", MASTER, source, "-o", out, "--jobs",
                 jobs, folder=ROOT / "code", quiet=False)


def by_nbgrader(folder, master, sample):
    """Its seconds for the sample, in a course of its own."""
    course = folder / "course"
    put(course / "source" / master.name / MASTER.name, MASTER.read_text(encoding="utf-8"))
    for student, text in sample:
        put(course / "submitted" / student / master.name / MASTER.name, text)
    environment = {
        "PATH": f"{NBGRADER}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT / "code"),
        "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MPLBACKEND": "agg",
        "HOME": str(course), "IPYTHONDIR": str(course / ".ipython"),
        "JUPYTER_CONFIG_DIR": str(course / ".jupyter"), "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }  # fmt: skip
    how = {"folder": course, "environment": environment}
    timed(NBGRADER / "nbgrader", "generate_assignment", master.name, "--create", **how)
    return timed(NBGRADER / "nbgrader", "autograde", master.name, "--create", **how)


def line(what, count, seconds, megabytes):
    print(f"| {what} | {count} | {seconds:.0f} s | {1000 * seconds / count:.0f} ms "
          f"| {megabytes:.0f} MB |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1000, help="submissions (1000)")
    count = max(50, parser.parse_args().count)
    tried = min(30, count // 10)
    master = Master(MASTER)
    folder = Path(tempfile.mkdtemp(prefix="bench-classroom-"))
    try:
        made = list(submissions(master, count))
        ending = [(student, text) for student, text, ends in made if ends]
        sample = ending[:: len(ending) // tried][:tried]
        for student, text, _ in made:
            put(folder / "class" / student / MASTER.name, text)
        for student, text in sample:
            put(folder / "sample" / student / MASTER.name, text)
        print(f"{master.title}: {len(master.tasks)} tasks; {platform.machine()}, "
              f"{os.cpu_count()} processors, Python {platform.python_version()}\n")
        print("| graded by | submissions | by the clock | each | most memory |")
        print("| --- | ---: | ---: | ---: | ---: |")
        seconds, megabytes = by_us(folder, folder / "class", 2)
        line("classroom, 2 processes", count, seconds, megabytes)
        alone, more = by_us(folder, folder / "sample", 1)
        line("classroom, 1 process", tried, alone, more)
        minutes = seconds / 60 * 1000 / count
        said = [f"1,000 in {minutes:.1f} of {MINUTES} minutes, {megabytes:.0f} of {MEGABYTES} MB"]
        held = minutes <= MINUTES and megabytes <= MEGABYTES
        if (NBGRADER / "nbgrader").exists():
            theirs, most = by_nbgrader(folder, master, sample)
            line("nbgrader, the same", tried, theirs, most)
            said.append(f"{alone / theirs:.2f} of nbgrader's time ({SHARE:.2f} are asked for)")
            held &= alone <= SHARE * theirs
        else:
            said.append("nbgrader is not installed: make nbgrader")
        print("\n" + "; ".join(said))
        sys.exit(0 if held else 1)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


main()
