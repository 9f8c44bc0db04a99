"""What the repository as a whole keeps to: imports, pins, links, and files that fit."""

import ast
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ORDER = [
    "activations", "losses", "layers", "network", "backprop",
    "descent", "gradcheck", "data", "plotting", "widgets",
]  # fmt: skip


def run(*command):
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def tracked(*patterns):
    """The files under version control that match."""
    try:
        names = run("git", "ls-files", "-z", *patterns).split("\0")
    except (AssertionError, FileNotFoundError):
        pytest.skip("not a git checkout")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


# The package


def imported(path):
    """The modules of byhand that this one imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            full = "byhand." * bool(node.level) + (node.module or "")
            parts = full.rstrip(".").split(".")
            if parts[0] == "byhand":
                found |= {parts[1]} if len(parts) > 1 else {name.name for name in node.names}
        elif isinstance(node, ast.Import):
            parts = [name.name.split(".") for name in node.names]
            found |= {part[1] for part in parts if part[0] == "byhand" and len(part) > 1}
    return found


@pytest.mark.parametrize("module", ORDER)
def test_a_module_imports_only_modules_above_it(module):
    path = ROOT / f"code/byhand/{module}.py"
    above = set(ORDER[: ORDER.index(module)])
    assert {name for name in imported(path) if not name.startswith("_")} <= above


def test_the_package_has_no_other_modules():
    present = {path.stem for path in (ROOT / "code/byhand").glob("[!_]*.py")}
    assert present == set(ORDER)


def test_import_byhand_is_light():
    """Figures, sliders and progress bars are loaded when they are used."""
    heavy = "matplotlib", "ipywidgets", "tqdm", "IPython"
    loaded = run(sys.executable, "-c", "import sys, byhand; print(*sys.modules)").split()
    assert not [name for name in loaded if name.split(".")[0] in heavy]


def test_the_standard_librarys_code_module_is_found():
    """`code` is Python's own: with a code/__init__.py of ours the debugger would break."""
    assert not (ROOT / "code/__init__.py").exists()
    run(sys.executable, "-c", "import code; code.InteractiveConsole; import pdb")


# The pins


def requirements():
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith(("#", "-"))]


def test_requirements_are_pinned_and_explained():
    for line in requirements():
        assert re.fullmatch(r"[a-z0-9-]+==[\w.]+ +# .+", line), line


def test_constraints_are_pins_without_addresses():
    lines = (ROOT / "code/constraints.txt").read_text(encoding="utf-8").splitlines()
    for line in lines:
        assert re.fullmatch(r"[a-z0-9.-]+==[\w.]+( ; .+)?", line), line
    pins = [line.split()[0] for line in lines]
    assert {line.split()[0] for line in requirements()} <= set(pins)


def test_extras_have_the_versions_of_the_constraints():
    pins = (ROOT / "code/constraints.txt").read_text(encoding="utf-8").splitlines()
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for pin in re.findall(r'"([\w-]+==[\w.]+)"', project):
        if not pin.startswith("setuptools"):
            assert pin in pins


# The files


def test_every_page_of_the_contents_exists_and_every_chapter_is_in_it():
    yaml = pytest.importorskip("yaml")
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    files = [toc["root"]]
    files += [chapter["file"] for part in toc["parts"] for chapter in part["chapters"]]
    for name in files:
        assert any((ROOT / f"{name}{end}").exists() for end in (".md", ".ipynb")), name
    for path in tracked(":(glob)chapters/*.ipynb"):
        assert path.relative_to(ROOT).with_suffix("").as_posix() in files


def test_local_links_lead_somewhere():
    for path in tracked("*.md"):
        text = re.sub(r"(`{3,}).*?\1", "", path.read_text(encoding="utf-8"), flags=re.S)
        for target in re.findall(r"\]\(([^)\s#]+)[^)]*\)", text):
            if not re.match(r"[a-z]+:", target):
                places = [path.parent / f"{target}{end}" for end in ("", ".md", ".ipynb")]
                assert any(place.exists() for place in places), f"{path.name}: {target}"


def test_no_machine_and_no_registry_is_named():
    """A file that names someone's folders or a package index works only there."""
    folders = "|".join(["/ro" "ot/", "/ho" "me/[a-z]", "/wo" "rk/", "/tm" "p/", "/Us" "ers/[a-z]"])
    hosts = "|".join(["pyp" r"i\.org", "pythonhost" r"ed\.org", "npmj" r"s\.(?:org|com)"])
    for path in tracked():
        if path.suffix not in {".npz", ".png", ".ico", ".woff2"}:
            text = path.read_text(encoding="utf-8")
            if "classroom" in path.parts or path.name == "hostile.py":
                text = text.replace("/tm" "p/", "")     # the sandbox's own, the same everywhere
            found = re.search(rf"(?<![\w.~-])(?:{folders})|{hosts}", text)
            assert not found, f"{path.relative_to(ROOT)}: {found.group()}"


class Requests(HTMLParser):
    """Collects the addresses that a page loads by itself; links to follow don't count."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        if tag != "a" and ("rel", "canonical") not in attributes:
            loads = "src", "href", "data", "poster"
            self.found += [value for name, value in attributes if name in loads and value]


def test_the_built_site_asks_no_other_server():
    pages = sorted((ROOT / "_build/html").rglob("*.html"))
    if not pages:
        pytest.skip("the site is not built: make book")
    for page in pages:
        parser = Requests()
        parser.feed(page.read_text(encoding="utf-8"))
        outside = [found for found in parser.found if re.match(r"(https?:)?//", found)]
        assert not outside, f"{page.name}: {outside}"
    address = re.compile(r"(?:url\(|@import )[\"']?(?:https?:)?//[^)\"']+")
    for style in (ROOT / "_build/html").rglob("*.css"):
        outside = address.findall(style.read_text(encoding="utf-8"))
        assert not outside, f"{style.name}: {outside}"


def test_files_are_small():
    for path in tracked():
        assert path.stat().st_size <= 2000 * 1024, path


def test_line_ends():
    for path in tracked("*.md", "*.py", "*.ipynb", "*.yml", "*.toml", "*.txt", "Makefile"):
        content = path.read_bytes()
        assert b"\r" not in content, path
        assert not content or content.endswith(b"\n"), path
