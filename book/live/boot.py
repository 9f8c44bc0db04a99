"""Run by the worker once Python is up: cells run as in a notebook, and what they show is sent.

`run(id, name, code)` executes one cell in the namespace that all cells share. What IPython would
do is done here in little: the value of a last expression is shown, open figures are shown at the
end, errors come with a traceback of the reader's own lines. ipywidgets is the real one; it speaks
to the page through `comm`, whose messages are sent and received below.
"""

import ast
import base64
import io
import json
import linecache
import sys
import traceback
import types

sys.path.insert(0, "/book")
import page

WIDGET = "application/vnd.jupyter.widget-view+json"
namespace = {"__name__": "__main__"}
current = 0         # the id of the cell that runs, or that ran last


def show(kind, data):
    page.say(json.dumps({"type": "output", "id": current, "output": {"kind": kind, "data": data}}))


class Stream(io.TextIOBase):
    """stdout or stderr: what is printed goes to the page at once."""

    def __init__(self, kind):
        self.kind = kind

    def writable(self):
        return True

    def write(self, text):
        if text:
            show(self.kind, text)
        return len(text)


def no_input(prompt=""):
    raise RuntimeError("input() has no one to ask on this page: assign the value in the cell")


# IPython, as far as the chapters and the libraries they use need it -------------------------------


def module(name, **contents):
    made = types.ModuleType(name)
    made.__dict__.update(contents)
    sys.modules[name] = made
    return made


def display(*values, **ignored):
    for value in values:
        bundle = getattr(value, "_repr_mimebundle_", None)
        data = bundle() if bundle else {}
        data = data[0] if isinstance(data, tuple) else data or {}
        if WIDGET in data:
            show("widget", data[WIDGET]["model_id"])
        elif "image/png" in data:
            show("png", data["image/png"])
        elif getattr(value, "_repr_png_", None) and (png := value._repr_png_()):
            show("png", base64.b64encode(png).decode())
        elif getattr(value, "_repr_html_", None) and (html := value._repr_html_()):
            show("html", html)
        elif hasattr(value, "savefig"):
            show_figure(value)
        else:
            show("text", pretty(value))


module("IPython", get_ipython=lambda: None, version_info=(9, 0))
module("IPython.display", display=display, clear_output=lambda wait=False: None)
module("IPython.core")
module("IPython.core.interactiveshell", InteractiveShell=type("InteractiveShell", (), {}))
module("IPython.utils")
module("IPython.utils.decorators", undoc=lambda function: function)
module("IPython.utils.py3compat", PYPY=False)

from ipython_pretty import pretty  # IPython breaks long values so

# Figures ------------------------------------------------------------------------------------------


def show_figure(figure):
    png = io.BytesIO()
    figure.savefig(png, format="png", bbox_inches="tight", dpi=1.5 * figure.dpi)
    show("png", base64.b64encode(png.getvalue()).decode())


def show_figures(*ignored, **also_ignored):
    """Show and close what is open, as a notebook does after each cell."""
    plt = sys.modules.get("matplotlib.pyplot")
    for number in plt.get_fignums() if plt else []:
        show_figure(plt.figure(number))
    if plt:
        plt.close("all")


# Cells --------------------------------------------------------------------------------------------


def run(cell, name, code):
    """Execute one cell; True if it went well."""
    global current
    current = cell
    stdout, stderr = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = Stream("stdout"), Stream("stderr")
    linecache.cache[name] = len(code), None, code.splitlines(keepends=True), name
    try:
        execute(name, code)
        show_figures()
        return True
    except BaseException as error:      # also KeyboardInterrupt and SystemExit: Python stays up
        show_figures()
        show("error", readable(error))
        return False
    finally:
        sys.stdout, sys.stderr = stdout, stderr


def execute(name, code):
    tree = ast.parse(code, name)
    last = tree.body and isinstance(tree.body[-1], ast.Expr) and tree.body.pop()
    exec(compile(tree, name, "exec"), namespace)
    if last:
        value = eval(compile(ast.Expression(last.value), name, "eval"), namespace)
        if value is not None and not code.rstrip().endswith(";"):
            display(value)


def readable(error):
    """The traceback from the reader's cell on, without the lines of this file."""
    told = traceback.TracebackException.from_exception(error)
    mine = [frame.filename.startswith("cell ") for frame in told.stack]
    first = mine.index(True) if any(mine) else len(mine)
    theirs = [frame for frame in told.stack[first:] if frame.filename != "<exec>"]
    told.stack = traceback.StackSummary.from_list(theirs)
    return "".join(told.format())


# Widgets ------------------------------------------------------------------------------------------


def connect():
    """Give ipywidgets its way to the page."""
    import comm
    from comm.base_comm import BaseComm, CommManager

    class PageComm(BaseComm):
        def publish_msg(self, msg_type, data=None, metadata=None, buffers=None, **keys):
            buffers = [base64.b64encode(bytes(buffer)).decode() for buffer in buffers or []]
            told = {"type": "comm", "comm": self.comm_id, "message": msg_type,
                    "target": self.target_name, "data": data, "metadata": metadata or {}}
            page.say(json.dumps(told | {"buffers": buffers}, default=str))

    manager = CommManager()
    comm.create_comm = PageComm
    comm.get_comm_manager = lambda: manager
    return manager


def receive(message):
    """A slider of the page has moved."""
    told = json.loads(message)
    stdout, stderr = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = Stream("stdout"), Stream("stderr")
    try:
        moved = comms.get_comm(told["comm"])
        if moved is not None:
            content = {"comm_id": told["comm"], "data": told["data"]}
            moved.handle_msg({"content": content, "buffers": []})
    except BaseException as error:
        show("error", readable(error))
    finally:
        sys.stdout, sys.stderr = stdout, stderr


comms = connect()
namespace["display"] = display
namespace["input"] = no_input
import matplotlib.pyplot

matplotlib.pyplot.show = show_figures
