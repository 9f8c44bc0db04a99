"""What teacher and students read of a batch: gradebook, sheet for marks by hand, feedback, summary.

Everything here is made from the records and from manual.json, so it can be made again at any time.
Students' words go into HTML escaped, and into tables so that no program takes them for a formula.
"""

import csv
import hashlib
import html
import io
import math
import re
from collections import Counter

from . import notebook
from .collect import BadInput, Refused, count, rows

SHOWN = 4000            # characters of a student's output or answer
LARGEST = 500 * 2**20   # bytes of a sheet
CELL = 30_000           # characters in a cell of a table; Excel takes 32,767
SHEET = "student", "name", "task", "title", "answer", "maximum", "score", "comment"
WITHDRAWN = "-"         # as a score: the mark is taken back
FORMULA = re.compile(r"\s*[=+\-@\uff0b\uff0d\uff1d\uff20|%]")       # OWASP, "CSV Injection"
STATUS = {
    "graded": "Your notebook was run and tested.",
    "stopped": "Your code was stopped: it took too long or it crashed. Tasks that could be tested "
    "without the part in question were tested.",
    "unreadable": "Your file can't be read as a notebook, so nothing could be tested.",
    "missing": "Nothing was handed in.",
    "grader error": "The grader failed on your notebook. That is no fault of yours, and the points "
    "below are not final: your teacher has been told.",
}
OUTCOME = {
    "passed": "✓ passed",
    "failed": "✗ not passed",
    "not run": "– not run",
    "grader error": "! the grader failed",
}


# Points


def points(number):
    """3, 2.5 or nothing at all for None."""
    return "" if number is None else f"{number:.10g}"


def digest(text):
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


class Result:
    """A record and the marks given by hand, added up.

    tasks: {task: points, or None while they are not known}; score: what is known of them; maximum;
    unmarked: manual tasks without a mark that counts; changed: those whose answer is another than
    when it was marked; above: those whose mark is above the maximum, which a new master may have
    lowered; stray: marks for tasks that are no longer there; final: whether nothing is missing.
    """

    def __init__(self, record, marks):
        self.record, self.marks = record, marks
        self.nothing = record["status"] in ("missing", "unreadable")
        self.failed = record["status"] == "grader error"
        self.tasks, self.unmarked, self.changed, self.above = {}, [], [], []
        self.maximum = float(record["maximum"])
        for task in record["tasks"]:
            unknown = any(test["outcome"] == "grader error" for test in task["tests"])
            self.failed |= unknown
            self.tasks[task["task"]] = None if unknown else float(task["score"])
        for item in record["manual"]:
            self._add_mark(item, marks.get(item["id"]))
        self.stray = sorted(set(marks) - {item["id"] for item in record["manual"]})
        self.score = sum(number for number in self.tasks.values() if number)
        self.final = not self.failed and not self.unmarked

    def _add_mark(self, item, mark):
        name = "-".join(item["id"].split("-")[:2])
        self.maximum += item["maximum"]
        number = mark["score"] if mark else 0.0 if self.nothing else None
        if mark and mark.get("answer") != digest(item["answer"]):
            self.changed.append(item["id"])
            number = None
        elif mark and number > item["maximum"]:
            self.above.append(item["id"])
            number = None
        if number is None:
            self.unmarked.append(item["id"])
        known = self.tasks.get(name, 0.0)
        self.tasks[name] = None if number is None or known is None else known + number

    def notes(self):
        """What the gradebook says in its last column."""
        found = [*self.record["submission"]["notes"], *self.record["notes"]]
        if new := [name for name in self.unmarked if name not in self.marks]:
            found.append(f"to be marked by hand: {', '.join(new)}")
        if self.changed:
            found.append(f"the answer has changed since it was marked: {', '.join(self.changed)}")
        if self.above:
            found.append(f"to be marked again: {', '.join(self.above)}")
        if self.stray:
            found.append(f"a mark for what is no task any more: {', '.join(self.stray)}")
        return found


def joined(notes):
    """Notes in a line, whether they are sentences or not."""
    return "; ".join(note.strip().rstrip(".") for note in notes)


def results(folder):
    marks = folder.marks()
    return [Result(record, marks.get(record["student"], {})) for record in folder.all_records()]


# Tables


def text_cell(text):
    """Text for a cell of a table; an apostrophe keeps it from being taken for a formula."""
    text = plain(str(text))
    if len(text) > CELL:
        text = text[:CELL] + " … (cut)"
    return f"'{text}" if FORMULA.match(text) else text


def plain(text):
    """Text without control characters, which HTML and tables don't allow."""
    return "".join(c if c in "\n\t" or c.isprintable() or c == "\u00ad" else " " for c in text)


def table(header, lines, mark=True):
    """A CSV file as bytes; with a mark that makes Excel read it as UTF-8, unless mark is false."""
    made = io.StringIO(newline="")
    writer = csv.writer(made, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(lines)
    return made.getvalue().encode("utf-8-sig" if mark else "utf-8", "replace")


def gradebook(about, found):
    """grades.csv: one line a student. A score that is not known is empty, never 0."""
    names = [task["task"] for task in about["tasks"]]
    header = ["student", "name", "status", "score", "maximum", *names, "late", "note"]
    lines = [
        [
            text_cell(result.record["student"]), text_cell(result.record["name"]),
            result.record["status"],
            "" if result.failed else points(result.score), points(result.maximum),
            *[points(result.tasks.get(name)) for name in names],
            "late" if result.record["submission"]["late"] else "",
            text_cell(joined(result.notes())),
        ]
        for result in found
    ]  # fmt: skip
    return table(header, lines)


def sheet(found, filled_in):
    """manual.csv: one line for each answer that a person must mark, task by task.

    filled_in: {(student, task): (score, comment)} that stand in the sheet but aren't merged yet.
    """
    lines = []
    for result in found:
        record = result.record
        for item in record["manual"]:
            mark = result.marks.get(item["id"], {})
            if result.nothing and not mark:
                continue
            score, comment = points(mark.get("score")), mark.get("comment", "")
            score, comment = filled_in.get((record["student"], item["id"]), (score, comment))
            lines.append([
                text_cell(record["student"]), text_cell(record["name"]), text_cell(item["id"]),
                text_cell(item["title"]), text_cell(item["answer"]), points(item["maximum"]),
                score, text_cell(comment),
            ])  # fmt: skip
    return table(SHEET, sorted(lines, key=lambda line: line[2]))


def bare(text):
    """The text that text_cell was given."""
    return text[1:] if text[:1] == "'" and FORMULA.match(text[1:]) else text


def filled_in(path):
    """The scores and comments in a sheet, as they stand there."""
    if not path.exists():
        return {}
    header, lines = rows(path, LARGEST)
    if not {"student", "task", "score"} <= set(header):
        raise BadInput(f"{path}: not a sheet for marks")
    found = {}
    for _, line in lines:
        score, comment = line["score"], bare(line.get("comment", ""))
        if score or comment:
            found[bare(line["student"]), bare(line["task"])] = (score, comment)
    return found


def read_marks(folder, path):
    """The marks in a filled-in sheet: {student: {task: {"score", "comment", "answer"}}}, or None
    in place of a mark that a score - withdraws.

    Lines without a score are passed over. Raises BadInput for a file that is no such sheet, Refused
    with the row for a student or task that isn't in the batch, a score that is no number from 0 to
    the maximum, or two rows on one answer: then no mark is taken.
    """
    header, lines = rows(path, LARGEST)
    if lacking := {"student", "task", "score"} - set(header):
        raise BadInput(f"{path}: expected columns student, task, score; {min(lacking)} is missing")
    records = {record["student"]: record for record in folder.all_records()}
    found, seen, faults = {}, {}, []
    for row, (_, line) in enumerate(lines, 2):      # as a spreadsheet counts; answers have lines
        student, task = bare(line["student"]), bare(line["task"])
        comment, given = bare(line.get("comment", "")), bare(line["score"])
        where = f"{student[:80]}, {task[:80]} (row {row})"
        if not given:
            if comment:
                faults.append(f"{where}: a comment without a score")
            continue
        try:
            item = next(i for i in records[student]["manual"] if i["id"] == task)
        except KeyError:
            faults.append(f"{where}: there is no such student in this batch")
            continue
        except StopIteration:
            faults.append(f"{where}: this is no task marked by hand")
            continue
        score = as_number(given)
        if given != WITHDRAWN and (score is None or not 0 <= score <= item["maximum"]):
            faults.append(f"{where}: expected a score from 0 to {points(item['maximum'])}, got "
                          f"{given[:40]!r}")
        elif (student, task) in seen:
            faults.append(f"{where}: it stands in row {seen[student, task]}, too")
        else:
            seen[student, task] = row
            mark = {"score": score, "comment": comment, "answer": digest(item["answer"])}
            found.setdefault(student, {})[task] = None if given == WITHDRAWN else mark
    if faults:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise Refused(f"{path}: {faults[0]}{more}; nothing was merged")
    return found


def as_number(text):
    """2.5 for "2.5" or "2,5"; None for what is no finite number."""
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


# What a mended test changes


def changes(folder, old, records):
    """Lines that say whose score changes, from what to what, in which test and why.

    old: {student: record}; records: the new ones. Marks by hand are the same, but one may no
    longer count.
    """
    marks, lines = folder.marks(), []
    for record in records:
        student = record["student"]
        own = marks.get(student, {})
        before, after = Result(old[student], own), Result(record, own)
        found = changed_tests(old[student], record)
        found += [f"{name}: to be marked again" for name in after.unmarked
                  if name not in before.unmarked]
        if old[student]["status"] != record["status"]:
            found.insert(0, f"{old[student]['status']} → {record['status']}")
        if before.score != after.score or before.maximum != after.maximum or found:
            name = f" ({record['name']})" if record["name"] else ""
            lines.append(f"{student}{name}: {before_and_after(before, after)}; "
                         + ("; ".join(found) or "no test has another result"))
    head = f"{len(lines)} of {len(records)} students have another result" + ":" * bool(lines)
    return [head, *lines]


def before_and_after(before, after):
    old, new = ("not known" if r.failed else points(r.score) for r in (before, after))
    changed = f" (of {points(before.maximum)})" if before.maximum != after.maximum else ""
    return f"{old}{changed} → {new} of {points(after.maximum)}"


def changed_tests(old, new):
    tests = [{test["id"]: test for task in record["tasks"] for test in task["tests"]}
             for record in (old, new)]
    found = []
    for name in dict.fromkeys([*tests[0], *tests[1]]):
        one, two = (side.get(name) for side in tests)
        if not one or not two:
            found.append(f"{name}: {'new' if two else 'no longer there'}")
        elif (one["outcome"], one["score"]) != (two["outcome"], two["score"]):
            said = two["message"] or one["message"]
            why = f" ({' '.join(plain(said).split())[:200]})" if said else ""
            found.append(f"{name}: {points(one['score'])} {one['outcome']} → "
                         f"{points(two['score'])} {two['outcome']}{why}")
    return found


# Pages

STYLE = """
:root { color-scheme: light dark; --line: #8886; --soft: #8882; --good: #1a7f37; --bad: #b3261e;
  --link: #0b57d0; background: #fff; color: #1b1b1b; }
@media (prefers-color-scheme: dark) { :root { --good: #57c26f; --bad: #ff8a80; --link: #a8c7fa;
  background: #141414; color: #ececec; } }
a { color: var(--link); }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 46rem; margin: 0 auto; padding: 1rem;
  overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.2; } h2 { font-size: 1.2rem; margin-top: 2rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; overflow-wrap: normal;
  border-bottom: 1px solid var(--line); }
td.number, th.number { text-align: right; white-space: nowrap; }
.score { font-size: 1.3rem; font-weight: 600; }
.passed { color: var(--good); } .failed { color: var(--bad); } .outcome { font-weight: 600; }
pre { white-space: pre-wrap; background: var(--soft); padding: .6rem; border-radius: .3rem; }
svg { max-width: 100%; height: auto; }
"""


def escape(text):
    return html.escape(plain(str(text)))


def page(title, body):
    """A page that needs nothing else and lets no script run, whatever stands in it."""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{escape(title)}</title>
<style>{STYLE}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""


def html_table(header, lines):
    """A table; columns whose name begins with # hold numbers. The lines hold HTML."""
    kinds = [' class="number"' if name.startswith("#") else "" for name in header]
    head = "".join(f'<th scope="col"{kind}>{escape(name.lstrip("#"))}</th>'
                   for kind, name in zip(kinds, header))
    body = "\n".join(
        "<tr>" + "".join(
            f'<th scope="row">{cell}</th>' if n == 0 else f"<td{kinds[n]}>{cell}</td>"
            for n, cell in enumerate(line)
        ) + "</tr>"
        for line in lines
    )  # fmt: skip
    # It scrolls by itself where it is too wide, by the keyboard, too.
    return (f'<div class="scroll" tabindex="0"><table>\n<thead><tr>{head}</tr></thead>\n'
            f"<tbody>\n{body}\n</tbody></table></div>")


def listed(items):
    return "<ul>\n" + "\n".join(f"<li>{item}</li>" for item in items) + "\n</ul>" if items else ""


def folded(title, text):
    """Text that is shown when asked for, cut at SHOWN characters."""
    cut = " … (cut)" if len(text) > SHOWN else ""
    return (f"<details><summary>{escape(title)}</summary>\n"
            f"<pre>{escape(text[:SHOWN])}{cut}</pre></details>")


def out_of(score, maximum):
    known = "not known yet" if score is None else points(score)
    return f"{known} of {points(maximum)} point{'s' * (maximum != 1)}"


def feedback(about, result):
    """A student's page: what happened, the points, each test's message, marks by hand, output."""
    record = result.record
    who = record["name"] or record["student"]
    body = [f"<h1>{escape(about['title'])}</h1>",
            f"<p>Feedback for {escape(who)} ({escape(record['student'])})</p>"]
    absent = record["status"] == "missing" and not result.marks
    if result.failed:
        body.append('<p class="score">Points: not known yet</p>')
    elif not absent:
        more = "" if result.final else " so far"
        body.append(f'<p class="score">{out_of(result.score, result.maximum)}{more}</p>')
    body.append(f"<p>{escape(STATUS[record['status']])}</p>")
    notes = [*record["submission"]["notes"], *record["notes"]]
    notes = [note for note in notes if note != STATUS[record["status"]]]
    if record["submission"]["late"]:
        notes.append("It was handed in late.")
    if result.unmarked and not result.nothing:
        notes.append("Some tasks are marked by hand; their points are added later.")
    body.append(listed([escape(note) for note in notes]))
    if absent:
        return page(f"{about['title']}: {who}", "\n".join(part for part in body if part))
    maxima = {task["task"]: task for task in about["tasks"]}
    body.append("<h2>Tasks</h2>")
    body.append(html_table(["Task", "#Points", "#of"], [
        [escape(heading(maxima.get(name, {"task": name, "title": ""}))),
         "not yet" if score is None else points(score),
         points(maxima[name]["maximum"]) if name in maxima else ""]
        for name, score in result.tasks.items()
    ]))  # fmt: skip
    for task in record["tasks"]:
        body += task_feedback(task)
    for item in record["manual"]:
        body += mark_feedback(item, result)
    if record["output"].strip():
        body += ["<h2>What your code printed</h2>", folded("Show it", record["output"])]
    return page(f"{about['title']}: {who}", "\n".join(part for part in body if part))


def heading(task):
    """Task 2 · The title."""
    number = re.fullmatch(r"task-(\d+)", task["task"])
    if task["title"].startswith("Task ") or not number:
        return task["title"] or task["task"]
    return f"Task {number[1]}" + (f" · {task['title']}" if task["title"] else "")


def task_feedback(task):
    tests = []
    for test in task["tests"]:
        name, outcome = escape(test["id"]), test["outcome"]
        line = f'<span class="outcome {outcome.split()[0]}">{OUTCOME[outcome]}</span>'
        line = f"{name}: {line} ({out_of(test['score'], test['maximum'])})"
        if test["outcome"] == "grader error":
            line = f'{name}: <span class="outcome">{OUTCOME[outcome]}</span>'
        message = test["message"].strip()
        tests.append(line + (f"<pre>{escape(message)}</pre>" if message else ""))
    return [f"<h2>{escape(heading(task))}</h2>", listed(tests)]


def mark_feedback(item, result):
    mark = result.marks.get(item["id"])
    body = [f"<h2>{escape(heading({'task': item['id'], 'title': item['title']}))}: "
            "marked by hand</h2>"]
    if item["id"] in result.changed:
        body.append("<p>The answer has changed since it was marked; it will be marked again.</p>")
    elif item["id"] in result.above:
        body.append("<p>It will be marked again.</p>")
    elif mark:
        body.append(f"<p>{out_of(mark['score'], item['maximum'])}</p>")
        if mark["comment"]:
            body.append(f"<p>{escape(mark['comment'])}</p>")
    elif result.nothing:
        body.append(f"<p>{out_of(0, item['maximum'])}</p>")
    else:
        body.append(f"<p>Not marked yet; {points(item['maximum'])} points can be earned.</p>")
    if item["answer"].strip():
        body.append(folded("What you wrote", item["answer"]))
    return body


# The summary


def summary(about, found):
    """summary.html: the class at a glance, and who and what needs the teacher's attention."""
    counts = Counter(result.record["status"] for result in found)
    body = [f"<h1>{escape(about['title'])}: the class</h1>",
            f"<p>{count(len(found), 'student')}: "
            + ", ".join(f"{n} {escape(status)}" for status, n in sorted(counts.items())) + ".</p>"]
    if unmarked := sum(len(result.unmarked) for result in found):
        are = "is" if unmarked == 1 else "are"
        body.append(f"<p>{count(unmarked, 'answer')} {are} still to be marked by hand: fill in "
                    "manual.csv, then <code>merge</code> it. Until then scores don't hold their "
                    "points.</p>")
    tested = [result for result in found if not result.nothing and not result.failed]
    if tested:
        body += ["<h2>Scores</h2>", distribution(about, tested)]
        body += ["<h2>Tasks</h2>", by_task(about, tested)]
        body += ["<h2>Tests that most got wrong</h2>", hardest(found)]
    body += ["<h2>Who needs attention</h2>", attention(found)]
    if about["notes"]:
        body += ["<h2>Notes on the files</h2>", listed([escape(note) for note in about["notes"]])]
    return page(f"{about['title']}: summary", "\n".join(part for part in body if part))


def median(numbers):
    numbers = sorted(numbers)
    middle = len(numbers) // 2
    return numbers[middle] if len(numbers) % 2 else (numbers[middle - 1] + numbers[middle]) / 2


def distribution(about, tested):
    """How many students have which share of the points: a histogram in ten steps, and in words.

    Only tasks whose points are known for all of them count: else scores couldn't be compared.
    """
    known = {task["task"]: task["maximum"] for task in about["tasks"]
             if all(result.tasks.get(task["task"]) is not None for result in tested)}
    scores = [sum(result.tasks[name] for name in known) for result in tested]
    maximum = sum(known.values())
    so_far = " that are known so far" if len(known) < len(about["tasks"]) else ""
    counts = [0] * 10
    for score in scores:
        counts[min(9, int(10 * score / maximum + 1e-9)) if maximum else 0] += 1
    words = (f"{len(scores)} tested. Median {points(median(scores))}, lowest {points(min(scores))},"
             f" highest {points(max(scores))} of the {points(maximum)} points{so_far}.")
    bars, top = [], max(counts)
    for n, number in enumerate(counts):
        height = 110 * number / top
        bars.append(
            f'<rect x="{10 + 58 * n}" y="{130 - height:.1f}" width="50" height="{height:.1f}" '
            'fill="currentColor" opacity=".45"/>'
            f'<text x="{35 + 58 * n}" y="{124 - height:.1f}" text-anchor="middle">'
            f"{number or ''}</text>"
            f'<text x="{35 + 58 * n}" y="150" text-anchor="middle">{10 * n}–{10 * n + 10}</text>'
        )
    return (f"<p>{escape(words)}</p>\n"
            f'<svg viewBox="0 0 600 165" role="img" aria-label="Students by share of the points: '
            f'{", ".join(f"{10 * n} to {10 * n + 10} percent {c}" for n, c in enumerate(counts))}" '
            f'font-size="13" fill="currentColor">{"".join(bars)}</svg>\n'
            f"<p>Students by percent of the points{so_far}.</p>")


def bar(share):
    """A share as a bar; the number stands beside it."""
    return (f'<svg viewBox="0 0 100 12" width="100" height="12" aria-hidden="true">'
            f'<rect width="100" height="12" fill="currentColor" opacity=".12"/>'
            f'<rect width="{100 * share:.0f}" height="12" fill="currentColor" opacity=".55"/>'
            "</svg>")


def by_task(about, tested):
    """For each task the mean share of its points, and how many have all and none."""
    lines = []
    for task in about["tasks"]:
        known = [n for r in tested if (n := r.tasks.get(task["task"])) is not None]
        if not known:
            lines.append([escape(heading(task)), points(task["maximum"]), "not marked yet", "", ""])
            continue
        share = sum(known) / len(known) / task["maximum"]
        full = sum(n >= task["maximum"] - 1e-9 for n in known)
        lines.append([
            escape(heading(task)), points(task["maximum"]), f"{bar(share)} {100 * share:.0f} %",
            f"{full} of {len(known)}", str(sum(n == 0 for n in known)),
        ])  # fmt: skip
    return html_table(["Task", "#Points", "Earned on average", "#All points", "#None"], lines)


def hardest(found):
    """The ten tests that fewest passed, with the message that most students got."""
    tests = {}
    for result in found:
        if result.nothing:
            continue
        for test in (test for task in result.record["tasks"] for test in task["tests"]):
            tests.setdefault(test["id"], []).append(test)
    lines = []
    for name, tried in tests.items():
        wrong = [test for test in tried if test["outcome"] in ("failed", "not run")]
        if wrong:
            said = Counter(test["message"].strip() or test["outcome"] for test in wrong)
            message, times = min(said.items(), key=lambda pair: (-pair[1], pair[0]))
            lines.append((-len(wrong) / len(tried), name, [
                escape(name), f"{len(wrong)} of {len(tried)}",
                f"{escape(message[:200])} ({count(times, 'student')})",
            ]))  # fmt: skip
    if not lines:
        return "<p>Every test was passed by everyone.</p>"
    return html_table(["Test", "#Not passed", "Most frequent message"],
                      [line for *_, line in sorted(lines)[:10]])


def faults(found):
    """{what the grader says of its faults: number of students}."""
    return Counter(
        detail
        for result in found
        for detail in {test["detail"] for task in result.record["tasks"] for test in task["tests"]
                       if test["outcome"] == "grader error"}
    )


def attention(found):
    """Everyone whose result a teacher should look at, and why."""
    lines = []
    for result in found:
        record, why = result.record, []
        if record["status"] != "graded":
            why.append(record["status"])
        elif result.failed:
            why.append("grader error")
        if record["submission"]["late"]:
            why.append("late")
        if record["status"] in ("graded", "stopped") and record["maximum"] and not record["score"]:
            why.append("no points in the tests")
        why += record["submission"]["notes"]
        if result.changed:
            why.append("the answer has changed since it was marked")
        if result.above:
            why.append("a mark above the maximum")
        if result.stray:
            why.append("a mark for what is no task any more")
        if why:
            details = {t["detail"] for task in record["tasks"] for t in task["tests"]
                       if t["outcome"] == "grader error" and t["detail"]}
            notes = [*why, *record["notes"], *sorted(details)]
            name = escape(record["student"])
            lines.append([f'<a href="feedback/{name}.html">{name}</a>', escape(record["name"]),
                          escape(joined(notes)[:600])])
    if not lines:
        return "<p>Nobody: all handed in in time, and all was tested.</p>"
    return html_table(["Student", "Name", "Why"], lines)


def keep_work(folder, found, merged):
    """What stands in manual.csv; a sheet that the new one can't take over is put aside as it is."""
    path = folder.path / "manual.csv"
    answers = {(result.record["student"], name) for result in found
               for name in [*(item["id"] for item in result.record["manual"]), *result.marks]}
    try:
        unmerged = {pair: mark for pair, mark in filled_in(path).items() if pair not in merged}
    except BadInput:
        unmerged = {None: ()}
    if not set(unmerged) <= answers:
        notebook.write(folder.path / "manual-unread.csv", path.read_bytes())
    return unmerged


def write(folder, merged=()):
    """Make gradebook, sheet, feedback and summary anew; return the results.

    Marks that stand in manual.csv but aren't merged yet stay in it. merged: (student, task) pairs
    that were merged just now, maybe from another file, so that the sheet's own no longer count.
    """
    about, found = folder.about(), results(folder)
    unmerged = keep_work(folder, found, merged)
    (folder.path / "feedback").mkdir(exist_ok=True)
    for result in found:
        save(folder.path / "feedback" / f"{result.record['student']}.html", feedback(about, result))
    save(folder.path / "summary.html", summary(about, found))
    if any(result.record["manual"] for result in found):
        save(folder.path / "manual.csv", sheet(found, unmerged))
    save(folder.path / "grades.csv", gradebook(about, found))
    return found


def save(path, data):
    """Write a file whole, unless it is there already."""
    if isinstance(data, str):
        data = data.encode("utf-8", "replace")
    if not path.exists() or path.read_bytes() != data:
        notebook.write(path, data)
