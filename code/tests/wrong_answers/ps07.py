"""Answers that a class in earnest gives to problem set 7, and what they earn."""

PAGE = """
target = {target}
gradient2 = {gradient2}
w_row2 = {w_row2}
"""
RIGHT_PAGE = {
    "target": "a2 - delta2 / (a2 * (1 - a2))",
    "gradient2": "np.outer(delta2, a1)",
    "w_row2": "(delta1 / (a1 * (1 - a1)) - w_row1 * delta2[0]) / delta2[1]",
}


def page(**changed):
    """The answer to task 1 with some of its three lines changed."""
    return {"task-1": PAGE.format(**RIGHT_PAGE | changed)}


SENT = """
picture = {picture}
label = {label}
share = {share}
"""
RIGHT_SENT = {
    "picture": "recover(sent_dW1, sent_db1)",
    "label": "int(np.argmin(sent_db2))",
    "share": "d_first / (d_first + d_second)",
}


def sent(**changed):
    """The answer to task 2 (b) and (c) with some of its three lines changed."""
    return {"task-2-b": SENT.format(**RIGHT_SENT | changed)}


FOUND = """
faulty = {faulty}
error_b1 = {error_b1}
"""
RIGHT_FOUND = {
    "faulty": "[5, 7]",
    "error_b1": "check_function(lambda p: loss3(p, X3, Y3), lambda p: broken(p, X3, Y3), p3)['b1']",
}


def found(**changed):
    """The answer to task 3, its lines and its error, with one of them changed."""
    return {"task-3-a": FOUND.format(**RIGHT_FOUND | changed)}


MENDED = """
def mended(p, X, Y):
    m = len(X)
    z1 = X @ p["W1"].T + p["b1"]
    a1 = np.where(z1 > 0, z1, 0.1 * z1)
    z2 = a1 @ p["W2"].T + p["b2"]
    a2 = np.where(z2 > 0, z2, 0.1 * z2)
    delta3 = {delta3}
    delta2 = (delta3 @ p["W3"]) * np.where({at2} > 0, 1, {leak})
    delta1 = (delta2 @ p["W2"]) * np.where({at1} > 0, 1, {leak})
    dW3, db3 = delta3.T @ a2 / m, delta3.sum(axis=0) / m
    dW2 = delta2.T @ a1 / {count}
    return {{"W1": delta1.T @ X / m, "b1": delta1.mean(axis=0), "W2": dW2,
            "b2": delta2.mean(axis=0), "W3": dW3, "b3": db3}}
"""
RIGHT_MENDED = {"delta3": 'a2 @ p["W3"].T + p["b3"] - Y', "at2": "a2", "at1": "z1",
                "leak": "0.1", "count": "m"}


def mended(**changed):
    """The answer to the last part of task 3 with some parts changed."""
    return {"task-3-b": MENDED.format(**RIGHT_MENDED | changed)}


SHORTCUT = """
def shortcut_backward(Ws, bs, X, Y):
    L, (m, n) = len(Ws), X.shape
    a, z = [X], []
    for W, b in zip(Ws, bs):
        z.append(a[-1] @ W.T + b)
        a.append(a[-1] + np.tanh(z[-1]))
    {start}
    dWs, dbs = [], []
    for l in range(L - 1, -1, -1):
        delta = blame * {slope}
        {collect}
        {back}
    {end}
"""
RIGHT_SHORTCUT = {
    "start": "blame = 2 / n * (a[-1] - Y)",
    "slope": "(1 - np.tanh(z[l]) ** 2)",
    "collect": "dWs.append(delta.T @ a[l] / m), dbs.append(delta.mean(axis=0))",
    "back": "blame = blame + delta @ Ws[l]",
    "end": "return dWs[::-1], dbs[::-1]",
}


def shortcut(**changed):
    """The answer to task 4 with some parts changed."""
    return {"task-4": SHORTCUT.format(**RIGHT_SHORTCUT | changed)}


IN_PLACE = """
def shortcut_backward(Ws, bs, X, Y):
    a, kept, z = X, [], []
    for W, b in zip(Ws, bs):
        kept.append(a.copy())
        z.append(a @ W.T + b)
        a += np.tanh(z[-1])
    blame, dWs, dbs = 2 * (a - Y) / a.shape[1], [], []
    for l in range(len(Ws) - 1, -1, -1):
        delta = blame * (1 - np.tanh(z[l]) ** 2)
        dWs.insert(0, delta.T @ kept[l] / len(X))
        dbs.insert(0, delta.mean(axis=0))
        blame = blame + delta @ Ws[l]
    return dWs, dbs
"""

LOOPS = """
def shortcut_backward(Ws, bs, X, Y):
    L, (m, n) = len(Ws), X.shape
    dWs, dbs = [[[0.0] * n for _ in range(n)] for _ in Ws], [[0.0] * n for _ in Ws]
    dWs = [np.array(dW) for dW in dWs]
    for x, y in zip(X, Y):
        a, z = [x], []
        for W, b in zip(Ws, bs):
            z.append([sum(W[j][k] * a[-1][k] for k in range(n)) + b[j] for j in range(n)])
            a.append([a[-1][j] + np.tanh(z[-1][j]) for j in range(n)])
        g = [2 / n * (a[-1][j] - y[j]) for j in range(n)]
        for l in reversed(range(L)):
            d = [g[j] * (1 - np.tanh(z[l][j]) ** 2) for j in range(n)]
            for j in range(n):
                dbs[l][j] += d[j] / m
                for k in range(n):
                    dWs[l][j, k] += d[j] * a[l][k] / m
            g = [g[k] + sum(Ws[l][j][k] * d[j] for j in range(n)) for k in range(n)]
    return dWs, dbs
"""

READ = """
plain_factor = {plain_factor}
shortcut_factor = {shortcut_factor}
lost_at = {lost_at}
"""
RIGHT_READ = {
    "plain_factor": "(reach(16, False) / reach(4, False)) ** (1 / 12)",
    "shortcut_factor": "(reach(16, True) / reach(4, True)) ** (1 / 12)",
    "lost_at": "next(d for d in range(1, 33) if reach(d, False) < reach(1, False) / 1000)",
}


def read(**changed):
    """The answer to task 5 with some of its three lines changed."""
    return {"task-5": READ.format(**RIGHT_READ | changed)}


WRONG = [
    # (what was misunderstood, {answer: its source}, {task: points earned, where some are lost})
    ("delta is output minus target", page(target="a2 - delta2"), {"task-1": 2}),
    ("the sign of the error", page(target="a2 + delta2 / (a2 * (1 - a2))"), {"task-1": 2}),
    ("the gradient of a weight to j from k stands in row k",
     page(gradient2="np.outer(a1, delta2)"), {"task-1": 2}),
    ("each weight gets only its own unit's delta", page(gradient2="delta2 * a1"), {"task-1": 2}),
    ("BP2 without its slope", page(w_row2="(delta1 - w_row1 * delta2[0]) / delta2[1]"),
     {"task-1": 2}),
    ("only the path through output 2", page(w_row2="delta1 / (a1 * (1 - a1)) / delta2[1]"),
     {"task-1": 2}),
    ("the slope of layer 2 in BP2",
     page(w_row2="(delta1 / (a2 * (1 - a2)) - w_row1 * delta2[0]) / delta2[1]"), {"task-1": 2}),
    ("the first unit is taken, whether it is off or not", {
        "task-2-a": "def recover(dW, db):\n    return dW[0] / db[0]",
        **sent(picture="sent_dW1[np.argmax(abs(sent_db1))] / sent_db1[np.argmax(abs(sent_db1))]"),
    }, {"task-2": 2}),
    ("the mean over the units, whose deltas may cancel",
     {"task-2-a": "def recover(dW, db):\n    return dW.mean(axis=0) / db.mean()"}, {"task-2": 2}),
    ("the delta is not divided out",
     {"task-2-a": "def recover(dW, db):\n    return dW[np.argmax(abs(db))]"}, {"task-2": 1}),
    ("a row stretched to grey values from 0 to 1, which turns ink into paper where delta < 0",
     sent(picture="np.interp(row := sent_dW1[np.argmin(sent_db1)], [min(row), max(row)], [0, 1])"),
     {"task-2": 2}),
    ("the label where the gradient is largest, not where it is negative",
     sent(label="int(np.argmax(sent_db2))"), {"task-2": 2}),
    ("the label as a row of ten", sent(label="np.eye(10)[np.argmin(sent_db2)]"), {"task-2": 2}),
    ("both pictures count alike in a mean", sent(share="0.5"), {"task-2": 2}),
    ("the share by the squares of the deltas",
     sent(share="d_first ** 2 / (d_first ** 2 + d_second ** 2)"), {"task-2": 2}),
    ("a slope at a instead of z, which is right for a leaky ReLU", found(faulty="[4, 5]"),
     {"task-3": 3}),
    ("the 2 of the square, which two outputs cancel", found(faulty="[3, 5]"), {"task-3": 3}),
    ("only one fault found", found(faulty="[5]"), {"task-3": 3}),
    ("the error after the mend", found(error_b1="1e-9"), {"task-3": 3}),
    ("the error as text, as it is printed", found(error_b1="'7.9e-01'"), {"task-3": 3}),
    ("the error of another block", found(
        error_b1="check_function(lambda p: loss3(p, X3, Y3), lambda p: broken(p, X3, Y3), p3)"
                 "['W2']"), {"task-3": 3}),
    ("the batch of the example, written as a number", mended(count="6"), {"task-3": 2}),
    ("the slope mended, the division left", mended(count='len(p["W2"])'), {"task-3": 2}),
    ("the leak is given up along with the fault", mended(leak="0"), {"task-3": 2}),
    ("the division mended, the slope left", mended(at1="z2"), {"task-3": 2}),
    ("a factor 2 that does not belong there",
     mended(delta3='2 * (a2 @ p["W3"].T + p["b3"] - Y)'), {"task-3": 2}),
    ("the shortcut is forgotten on the way back", shortcut(back="blame = delta @ Ws[l]"),
     {"task-4": 0}),
    ("the shortcut from the output only",
     shortcut(start="blame = first = 2 / n * (a[-1] - Y)", back="blame = first + delta @ Ws[l]"),
     {"task-4": 2}),
    ("the shortcut carries delta, not the blame", shortcut(back="blame = delta + delta @ Ws[l]"),
     {"task-4": 0}),
    ("the sum over the batch",
     shortcut(collect="dWs.append(delta.T @ a[l]), dbs.append(delta.sum(axis=0))"), {"task-4": 2}),
    ("the mean for the weights, the sum for the biases",
     shortcut(collect="dWs.append(delta.T @ a[l] / m), dbs.append(delta.sum(axis=0))"),
     {"task-4": 2}),
    ("the transposed matrix", shortcut(back="blame = blame + delta @ Ws[l].T"), {"task-4": 0}),
    ("the slope from a, which holds more than tanh(z)", shortcut(slope="(1 - a[l + 1] ** 2)"),
     {"task-4": 0}),
    ("the lists from the last layer to the first", shortcut(end="return dWs, dbs"), {"task-4": 0}),
    ("a pair for each layer, in place of two lists",
     shortcut(end="return list(zip(dWs[::-1], dbs[::-1]))"), {"task-4": 0}),
    ("an empty place 0, as in the book's plain networks",
     shortcut(end="return [None, *dWs[::-1]], [None, *dbs[::-1]]"), {"task-4": 0}),
    ("the factor 2 / n forgotten", shortcut(start="blame = a[-1] - Y"), {"task-4": 0}),
    ("the caller's X is added to in place", {"task-4": IN_PLACE}, {"task-4": 2}),
    ("the whole factor instead of one layer's",
     read(plain_factor="reach(16, False) / reach(4, False)"), {"task-5": 1}),
    ("divided by twelve instead of the twelfth root",
     read(plain_factor="reach(16, False) / reach(4, False) / 12"), {"task-5": 1}),
    ("the growth over all twelve layers",
     read(shortcut_factor="reach(16, True) / reach(4, True)"), {"task-5": 1}),
    ("the last depth that still gets a thousandth",
     read(lost_at=RIGHT_READ["lost_at"] + " - 1"), {"task-5": 2}),
    ("some depth beyond, not the smallest", read(lost_at="32"), {"task-5": 2}),
]

ALSO_RIGHT = [
    ("lists and decimals in place of arrays", page(
        target="[float(t) for t in (a2 - delta2 / (a2 * (1 - a2))).round(4)]",
        gradient2="[[delta2[j] * a1[k] for k in range(2)] for j in range(2)]",
        w_row2=f"tuple(np.round({RIGHT_PAGE['w_row2']}, 5))")),
    ("the row by least squares over all units",
     {"task-2-a": "def recover(dW, db):\n    return db @ dW / (db @ db)"}),
    ("a list, from the first unit that is on", {"task-2-a": """
def recover(dW, db):
    for row, d in zip(dW, db):
        if abs(d) > 1e-12:
            return [w / d for w in row]
"""}),
    ("the label from the list of the negative ones",
     sent(label="np.flatnonzero(np.array(sent_db2) < 0)[0]", share="round(d_first / (d_first + "
                                                                   "d_second), 4)")),
    ("the lines as a set, the error to two digits", found(
        faulty="{7, 5}", error_b1=f"float(f\"{{{RIGHT_FOUND['error_b1']}:.1e}}\")")),
    ("the slopes at a, where signs agree", mended(at1="a1")),
    ("a factor 2 / n_L in line 3",
     mended(delta3='2 / Y.shape[1] * (a2 @ p["W3"].T + p["b3"] - Y)')),
    ("tuples and a slope from tanh(z)", shortcut(end="return tuple(dWs[::-1]), tuple(dbs[::-1])")),
    ("number by number, in loops", {"task-4": LOOPS}),
    ("read off to three digits", read(
        plain_factor=f"round({RIGHT_READ['plain_factor']}, 3)",
        shortcut_factor=f"round({RIGHT_READ['shortcut_factor']}, 3)",
        lost_at=f"float({RIGHT_READ['lost_at']})")),
]
