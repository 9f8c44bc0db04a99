"""Runs a student's code; started by sandbox.py, inside the sandbox.

It holds the student's names and obeys the grader, one message a line: run this cell, give me this
name, call that function. It has no test, no expected value and no score, so there is nothing in it
to read or to forge: whatever it answers is taken for the work of the student.

Started as `python child.py FILTER FOLDER…`: a filter of system calls (as sandbox.py makes it), and
the folders to import from. Imports nothing of the grader but wire.py, which lies beside it, and
brings in matplotlib only when the student's code uses it.
"""

import ast
import builtins
import ctypes
import importlib
import inspect
import io
import os
import sys
import threading
import types
import warnings

MEMORY, SECONDS, FILE, FILES, PROCESSES = 2 * 2**30, 90, 16 * 2**20, 64, 512
DIE_WITH_PARENT, NO_NEW_PRIVILEGES, FILTER = 1, 38, 22      # of prctl(2)
SHOWN = 4000                # characters of output that are kept
THREADS = 32                # that a cell may leave behind
FIGURES = "byhand.plotting"
LATE = "matplotlib", "matplotlib.pyplot", FIGURES


def limit_resources():
    """Memory, CPU time, file size, open files, processes: nothing here can be raised again."""
    import resource  # which Windows lacks, where the book is built, but nothing graded

    for what, most in [("AS", MEMORY), ("CPU", SECONDS), ("FSIZE", FILE), ("NOFILE", FILES),
                       ("NPROC", PROCESSES), ("CORE", 0), ("MEMLOCK", 0), ("MSGQUEUE", 0)]:
        if which := getattr(resource, f"RLIMIT_{what}", None):
            allowed = resource.getrlimit(which)[1]
            most = most if allowed == resource.RLIM_INFINITY else min(most, allowed)
            resource.setrlimit(which, (most, most))


def limit_system_calls(program):
    """Load a filter (classic BPF, bytes) into the kernel: no process can be started any more."""
    if sys.platform != "linux":
        return
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    steps = ctypes.create_string_buffer(program, len(program))

    class Filter(ctypes.Structure):
        _fields_ = ("length", ctypes.c_ushort), ("steps", ctypes.c_void_p)

    loaded = Filter(len(program) // 8, ctypes.addressof(steps))
    zero = ctypes.c_ulong(0)
    settings = [(DIE_WITH_PARENT, ctypes.c_ulong(9), zero),
                (NO_NEW_PRIVILEGES, ctypes.c_ulong(1), zero)]
    if program:
        settings.append((FILTER, ctypes.c_ulong(2), ctypes.byref(loaded)))
    for option, *values in settings:
        if prctl(option, *values, zero, zero):
            raise OSError(ctypes.get_errno(), f"prctl {option} refused")


def take_pipes():
    """The two pipes to the grader, moved away from stdin and stdout, which become empty."""
    orders, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in range(2):
        os.dup2(nothing, number)
    return orders, answers


class Output(io.TextIOBase):
    """Takes the place of stdout and stderr and keeps the beginning of what is printed."""

    def __init__(self):
        self.parts, self.left = [], SHOWN

    def writable(self):
        return True

    def write(self, text):
        if self.left > 0:
            self.parts.append(text[: self.left])
            self.left -= len(text)
        return len(text)

    def take(self):
        text = "".join(self.parts) + ("\n…" if self.left < 0 else "")
        self.parts, self.left = [], SHOWN
        return text


class Late(types.ModuleType):
    """A module that is imported when something of it is used: most cells draw nothing.

    `from byhand.plotting import plot_digits` is no use yet: it gives a function that waits.
    """

    def __getattr__(self, name):
        if name == "__all__":                                   # from matplotlib.pyplot import *
            return [name for name in self.now("__dict__") if name[0] != "_"]
        if name.startswith("__") and "." in self.__name__:      # Python asks: is it a package?
            raise AttributeError(name)
        if self.__name__ == FIGURES and name.islower() and not name.startswith("_"):
            return lambda *args, **kwargs: self.now(name)(*args, **kwargs)
        return self.now(name)

    def now(self, name):
        for module in LATE:
            if isinstance(sys.modules.get(module), Late):
                del sys.modules[module]
        return getattr(importlib.import_module(self.__name__), name)


def put_off_matplotlib():
    """Put modules into matplotlib's place that import it when they are used; unless it is there."""
    if "matplotlib" in sys.modules:
        return
    for name in LATE:
        sys.modules[name] = Late(name)
    for name in LATE[1:]:
        package, _, module = name.partition(".")
        setattr(importlib.import_module(package), module, sys.modules[name])


def show_warnings_without_paths():
    warnings.filterwarnings("ignore", message="FigureCanvasAgg is non-interactive")
    warnings.formatwarning = lambda message, kind, file, line, source=None: (
        f"{kind.__name__}: {message}" + (f" ({file[1:-1]}, line {line})" if file[:1] == "<" else "")
        + "\n")


def make_repeatable():
    """Grading twice gives the same: numbers drawn without a seed are drawn from a fixed one."""
    import random

    import numpy as np

    random.seed(0)
    np.random.seed(0)          # noqa: NPY002 (the student's code may use it)
    drawn = random.Random(0)
    np.random.bit_generator.randbits = drawn.getrandbits


def stand_in_for_jupyter():
    """What cells find in a notebook: nothing to look at, nobody to type."""
    def refuse(*_, **__):
        raise RuntimeError("input() and breakpoint() can't be used here: nobody is there to type")

    builtins.input = sys.breakpointhook = refuse
    builtins.exit = builtins.quit = sys.exit
    builtins.help = builtins.display = lambda *_, **__: None
    builtins.get_ipython = Notebook


class Notebook:
    """What IPython's get_ipython() gives a cell: every method does nothing."""

    def __getattr__(self, name):
        return lambda *_, **__: None


def without_magics(source):
    """The cell as Python: %magic, !command and help? lines out, %%time and %time taken off.

    Only lines that keep Python from reading the cell are touched, so a % in a string or in a long
    formula stays.
    """
    lines = source.split("\n")
    first = next((i for i, line in enumerate(lines) if line.strip()), 0)
    if lines[first].startswith("%%"):
        if lines[first][2:].split()[:1] not in (["time"], ["timeit"], ["capture"], ["prun"]):
            raise SyntaxError(f"a cell that begins with {lines[first].split()[0]} is not run here")
        lines[first] = ""
    for _ in lines:
        try:
            ast.parse("\n".join(lines))
        except SyntaxError as error:
            number = (error.lineno or 0) - 1
            line = lines[number] if 0 <= number < len(lines) else ""
            bare = line.strip()
            if not (bare.startswith(("%", "!", "?")) or bare.endswith("?") or "= !" in bare
                    or "= %" in bare):
                break
            indent = line[: len(line) - len(line.lstrip())]
            name, _, rest = bare.partition(" ")
            lines[number] = indent + (rest if name == "%time" and rest.strip() else "pass")
            while line.endswith("\\") and (number := number + 1) < len(lines):
                line, lines[number] = lines[number], ""         # it went on in the next line
        else:
            break
    return "\n".join(lines)


class Session:
    """The student's names, the objects that the grader knows by a number, and the pipes."""

    def __init__(self, wire, orders, answers):
        self.wire, self.orders, self.answers = wire, orders, answers
        self.objects, self.kept = {}, {}
        self.output = sys.stdout = sys.stderr = Output()
        sys.modules["__main__"] = main = types.ModuleType("__main__")
        self.names = main.__dict__
        self.names["__builtins__"] = builtins
        self.turn = 0

    def serve(self):
        """Obey until the pipe ends, or until the grader returns from a callback; what it says."""
        while line := self.orders.readline():
            order = self.wire.unpack(line)
            if "op" not in order:
                return order
            self.turn = turn = order.pop("turn")
            try:
                answer = getattr(self, f"do_{order.pop('op')}")(**order)
            except BaseException as error:      # SystemExit and KeyboardInterrupt too
                answer = {"error": self.describe(error)}
            self.turn = turn
            self.send(answer | {"output": self.output.take()})
        os._exit(0)

    def send(self, answer):
        told = {"turn": self.turn, "output": ""}
        try:
            line = self.wire.pack(told | answer)
            if len(line) > self.wire.LARGEST:
                raise self.wire.Refused("too large to send")
        except (ValueError, RecursionError) as error:
            line = self.wire.pack(told | {"error": self.describe(error)})
        self.answers.write(line)
        self.answers.flush()

    def describe(self, error):
        """Class names, message and line of an exception, as far as they can be had."""
        try:
            message = str(error)
        except BaseException:
            message = ""
        file, line, trace = "", 0, error.__traceback__
        while trace:
            if trace.tb_frame.f_code.co_filename.startswith("<cell "):
                file, line = trace.tb_frame.f_code.co_filename, trace.tb_lineno
            trace = trace.tb_next
        if isinstance(error, SyntaxError) and str(error.filename).startswith("<cell "):
            message, file, line = error.msg, error.filename, error.lineno or 0
        classes = [kind.__name__ for kind in type(error).__mro__]
        return {"classes": classes[:20], "message": str(message)[:1000], "cell": file[6:-1],
                "line": line}

    def encode(self, value):
        return self.wire.Encoder(self.number_of)(value)

    def number_of(self, value):
        """An object that stays here: the grader gets a number for it."""
        number = len(self.objects)
        self.objects[number] = value
        kind = str(type(value).__name__)
        if kind == "ndarray":
            kind = f"an array of dtype {value.dtype}"
        return ["object", number, kind[:80]]

    def object_of(self, form):
        if form[0] == "object":
            return self.objects[form[1]]
        if form[0] == "name":
            return getattr(importlib.import_module(form[1]), form[2])
        return lambda *args, **kwargs: self.call_back(form[1], args, kwargs)

    def call_back(self, number, args, kwargs):
        """Call a function of the grader, which may ask for something here before it returns."""
        self.send({"callback": number, "args": self.encode(list(args)),
                   "kwargs": self.encode(kwargs)})
        turn = self.turn
        reply = self.serve()
        self.turn = turn                    # serving may have led to other orders
        if "raise" in reply:
            name, message = reply["raise"]
            raise getattr(builtins, name)(message)
        return self.wire.Decoder(self.object_of)(reply["return"])

    def do_exec(self, source, cell):
        tree = ast.parse(without_magics(source), f"<cell {cell}>")
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        code = compile(tree, f"<cell {cell}>", "exec", flags=flags, dont_inherit=True)
        try:
            if code.co_flags & inspect.CO_COROUTINE:
                import asyncio

                asyncio.run(eval(code, self.names))
            else:
                exec(code, self.names)
        finally:
            if threading.active_count() > THREADS:
                os._exit(1)     # they would take the memory of the next cells
        return {}

    def do_get(self, name):
        return {"value": self.encode(self.names[name])} if name in self.names else {"missing": True}

    def do_keep(self, key):
        """Remember the names as they are now; what do_recall brings back."""
        self.kept[key] = dict(self.names)
        return {}

    def do_recall(self, key):
        names = dict(self.kept[key])
        self.names.clear()
        self.names.update(names)
        return {}

    def do_attr(self, number, name):
        return {"value": self.encode(getattr(self.objects[number], name))}

    def do_item(self, number, key):
        key = self.wire.Decoder(self.object_of)(key)
        return {"value": self.encode(self.objects[number][key])}

    def do_call(self, number, args, kwargs):
        decode = self.wire.Decoder(self.object_of)
        args, kwargs = decode(args), decode(kwargs)
        before = [array.tobytes() for array in decode.arrays]
        value = self.encode(self.objects[number](*args, **kwargs))
        changed = [[i, self.encode(array)] for i, array in enumerate(decode.arrays)
                   if array.tobytes() != before[i]]
        return {"value": value, "changed": changed}


def main():
    orders, answers = take_pipes()
    sys.path[1:1] = sys.argv[2:]
    import wire

    del sys.path[0]             # the grader's own folder
    limit_resources()
    limit_system_calls(bytes.fromhex(sys.argv[1]))
    put_off_matplotlib()
    show_warnings_without_paths()
    make_repeatable()
    stand_in_for_jupyter()
    os.dup2(0, 2)               # until here stderr said what hinders the start
    session = Session(wire, orders, answers)
    session.send({"ready": True})
    session.serve()


if __name__ == "__main__":
    main()
