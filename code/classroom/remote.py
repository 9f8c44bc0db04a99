"""The student's process as the tests see it: functions to call, values to read.

Plain values arrive by value. Anything else arrives as a Proxy, which can be called and asked for an
attribute or an item; each of these happens in the student's process, and a Proxy that is used in
any other way raises. So nothing that a student defines ever runs here.
"""

import inspect
import re
import sys
import time

import numpy as np

from . import wire
from .sandbox import ENDED, Died, Process, TimeUp, python

CALL, CELL = 5, 10              # seconds
BROKEN = "it wrote into the grader's own channel"
SENT = 256 * 2**20              # bytes of the arguments of a call


class StudentError(Exception):
    """The student's code raised, or returned what can't be tested; the message says it to them."""

    def __str__(self):
        return str(self.args[0]) if self.args else ""


class NotDefined(StudentError, NameError):
    """The student's code doesn't define this name."""


# What a student's function may raise here: tests catch these by `except ValueError`. Others, such
# as AssertionError or StopIteration, would mean something to a test, and arrive as StudentError.
RAISED = {kind.__name__: type(kind.__name__, (StudentError, kind), {}) for kind in (
    ValueError, TypeError, ZeroDivisionError, FloatingPointError, OverflowError, ArithmeticError,
    IndexError, KeyError, LookupError, AttributeError, NotImplementedError, RecursionError,
    RuntimeError, MemoryError, NameError, ImportError, OSError)}  # fmt: skip


def plain(text, most):
    """Text that anybody may have written, cut, without what only a terminal or a trick needs."""
    text = text[: 2 * most].encode("utf-8", "replace").decode("utf-8").replace("\r\n", "\n")
    text = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text.replace("\r", "\n"))
    text = re.sub(r"[^\n\t\x20-\x7e\xa0-\U0010ffff]|[\u202a-\u202e\u2066-\u2069\ufeff\uffff]",
                  "\ufffd", text)
    return text if len(text) <= most else text[: most - 1] + "…"


def clean(text, most=500):
    """Text of a student's process, for a record: the same at each grading, on each machine."""
    text = plain(text, most)
    for folder in {sys.prefix, sys.base_prefix, *python()[2]}:
        text = text.replace(folder, "…")
    text = re.sub(r"\b0x[0-9a-fA-F]{4,}", "0x…", text)
    return re.sub(r"/tmp/[\w./-]*", "/tmp/…", text)


class Remote:
    """A student's process, within limits of time; ends for good with Died or TimeUp.

    mode: "bwrap" or "none"; until: when everything must be over, in time.monotonic().
    write_back: do arrays that a function changes in place change here? rewrote: did a function
    change one that returned a value, too?
    """

    def __init__(self, mode, until):
        self.process, self.until = Process(mode), until
        self.alive, self.write_back, self.rewrote = True, True, False
        self.functions, self.turn = [], 0

    def run(self, source, cell):
        """Run a cell; returns what it printed, and None or the StudentError that ended it."""
        answer = self.ask(CELL, op="exec", source=source, cell=cell)
        printed = answer.get("output")
        return printed if isinstance(printed, str) else "", self.error_of(answer)

    def keep(self, key):
        self.result(self.ask(CALL, op="keep", key=key))

    def recall(self, key):
        self.result(self.ask(CALL, op="recall", key=key))

    def get(self, name):
        """The value of a name."""
        answer = self.ask(CALL, op="get", name=name)
        if answer.get("missing"):
            raise NotDefined(f"`{name}` is not defined", name)
        return self.result(answer)

    def attribute(self, number, name):
        return self.result(self.ask(CALL, op="attr", number=number, name=name))

    def item(self, number, key):
        return self.result(self.ask(CALL, op="item", number=number, key=self.encoder()(key)))

    def call(self, number, args, kwargs):
        """Call a function; arrays that it changes in place are changed here too."""
        encode = self.encoder()
        answer = self.ask(CALL, op="call", number=number, args=encode(list(args)),
                          kwargs=encode(kwargs))
        value = self.result(answer)
        try:
            for number, form in answer.get("changed", []):
                array, new = encode.arrays[number], self.decode(form)
                same = (new.shape, new.dtype) == (array.shape, array.dtype)
                if same and array.flags.writeable and self.write_back:
                    array[...] = new
                self.rewrote |= value is not None
        except (ValueError, TypeError, IndexError, AttributeError):
            self.die(BROKEN)
        return value

    def ask(self, seconds, **order):
        """Send an order, serve the callbacks it leads to, and return the answer."""
        if not self.alive:
            raise Died(ENDED)
        self.turn += 1
        turn, before = self.turn, self.until
        self.until = min(before, time.monotonic() + seconds)
        try:
            self.process.send(order | {"turn": turn}, self.until)
            failed = None
            while True:
                answer = self.process.receive(self.until)
                if answer.get("turn") != turn:
                    raise Died(BROKEN)
                if "callback" not in answer:
                    break
                reply, error = self.serve(answer)
                failed = failed or error
                self.process.send(reply, self.until)
        except (Died, TimeUp):
            self.close()
            raise
        finally:
            self.until = before
        if failed and order["op"] in ("call", "attr", "item"):      # else no test is at work
            raise failed
        return answer

    def serve(self, answer):
        """Call a test's function for the student's; the reply, and a failed assertion in it."""
        try:
            function = self.functions[answer["callback"]]
            args, kwargs = self.decode(answer["args"]), self.decode(answer["kwargs"])
        except (KeyError, IndexError, TypeError):
            self.die(BROKEN)
        try:
            return {"return": self.encoder()(function(*args, **kwargs))}, None
        except AssertionError as error:
            return {"raise": ["RuntimeError", "a check failed"]}, error
        except Exception as error:
            known = [kind.__name__ for kind in type(error).__mro__ if kind.__name__ in RAISED]
            return {"raise": [(*known, "RuntimeError")[0], clean(str(error))]}, None

    def result(self, answer):
        if error := self.error_of(answer):
            raise error
        return self.decode(answer.get("value"))

    @staticmethod
    def error_of(answer):
        """The exception that an answer tells of, or None."""
        error = answer.get("error")
        if error is None:
            return None
        error = error if isinstance(error, dict) else {}
        classes = error.get("classes")
        classes = [c for c in classes if isinstance(c, str)] if isinstance(classes, list) else []
        name = clean(classes[0], 60) if classes else "an exception"
        message, line = error.get("message"), error.get("line")
        if name == "Refused":
            return StudentError(f"Your code gave {clean(str(message))}: too large for a test.")
        text = name + (f": {clean(message)}" if isinstance(message, str) and message else "")
        if type(line) is int and 0 < line < 10**6:
            text += f" ({clean(str(error.get('cell')), 60)}, line {line})"
        kind = next((RAISED[name] for name in classes if name in RAISED), StudentError)
        made = kind(text)
        made.stopped = True         # in the student's code, not in what came of it here
        return made

    def encoder(self):
        return wire.Encoder(self.form_of, SENT)

    def form_of(self, value):
        """The form of what is not plain: a student's object, a function of a module or a test."""
        if type(value) is Proxy:
            return ["object", value._number, ""]
        if inspect.ismodule(value) or not callable(value):
            raise TypeError(f"can't be handed to a student's function: {type(value).__name__}")
        for module in ("numpy", "byhand"):
            name = getattr(value, "__name__", None) or getattr(value, "name", "")
            if getattr(known_modules()[module], str(name), None) is value:
                return ["name", module, name]
        self.functions.append(value)
        return ["callback", len(self.functions) - 1]

    def decode(self, form):
        try:
            return wire.Decoder(self.object_of)(form)
        except wire.Malformed:
            self.die(BROKEN)

    def object_of(self, form):
        kind, number, name = form
        if kind != "object" or type(number) is not int or type(name) is not str:
            raise wire.Malformed("not the form of an object")
        return Proxy(self, number, clean(name, 60))

    def die(self, why):
        self.close()
        raise Died(why)

    def close(self):
        if self.alive:
            self.alive = False
            self.process.close()


def known_modules():
    import byhand

    return {"numpy": np, "byhand": byhand}


class Proxy:
    """A student's object, which stays in the student's process."""

    def __init__(self, remote, number, kind):
        vars(self).update(_remote=remote, _number=number, _kind=kind)

    def __call__(self, *args, **kwargs):
        return self._remote.call(self._number, args, kwargs)

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return self._remote.attribute(self._number, name)

    def __getitem__(self, key):
        return self._remote.item(self._number, key)

    def __repr__(self):
        return f"<{self._kind}>"

    __hash__ = None


def _refuse(self, *_):
    what = self._kind if self._kind.startswith("an array") else f"an object: {self._kind}"
    what = "a function (was it called?)" if what == "an object: function" else what
    raise StudentError(f"expected a number or an array, got {what}")


for _name in """eq ne lt le gt ge bool len iter next contains array float int complex index round
        abs neg pos invert add sub mul truediv floordiv mod pow matmul and or xor divmod lshift
        rshift radd rsub rmul rtruediv rfloordiv rmod rpow rmatmul rand ror rxor setitem delitem
        enter exit setattr delattr format reversed""".split():
    setattr(Proxy, f"__{_name}__", _refuse)
