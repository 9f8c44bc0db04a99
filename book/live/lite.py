"""JupyterLite: the site's lite/ folder, in which each chapter opens as a notebook that runs.

JupyterLite's own command makes _build/lite, from pinned packages. The Python that it starts is the
one of the pages, in live/python beside it, and no setting leads to another host. The chapters are
added when the site has been built.
"""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from html import unescape
from importlib.metadata import version
from pathlib import Path

import pyodide

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
OUT = ROOT / "_build/lite"
VERSIONS = version("jupyterlite-core") + " " + version("jupyterlite-pyodide-kernel")
KERNEL = "@jupyterlite/pyodide-kernel-extension"
WIDGETS = "@jupyter-widgets/jupyterlab-manager"
PYODIDE = {
    "pyodideUrl": "./../live/python/pyodide.mjs",
    "disablePyPIFallback": True,
    "loadPyodideOptions": {
        # What the kernel would otherwise look for on a package index, and what chapters import.
        "packages": ["micropip", "piplite", "ipykernel", "comm", "pyodide-kernel", "jedi",
                     "ipython", "matplotlib", "ipywidgets", "tqdm", "byhand"],
        # Where notebooks run: beside book/results, which the package "results" puts there.
        "env": {"HOME": "/lib/python3.14/site-packages/chapters"},
    },
}
SETTINGS = {
    "appName": "Neural Networks by Hand",
    "appUrl": "./notebooks",
    "contentsAllJsonFile": "all.json",
    # Files by way of a service worker made every import slow; notebooks are kept without it.
    "disabledExtensions": ["@jupyterlite/application-extension:service-worker-manager"],
    "faviconUrl": "./notebooks/favicon.ico",
    "litePluginSettings": {f"{KERNEL}:kernel": PYODIDE},
}
KERNEL_SPEC = {"display_name": "Python (Pyodide)", "language": "python", "name": "python"}
UNUSED = ["**/fa-*.eot", "**/fa-*.svg", "**/fa-*.ttf", "**/fa-*.woff", "doc", "rspack.*"]


def build():
    """Make _build/lite, without the chapters, unless nothing it is made of has changed."""
    digest = hashlib.sha256(VERSIONS.encode())
    for path in Path(__file__), HERE / "pins.json":
        digest.update(path.read_bytes())
    made = OUT / "made-of.txt"
    if made.exists() and made.read_text() == digest.hexdigest():
        return
    print("Making the notebooks' JupyterLite", flush=True)
    shutil.rmtree(OUT, ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:   # its notes in an older one would hide changes
        config = {
            "output_dir": str(OUT),
            "apps": ["notebooks"],
            "ignore_sys_prefix": True,
            "federated_extensions": [str(pyodide.EXTENSIONS / name) for name in (KERNEL, WIDGETS)],
            "no_sourcemaps": True,
            "no_unused_shared_packages": True,
        }
        settings = {"jupyter-lite-schema-version": 0, "jupyter-config-data": SETTINGS}
        Path(folder, "jupyter_lite_config.json").write_text(json.dumps({"LiteBuildConfig": config}))
        Path(folder, "jupyter-lite.json").write_text(json.dumps(settings))
        said = subprocess.run([sys.executable, "-m", "jupyterlite_core", "build"], cwd=folder,
                              capture_output=True, text=True)
    built = OUT / "jupyter-lite.json"
    if said.returncode or '"./../live/python/pyodide.mjs"' not in built.read_text():
        raise pyodide.Missing(f"JupyterLite: {said.stderr.strip()[-500:]}")
    for pattern in UNUSED:
        for path in OUT.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    icons = OUT / "static/favicons"     # which the notebook asks for, and JupyterLite lacks
    icons.mkdir(parents=True)
    for state in "notebook", "busy-1":
        shutil.copy(OUT / "notebooks/favicon.ico", icons / f"favicon-{state}.ico")
    made.write_text(digest.hexdigest())


# The chapters


def plain(markup):
    return unescape(re.sub(r"<[^>]+>", "", markup))


def worded(source, page):
    """A chapter's prose with references, as {numref}`fig-ch1-neuron`, in the built page's words."""
    link = r'<a class="reference internal" href="([^"#]*)#?([^"]*)"[^>]*>(.*?)</a>'
    said = {(label or Path(file).stem).removeprefix("equation-"): plain(text)
            for file, label, text in re.findall(link, page, re.S)}
    said |= re.findall(r'id="equation-([^"]*)".*?class="eqno">(\(\d+\))', page, re.S)
    cited = iter(re.findall(r'<span class="bibtex-citation"[^>]*>(.*?)</span>', page, re.S))

    def word(role):
        kind, text, target = role.groups()
        if kind.startswith("cite"):
            return plain(next(cited, role[0]))
        return text or said.get(target.rpartition("/")[2], role[0])

    def numbered(formula):
        return rf"\tag{{{said[formula[1]].strip('()')}}}" + "\n$$"

    roles = r"\{(cite:[pt]|doc|eq|numref|prf:ref|ref)\}`(?:([^`<]*?)\s*<)?([^`<>]*)>?`"
    source = re.sub(roles, word, source)
    for label, name in re.findall(r'id="(thm-[^"]*)".*?>(Theorem \d+)', page, re.S):
        titled = r"(?<=\{prf:theorem\} )(.*\n:label: " + label + "\n)"
        source = re.sub(titled, rf"{name}: \1", source)
    return re.sub(r"^\$\$ \((eq-[\w-]+)\)", numbered, source, flags=re.M)


def boxed(source):
    """MyST's boxes, :::{kind} to :::, as headings and HTML, which every Jupyter shows."""
    style = '<div style="border{}: 3px solid #888; padding: 0 1em; margin: 1em 0">\n\n'
    ends = []

    def put(fence):
        kind, title, options = fence.groups()
        if not kind:
            return ends.pop()
        title = title.strip()
        begin, end = {
            "div": (style.format(""), "\n</div>"),
            "exercise": (f"#### Exercise {title}\n\n", ""),
            "solution-start": ("##### Solution\n\n", ""),
            "solution-end": ("", ""),
        }.get(kind) or (style.format("-left") + f"**{title or 'Proof'}**\n\n", "\n</div>")
        if kind == "admonition" and "dropdown" in options:
            begin, end = f"<details><summary><b>{title}</b></summary>\n\n", "\n</details>"
        ends.append(end)
        return begin

    source = re.sub(r"^\([\w-]+\)=\n", "", source, flags=re.M)      # names of places
    return re.sub(r"^:{3,}(?:\{([\w:-]+)\}(.*)\n((?::\w+:.*\n)*))?", put, source, flags=re.M)


def spelled(source, macros):
    """Formulas without the book's own macros."""
    inside = r"[^{}]*"
    for _ in range(3):                          # so deep are the braces of a formula
        inside = rf"(?:[^{{}}]|\{{{inside}\}})*"
    for name, meaning in macros.items():
        macro = rf"\\{name}(?![A-Za-z])" + rf"\{{({inside})\}}" * meaning.count("#")
        body = re.sub(r"#(\d)", r"\\g<\1>", meaning.replace("\\", r"\\"))
        while source != (source := re.sub(macro, body, source)):
            pass                                # a macro in a macro
    return source


def notebook(path, page, macros):
    """A chapter for JupyterLite: its kernel, plain Markdown, no pictures under the sliders."""
    told = json.loads(path.read_text(encoding="utf-8"))
    told["metadata"]["kernelspec"] = KERNEL_SPEC
    prose = [cell for cell in told["cells"] if cell["cell_type"] == "markdown"]
    split = "\n\0\n"
    words = worded(split.join("".join(cell["source"]) for cell in prose), page).split(split)
    texts = iter([spelled(boxed(text), macros) for text in words])
    cells = []
    for cell in told["cells"]:
        if cell["cell_type"] == "code":
            cells.append(cell)
            continue
        for number, text in enumerate(re.split(r"^(##### Solution)", next(texts), flags=re.M)):
            if text.strip():                    # a folded heading hides the cells below it
                folded = {"jp-MarkdownHeadingCollapsed": True} if text.startswith("#####") else {}
                name = cell["id"] + f"-{number}" * bool(number)
                cells.append(cell | {"id": name, "source": text.strip(), "metadata": folded})
    told["cells"] = cells
    for cell in told["cells"]:
        for out in cell.get("outputs", []):     # JupyterLite wants each text in one piece
            if "text" in out:
                out["text"] = "".join(out["text"])
            if "data" in out:
                out["data"].pop("image/webp", None)
                out["data"] = {kind: "".join(data) for kind, data in out["data"].items()}
    return json.dumps(told, ensure_ascii=False)


def add_chapters(site, macros):
    """Put the chapters where JupyterLite looks for them: files/."""
    folder = site / "lite/files"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for path in sorted(ROOT.glob("chapters/*.ipynb")):
        page = (site / "chapters" / path.name).with_suffix(".html").read_text(encoding="utf-8")
        (folder / path.name).write_text(notebook(path, page, macros), encoding="utf-8")
    list_files(site)


def list_files(site):
    """Write the list of each folder of files/ in Jupyter's form, which JupyterLite asks for."""
    files, day = site / "lite/files", "2026-01-01T00:00:00Z"
    common = {"created": day, "last_modified": day, "writable": True, "mimetype": None}

    def told(path, content=None):
        kind = "directory" if path.is_dir() else "notebook"
        name = path.relative_to(files).as_posix().removeprefix(".")
        return common | {"name": path.name * bool(name), "path": name, "type": kind,
                         "format": "json" if content else None, "content": content}

    for folder in files, *(path for path in files.rglob("*") if path.is_dir()):
        index = site / "lite/api/contents" / folder.relative_to(files) / "all.json"
        index.parent.mkdir(parents=True, exist_ok=True)
        listed = [told(path) for path in sorted(folder.iterdir())]
        index.write_text(json.dumps(told(folder, listed)), encoding="utf-8")
