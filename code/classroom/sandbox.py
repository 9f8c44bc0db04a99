"""A process for a student's code, which can see nothing, keep nothing and harm nobody.

With bubblewrap (`bwrap`) the process has a file system of its own: the system's programs, Python
and its packages, read-only; an empty /tmp that holds little; no home, no masters, no submissions,
no network, no other process. It has no privilege and can't start a process. child.py limits
memory, CPU time, files, output and system calls before any of the student's code runs. The process
ends with the grader.

Without bubblewrap grading is refused, unless the caller asks for "none": then the limits hold, but
the student's code can read, write and send whatever the teacher can.
"""

import contextlib
import functools
import importlib.util
import os
import platform
import selectors
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from . import wire

HERE = Path(__file__).resolve().parent
STARTUP = 30                    # seconds until the process answers, on a busy machine
WORK = 64 * 2**20               # bytes that the student's code can write
CHUNK = 2**16
GRACE = 0.2                     # seconds to end by itself
ENDED = "out of memory, a crash, or a call such as os._exit"
ENVIRONMENT = {
    "HOME": "/tmp", "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TMPDIR": "/tmp", "TZ": "UTC",
    "PYTHONHASHSEED": "0", "PYTHONUTF8": "1", "MPLBACKEND": "agg", "MPLCONFIGDIR": "/tmp/mpl",
    "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1",
    "TQDM_DISABLE": "1",
}  # fmt: skip


class Unavailable(RuntimeError):
    """The sandbox can't be made on this machine; the message says what to do."""


class Died(BaseException):
    """The process ended, or broke the rules. No test can catch it by `except Exception`."""


class TimeUp(BaseException):
    """The process didn't answer in time. No test can catch it by `except Exception`."""


@functools.cache
def check(mode):
    """Raise Unavailable unless a sandbox of this kind ("bwrap" or "none") can be made here."""
    if mode not in ("bwrap", "none"):
        raise ValueError(f"expected the sandbox 'bwrap' or 'none', got {mode!r}")
    if mode == "bwrap" and not shutil.which("bwrap"):
        raise Unavailable(
            "bubblewrap is missing: install it (apt install bubblewrap), or grade with "
            "--no-sandbox: then students' code can read, change and send whatever you can"
        )
    Process(mode).close()


@functools.cache
def python():
    """(Python itself, folders that it needs, folders to import packages from, byhand's folder)."""
    found = [importlib.util.find_spec(name) for name in ("numpy", "matplotlib", "byhand")]
    homes = [Path(spec.origin).resolve().parent for spec in found if spec]
    packages = list(dict.fromkeys(str(home.parent) for home in homes if home.name != "byhand"))
    program = Path(sys.executable).resolve()
    needed = {Path(sys.base_prefix).resolve(), program.parents[1], Path("/usr")}
    return str(program), sorted(map(str, needed)), packages, homes[-1]


@functools.cache
def fonts():
    """The list of fonts that matplotlib makes at its first use: seconds, so it is handed over."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(os.environ.get("MPLCONFIGDIR") or Path(cache, "matplotlib"))
    for _ in range(2):
        if found := sorted(folder.glob("fontlist-v*.json"), key=os.path.getmtime):
            return found[-1]
        subprocess.run([sys.executable, "-c", "import matplotlib.font_manager"],
                       capture_output=True, check=False)
    return None


@functools.cache
def bubblewrap():
    """The command line of the sandbox and of the program in it."""
    program, needed, packages, byhand = python()
    line = ["bwrap", "--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-net",
            "--unshare-uts", "--unshare-cgroup-try", "--die-with-parent", "--new-session",
            "--uid", "65534", "--gid", "65534", "--hostname", "grader", "--cap-drop", "ALL",
            "--clearenv", "--dev", "/dev", "--size", str(WORK), "--tmpfs", "/tmp"]
    for name, value in ENVIRONMENT.items():
        line += ["--setenv", name, value]
    for name in ("/lib", "/lib32", "/lib64", "/bin", "/sbin"):
        if os.path.islink(name):
            line += ["--symlink", os.readlink(name), name]
        elif os.path.isdir(name):
            line += ["--ro-bind", name, name]
    for name in ("/etc/ld.so.cache", "/etc/alternatives"):
        line += ["--ro-bind-try", name, name]
    for name in [*needed, *packages]:
        line += ["--ro-bind", name, name]
    line += ["--ro-bind", str(byhand), "/grader/with/byhand"]
    for name in ("child.py", "wire.py"):
        line += ["--ro-bind", str(HERE / name), f"/grader/{name}"]
    if fonts():
        line += ["--ro-bind", str(fonts()), f"/tmp/mpl/{fonts().name}"]
    line += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/tmp"]
    line += [program, "-sSB", "/grader/child.py", system_calls().hex()]
    return [*line, "/grader/with", *packages]


# System calls that student's code has no need of: new processes, memory outside its limits, doors
# into the kernel. Numbers on x86_64 and aarch64. clone is allowed for threads, socket for the
# families that a network namespace holds back: not, for one, for the sockets of virtual machines.
ARCHITECTURES = {
    "x86_64": (0xC000003E, 56, 41, {
        "fork": 57, "vfork": 58, "execve": 59, "execveat": 322, "ptrace": 101, "shmget": 29,
        "msgget": 68, "semget": 64, "memfd_create": 319, "memfd_secret": 447, "keyctl": 250,
        "add_key": 248, "request_key": 249, "bpf": 321, "perf_event_open": 298, "userfaultfd": 323,
        "io_uring_setup": 425, "unshare": 272, "setns": 308, "mount": 165, "pivot_root": 155,
        "process_vm_readv": 310, "process_vm_writev": 311, "name_to_handle_at": 303,
        "open_by_handle_at": 304,
    }),
    "aarch64": (0xC00000B7, 220, 198, {
        "execve": 221, "execveat": 281, "ptrace": 117, "shmget": 194, "msgget": 186,
        "semget": 190, "memfd_create": 279,
        "memfd_secret": 447, "keyctl": 219, "add_key": 217, "request_key": 218, "bpf": 280,
        "perf_event_open": 241, "userfaultfd": 282, "io_uring_setup": 425, "unshare": 97,
        "setns": 268, "mount": 40, "pivot_root": 41, "process_vm_readv": 270,
        "process_vm_writev": 271, "name_to_handle_at": 264, "open_by_handle_at": 265,
    }),
}  # fmt: skip
CLONE3, CLONE_THREAD = 435, 0x10000
FAMILIES = 1, 2, 10             # Unix, IPv4, IPv6
ALLOW, KILL, DENIED, UNKNOWN = 0x7FFF0000, 0x80000000, 0x50001, 0x50000 | 38   # EPERM, ENOSYS


@functools.cache
def system_calls():
    """A filter of system calls for child.py (seccomp, classic BPF); b"" for unknown processors."""
    if platform.machine() not in ARCHITECTURES:
        return b""
    architecture, clone, socket, denied = ARCHITECTURES[platform.machine()]
    load, equal, either, done = 0x20, 0x15, 0x45, 0x06
    program = [         # (operation, steps to skip if so, if not, value)
        (load, 0, 0, 4), (equal, 1, 0, architecture), (done, 0, 0, KILL),
        (load, 0, 0, 0), (equal, 0, 1, CLONE3), (done, 0, 0, UNKNOWN),
        (equal, 0, 4, clone), (load, 0, 0, 16), (either, 1, 0, CLONE_THREAD),
        (done, 0, 0, DENIED), (done, 0, 0, ALLOW),
        (equal, 0, 6, socket), (load, 0, 0, 16),
        *((equal, 3 - n, 0, family) for n, family in enumerate(FAMILIES)),
        (done, 0, 0, DENIED), (done, 0, 0, ALLOW),
    ]  # fmt: skip
    if platform.machine() == "x86_64":
        program += [(0x35, 0, 1, 0x40000000), (done, 0, 0, DENIED)]      # the x32 calls
    for number in denied.values():
        program += [(equal, 0, 1, number), (done, 0, 0, DENIED)]
    program.append((done, 0, 0, ALLOW))
    return b"".join(struct.pack("=HBBI", *step) for step in program)


class Process:
    """A running child.py. `send` and `receive` take a deadline, in seconds of time.monotonic()."""

    def __init__(self, mode="bwrap"):
        self.folder = None
        self.rest = b""
        if mode == "bwrap":
            self._start(bubblewrap(), env={"PATH": os.environ.get("PATH", os.defpath)})
        else:
            self._start_bare()

    def _start_bare(self):
        program, _, packages, byhand = python()
        self.folder = tempfile.TemporaryDirectory(prefix="classroom-")
        own = {"HOME": self.folder.name, "TMPDIR": self.folder.name,
               "MPLCONFIGDIR": str(fonts().parent) if fonts() else self.folder.name}
        self._start([program, "-sSB", str(HERE / "child.py"), system_calls().hex(),
                     str(byhand.parent), *packages], env=ENVIRONMENT | own, cwd=self.folder.name)

    def _start(self, line, **how):
        try:
            self.process = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                            stderr=subprocess.PIPE, start_new_session=True, **how)
        except OSError as error:
            raise Unavailable(f"the sandbox doesn't start here: {error}") from None
        self.orders, self.answers = self.process.stdin.fileno(), self.process.stdout.fileno()
        os.set_blocking(self.orders, False)
        os.set_blocking(self.answers, False)
        try:
            self.receive(time.monotonic() + STARTUP)
        except (Died, TimeUp):
            self.process.kill()
            said = self.process.stderr.read(CHUNK).decode("utf-8", "replace").strip()
            self.close()
            said = said.splitlines()[-1] if said else "no answer"
            raise Unavailable(f"the sandbox doesn't start here: {said}") from None

    def send(self, message, deadline):
        """Send a message; raises TimeUp or Died."""
        line = memoryview(wire.pack(message))
        while line:
            self._wait(self.orders, selectors.EVENT_WRITE, deadline)
            try:
                line = line[os.write(self.orders, line[:CHUNK]):]
            except BlockingIOError:
                continue
            except OSError:
                raise Died(ENDED) from None

    def receive(self, deadline):
        """The next message; raises TimeUp or Died."""
        parts, size = [self.rest], len(self.rest)
        while b"\n" not in parts[-1]:
            self._wait(self.answers, selectors.EVENT_READ, deadline)
            try:
                part = os.read(self.answers, CHUNK)
            except BlockingIOError:
                continue
            if not part:
                raise Died(ENDED)
            parts.append(part)
            size += len(part)
            if size > wire.LARGEST + CHUNK:
                raise Died("it sent too much")
        line, _, self.rest = b"".join(parts).partition(b"\n")
        try:
            return wire.unpack(line)
        except wire.Malformed:
            raise Died("it wrote into the grader's own channel") from None

    @staticmethod
    def _wait(number, event, deadline):
        left = deadline - time.monotonic()
        if left > 0:
            with selectors.PollSelector() as selector:
                selector.register(number, event)
                if selector.select(left):
                    return
        raise TimeUp()

    def close(self):
        """End the process and all that it started; return when they are gone.

        It ends by itself when its orders end. If it doesn't, what bwrap started is killed first, so
        that bwrap can bury it: an orphan would stay in the process table of a bare container.
        """
        self.process.stdin.close()
        if not self._ended_within(GRACE):
            for stop in (self._kill_inside, self._kill_all):
                with contextlib.suppress(OSError):
                    stop()
                if self._ended_within(1):
                    break
        try:
            self.process.wait(1)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(OSError):
                self._kill_all()
            self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()
        if self.folder:
            self.folder.cleanup()

    def _kill_inside(self):
        """Kill the first process inside the sandbox: all others in it end with it."""
        number = self.process.pid
        for inside in Path(f"/proc/{number}/task/{number}/children").read_text().split():
            os.kill(int(inside), signal.SIGKILL)

    def _kill_all(self):
        os.killpg(self.process.pid, signal.SIGKILL)

    def _ended_within(self, seconds):
        """Read until nobody holds the other end of the pipe any more, for so long at most."""
        deadline = time.monotonic() + seconds
        try:
            while True:
                self._wait(self.answers, selectors.EVENT_READ, deadline)
                if not os.read(self.answers, CHUNK):
                    return True
        except (TimeUp, OSError):
            return False
