"""Notebooks as plain JSON: read with limits, written whole or not at all.

A submission may be anything, so nothing here trusts it: it is parsed as JSON within limits, and of
each cell only its kind, its text and its nbgrader id are taken. What cannot be read raises
Unreadable, with words for the student who handed it in.
"""

import contextlib
import json
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

LARGEST = 10 * 2**20        # bytes of a notebook; the largest honest ones have pictures, and 2 MB
MOST = 2000                 # cells


class Unreadable(ValueError):
    """The file is no notebook; the message says why, to a student."""


@dataclass
class Cell:
    """One cell: its kind ("code" or "markdown"), its text, its nbgrader metadata."""

    kind: str
    source: str
    nbgrader: dict = field(default_factory=dict)

    @property
    def grade_id(self):
        """The name that master and submission share, or None."""
        name = self.nbgrader.get("grade_id")
        return name if isinstance(name, str) and name else None


def parse(raw):
    """The notebook in these bytes, as a dict with a list "cells".

    Raises Unreadable unless it is JSON in UTF-8, of at most LARGEST bytes and MOST cells, in
    notebook format 4.
    """
    if len(raw) > LARGEST:
        raise Unreadable(
            f"The file has {len(raw) / 2**20:.1f} MB; at most {LARGEST // 2**20} MB are read. "
            "Clear the outputs of the notebook, save it and hand it in again."
        )
    if not raw.strip():
        raise Unreadable("The file is empty.")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(
            f"The file is not text in UTF-8 (byte {error.start}). Hand in the .ipynb file itself, "
            "as Jupyter saves it."
        ) from None
    try:
        notebook = json.loads(text)
    except (ValueError, RecursionError):
        raise Unreadable(
            "The file is not a notebook: its text is not JSON, or only a part of it arrived. "
            "Hand in the .ipynb file itself, as Jupyter saves it."
        ) from None
    if not isinstance(notebook, dict) or "nbformat" not in notebook:
        raise Unreadable("The file is JSON, but not a notebook.")
    if notebook["nbformat"] != 4:
        raise Unreadable(
            f"Notebook format 4 is needed, this file has {str(notebook['nbformat'])[:20]}. "
            "Open it in a current Jupyter and save it again."
        )
    cells = notebook.get("cells")
    if not isinstance(cells, list) or not cells:
        raise Unreadable("The notebook has no cells.")
    if len(cells) > MOST:
        raise Unreadable(f"The notebook has {len(cells)} cells; at most {MOST} are read.")
    return notebook


def cells(notebook):
    """The code and markdown cells of a parsed notebook; what is malformed is passed over."""
    found = []
    for cell in notebook["cells"]:
        if not isinstance(cell, dict) or cell.get("cell_type") not in ("code", "markdown"):
            continue
        source = cell.get("source", "")
        if isinstance(source, list):
            source = "".join(line for line in source if isinstance(line, str))
        if not isinstance(source, str):
            continue
        source = source.encode("utf-8", "replace").decode("utf-8")      # lone surrogates
        metadata = cell.get("metadata")
        nbgrader = metadata.get("nbgrader") if isinstance(metadata, dict) else None
        nbgrader = nbgrader if isinstance(nbgrader, dict) else {}
        found.append(Cell(cell["cell_type"], source, nbgrader))
    return found


def read(path):
    """The bytes of a file; one larger than a notebook may be is not read to its end."""
    with open(path, "rb") as file:
        return file.read(LARGEST + 1)


def write(path, data):
    """Write text or bytes so that the file is there whole or, after any fault, as it was before."""
    path = Path(path)
    if isinstance(data, str):
        data = data.encode("utf-8")
    number, part = tempfile.mkstemp(prefix=f".{path.name[:40]}.", dir=path.parent)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(part, 0o644)
        os.replace(part, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(part)
        raise


def dump(notebook):
    """A notebook as Jupyter writes it: one space of indentation, keys in order, a last newline."""
    return json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
