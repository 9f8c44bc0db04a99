"""Hostile and broken submissions to a small problem set, and what each must come to.

`python code/tests/hostile.py` grades them all and prints the table as Markdown.

The set has four tasks of 3, 2, 3 and 2 points and one in words. A case replaces answers of an
otherwise right notebook; so what a case can't touch keeps its marks.
"""

import copy
import json
import sys
from dataclasses import dataclass
from pathlib import Path

HIDDEN = "7731.25"              # stands in a hidden test
SECRET = "course-secret-93c1"   # stands in files beside the master, and in the grader's environment

SETUP = '''import matplotlib.pyplot as plt
import numpy as np
from byhand import sigmoid


def compare(yours, expected, what, tolerance=1e-6):
    """Stop with a message unless yours has the shape and, to the tolerance, the numbers of expected."""
    expected = np.asarray(expected, dtype=float)
    assert yours is not None and yours is not ..., f"{what}: nothing was returned"
    yours = np.asarray(yours)
    assert yours.dtype.kind in "biuf", f"{what}: expected numbers, got {yours.dtype}"
    assert yours.shape == expected.shape, f"{what}: expected shape {expected.shape}, got {yours.shape}"
    assert np.all(np.isfinite(yours)), f"{what}: contains nan or inf"
    off = np.abs(yours - expected) / np.maximum(1, np.abs(expected))
    assert np.all(off <= tolerance), f"{what}: off by up to {off.max():.2g}"'''  # noqa: E501

NUMBERS = """seed = 2026
v = np.random.default_rng([seed, 2]).normal(size=5).round(3)
print("v =", v)"""

ANSWERS = {
    "task-1": "def standardise(x):\n    return (x - x.mean()) / x.std()",
    "task-2": "total = float(v.sum())",
    "task-3": "def slope(f, x, h=1e-5):\n    return (f(x + h) - f(x - h)) / (2 * h)",
    "task-4": "def halve(a):\n    a /= 2",
    "task-5": "Because the mean of $x - \\bar x$ is 0.",
}
TESTS = {
    "task-1": ("Standardise", 3, f"""x = np.array([1.0, 3.0, 3.0, 5.0])
compare(standardise(x), (x - 3) / 2 ** 0.5, "standardise([1, 3, 3, 5])")
### BEGIN HIDDEN TESTS
y = np.array([[{HIDDEN}, 2.0], [3.5, -1.0]])
compare(standardise(y), (y - y.mean()) / y.std(), "Hint: mean and std of all numbers")
### END HIDDEN TESTS"""),
    "task-2": ("Add", 2, 'compare(total, sum(v), "total")'),
    "task-3": ("Slope", 3, """compare(slope(lambda t: 3 * t, 1.0), 3.0, "slope of 3t")
compare(slope(sigmoid, 0.0), 0.25, "slope of the sigmoid at 0")
### BEGIN HIDDEN TESTS
asked = []
def watched(t):
    asked.append(float(t))
    return t ** 3
compare(slope(watched, 2.0), 12.0, "slope of t³", 1e-4)
assert len(asked) >= 2, "Hint: f has to be called on both sides"
### END HIDDEN TESTS"""),
    "task-4": ("Halve in place", 2, """a = np.arange(4.0)
halve(a)
compare(a, [0, 0.5, 1, 1.5], "a after halve(a)")"""),
}
FULL = 10.0


def cell(kind, source, name=None, **nbgrader):
    made = {"cell_type": kind, "id": name or "added", "metadata": {}, "source": source}
    if kind == "code":
        made |= {"outputs": [], "execution_count": None}
    if name:
        made["metadata"]["nbgrader"] = {
            "schema_version": 3, "grade_id": name, "grade": False, "solution": False,
            "locked": True, "task": False, "cell_type": kind,
        } | nbgrader
    return made


def between_markers(source):
    return f"### BEGIN SOLUTION\n{source}\n### END SOLUTION"


def master():
    """The master, as JSON."""
    cells = [cell("markdown", "# A small problem set", "title"), cell("code", SETUP, "setup"),
             cell("code", NUMBERS, "numbers")]
    for task, (title, points, test) in TESTS.items():
        cells += [
            cell("markdown", f"## Task {task[-1]} · {title} ({points} points)", f"{task}-text"),
            cell("code", between_markers(ANSWERS[task]), task, solution=True, locked=False),
            cell("code", test, f"{task}-test", grade=True, points=points),
        ]
    cells += [cell("markdown", "## Task 5 · Why is the mean 0? (2 points)", "task-5-text"),
              cell("markdown", between_markers(ANSWERS["task-5"]), "task-5", solution=True,
                   grade=True, locked=False, points=2)]
    return {"cells": cells, "nbformat": 4, "nbformat_minor": 5, "metadata": {}}


def notebook(answers=()):
    """A notebook with the right answers, but for those given."""
    made, answers = master(), ANSWERS | dict(answers)
    for part in made["cells"]:
        if part["id"] in answers:
            part["source"] = answers[part["id"]]
        part["source"] = part["source"].split("### BEGIN HIDDEN")[0]
    return made


def to_bytes(made):
    return json.dumps(made).encode()


@dataclass
class Case:
    """A submission: what it is, its bytes, the score and status it must get, words it must see."""

    name: str
    raw: bytes
    score: float
    status: str = "graded"
    said: str = ""
    group: str = ""

    @property
    def slug(self):
        return "-".join("".join(c if c.isalnum() else " " for c in self.name).split())


CASES = []


def case(name, source, score=7.0, status="graded", said="", task="task-1", **more):
    """A notebook with this answer to one task, and more answers."""
    more = {f"task-{key[-1]}": text for key, text in more.items()}
    CASES.append(Case(name, to_bytes(notebook({task: source} | more)), score, status, said))


def broken(name, raw, said, score=0.0, status="unreadable"):
    CASES.append(Case(name, raw, score, status, said))


def changed(name, change, score=FULL, status="graded", said="", answers=()):
    """A notebook changed by a function of its list of cells."""
    made = notebook(answers)
    made["cells"] = change(made["cells"]) or made["cells"]
    CASES.append(Case(name, to_bytes(made), score, status, said))


RIGHT = ANSWERS["task-1"]
WRONG = "def standardise(x):\n    return x"


def returning(expression, before=""):
    """An answer to task 1 that returns this."""
    return f"import numpy as np\n{before}\ndef standardise(x):\n    return {expression}"


def raising(expression, before=""):
    return f"{before}\ndef standardise(x):\n    raise {expression}"


def trying(*expressions, also=RIGHT):
    """Code that tries each expression and prints what came of it, and then answers."""
    lines = [f"try:\n    print({text!r}, '->', {text})\nexcept BaseException as e:\n"
             f"    print({text!r}, 'failed', type(e).__name__)" for text in expressions]
    return "import os, sys, socket, subprocess, ctypes, signal\n" + "\n".join([*lines, also])


# Time and the end of the process

case("an infinite loop", "while True:\n    pass", status="stopped", said="ran longer than")
case("a loop that catches every exception", "while True:\n    try:\n        while True: pass\n"
     "    except BaseException: pass", status="stopped", said="ran longer than")
case("a function that never returns", "def standardise(x):\n    while True: pass",
     status="stopped", said="Your code was stopped")
case("a function that sleeps", "import time\ndef standardise(x):\n    time.sleep(1e6)",
     status="stopped", said="Your code was stopped")
case("signals ignored, then a loop", "import signal\nfor s in (2, 14, 15):\n"
     "    signal.signal(s, signal.SIG_IGN)\nwhile True: pass", status="stopped",
     said="ran longer than")
case("stopped by its own signal", "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)",
     status="stopped", said="ran longer than")
case("os._exit in a cell", "import os\nos._exit(0)", status="stopped", said="ended Python")
case("os._exit in a function", "import os\ndef standardise(x):\n    os._exit(0)",
     status="stopped", said="Your code ended Python")
case("SIGKILL to itself", "import os\nos.kill(os.getpid(), 9)", status="stopped",
     said="ended Python")
case("SIGKILL to everybody", trying("os.kill(1, 9)", "os.kill(-1, 9)"), FULL)
case("a segmentation fault", "import ctypes\nctypes.string_at(0)", status="stopped",
     said="ended Python")
case("sys.exit in a cell", "import sys\nsys.exit(1)", said="stopped with SystemExit")
case("exit() in a cell", "exit()", said="stopped with SystemExit")
case("a hidden test is met with os._exit", "import os\ndef standardise(x):\n"
     "    if x.ndim == 2: os._exit(0)\n    return (x - x.mean()) / x.std()", status="stopped",
     said="A test that you don't see failed.")

# Processes, threads, memory, output

case("a fork bomb", "import os\nwhile True:\n    os.fork()", said="PermissionError")
case("a fork bomb that swallows errors", "import os\nwhile True:\n    try: os.fork()\n"
     "    except OSError: pass", status="stopped", said="ran longer than")
case("a daemon to outlive the run", "import os, time\nif os.fork() == 0:\n    os.setsid()\n"
     "    if os.fork() == 0:\n        time.sleep(1e6)", said="PermissionError")
case("subprocess", trying("subprocess.run(['id'])", "os.system('id')", "os.popen('id').read()",
                          "os.execv('/usr/bin/id', ['id'])", "os.posix_spawn('/usr/bin/id', "
                          "['id'], {})"), FULL)
case("multiprocessing", "import multiprocessing\nwith multiprocessing.Pool(2) as pool:\n"
     "    pool.map(abs, [1])", said="Error")
case("ten thousand threads", "import threading, time\nfor _ in range(10_000):\n"
     "    threading.Thread(target=time.sleep, args=(1e6,), daemon=True).start()",
     status="stopped", said="ended Python")
case("200 threads left behind", "import threading, time\nfor _ in range(200):\n"
     "    threading.Thread(target=time.sleep, args=(1e6,), daemon=True).start()",
     status="stopped", said="ended Python")
case("an array of 3 GB", "import numpy as np\nhog = np.ones(3 * 2**27)", said="MemoryError")
case("a list that grows for ever", "import numpy as np\nhog = []\nwhile True:\n"
     "    hog.append(np.zeros(2**22))",
     said="MemoryError")
case("a huge result", returning("np.zeros(10**8)"), said="MB")
case("a long text as a result", returning("'x' * 10**8"), said="MB")
case("a list of ten million", returning("[0] * 10**7"), said="values")
case("an integer of a million digits", returning("10**10**6"), said="digits")
case("lists nested ten thousand deep", returning("deep", "deep = []\nfor _ in range(10**4):\n"
                                                 "    deep = [deep]"), said="too large")
case("a list that holds itself", returning("loop", "loop = []\nloop.append(loop)"),
     said="too large")
case("lists that double twenty times", returning(
    "twice", "twice = [0]\nfor _ in range(40):\n    twice = [twice, twice]"),
    said="too large")
case("keys that collide", returning("{i * (2**61 - 1): i for i in range(3000)}"),
     said="expected numbers")
case("endless recursion", "def standardise(x):\n    return standardise(x)",
     said="RecursionError")
case("endless recursion, limit lifted", "import sys\nsys.setrecursionlimit(10**9)\n"
     "def f(x): return [f(x)] + eval('f(x)')\ndef standardise(x):\n    return f(x)",
     status="stopped", said="Your code")
case("an endless print", "while True:\n    print('x' * 1000)", status="stopped",
     said="ran longer than")
case("200 MB of print", "for _ in range(200):\n    print('x' * 10**6)\n" + RIGHT, FULL)
case("a full disk", "for i in range(100):\n    with open(f'/tmp/{i}', 'wb') as f:\n"
     "        f.write(bytes(10**7))", said="OSError")

# What is not for it to see

case("reads /proc", trying("os.listdir('/proc')", "open('/proc/1/environ').read()",
                           "open('/proc/self/mem', 'rb')"), FULL)
case("reads /etc", trying("open('/etc/passwd').read()", "open('/etc/shadow').read()"), FULL)
case("reads master, submissions and seed", trying(
    "open('@master').read()", "os.listdir('@folder')", "open('@folder/seed').read()",
    "open('@folder/other.ipynb').read()", "open(os.path.expanduser('~/.bashrc'))"), FULL)
case("looks everywhere", """import os
usual = ("/usr", "/lib", "/bin", "/sbin", "/dev")
for folder, folders, files in os.walk("/"):
    folders[:] = [f for f in folders if not os.path.join(folder, f).startswith(usual)
                  and f not in ("site-packages", "lib")]
    for name in files:
        try: text = open(os.path.join(folder, name), errors="replace").read(10**6)
        except OSError: continue
        if "course-secret" in text or "HIDDEN TESTS" in text and "child" not in name:
            print(folder, name, text[:500])
""" + RIGHT, FULL)
case("reads the environment", "import os\nprint(dict(os.environ))\n" + RIGHT, FULL)
case("looks through its memory", """import gc, sys
for thing in gc.get_objects():
    for part in list(thing.values()) if isinstance(thing, dict) else []:
        if isinstance(part, str) and "BEGIN" " HIDDEN" in part: print(part[:1000])
frame = sys._getframe()
while frame:
    print(frame.f_code.co_name, sorted(frame.f_locals)[:20])
    frame = frame.f_back
""" + RIGHT, FULL)
case("keeps the hidden inputs and prints them", "seen = []\ndef standardise(x):\n"
     "    seen.append(x.tolist())\n    print(x)\n    return (x - x.mean()) / x.std()", FULL,
     task4="print(seen)\ndef halve(a):\n    print(seen)\n    a /= 2")
case("raises the hidden inputs", "seen = []\ndef standardise(x):\n    seen.append(x.tolist())\n"
     "    if x.ndim == 2: raise ValueError(str(x.tolist()))\n    return (x - x.mean()) / x.std()",
     5.0, said="A test that you don't see failed.",
     task4="def halve(a):\n    raise ValueError(str(seen))")
case("uses the network", trying(
    "socket.create_connection(('127.0.0.1', 22), 1)",
    "socket.create_connection(('1.1.1.1', 53), 1)",
    "socket.gethostbyname('example.org')", "socket.socket(40, 1)", "socket.socket(17, 3)",
    "__import__('urllib.request').request.urlopen('http://example.org', timeout=1)"), FULL)
case("writes everywhere", """import os
wrote = []
for folder in ("/", "/usr", "/etc", "/dev", "/dev/shm", "/grader", "/root", "/home", "/var",
               "@folder", os.path.dirname(os.__file__), os.path.dirname(np.__file__)):
    try:
        with open(folder + "/written", "w") as file: file.write("x")
        wrote.append(folder)
    except OSError: pass
print("wrote", wrote)
""" + RIGHT, FULL)
case("deletes everything",
     "import json, shutil\nfor top in ('/grader', '@folder', json.__path__[0]):\n"
     "    shutil.rmtree(top, ignore_errors=True)\n" + RIGHT, FULL)
case("asks the kernel for more", trying(
    "ctypes.CDLL(None).unshare(0x10000000)", "ctypes.CDLL(None).ptrace(0, 1, 0, 0)",
    "ctypes.CDLL(None).syscall(319, b'x', 0)", "os.setuid(0)", "os.chroot('/tmp')",
    "__import__('resource').setrlimit(9, (2**40, 2**40))"), FULL)

# Forgery

case("numpy patched",
     "import numpy as np\nnp.all = np.allclose = np.isfinite = lambda *a, **k: True\n"
     "np.abs = lambda *a: np.zeros(1)\n" + WRONG, said="off by")
case("builtins patched", "import builtins\nbuiltins.AssertionError = ZeroDivisionError\n"
     "builtins.sum = builtins.abs = lambda *a: 0.0\n" + WRONG, said="off by")
case("json and sys.modules patched", "import sys, json, types\njson.dumps = lambda *a, **k: '{}'\n"
     "sys.modules['json'] = sys.modules['wire'] = types.ModuleType('json')\n" + WRONG,
     status="stopped", said="ended Python")
case("json.dumps forges every answer", "import json\ntrue = json.dumps\n"
     "json.dumps = lambda m, **k: true(m | {'value': True, 'passed': True, 'score': 99}, **k)\n"
     "def standardise(x):\n    return x", 0.0)
case("compare redefined", "def compare(*a, **k): pass\n" + WRONG, said="off by")
case("every given name redefined", "seed, v, compare, sigmoid = 1, None, print, None\n" + WRONG,
     5.0, said="off by")
case("its own test passed", "compare = lambda *a: None\nassert True\nprint('3/3 points')\n" + WRONG,
     said="off by")
case("all descriptors closed", "import os\nos.closerange(0, 100)", status="stopped",
     said="ended Python")
case("rubbish into every descriptor",
     "import os\nfor n in range(3, 60):\n    try: os.write(n, b'{}\\n')\n"
     "    except OSError: pass\n" + WRONG, status="stopped", said="ended Python")
case("forged answers into every descriptor", "import os, json\nfor turn in range(40):\n"
     "    for n in range(3, 20):\n        try: os.write(n, json.dumps({'turn': turn, "
     "'value': ['list', [['float', '0x1p0']]]}).encode() + b'\\n')\n"
     "        except OSError: pass\n" + WRONG, status="stopped", said="ended Python")
case("an endless line", "import os\nwhile True:\n    for n in range(3, 20):\n"
     "        try: os.write(n, b'x' * 65536)\n        except OSError: pass", status="stopped",
     said="ended Python")
case("one byte now and then", "import os, time\nwhile True:\n    time.sleep(0.2)\n"
     "    for n in range(3, 20):\n        try: os.write(n, b'x')\n        except OSError: pass",
     status="stopped", said="ran longer than")
case("a thread writes while others run", "import os, threading, time\ndef write():\n"
     "    time.sleep(0.05)\n    try: os.write(4, b'[[[[')\n    except OSError: pass\n"
     "threading.Thread(target=write, daemon=True).start()\ntime.sleep(0.3)\n" + WRONG,
     status="stopped", said="ended Python")
case("the loop of the child called", "import sys, gc\nfor thing in gc.get_objects():\n"
     "    if type(thing).__name__ == 'Session': thing.do_get = lambda name: {'value': 0}\n" + WRONG,
     0.0)
for name in ("AssertionError", "StopIteration", "SystemExit", "KeyboardInterrupt", "GeneratorExit",
             "BaseException", "NotImplementedError", "MemoryError", "UnicodeDecodeError"):
    made = "UnicodeDecodeError('a', b'', 0, 1, 'b')" if name == "UnicodeDecodeError" else name
    case(f"{name} from a function", raising(made), said=f"stopped with {name}")
case("an exception whose text never ends", raising(
    "Endless()", "class Endless(Exception):\n    def __str__(self):\n        while True: pass"),
    status="stopped", said="Your code was stopped")
case("an exception with a huge text", raising("ValueError('x' * 10**8)"), said="ValueError")
case("an exception with a forged name", raising(
    "E()", "E = type('<script>alert(1)</script>' * 9, (Exception,), {})"), said="script")
case("an exception with control characters", raising(r"ValueError('\x1b[2J\x00\u202e\ud800')"),
     said="ValueError")

# Values that pretend

LIAR = """class Liar:
    def __eq__(self, other): return True
    __lt__ = __le__ = __gt__ = __ge__ = __ne__ = __eq__
    def __array__(self, *a, **k): return np.zeros(4)
    def __sub__(self, other): return 0
    __rsub__ = __sub__
    def __float__(self): return 0.0
    dtype, shape = np.dtype(float), (4,)
    __module__ = "numpy"
"""
case("an object that equals everything", returning("Liar()", LIAR), said="Liar")
case("an array that equals everything", returning(
    "x.view(Always)", "class Always(np.ndarray):\n    def __array_ufunc__(self, *a, **k):\n"
    "        return np.zeros(4)"), said="Always")
case("a float that equals everything", "class F(float):\n    def __eq__(self, o): return True\n"
     "total = F(1)", 8.0, said="an object: F", task="task-2")
case("a text that equals everything", "class S(str):\n    def __eq__(self, o): return True\n"
     "total = S('1')", 8.0, said="an object: S", task="task-2")
case("a text for a number", "total = '1.0'", 8.0, said="expected numbers", task="task-2")
case("a function for a number", "def total(): return 1", 8.0, said="was it called", task="task-2")
case("a property that computes the answer",
     "class T:\n    @property\n    def total(self): return 1\n"
     "total = T()", 8.0, said="an object: T", task="task-2")
for text in ("np.nan", "np.inf", "x * np.nan", "None", "...", "x.astype(object)", "[[1], [1, 2]]",
             "np.ma.masked_array(x, x > 0)", "(n for n in x)", "iter(x)", "{'a': x}", "x == x",
             "np.zeros(4, dtype=[('a', float)])", "np.array(['a'] * 4)", "x + 0j",
             "np.array(4, dtype='M8[s]')", "np.longdouble(1)", "np.matrix(x)", "lambda: x", "type",
             "x.tolist", "np", "range(4)", "b'x'", "x.astype('f2')[:, None]", "standardise"):
    case(f"returns {text}", returning(text))
case("returns an array of texts", returning("np.array(list('abcd'))"),
     said="expected numbers")
case("returns a memory map", returning(
    "m", "m = np.memmap('/tmp/m', dtype=float, shape=4, mode='w+')"), said="memmap")
case("names an exception after a hidden input", "def standardise(x):\n    if x.ndim == 2:\n"
     "        raise type('Hint: ', (Exception,), {})(repr(x.tolist()))\n"
     "    return (x - x.mean()) / x.std()", said="A test that you don't see failed")
case("gives a result the shape of a hidden input", "def standardise(x):\n    if x.ndim == 2:\n"
     "        return np.empty((int(x[0, 0] * 100), 0, int(x[1, 0] * 10)))\n"
     "    return (x - x.mean()) / x.std()", said="Hint: mean and std of all numbers")
case("integers made to collide", "def standardise(x):\n"
     "    return [k * (2**61 - 1) for k in range(250_000)]", said="too large for a test")
case("right the first time only",
     "calls = 0\ndef standardise(x):\n    global calls\n    calls += 1\n"
     "    return (x - x.mean()) / x.std() if calls == 1 else x", said="Hint: mean and std")
case("right for what it can see", "def standardise(x):\n"
     "    return (x - 3) / 2 ** 0.5", said="A test that you don't see failed. Hint")
case("changes its argument and is right",
     "def standardise(x):\n    x -= x.mean()\n    x /= x.std()\n"
     "    return x", 7.0, said="standardise([1, 3, 3, 5])")
case("changes what it is compared with", "def standardise(x):\n    if x.ndim == 2:\n"
     "        x[...] = [[1, -1], [1, -1]]\n        return x\n    return (x - x.mean()) / x.std()",
     said="A test that you don't see failed.")
case("calls back for ever", "def slope(f, x):\n    while True: f(x)", 7.0, "stopped",
     "Your code was stopped", task="task-3")
case("calls back with strange things",
     "def slope(f, x):\n    for bad in (object(), 'x' * 10**6, [[]],"
     " None, f, slope):\n        try: f(bad)\n        except Exception: pass\n    return 3.0", 7.0,
     task="task-3")
case("calls back into itself", "def slope(f, x):\n    return f(slope(f, x))", 7.0, task="task-3")
case("keeps the function it was given", "kept = []\ndef slope(f, x):\n    kept.append(f)\n"
     "    return kept[0](x + 1) - kept[0](x)", 7.0, said="sigmoid", task="task-3")

# What happens in earnest: code

case("a syntax error", "def standardise(x)\n    return x", said="SyntaxError")
case("indentation lost", "def standardise(x):\nreturn x", said="IndentationError")
case("tabs", "def standardise(x):\n\treturn (x - x.mean()) / x.std()", FULL)
case("Windows line ends", RIGHT.replace("\n", "\r\n"), FULL)
case("Python 2", "def standardise(x):\n    print 'x'\n    return x", said="SyntaxError")
case("from __future__", "from __future__ import annotations\n" + RIGHT, FULL)
case("names that are not ASCII", "def standardise(x):\n    μ, größe = x.mean(), x.std()\n"
     "    return (x - μ) / größe", FULL)
case("%matplotlib, !pip, help?, %load_ext", "%matplotlib inline\n!pip install numpy\nnp.mean?\n"
     "%load_ext autoreload\n%autoreload 2\nfiles = !ls\n" + RIGHT, FULL)
case("%%time", "%%time\n" + RIGHT, FULL)
case("%%bash", "%%bash\nrm -rf /", said="begins with %%bash is not run here")
case("!rm", "!rm -rf /\n" + RIGHT, FULL)
case("await", "import asyncio\nawait asyncio.sleep(0)\n" + RIGHT, FULL)
case("a plot", "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()\n" + RIGHT, FULL)
case("an interactive plot",
     "import matplotlib\nmatplotlib.use('TkAgg')\nimport matplotlib.pyplot as plt\n"
     "plt.figure()", said="ImportError")
case("display and help", "display(1)\nhelp(print)\nget_ipython().system('ls')\n" + RIGHT, FULL)
case("input()", "n = input('How many? ')", said="nobody is there to type")
case("breakpoint()", "breakpoint()", said="nobody is there to type")
case("a package that is not there", "import no_such_package\n" + RIGHT,
     said="No module named 'no_such_package'")
case("uses a later cell's result", "scale = total\n" + RIGHT, said="name 'total' is not defined")
case("a function with another name", RIGHT.replace("standardise", "standardize"),
     said="`standardise` is not defined")
case("a function of two arguments", "def standardise(x, mean):\n    return x - mean",
     said="TypeError: standardise() missing 1 required positional argument")
case("prints instead of returning", "def standardise(x):\n    print((x - x.mean()) / x.std())",
     said="nothing was returned")
case("sys.stdout closed", "import sys\nsys.stdout.close()\nsys.stdout = None\n" + RIGHT, FULL)
case("null bytes in a cell", "x = 1\x00\n" + RIGHT, said="null bytes")
case("half a surrogate pair in a cell", "s = '\ud800'\n" + RIGHT, FULL)
case("all names deleted",
     "for name in list(globals()):\n    if name[0] != '_': del globals()[name]\n"
     "import numpy as np\n" + WRONG, 5.0, said="off by")

# What happens in earnest: notebooks


def find(cells, name):
    return next(i for i, part in enumerate(cells) if part["id"] == name)


def without(*names):
    return lambda cells: [part for part in cells if part["id"] not in names]


def copied(name, **change):
    def change_cells(cells):
        twin = copy.deepcopy(cells[find(cells, name)]) | change
        cells.insert(find(cells, name) + 1, twin)
    return change_cells


def set_in(name, **change):
    def change_cells(cells):
        cells[find(cells, name)].update(change)
    return change_cells


def set_metadata(value, name="task-1"):
    return set_in(name, metadata=value)


def answer_elsewhere(cells):
    cells[find(cells, "task-1")]["source"] = "# YOUR CODE HERE\nraise NotImplementedError()"
    cells.insert(find(cells, "task-1") + 1, cell("code", RIGHT))


def easier(cells):
    part = cells[find(cells, "task-1-test")]
    part["source"] = "assert True"
    part["metadata"]["nbgrader"]["points"] = 1000


def everything_added(cells):
    return [part | {"metadata": {}} for part in cells]


WRONG_1 = {"task-1": WRONG}
STUBS = {f"task-{n}": "# YOUR CODE HERE\nraise NotImplementedError()" for n in range(1, 5)}

changed("nothing answered", lambda cells: None, 0.0, said="no answer in its cell yet",
        answers=STUBS | {"task-5": "YOUR ANSWER HERE"})
changed("a test cell copied", copied("task-1-test"), said="there twice")
changed("an answer copied", copied("task-1"), said="there twice; both are run")
changed("a copied answer that is better", copied("task-1", source=RIGHT), answers=WRONG_1,
        said="there twice")
changed("a test cell deleted", without("task-1-test", "task-2-test"))
changed("a test deleted, its answer wrong", without("task-1-test"), 7.0, answers=WRONG_1,
        said="off by")
changed("tests and points edited", easier, 7.0, answers=WRONG_1, said="off by")
changed("given cells deleted", without("setup", "numbers"))
changed("given cells edited", set_in("numbers", source="seed = 1\nv = [0]"), FULL)
changed("an answer deleted", without("task-1"), 7.0, said="task-1 is missing")
changed("an answer in a cell of text", set_in("task-1", cell_type="markdown"), 7.0,
        said="should be a code cell")
changed("an answer in a new cell", answer_elsewhere)
changed("cells in reverse order", lambda cells: cells[::-1], said="Cells were moved")
changed("an answer with another's name", set_metadata(
    {"nbgrader": {"grade_id": "task-2", "solution": True}}), 7.0, said="task-1 is missing")
changed("an answer with a test's name", set_metadata({"nbgrader": {"grade_id": "task-2-test"}}),
        7.0, said="task-1 is missing")
changed("metadata that is a list", set_metadata([1]), said="task-1 is missing")
changed("nbgrader metadata that is a text", set_metadata({"nbgrader": "x"}))
changed("a grade_id that is a list", set_metadata({"nbgrader": {"grade_id": ["task-1"]}}))
changed("all metadata lost", everything_added, said="is it the right notebook")
changed("source as a list of lines", lambda cells: [
    part | {"source": part["source"].splitlines(keepends=True)} for part in cells])
changed("source that is a number", set_in("task-1", source=7), 7.0, said="task-1 is missing")
changed("source that is a list of numbers", set_in("task-1", source=[1, 2]), 7.0)
changed("cells that are numbers", lambda cells: [1, None, *cells, "x"])
changed("an unknown kind of cell", set_in("task-1", cell_type="raw"), 7.0, said="task-1 is missing")
changed("500 cells added", lambda cells: cells + [cell("code", f"n = {i}") for i in range(500)])
changed("another problem set", lambda cells: [cell("code", RIGHT, "exercise-1")], 3.0,
        said="is it the right notebook")

# Files that are no notebooks

GOOD = to_bytes(notebook())
broken("an empty file", b"", "empty")
broken("only spaces", b" \n\n ", "empty")
broken("not JSON", b"def standardise(x): ...", "not JSON")
broken("half a file", GOOD[:2000], "not JSON")
broken("a web page", b"<!DOCTYPE html><title>Jupyter</title>", "not JSON")
broken("a PDF", b"%PDF-1.7\n\xe2\xe3\xcf\xd3", "UTF-8")
broken("an archive", b"PK\x03\x04\x14\x00\x08\xff\xfe", "UTF-8")
broken("Latin-1", json.dumps(notebook({"task-5": "Größe"}), ensure_ascii=False).encode("latin-1"),
       "UTF-8")
broken("UTF-16", GOOD.decode().encode("utf-16"), "UTF-8")
broken("a byte order mark", b"\xef\xbb\xbf" + GOOD, "", FULL, "graded")
broken("NaN in JSON", GOOD[:-1] + b', "x": NaN}', "", FULL, "graded")
broken("a list", b"[1, 2]", "not a notebook")
broken("JSON without a notebook", b'{"a": 1}', "not a notebook")
broken("format 3", b'{"nbformat": 3, "worksheets": []}', "format 4")
broken("no cells", b'{"nbformat": 4, "cells": []}', "no cells")
broken("cells that are no list", b'{"nbformat": 4, "cells": {"a": 1}}', "no cells")
broken("50 MB", GOOD[:-1] + b', "x": "' + b"x" * 50_000_000 + b'"}', "MB")
broken("3000 cells", to_bytes(notebook() | {"cells": [cell("code", "1")] * 3000}), "3000 cells")
broken("JSON nested a million deep", b'{"nbformat": 4, "cells": ' + b"[" * 10**6, "not JSON")
broken("JSON nested deep and closed",
       b'{"nbformat": 4, "cells": ' + b"[" * 10**5 + b"]" * 10**5 + b"}", "not JSON")
broken("an integer of a million digits in JSON", b'{"nbformat": ' + b"9" * 10**6 + b"}", "not JSON")


def what_is_said(case, record):
    """The line that a student reads about this, for a cell of a table."""
    words = [*record["notes"], *(t["message"] for k in record["tasks"] for t in k["tests"])]
    found = [line for line in words if line and case.said in line] + [""]
    text = " ".join(found[0].split()).replace("|", "\\|").replace("<", "&lt;")
    return text if len(text) <= 160 else text[:159] + "…"


def table(records):
    """Cases and what came of them, as Markdown."""
    rows = ["| submission | status | points of 10 | what the student reads |", "| --- " * 4 + "|"]
    for case, record in records:
        values = case.name, record["status"], f"{record['score']:g}", what_is_said(case, record)
        rows.append(f"| {' | '.join(values)} |")
    return "\n".join(rows)


def main():
    import tempfile

    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from classroom.grading import grade
    from classroom.master import Master

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "01-hostile.ipynb")
        path.write_bytes(to_bytes(master()))
        ours = Master(path)
        print(table([(case, grade(ours, case.raw)) for case in CASES]))


if __name__ == "__main__":
    main()
