"""Make .venv and install into it what requirements.txt pins; `make` calls this after a change.

    python3 book/tools/environment.py             the book, the package and the tests
    python3 book/tools/environment.py bench       in addition, an extra of pyproject.toml
    python3 book/tools/environment.py nbgrader    in addition, nbgrader in .venv/nbgrader

When something is missing it ends with a line that says what to do.
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
NBGRADER = VENV / "nbgrader"        # it wants other versions of what the book is built with

NO_VENV = "No virtual environment could be made. On Debian and Ubuntu: apt install python3-venv"
NO_PACKAGES = """The packages could not be installed: pip's reason is above. If it found no index of
packages, connect to the network or name your index with PIP_INDEX_URL, then run this again."""


def python_of(venv):
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def say(text):
    print(text, flush=True)


def works(python):
    """Whether this Python starts, is new enough and has pip."""
    test = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
    return python.exists() and not subprocess.call([python, "-c", test], stderr=subprocess.DEVNULL)


def make_venv(venv):
    """Make the environment unless there is one that works."""
    if works(python_of(venv)):
        return
    if not all(importlib.util.find_spec(module) for module in ("venv", "ensurepip")):
        sys.exit(NO_VENV)
    name = venv.relative_to(ROOT).as_posix()
    say(f"Making {name} with Python " + ".".join(map(str, sys.version_info[:3])))
    failed = subprocess.call([sys.executable, "-m", "venv", "--clear", venv])
    if failed or not works(python_of(venv)):
        sys.exit(NO_VENV)


def install(arguments, venv=VENV):
    """Run pip, showing where it is; what it installs is compiled when first used: quicker."""
    pip = subprocess.Popen(
        [python_of(venv), "-m", "pip", "install", "--no-compile", "--prefer-binary"]
        + ["--progress-bar", "off", "--disable-pip-version-check", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said, shown = [], sys.stdout.isatty()
    for line in pip.stdout:
        said.append(line)
        if shown and line.startswith(("Collecting", "Installing", "Building")):
            print("\r  " + line.strip()[:76].ljust(76), end="", flush=True)
    if shown:
        print("\r" + " " * 78 + "\r", end="", flush=True)
    if pip.wait():
        say("".join([line for line in said if not line.startswith("WARNING: Location")][-12:]))
        sys.exit(NO_PACKAGES)


def main(extras):
    if sys.version_info < (3, 11):  # noqa: UP036  the Python that runs this is not the one of .venv
        sys.exit(f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}.")
    make_venv(VENV)
    if extras == ["nbgrader"]:
        make_venv(NBGRADER)
        say("Installing nbgrader (a minute the first time)")
        install(["-r", "code/tests/nbgrader-requirements.txt"], NBGRADER)
    elif extras:
        say(f"Installing what {', '.join(extras)} needs")
        install(["-c", "code/constraints.txt", "-e", f".[{','.join(extras)}]"])
    else:
        say("Installing the packages of requirements.txt (a minute or two the first time)")
        install(["-r", "requirements.txt"])


main(sys.argv[1:])
