"""Run the book's notebooks and write them in one normal form.

    python book/tools/notebooks.py                     every notebook of _toc.yml
    python book/tools/notebooks.py chapters/01-*.ipynb only these
    python book/tools/notebooks.py --check             run nothing; name those not in normal form

A notebook is executed from top to bottom in a fresh kernel, without network, with one thread for
matrix products. A cell that raises stops it: the file stays as it was, and the command names the
cell and fails. The normal form holds nothing that depends on when, where or how often the notebook
was run, so a notebook whose results did not change keeps its file, byte for byte.
"""

import argparse
import base64
import hashlib
import io
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter

import nbformat
import numpy as np
import yaml
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
LANGUAGE = {
    "codemirror_mode": {"name": "ipython", "version": 3},
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
}
WIDGETS = "application/vnd.jupyter.widget-view+json"
ANSI = re.compile(r"\x1b\[[0-9;]*m")
NOISE = "execution", "ExecuteTime", "collapsed", "scrolled", "trusted"


def listed():
    """The notebooks that _toc.yml names, in its order, and the masters of the problem sets."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    found = []

    def collect(entry):
        if isinstance(entry, list):
            for item in entry:
                collect(item)
        elif isinstance(entry, dict):
            for key in "root", "file":
                if key in entry and (ROOT / f"{entry[key]}.ipynb").exists():
                    found.append(ROOT / f"{entry[key]}.ipynb")
            for key in "parts", "chapters", "sections", "entries", "subtrees":
                collect(entry.get(key))

    collect(toc)
    return found + sorted((ROOT / "chapters/problems").glob("*.ipynb"))


def environment():
    """What a kernel starts with: no network, one thread, figures inline."""
    tools = ROOT / "book/tools"
    path = [str(tools / "offline"), str(tools), os.environ.get("PYTHONPATH")]
    return {
        "PYTHONPATH": os.pathsep.join(filter(None, path)),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }


def read(path):
    """The notebook with an id in every cell: a missing or repeated one is made from the text."""
    raw = json.loads(path.read_text(encoding="utf-8"))
    seen = set()
    for number, cell in enumerate(raw["cells"]):
        source = "".join(cell["source"])
        if cell.get("id") in seen or not cell.get("id"):
            cell["id"] = hashlib.sha1(f"{number} {source}".encode()).hexdigest()[:8]
        seen.add(cell["id"])
    raw.update(nbformat=4, nbformat_minor=5)
    return nbformat.reads(json.dumps(raw), as_version=4)


def pixels(png):
    """The picture as an array (height, width, 4)."""
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert("RGBA"))


def same_picture(png, other):
    a, b = pixels(png), pixels(other)
    return a.shape == b.shape and bool((a == b).all())


def smaller(png):
    """The same pixels, compressed well, without metadata and without an alpha that is needless."""
    picture, out = Image.open(io.BytesIO(base64.b64decode(png))), io.BytesIO()
    if picture.mode == "RGBA" and picture.getextrema()[3] == (255, 255):
        picture = picture.convert("RGB")
    picture.save(out, "PNG", optimize=True)
    return base64.b64encode(out.getvalue()).decode()


def normalise_outputs(outputs, before, shrink):
    """One stream per name, no widget state, of the metadata a picture's size alone; a picture with
    the same pixels stays."""
    kept, streams = [], {}
    old = [out.data["image/png"] for out in before if "image/png" in out.get("data", {})]
    for out in outputs:
        if out.output_type == "stream":
            if out.name in streams:
                streams[out.name].text += out.text
                continue
            streams[out.name] = out
        elif "data" in out:
            out.data.pop(WIDGETS, None)
            out.metadata = {k: v for k, v in out.metadata.items() if k.startswith("image/")}
            if not out.data:
                continue
            if "image/png" in out.data:
                out.data["image/png"] = out.data["image/png"].replace("\n", "")
                known = old.pop(0).replace("\n", "") if old else None
                if known and same_picture(known, out.data["image/png"]):
                    out.data["image/png"] = known
                elif shrink:
                    out.data["image/png"] = smaller(out.data["image/png"])
        kept.append(out)
    return kept


def normalise(notebook, before, shrink=True):
    """The file's text without all that depends on the run; `before` is the notebook as stored."""
    old = {cell.id: cell.get("outputs", []) for cell in before.cells}
    notebook.metadata.pop("widgets", None)
    notebook.metadata.update(kernelspec=KERNEL, language_info=LANGUAGE)
    for cell in notebook.cells:
        for key in NOISE:
            cell.metadata.pop(key, None)
        if cell.cell_type == "code":
            cell.outputs = normalise_outputs(cell.outputs, old.get(cell.id, []), shrink)
            for out in cell.outputs:
                if out.output_type == "execute_result":
                    out.execution_count = cell.execution_count
    nbformat.validate(notebook)
    return nbformat.writes(notebook) + "\n"


def write(path, text):
    """Replace the file in one step, and only if it changes; return whether it did."""
    if path.read_bytes() == text.encode():
        return False
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(text.encode())
    os.replace(part, path)
    return True


def shown(path):
    return path.relative_to(ROOT).as_posix() if ROOT in path.parents else str(path)


def execute(path):
    """Run one notebook and write it; return (what to say, whether it went well)."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    name, start = shown(path), perf_counter()
    notebook, before, at = read(path), read(path), [0]
    client = NotebookClient(
        notebook,
        timeout=180,
        kernel_name="python3",
        extra_arguments=["--IPKernelApp.exec_lines=__import__('frames')"],
        resources={"metadata": {"path": str(path.parent)}},
        record_timing=False,
        on_cell_start=lambda cell, cell_index: at.__setitem__(0, cell_index),
    )
    try:
        client.execute(env={**os.environ, **environment()}, stderr=subprocess.DEVNULL)
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        cell, lines = notebook.cells[at[0]], ANSI.sub("", str(error)).strip().splitlines()
        where = f"{name}: cell {at[0]} (id {cell.id}) failed, the file is as it was"
        return "\n    ".join([where, *cell.source.splitlines(), "...", *lines[-12:]]), False
    changed = write(path, normalise(notebook, before))
    return f"{name}: {perf_counter() - start:.0f} s, {'written' if changed else 'unchanged'}", True


def check(path):
    """Whether the stored file is in normal form; runs nothing."""
    form = normalise(read(path), read(path), shrink=False)
    if form.encode() == path.read_bytes():
        return "", True
    return f"{shown(path)}: not in normal form, run: make notebooks NB={shown(path)}", False


def main():
    parser = argparse.ArgumentParser(description="Run the notebooks and write them in normal form.")
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: all of _toc.yml")
    parser.add_argument("--check", action="store_true", help="run nothing, only look at the form")
    parser.add_argument("--jobs", type=int, default=2, help="how many at a time")
    options = parser.parse_args()
    paths = [path.resolve() for path in options.notebooks] or listed()
    well = True
    with ThreadPoolExecutor(options.jobs) as pool:
        for said, good in pool.map(check if options.check else execute, paths):
            if said:
                print(said, flush=True)
            well &= good
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
