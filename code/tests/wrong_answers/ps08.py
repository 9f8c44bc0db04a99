"""Answers that a class in earnest gives to problem set 8, and what they earn."""


def several(**right):
    """A function that writes `name = value` for each name, with some of the values changed."""
    def written(cell, **changed):
        return {cell: "".join(f"{name} = {value}\n" for name, value in (right | changed).items())}
    return written


planned = several(
    m_single="int(np.ceil(p_expected * (1 - p_expected) / s_wanted ** 2))",
    m_paired="int(np.ceil(4 * (disputed - ahead ** 2) / ahead ** 2))",
    q_most="1 - 0.05 ** (1 / n_right)",
)
ROUNDED_UP = "int(np.ceil({}))"
VARIANCE = "p_expected * (1 - p_expected)"

UNDER = """
def under(C, shares):
    read_as = {read_as}
    expected = {expected}
    accuracy = {accuracy}
    precision = {precision}
    return accuracy, precision
"""
RIGHT_UNDER = {
    "read_as": "C / C.sum(axis=1)[:, None]",
    "expected": "read_as * shares[:, None]",
    "accuracy": "np.trace(expected)",
    "precision": "np.diag(expected) / np.maximum(expected.sum(axis=0), 1e-300)",
}


def under(**changed):
    """The answer to task 2 (a) with some of its lines changed."""
    return {"task-2-a": UNDER.format(**RIGHT_UNDER | changed)}


UNDER_IN_LOOPS = """
def under(C, shares):
    n, accuracy, precision = len(C), 0, []
    for j in range(n):
        answered = sum(shares[i] * C[i][j] / sum(C[i]) for i in range(n))
        right = shares[j] * C[j][j] / sum(C[j])
        accuracy += right
        precision.append(right / answered if answered else 0)
    return [accuracy, precision]
"""

R = "(C.diagonal() / C.sum(axis=1))"

LEAKED = """
def leaked(X_train, X_val):
    found = []
    for i, x in enumerate(X_val):
        for t in X_train:
            if {same}:
                found.append(i)
                break
    return found
"""


def leaked(same, **scores):
    """The answer to task 3 (a) with this comparison of two pictures x and t, and a right (b)."""
    return {"task-3-a": LEAKED.format(same=same)} | score("task-3-b", **scores)


COSINES = ("X3_val @ X3_train.T / np.linalg.norm(X3_val, axis=1)[:, None]"
           " / np.linalg.norm(X3_train, axis=1)")
NEW = f"(({COSINES}).max(axis=1) < 1 - 1e-9)"
score = several(
    n_copies=f"int((~{NEW}).sum())",
    score_all="nearest_score(X3_train, Y3_train, X3_val, Y3_val)",
    score_clean=f"nearest_score(X3_train, Y3_train, X3_val[{NEW}], Y3_val[{NEW}])",
)

UNITS = """
def leaked(X_train, X_val):
    U, V = ({unit} for X in (X_train, X_val))
    return np.flatnonzero((U @ V.T > {limit}).any(axis=0))
"""

MENDED = """
def mended4(p, X, Y, size):
    total = {{block: 0 * value for block, value in p.items()}}
    for start in range(0, {until}, size):
        x, y = X[start:start + size], Y[start:start + size]
        share = {share}
        a1 = sigmoid(x @ p["W1"].T + p["b1"])
        delta2 = (softmax(a1 @ p["W2"].T + p["b2"]) - y) * share / len(x)
        delta1 = (delta2 @ p["W2"]) * a1 * (1 - a1)
        total["W2"] += delta2.T @ a1
        total["b2"] += delta2.sum(axis=0)
        total["W1"] += delta1.T @ x
        total["b1"] {adds} delta1.sum(axis=0)
    return total
"""
RIGHT_MENDED = {"until": "len(X)", "share": "len(x) / len(X)", "adds": "+="}


def mended(**changed):
    """The answer to task 4, the gradient, with some parts changed."""
    return {"task-4-a": MENDED.format(**RIGHT_MENDED | changed)}


AT_ONCE = """
def mended4(p, X, Y, size):
    a1 = sigmoid(X @ p["W1"].T + p["b1"])
    delta2 = (softmax(a1 @ p["W2"].T + p["b2"]) - Y) / len(X)
    delta1 = (delta2 @ p["W2"]) * a1 * (1 - a1)
    return {"W1": delta1.T @ X, "b1": delta1.sum(axis=0),
            "W2": (delta2.T @ a1).tolist(), "b2": delta2.sum(axis=0).tolist()}
"""
SUM_THEN_MEAN = """
def mended4(p, X, Y, size):
    total = dict.fromkeys(p, 0)
    for start in range(0, len(X), size):
        x, y = X[start:start + size], Y[start:start + size]
        a1 = sigmoid(x @ p["W1"].T + p["b1"])
        delta2 = softmax(a1 @ p["W2"].T + p["b2"]) - y
        delta1 = (delta2 @ p["W2"]) * a1 * (1 - a1)
        new = {"W1": delta1.T @ x, "b1": sum(delta1), "W2": delta2.T @ a1, "b2": sum(delta2)}
        total = {block: total[block] + new[block] for block in p}
    return {block: value / len(X) for block, value in total.items()}
"""
TOO_MUCH = "m4 / len(range(0, m4, size4)) / (m4 % size4)"

found = several(line_all="4", line_hidden="9", block_left="'b1'", too_much=TOO_MUCH)

RUNS = """
reads = {}
for epochs in (10, 100):
    net = taught(epochs)
    reads[epochs, "old"], reads[epochs, "new"] = (net(X).argmax(axis=1) for X in (X5, X5_new))
lies = given5 != true5
early = np.mean(reads[10, "new"] == true5_new)
late = np.mean(reads[100, "new"] == true5_new)
measured = np.mean(reads[10, "new"] == given5_new)
repeated = np.mean((reads[100, "old"] == given5)[lies])
"""


def ran(*lines):
    """The answer to task 5 with more lines behind it, which change some value."""
    return {"task-5": RUNS + "\n".join(lines) + "\n"}


WRONG = [
    # (what was misunderstood, {answer: its source}, {task: points earned, where some are lost})
    ("twice the sampling error",
     planned("task-1", m_single=ROUNDED_UP.format(f"4 * {VARIANCE} / s_wanted ** 2")),
     {"task-1": 2}),
    ("the root of the formula is lost",
     planned("task-1", m_single=ROUNDED_UP.format(f"{VARIANCE} / s_wanted")), {"task-1": 2}),
    ("not rounded up to a whole number",
     planned("task-1", m_single=f"{VARIANCE} / s_wanted ** 2 + 0.5"), {"task-1": 2}),
    ("the sampling error of one accuracy in place of the paired error",
     planned("task-1", m_paired=ROUNDED_UP.format(f"4 * {VARIANCE} / ahead ** 2")),
     {"task-1": 2}),
    ("a lead of once its paired error",
     planned("task-1", m_paired=ROUNDED_UP.format("(disputed - ahead ** 2) / ahead ** 2")),
     {"task-1": 2}),
    ("the mean of d taken for that of d squared",
     planned("task-1", m_paired=ROUNDED_UP.format("4 * (ahead - ahead ** 2) / ahead ** 2")),
     {"task-1": 2}),
    ("no mistake seen, so none will be made", planned("task-1", q_most="0.0"), {"task-1": 2}),
    ("one mistake in n as the most", planned("task-1", q_most="1 / n_right"), {"task-1": 2}),
    ("the rule of three, which is for large n", planned("task-1", q_most="3 / n_right"),
     {"task-1": 2}),
    ("5 % wrong answers, not 5 % probability", planned("task-1", q_most="0.05"), {"task-1": 2}),
    ("counts as if every class had been tested equally often",
     under(read_as="C / C.sum() * len(C)"), {"task-2": 1}),
    ("the rows are not divided by their sums", under(read_as="C"), {"task-2": 1}),
    ("the columns made to sum to 1, not the rows", under(read_as="C / C.sum(axis=0)"),
     {"task-2": 1}),
    ("the shares go to the answers", under(expected="read_as * shares"), {"task-2": 1}),
    ("recall for precision", under(precision="np.diag(read_as)"), {"task-2": 1}),
    ("0 / 0 where a class is never answered",
     under(precision="np.diag(expected) / expected.sum(axis=0)"), {"task-2": 2}),
    ("the accuracy of the test, which the new shares change too",
     {"task-2-b": "break_even = C.trace() / C.sum()"}, {"task-2": 2}),
    ("the share of the ones that the reader reads", {"task-2-b": f"break_even = {R}[0]"},
     {"task-2": 2}),
    ("the mean recall", {"task-2-b": f"break_even = {R}.mean()"}, {"task-2": 2}),
    ("only the very same grey values", leaked("np.array_equal(x, t)"), {"task-3": 2}),
    ("the nearest picture at some distance", leaked("np.linalg.norm(x - t) < 0.6"), {"task-3": 2}),
    ("the correlation, which ignores the grey of the paper",
     leaked("x.std() * t.std() > 0 and np.corrcoef(x, t)[0, 1] > 1 - 1e-9"), {"task-3": 3}),
    ("the quotients where the training picture has ink",
     leaked("t.any() and x.any() and np.ptp(x[t > 0] / t[t > 0]) < 1e-9 and x[t > 0].any()"),
     {"task-3": 3}),
    ("similar pictures count as copies", {
        "task-3-a": UNITS.format(unit="X / np.linalg.norm(X, axis=1)[:, None]", limit=0.99),
        **score("task-3-b")}, {"task-3": 3}),
    ("nearly alike counts as a copy", {
        "task-3-a": UNITS.format(unit="X / np.maximum(np.linalg.norm(X, axis=1), 1e-9)[:, None]",
                                 limit=0.9999), **score("task-3-b")}, {"task-3": 3}),
    ("true or false for each row, not its number", {
        "task-3-a": UNITS.format(unit="X / np.maximum(np.linalg.norm(X, axis=1), 1e-9)[:, None]",
                                 limit="1 - 1e-12").replace("np.flatnonzero", ""),
        **score("task-3-b")}, {"task-3": 2}),
    ("a blank picture is 0 times any other",
     leaked("np.allclose(x, (x @ t) / max(t @ t, 1e-300) * t, atol=1e-9)"), {"task-3": 3}),
    ("a score of the copies alone",
     score("task-3-b", score_clean=f"nearest_score(X3_train, Y3_train, X3_val[~{NEW}], "
                                   f"Y3_val[~{NEW}])"), {"task-3": 2}),
    ("the copies count as mistakes", score("task-3-b", score_clean=(
        f"nearest_score(X3_train, Y3_train, X3_val[{NEW}], Y3_val[{NEW}]) * {NEW}.mean()")),
     {"task-3": 2}),
    ("a share, not a number", score("task-3-b", n_copies=f"(~{NEW}).mean()"), {"task-3": 2}),
    ("the portions count alike", mended(share="1 / len(range(0, len(X), size))"), {"task-4": 2}),
    ("the last portion counts as a full one", mended(share="size / len(X)"), {"task-4": 2}),
    ("only the first line mended", mended(adds="="), {"task-4": 2}),
    ("an incomplete portion is left out", mended(until="len(X) - size + 1"), {"task-4": 2}),
    ("the number of examples, taken from outside", mended(share="len(x) / len(X4)"),
     {"task-4": 2}),
    ("the sum in line 8 looks odd, and is right", found("task-4-b", line_hidden="8"),
     {"task-4": 3}),
    ("the division in line 6 looks odd, and is right", found("task-4-b", line_all="6"),
     {"task-4": 3}),
    ("the two lines in the other order", found("task-4-b", line_all="9", line_hidden="4"),
     {"task-4": 3}),
    ("a line that is not there", found("task-4-b", line_hidden="10"), {"task-4": 3}),
    ("the block whose name stands in line 7", found("task-4-b", block_left="'W2'"),
     {"task-4": 3}),
    ("the share of the portion, not of an example in it",
     found("task-4-b", too_much="m4 / len(range(0, m4, size4)) / size4"), {"task-4": 3}),
    ("against a full portion, not against what it should be",
     found("task-4-b", too_much="size4 / (m4 % size4)"), {"task-4": 3}),
    ("too little, not too much", found("task-4-b", too_much=f"1 / ({TOO_MUCH})"), {"task-4": 3}),
    ("against the labels of the teacher", ran("early = measured"), {"task-5": 1}),
    ("the training pictures", ran("late = np.mean(reads[100, 'old'] == true5)"), {"task-5": 1}),
    ("in per cent", ran("early *= 100"), {"task-5": 1}),
    ("measured on what was learned", ran("measured = np.mean(reads[10, 'old'] == given5)"),
     {"task-5": 2}),
    ("of all labels, not of the wrong ones", ran("repeated = np.mean(reads[100, 'old'] == given5)"),
     {"task-5": 2}),
    ("how many are read as they truly are",
     ran("repeated = np.mean((reads[100, 'old'] == true5)[lies])"), {"task-5": 2}),
    ("wrong labels by heart after 10 epochs",
     ran("repeated = np.mean((reads[10, 'old'] == given5)[lies])"), {"task-5": 2}),
]

ALSO_RIGHT = [
    ("a whole number as it is, whatever rounding adds", planned(
        "task-1", m_single=f"int(np.ceil(round({VARIANCE} / s_wanted ** 2, 6)))")),
    ("a repair that divides once by the whole batch, in the line of the plan's share", {
        "task-4-a": MENDED.format(**RIGHT_MENDED).replace(
            "* share / len(x)", "/ len(X)").replace("        share = len(x) / len(X)\n", "")}),
    ("whole numbers as floats, one more than needed, a rounded share", planned(
        "task-1", m_single=f"float(np.floor({VARIANCE} / s_wanted ** 2) + 1)",
        m_paired="np.floor((2 / ahead) ** 2 * (disputed - ahead ** 2)) + 1",
        q_most="float(f'{1 - np.exp(np.log(0.05) / n_right):.4g}')")),
    ("number by number, and a list", {"task-2-a": UNDER_IN_LOOPS}),
    ("from a fine grid of shares", {"task-2-b": f"""
grid = np.linspace(0, 1, 100_001)
reader = grid * {R}[0] + (1 - grid) * {R}[1:].mean()
break_even = float(grid[np.argmax(grid >= reader)])
"""}),
    ("two loops and a comparison of the pictures at unit length",
     leaked("x.any() and t.any() and np.allclose(x / np.linalg.norm(x), t / np.linalg.norm(t), "
            "rtol=0, atol=1e-9)")),
    ("brightest pixel made 1, then looked up", {"task-3-a": """
def leaked(X_train, X_val):
    known = {tuple(np.round(t / t.max(), 9)) for t in X_train if t.any()}
    rows = [i for i, x in enumerate(X_val) if x.any() and tuple(np.round(x / x.max(), 9)) in known]
    return np.array(rows, dtype=int)
"""}),
    ("scores to three digits", score(
        "task-3-b", score_all="round(nearest_score(X3_train, Y3_train, X3_val, Y3_val), 3)",
        n_copies=f"float((~{NEW}).sum())")),
    ("the whole batch at once, which is the same", {"task-4-a": AT_ONCE}),
    ("sums first, divided at the end", {"task-4-a": SUM_THEN_MEAN}),
    ("numbers as floats, the factor to three digits", found(
        "task-4-b", line_all="4.0", too_much=f"float(f'{{{TOO_MUCH}:.4g}}')")),
    ("read off to three digits", ran(
        "early, late = round(float(early), 3), round(float(late), 3)",
        "measured, repeated = round(float(measured), 3), round(float(repeated), 3)")),
]
