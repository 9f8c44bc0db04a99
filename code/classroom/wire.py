"""Values as JSON, for the pipe between the grader and the process that runs a student's code.

None, bool, int and str stand for themselves. Everything else is a list that begins with its kind:
["float", hex], ["list", [...]], ["array", dtype, shape, base64] … A float travels by its bits, so
both sides hold the same number. There is no pickle and no array of objects: decoding runs no code
and builds nothing but plain values, whoever wrote the message.

What is not plain (a function, an object) is left to the caller: encode asks `other(value)` for the
form, and decode gives such a form to `other(form)`.
"""

import base64
import binascii
import json
import re

import numpy as np

DEEPEST = 20                # lists in lists
MOST = 500_000              # values in one message
LARGEST = 8 * 2**20         # bytes of an array, or of a message to the grader
KEYS = 10_000               # of a dict or a set: keys made to collide cost their square
HASH = 2**61 - 1            # integers from here on can be made to collide, so KEYS at most of them
DIGITS = 4000               # of an integer, as bits: 12,000; json refuses more than 4,300
DTYPE = re.compile(r"[<>|=](b1|[iu][1248]|f[248]|c8|c16)")
CONTAINERS = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}


class Refused(ValueError):
    """This value can't travel; the message says why."""


class Malformed(ValueError):
    """This message breaks the rules."""


def is_numbers(value):
    """Is this a plain NumPy array (True) or NumPy scalar of booleans or numbers?"""
    scalar = isinstance(value, np.generic) and type(value).__module__ == "numpy"
    return (scalar or type(value) is np.ndarray) and DTYPE.fullmatch(value.dtype.str) is not None


class Encoder:
    """Turns values into forms; `arrays` keeps the arrays it met, in order."""

    def __init__(self, other, largest=LARGEST):
        self.other, self.left, self.bytes, self.long = other, MOST, largest, KEYS
        self.arrays = []

    def __call__(self, value, depth=0):
        self.left -= 1
        if self.left < 0 or depth > DEEPEST:
            raise Refused(f"more than {MOST} values, or lists nested deeper than {DEEPEST}")
        kind = type(value)
        if kind is np.str_ or kind is np.ndarray and value.dtype.kind == "U":
            value = value.tolist()
            kind = type(value)
        if value is None or kind is bool:
            return value
        if kind is str:
            self.pay(len(value))
            return value
        if kind is int:
            if value.bit_length() > 3 * DIGITS:
                raise Refused(f"an integer of more than {DIGITS} digits")
            self.long -= abs(value) >= HASH
            if self.long < 0:
                raise Refused(f"more than {KEYS} integers of 61 bits or more")
            return value
        if kind is float:
            return ["float", value.hex()]
        if kind is complex:
            return ["complex", value.real.hex(), value.imag.hex()]
        if value is Ellipsis:
            return ["..."]
        if kind in (dict, set, frozenset) and len(value) > KEYS:
            raise Refused(f"more than {KEYS} keys in a {kind.__name__}")
        if kind in CONTAINERS.values():
            return [kind.__name__, [self(item, depth + 1) for item in value]]
        if kind is dict:
            pairs = value.items()
            return ["dict", [[self(k, depth + 1), self(v, depth + 1)] for k, v in pairs]]
        if is_numbers(value):
            return self.numbers(value)
        return self.other(value)

    def numbers(self, value):
        """The form of an array, or of a NumPy scalar."""
        self.pay(value.nbytes)
        data = base64.b64encode(value.tobytes()).decode()
        if isinstance(value, np.generic):
            return ["scalar", value.dtype.str, data]
        self.arrays.append(value)
        return ["array", value.dtype.str, list(value.shape), data]

    def pay(self, size):
        self.bytes -= size
        if self.bytes < 0:
            raise Refused(f"a value of more than {LARGEST // 2**20} MB")


class Decoder:
    """Turns forms into values; raises Malformed. `arrays` keeps the arrays it made, in order."""

    def __init__(self, other):
        self.other, self.arrays, self.long = other, [], KEYS

    def __call__(self, form, depth=0):
        self.long -= type(form) is int and abs(form) >= HASH
        if self.long < 0:
            raise Malformed(f"more than {KEYS} integers of 61 bits or more")
        if form is None or type(form) in (bool, int, str):
            return form
        if type(form) is not list or not form or type(form[0]) is not str or depth > DEEPEST:
            raise Malformed("not the form of a value")
        try:
            return self.value(form[0], form[1:], depth)
        except (ValueError, TypeError, OverflowError, binascii.Error) as error:
            raise error if isinstance(error, Malformed) else Malformed(str(error)) from None

    def value(self, kind, parts, depth):
        if kind == "float":
            (text,) = parts
            return float.fromhex(text)
        if kind == "complex":
            real, imaginary = parts
            return complex(float.fromhex(real), float.fromhex(imaginary))
        if kind == "..." and not parts:
            return ...
        if kind in CONTAINERS:
            (items,) = parts
            if kind.endswith("set") and len(items) > KEYS:
                raise Malformed(f"a set of more than {KEYS} values")
            return CONTAINERS[kind]([self(item, depth + 1) for item in items])
        if kind == "dict":
            (pairs,) = parts
            if len(pairs) > KEYS:
                raise Malformed(f"a dict of more than {KEYS} keys")
            return {self(key, depth + 1): self(value, depth + 1) for key, value in pairs}
        if kind == "array":
            dtype, shape, data = parts
            if any(type(n) is not int or n < 0 for n in shape):
                raise Malformed("not a shape")
            array = self.numbers(dtype, data).reshape(shape).copy()
            self.arrays.append(array)
            return array
        if kind == "scalar":
            (number,) = self.numbers(*parts)
            return number
        return self.other([kind, *parts])

    @staticmethod
    def numbers(dtype, data):
        if not DTYPE.fullmatch(dtype):
            raise Malformed("not a dtype of numbers")
        array = np.frombuffer(base64.b64decode(data, validate=True), dtype=dtype)
        return array.view("u1") != 0 if array.dtype == bool else array      # a bool is 0 or 1


def pack(message):
    """A message, a dict of JSON, as one line of bytes."""
    return json.dumps(message, separators=(",", ":")).encode("ascii") + b"\n"


def unpack(line):
    """The message in a line; raises Malformed."""
    try:
        message = json.loads(line, parse_float=_no_floats, parse_constant=_no_floats)
    except (ValueError, RecursionError):
        raise Malformed("not JSON") from None
    if not isinstance(message, dict):
        raise Malformed("not a message")
    return message


def _no_floats(text):
    raise ValueError(text)
