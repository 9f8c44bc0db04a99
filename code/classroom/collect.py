"""Who is in the class, and what each of them handed in.

The roster is a CSV file. Submissions are a folder, or a zip as Canvas, Moodle or anyone's computer
makes it. A zip is never unpacked to the disk: its entries are read in memory, one at a time, within
limits. What can't be used is noted and passed over; it never stops the rest.

How file names carry the student:

- `s001/anything.ipynb`, `s001/01-one-neuron/anything.ipynb`, `s001.ipynb`: the name on the roster.
- Canvas, "Download submissions" (lib/content_zipper.rb of instructure/canvas-lms):
  `lastfirst_LATE_USER_FILE_name.ipynb`, without `LATE_` if in time; `anon_CODE_FILE_name.ipynb` in
  an anonymous assignment. Canvas adds -1, -2 … to the name of a file handed in again.
- Moodle, "Download all submissions" (mod/assign/classes/downloader.php of moodle/moodle):
  `First Last_NUMBER_assignsubmission_file/name.ipynb`, in older versions `…_file_/name.ipynb`, and
  without folders `First Last_NUMBER_assignsubmission_file_name.ipynb`.
"""

import contextlib
import csv
import io
import os
import re
import stat
import unicodedata
import zipfile
import zlib
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from . import notebook

MOST_FILES = 20_000                 # in one archive or folder
MOST_BYTES = 20 * 2**30             # unpacked, all together
SHOWN = 5                           # names of files in a note
TIGHTEST = 500                      # times smaller than unpacked: no honest notebook is
COLUMNS = "student", "name", "email", "canvas", "moodle", "section"
SAFE = re.compile(r"\w(?:[\w@.+ -]{0,78}[\w@+-])?")     # an id that is a file name everywhere
EXPECTED = "expected a folder or a zip of submissions"
PASSED_OVER = {"__MACOSX", ".ipynb_checkpoints", ".DS_Store", "Thumbs.db", "desktop.ini"}

MOODLE = re.compile(r"(?P<name>[^_]*)_(?P<who>\d+)_assignsubmission_[a-z]+_?(?P<title>.*)")
CANVAS = re.compile(r"(?P<name>.*?)_(?P<late>LATE_)?(?P<who>\d+)_(?P<file>\d+)_(?P<title>.+)")
ANONYMOUS = re.compile(r"(?P<late>LATE_)?anon_(?P<who>[^_]+)_(?P<file>\d+)_(?P<title>.+)")


class BadInput(ValueError):
    """What a command was given can't be used; the message is one line for the teacher."""


class Refused(BadInput):
    """The command could be carried out, but would do harm; the message says how to go on."""


@dataclass
class Student:
    """One student, as the roster has it; listed is false for one who isn't on the roster."""

    id: str
    name: str = ""
    email: str = ""
    canvas: str = ""
    moodle: str = ""
    section: str = ""
    listed: bool = True


@dataclass
class File:
    """A file that was handed in: its path in the folder or archive, and how to get its bytes."""

    path: tuple
    read: object
    size: int
    time: datetime | None = None
    fault: str = ""             # why its bytes can't be had, to the student
    kind: str = "plain"         # or "canvas", "moodle"
    who: str = ""               # the student's name or number there
    name: str = ""
    title: str = ""             # the file's own name
    number: int = 0             # Canvas counts its files: a later one has a larger number
    late: bool = False


@dataclass
class Submission:
    """What is graded of one student; `read` gives its bytes, or `fault` says why it can't."""

    student: Student
    file: str | None = None
    read: object = None
    attempt: int = 0
    attempts: int = 0
    submitted: str | None = None
    late: bool = False
    fault: str = ""
    notes: list = field(default_factory=list)
    aliases: set = field(default_factory=set)   # what it would be called off the roster


# The roster


def rows(path, largest=notebook.LARGEST):
    """The columns of a CSV file, in lower case, and its rows as [(line number, {column: text})].

    Commas, semicolons or tabs, a byte order mark and any line ends are accepted, as Excel writes
    them. Raises BadInput, which names the line, for text that is not UTF-8 or no CSV, or for a row
    with more cells than the header.
    """
    path = Path(path)
    with open(path, "rb") as file:
        raw = file.read(largest + 1)
    if len(raw) > largest:
        raise BadInput(f"{path}: expected a table of at most {largest // 2**20} MB")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise BadInput(
            f"{path}, line {line}: expected text in UTF-8 (in Excel: save as 'CSV UTF-8')"
        ) from None
    first = text.lstrip().split("\n", 1)[0]
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=max(";,\t", key=first.count), strict=True
    )
    header, found = None, []
    try:
        for row in reader:
            row = [cell.strip() for cell in row]
            if not any(row) or (header is None and row[0].lower().startswith("sep=")):
                continue
            if header is None:
                header = [name.lower() for name in row]
            elif any(row[len(header):]):
                raise BadInput(f"{path}, line {reader.line_num}: expected {len(header)} cells as "
                               f"in the first line, got {len(row)}; text with a comma needs quotes")
            else:
                found.append((reader.line_num, dict(zip(header, row + [""] * len(header)))))
    except csv.Error as error:
        raise BadInput(f"{path}, line {reader.line_num}: no CSV ({error})") from None
    if header is None:
        raise BadInput(f"{path}: expected a first line with names of columns, found nothing")
    return header, found


def read_roster(path):
    """The students of a roster in its order: columns student (the id), and if there are any name,
    email, canvas (the number of the student's Canvas account), moodle (for students of one name:
    the number in the file names of this assignment's archive), section. Other columns are passed
    over.

    Raises BadInput with the line number for an id that is empty, twice there, or no file name.
    """
    header, found = rows(path)
    if "student" not in header:
        # Its first line isn't shown: it may be the course's secret.
        raise BadInput(f"{path}: expected a column 'student' in its first line, found none")
    students, seen = [], {}
    for line, row in found:
        values = {name: unicodedata.normalize("NFC", row.get(name, "")) for name in COLUMNS}
        name = values.pop("student")
        if not name:
            raise BadInput(f"{path}, line {line}: the student's id is empty")
        if not SAFE.fullmatch(name):
            raise BadInput(
                f"{path}, line {line}: expected an id of letters, digits and @ . _ + - (it becomes "
                f"the name of a file), got {name[:80]!r}"
            )
        for key in filter(None, [("id", name.casefold()), *own_numbers(values)]):
            if key in seen:
                raise BadInput(
                    f"{path}, line {line}: the {key[0]} {key[1]!r} stands in line {seen[key]}, too"
                )
            seen[key] = line
        students.append(Student(name, **values))
    if not students:
        raise BadInput(f"{path}: expected at least one student, found none")
    return students


def own_numbers(values):
    """What no two students may share, if it is there."""
    return [(f"{kind} number", values[kind]) for kind in ("canvas", "moodle") if values[kind]]


# Files of a folder or an archive


def files(source):
    """All files handed in, in a fixed order, and notes for the teacher on what was passed over.

    source: a folder or a zip. Raises BadInput if it is neither, OSError if it can't be read.
    """
    source = Path(source)
    if source.is_dir():
        found, notes = in_folder(source)
    elif source.suffix.lower() == ".ipynb":
        raise BadInput(f"{source}: {EXPECTED}, got a notebook")
    else:
        found, notes = in_zip(source)
    for file in found:
        name_parts(file)
    return sorted(found, key=lambda file: natural("/".join(file.path))), notes


def in_folder(folder):
    """The files at most two folders deep; links and special files are noted, never followed."""
    found, notes = [], []

    def visit(place, parts):
        with os.scandir(place) as entries:
            entries = sorted(entries, key=lambda entry: entry.name)
        for entry in entries:
            path = (*parts, entry.name)
            shown = printable("/".join(path))
            if entry.name in PASSED_OVER or entry.name.startswith("."):
                continue
            try:
                about = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(about.st_mode):
                    if len(path) <= 2:
                        visit(entry.path, path)
                    else:
                        notes.append(f"{shown}/: folders this deep are not looked into")
                elif stat.S_ISREG(about.st_mode):
                    found.append(plain_file(entry.path, path, about))
                else:
                    notes.append(f"{shown}: a link or no ordinary file, not read")
            except OSError as error:
                notes.append(f"{shown}: can't be read ({error.strerror})")
            if len(found) > MOST_FILES:
                raise BadInput(f"{folder}: expected at most {MOST_FILES} files, found more")

    visit(folder, ())
    return found, notes


def plain_file(place, path, about):
    """A file of a folder. Its time is its own; in nbgrader's layout, student/set/file, what the
    timestamp.txt beside it says, which nbgrader writes. Elsewhere a student may have written it."""
    when = datetime.fromtimestamp(about.st_mtime).astimezone()
    stamp = Path(place).with_name("timestamp.txt")
    if len(path) == 3 and stamp.is_file() and not stamp.is_symlink():
        text = stamp.read_bytes()[:40].decode("ascii", "replace")
        with contextlib.suppress(ValueError):
            # nbgrader writes UTC unless told another zone, which it then names.
            when = datetime.fromisoformat(text[:19] + "+00:00")
    return File(path, lambda: notebook.read(place), about.st_size, when)


def in_zip(archive):
    """The entries of a zip that are files and have sound names."""
    with open(archive, "rb") as file:       # for a clear OSError if there is no such file
        if not file.read(1):
            raise BadInput(f"{archive}: {EXPECTED}, got an empty file")
    try:
        opened = zipfile.ZipFile(archive)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError, OverflowError):
        raise BadInput(f"{archive}: {EXPECTED}, got another file or a broken zip") from None
    entries = opened.infolist()
    if len(entries) > MOST_FILES:
        raise BadInput(f"{archive}: expected at most {MOST_FILES} files, found {len(entries)}")
    if sum(entry.file_size for entry in entries) > MOST_BYTES:
        raise BadInput(f"{archive}: unpacked it has more than {MOST_BYTES // 2**30} GB")
    found, notes, seen = [], [], set()
    for entry in entries:
        name = entry_name(entry)
        parts = tuple(part for part in name.split("/") if part not in ("", "."))
        shown = printable(name)
        if entry.is_dir() or name.endswith("/") or not parts:
            continue
        if name.startswith("/") or ".." in parts or re.match(r"[A-Za-z]:", name):
            notes.append(f"{shown}: a path that leads out of the archive, not read")
        elif stat.S_ISLNK(entry.external_attr >> 16):
            notes.append(f"{shown}: a link, not read")
        elif PASSED_OVER & set(parts) or parts[-1].startswith("."):
            continue
        else:
            if parts in seen:
                notes.append(f"{shown}: stands twice in the archive; both count as handed in")
            seen.add(parts)
            found.append(zip_file(opened, entry, parts))
    return without_common_folder(found), notes


def entry_name(entry):
    """The entry's name as text: many programs store UTF-8 without saying so."""
    name = entry.filename
    if not entry.flag_bits & 0x800:
        try:
            name = name.encode("cp437").decode("utf-8")
        except UnicodeError:
            pass                        # then it is cp437, as the standard says
    return unicodedata.normalize("NFC", name.replace("\\", "/"))


def zip_file(opened, entry, parts):
    """A file of an archive; whatever is wrong with it is found out without unpacking it."""
    fault = ""
    if entry.flag_bits & 1:
        fault = "The file in the archive is encrypted, so it can't be read."
    elif entry.file_size > notebook.LARGEST:
        fault = f"The file has {entry.file_size / 2**20:.0f} MB; at most 10 MB are read."
    elif entry.file_size > 2**20 and entry.file_size > TIGHTEST * max(entry.compress_size, 1):
        fault = "The file in the archive is packed as no notebook is, so it isn't read."

    def read():
        try:
            with opened.open(entry) as file:
                return file.read(notebook.LARGEST + 1)
        except Exception as error:      # zlib, lzma, RuntimeError, NotImplementedError …
            raise OSError(f"broken in the archive ({type(error).__name__})") from None

    try:
        when = datetime(*entry.date_time)       # says no zone: that of the deadline is taken
    except ValueError:
        when = None
    return File(parts, read, entry.file_size, when, fault)


def without_common_folder(found):
    """Without the folder that holds all of the class's folders, if someone zipped that one."""
    tops = {file.path[0] for file in found}
    inner = {file.path[1] for file in found if len(file.path) > 2 and is_notebook(file.path[-1])}
    if len(tops) == 1 and len(inner) > 1 and not MOODLE.fullmatch(next(iter(tops))):
        for file in found:
            file.path = file.path[1:] if len(file.path) > 1 else file.path
    return found


def is_notebook(name):
    return name.lower().endswith(".ipynb")


def count(number, what):
    """1 notebook, 2 notebooks."""
    return f"{number} {what}{'s' * (number != 1)}"


def printable(text):
    """A name for a message: cut, and without signs that can't be shown."""
    return "".join(c if c.isprintable() else "?" for c in text)[:160]


def shown(file):
    return printable("/".join(file.path))


def natural(text):
    """A key that puts hw-2 before hw-10."""
    return [(int(part[:18]), "") if part.isdecimal() else (0, part.casefold())
            for part in re.split(r"(\d+)", text)], text


def name_parts(file):
    """Fill in what the path says of the student."""
    first, alone = unicodedata.normalize("NFC", file.path[0]), len(file.path) == 1
    file.title = file.path[-1]
    if match := MOODLE.fullmatch(first):
        file.kind, file.who, file.name = "moodle", match["who"], match["name"].strip()
        file.title = match["title"] if alone else file.title
    elif alone and (match := ANONYMOUS.fullmatch(first) or CANVAS.fullmatch(first)):
        file.kind, file.who, file.late = "canvas", match["who"], bool(match["late"])
        file.name = match.groupdict().get("name", "")
        file.title, file.number = match["title"], int(match["file"][:18])
    else:
        file.who = os.path.splitext(first)[0] if alone else first
        return
    file.time = None        # such an archive has the time of the download, not of handing in


# Who handed in what


def letters(name):
    return re.sub(r"[\W_\d]", "", unicodedata.normalize("NFC", name).casefold())


def ways_to_write(name):
    """Anna Maria Berg is annamariaberg to Moodle, and mariabergannna or bergannamaria to Canvas."""
    words = [letters(word) for word in name.replace(",", " ").split()]
    return {"".join(words[i:] + words[:i]) for i in range(len(words))} - {""}


def match(found, roster):
    """{(kind, who): Student} for all files: by id or Canvas's number, else by a name that only one
    has.

    Two accounts with one student's name, or one name of two students, are no match. Moodle's number
    is another in each assignment, so it only decides between students of one name.
    """
    owners = {}
    for file in found:
        owners.setdefault((file.kind, file.who), file.name)
    direct, names = {}, {}
    for student in roster or []:
        direct["plain", student.id.casefold()] = student
        for kind in "canvas", "moodle":
            if getattr(student, kind):
                direct[kind, getattr(student, kind).casefold()] = student
        for way in ways_to_write(student.name):
            names.setdefault(way, []).append(student)
    matched = {}
    for (kind, who), name in owners.items():
        student = direct.get((kind, who.casefold()))
        same = names.get(letters(name), [])
        if kind == "moodle" and student not in same:
            student = None
        if not student and kind != "plain":
            same = [s for s in same if kind == "moodle" or not s.canvas]
            so_called = [k for (k, _), other in owners.items() if letters(other) == letters(name)]
            student = same[0] if len(same) == 1 and so_called.count(kind) == 1 else None
        matched[kind, who] = student or stranger(kind, who, name, bool(roster))
    return matched


def stranger(kind, who, name, roster):
    """A student of whom only the file tells: nobody is lost for not being on the roster."""
    made = who if kind == "plain" else f"{kind}-{who}"
    if not SAFE.fullmatch(made):
        made = re.sub(r"[^\w@+-]+", "-", made).strip("-@+.")[:60] or "unnamed"
        made = f"{made}-{zlib.crc32(who.encode('utf-8', 'replace')):08x}"   # odd names stay apart
    return Student(made, name, listed=not roster)


def collect(source, problem_set, roster=None, deadline=None, attempts="last"):
    """One Submission a student, of the roster first, and notes for the teacher.

    Of several notebooks those whose name begins like the problem set's count, if there are any:
    01-one-neuron_v2.ipynb, 01-one-neuron (1).ipynb. Among them,
    attempts="last" takes the last one handed in before the deadline (a datetime with a zone), or
    the last of all if none was; "first" takes the first. Attempts are ordered by their time, then
    by their names; Canvas's by its numbers. Late is what Canvas marks so, or what was handed in
    after the deadline: of a plain folder, nbgrader's timestamp.txt or the file's time of change is
    looked at. Archives of Canvas and Moodle don't hold that time. No marks are taken off.

    Raises BadInput if there is no notebook, or if nothing belongs to anyone on the roster.
    """
    found, notes = files(source)
    if not any(is_notebook(file.title) for file in found):
        got = f"{count(len(found), 'file')} and none of them" if found else "none"
        raise BadInput(f"{source}: expected submissions (notebooks, .ipynb), found {got}")
    matched = match(found, roster)
    ids = {student.id.casefold() for student in roster or []}
    if roster and not any(student.id.casefold() in ids for student in matched.values()):
        raise BadInput(f"{source}: {count(len(found), 'file')}, and none belongs to anyone on the "
                       f"roster; its first file is {shown(found[0])}")
    handed_in = {}
    for file in found:
        student = matched[file.kind, file.who]
        if file.kind == "canvas" and file.who.isdecimal() and not student.canvas:
            student = matched[file.kind, file.who] = replace(student, canvas=file.who)
        handed_in.setdefault(student.id.casefold(), (student, []))[1].append(file)
    made = []
    for student in roster or []:
        student, own = handed_in.pop(student.id.casefold(), (student, []))
        made.append(chosen(student, own, problem_set, deadline, attempts))
        made[-1].aliases = {stranger(f.kind, f.who, f.name, True).id for f in own} - {student.id}
    for key in sorted(handed_in, key=natural):
        student, own = handed_in[key]
        if roster:
            notes.append(f"{shown(own[0])}: matches nobody on the roster; graded as {student.id}")
        made.append(chosen(student, own, problem_set, deadline, attempts))
    timeless = [s for s in made if s.file and deadline and not s.submitted and not s.late]
    if timeless:
        say = "submission doesn't say when it was" if len(timeless) == 1 else \
            "submissions don't say when they were"
        notes.append(
            f"{len(timeless)} {say} handed in, so the deadline was not applied there (archives of "
            "Canvas and Moodle have no such time)"
        )
    return made, notes


def chosen(student, own, problem_set, deadline, attempts):
    """The Submission of one student, from all files that are theirs."""
    ours = re.compile(re.escape(problem_set) + r"(?!-checkpoint)(\d+|[\W_].*)?\.ipynb", re.I)
    books = [file for file in own if is_notebook(file.title)]
    books = [file for file in books if ours.fullmatch(file.title)] or books
    if not books:
        others = [file for file in own if file.title != "timestamp.txt"]
        if not others:
            return Submission(student)
        names = ", ".join(printable(file.title) for file in others[:3])
        return Submission(
            student, shown(others[0]), attempt=1, attempts=1, late=others[0].late,
            fault=f"Expected a notebook (a file that ends in .ipynb), and got {names}.",
        )  # fmt: skip
    books.sort(key=lambda file: (file.number, *since(file, deadline), natural(file.title)))
    in_time = [file for file in books if not is_late(file, deadline)]
    file = books[0] if attempts == "first" else (in_time or books)[-1]
    notes = []
    if len(books) > 1:
        late = [book for book in books if book not in in_time] if file in in_time else []
        others = [printable(book.title) + " (late)" * (book in late and attempts == "last")
                  for book in books if book is not file]
        more = f" and {len(others) - SHOWN} more" if len(others) > SHOWN else ""
        notes.append(
            f"You handed in {len(books)} notebooks; this is about {printable(file.title)}. Not "
            f"looked at: {', '.join(others[:SHOWN])}{more}."
        )
    return Submission(
        student, shown(file), file.read, books.index(file) + 1, len(books),
        file.time.isoformat() if deadline and file.time else None,
        is_late(file, deadline), file.fault, notes,
    )  # fmt: skip


def since(file, deadline):
    """A key to order attempts by: their time, where there is one."""
    if not file.time:
        return (0,)
    zone = deadline.tzinfo if deadline else None
    return (1, (file.time if file.time.tzinfo else file.time.replace(tzinfo=zone)).timestamp())


def is_late(file, deadline):
    if not deadline or not file.time:
        return file.late
    time = file.time if file.time.tzinfo else file.time.replace(tzinfo=deadline.tzinfo)
    return file.late or time > deadline
