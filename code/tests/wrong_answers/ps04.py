"""Answers that a class in earnest gives to problem set 4, and what they earn."""

IGNORANCE = """
q = counts / 1000
blind = -(q * np.log(q)).sum()
blind_mse = (q * (1 - q)).mean()
most_wrong = int(1000 * reached / np.log(2))
most_deaf = int(1000 * reached / np.log(100))
"""

RUNS = """
outputs = {}
for kind, its_loss, eta in [("plain", cross_entropy, 2.0), ("weighted", rare_loss(weight), 0.25)]:
    finder = Network([2, 1], seed=0)
    train(finder, sensors, cracked, its_loss, eta, epochs=400)
    outputs[kind] = finder(sensors_new)
yes = cracked_new == 1
found = {kind: (outputs[kind][yes] > 0.5).mean() for kind in outputs}
mean_output = {kind: outputs[kind].mean() for kind in outputs}
outputs["undone"] = honest(outputs["weighted"], weight)
cost = {kind: cross_entropy(outputs[kind], cracked_new) for kind in outputs}
supported = {"B", "D"}
"""

WRONG = [
    # (what was misunderstood, {answer cell: its source}, {task: points earned, where any are lost})
    ("the blind network gives each class one quarter", {"task-1": IGNORANCE.replace(
        "blind = -(q * np.log(q)).sum()", "blind = np.log(4)")}, {"task-1": 2}),
    ("the squared error is added up over the outputs", {"task-1": IGNORANCE.replace(
        "(q * (1 - q)).mean()", "(q * (1 - q)).sum()")}, {"task-1": 2}),
    ("the blind network always says the most frequent class", {"task-1": IGNORANCE.replace(
        "(q * (1 - q)).mean()", "(1 - q.max()) / 2")}, {"task-1": 2}),
    ("one quarter is taken for the border of a wrong answer", {"task-1": IGNORANCE.replace(
        "np.log(2)", "np.log(4)")}, {"task-1": 2}),
    ("the number of mistakes is rounded up", {"task-1": IGNORANCE.replace(
        "most_deaf = int(1000 * reached / np.log(100))",
        "most_deaf = int(1000 * reached / np.log(100)) + 1")}, {"task-1": 2}),
    ("logarithms to the base 2", {"task-1": IGNORANCE.replace("np.log(", "np.log2(")},
     {"task-1": 1}),
    ("a share instead of a number of examples", {"task-1": IGNORANCE.replace(
        "int(1000 * reached / np.log(2))", "reached / np.log(2)")}, {"task-1": 2}),
    ("the forecaster says what she believes, whatever the rule", {"task-2-a": """
says = dict.fromkeys("PQRSTU", belief)
grid = np.arange(1, 1000) / 1000
honest_rules = set()
for letter in "PQRSTU":
    best = [grid[np.argmin(q * rules[letter](grid) + (1 - q) * rules[letter](1 - grid))]
            for q in (0.2, 0.7)]
    if np.allclose(best, [0.2, 0.7], atol=0.002):
        honest_rules.add(letter)
"""}, {"task-2": 2}),
    ("the rule is asked about a yes only", {"task-2-a": """
grid = np.arange(1, 1000) / 1000
says = {letter: grid[np.argmin(belief * rules[letter](grid))] for letter in rules}
honest_rules = {letter for letter in rules if dealt["PQRSTU".index(letter)] < 3}
"""}, {"task-2": 2}),
    ("a single belief, one half, decides which rules are honest", {"task-2-a": """
grid = np.arange(1, 1000) / 1000
mean = lambda rule, q: q * rule(grid) + (1 - q) * rule(1 - grid)
says = {letter: grid[np.argmin(mean(rules[letter], belief))] for letter in rules}
honest_rules = {letter for letter in rules
                if abs(grid[np.argmin(mean(rules[letter], 0.5))] - 0.5) < 0.002}
"""}, {"task-2": 3}),
    ("the odds are raised to p - 1 instead of 1/(p - 1)", {"task-2-b": """
def bent(q, p):
    odds = (q / (1 - q)) ** (p - 1)
    return odds / (1 + odds)
"""}, {"task-2": 3}),
    ("the derivative of the power is taken for the power", {"task-2-b": """
def bent(q, p):
    odds = (q / (1 - q)) ** (1 / p)
    return odds / (1 + odds)
"""}, {"task-2": 3}),
    ("the softmax as it stands, without a shift", {"task-3": """
def weighted_loss(Z, labels, weights):
    rows = np.arange(len(Z))
    w = np.array(weights)[labels]
    a = np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)
    loss = (w * -np.log(a[rows, labels])).sum() / w.sum()
    a[rows, labels] -= 1
    return loss, w[:, None] * a / w.sum()
"""}, {"task-3": 2}),
    ("the probability is clipped", {"task-3": """
def weighted_loss(Z, labels, weights):
    rows = np.arange(len(Z))
    w = np.array(weights)[labels]
    a = softmax(Z)
    loss = (w * -np.log(np.maximum(a[rows, labels], 1e-12))).sum() / w.sum()
    a[rows, labels] -= 1
    return loss, w[:, None] * a / w.sum()
"""}, {"task-3": 3}),
    ("the derivatives go through -y/a and the Jacobian", {"task-3": """
def weighted_loss(Z, labels, weights):
    w = np.array(weights)[labels] / np.array(weights)[labels].sum()
    Z = Z - Z.max(axis=1, keepdims=True)
    logs = np.log(np.exp(Z).sum(axis=1))
    loss = sum(w[i] * (logs[i] - Z[i, labels[i]]) for i in range(len(Z)))
    a, dZ = softmax(Z), np.zeros(Z.shape)
    for i in range(len(Z)):
        y = np.eye(Z.shape[1])[labels[i]]
        dZ[i] = w[i] * (-y / a[i]) @ softmax.prime(Z[i])
    return loss, dZ
"""}, {"task-3": 3}),
    ("divided by the number of examples instead of the sum of their weights", {"task-3": """
def weighted_loss(Z, labels, weights):
    rows, m = np.arange(len(Z)), len(Z)
    w = np.array(weights)[labels]
    Z = Z - Z.max(axis=1, keepdims=True)
    loss = (w * (np.log(np.exp(Z).sum(axis=1)) - Z[rows, labels])).sum() / m
    a = softmax(Z)
    a[rows, labels] -= 1
    return loss, w[:, None] * a / m
"""}, {"task-3": 0}),
    ("each example is copied as often as its weight says, which must be a whole number",
     {"task-3": """
def weighted_loss(Z, labels, weights):
    often = np.array(weights)[labels].astype(int)
    rows = np.arange(len(Z))
    Z = Z - Z.max(axis=1, keepdims=True)
    single = np.log(np.exp(Z).sum(axis=1)) - Z[rows, labels]
    loss = np.repeat(single, often).mean() if often.sum() else 0.0
    a = softmax(Z)
    a[rows, labels] -= 1
    return loss, often[:, None] * a / max(1, often.sum())
"""}, {"task-3": 1}),
    ("the derivatives are those of the plain loss", {"task-3": """
def weighted_loss(Z, labels, weights):
    rows = np.arange(len(Z))
    w = np.array(weights)[labels]
    Z = Z - Z.max(axis=1, keepdims=True)
    loss = (w * (np.log(np.exp(Z).sum(axis=1)) - Z[rows, labels])).sum() / w.sum()
    return loss, (softmax(Z) - np.eye(Z.shape[1])[labels]) / len(Z)
"""}, {"task-3": 2}),
    ("the factor is given the other way round", {"task-4-a": """
tau = head["tau"]
factor = {"W": 1, "b": 1 / tau, "A": tau, "tau": 1 / tau}
"""}, {"task-4": 2}),
    ("only the sizes of the blocks are compared with one another", {"task-4-a": """
factor = dict.fromkeys(["W", "b", "A", "tau"], 1.0)
factor["tau"] = head["tau"]
"""}, {"task-4": 2}),
    ("the blocks are mended, but the batch's size is still the number of classes", {"task-4-b": """
def head_gradient(W, b, A, tau, Y):
    m = Y.shape[1]
    Z = A @ W.T + b
    D = (softmax(Z / tau) - Y) / tau
    return {"W": D.T @ A / m, "b": D.sum(axis=0) / m, "A": D @ W / m,
            "tau": -(D * Z).sum() / (tau * m)}
"""}, {"task-4": 2}),
    ("the factors of this one temperature are divided out, in a batch of four", {"task-4-b": """
def head_gradient(W, b, A, tau, Y):
    theirs = colleague(W, b, A, tau, Y)
    return {"W": theirs["W"], "b": theirs["b"] / tau, "A": theirs["A"] * tau,
            "tau": theirs["tau"] / tau}
"""}, {"task-4": 2}),
    ("the derivative by the temperature keeps its wrong power", {"task-4-b": """
def head_gradient(W, b, A, tau, Y):
    m = len(Y)
    Z = A @ W.T + b
    D = (softmax(Z / tau) - Y) / tau
    return {"W": D.T @ A / m, "b": D.mean(axis=0), "A": D @ W / m, "tau": -(D * Z).sum() / m}
"""}, {"task-4": 2}),
    ("what goes back to the examples isn't divided by their number", {"task-4-b": """
def head_gradient(W, b, A, tau, Y):
    m = len(Y)
    Z = A @ W.T + b
    D = (softmax(Z / tau) - Y) / tau
    return {"W": D.T @ A / m, "b": D.mean(axis=0), "A": D @ W, "tau": -(D * Z).sum() / tau / m}
"""}, {"task-4": 2}),
    ("the output, not its odds, is divided by the weight", {"task-5-a": """
def honest(a, w):
    return a / w

constant = share * weight
"""}, {"task-5": 1}),
    ("the way there is right, the way back is a division",
     {"task-5-a": """
def honest(a, w):
    return a / w

constant = share * weight / (share * weight + 1 - share)
"""}, {"task-5": 1}),
    ("the constant without the weight of the other parts",
     {"task-5-a": """
def honest(a, w):
    return a / (a + w * (1 - a))

constant = weight * share / (1 + weight * share)
"""}, {"task-5": 3}),
    ("the way back is rounded to three decimals",
     {"task-5-a": """
def honest(a, w):
    return np.round(a / (a + w * (1 - a)), 3)

constant = share * weight / (share * weight + 1 - share)
"""}, {"task-5": 3}),
    ("the weight goes the wrong way, there and back", {"task-5-a": """
def honest(a, w):
    return a * w / (a * w + 1 - a)

constant = share / (share + weight * (1 - share))
"""}, {"task-5": 1}),
    ("the constant is the share, and nothing is undone", {"task-5-a": """
def honest(a, w):
    return a

constant = share
"""}, {"task-5": 1}),
    ("everything is measured on the parts that were trained on", {"task-5-b": RUNS.replace(
        "finder(sensors_new)", "finder(sensors)").replace("cracked_new", "cracked")},
     {"task-5": 2}),
    ("found: the share of all parts that are called cracked", {"task-5-b": RUNS.replace(
        "outputs[kind][yes] > 0.5", "outputs[kind] > 0.5")}, {"task-5": 3}),
    ("the weighted loss is measured instead of the ordinary one", {"task-5-b": RUNS.replace(
        "cross_entropy(outputs[kind], cracked_new)",
        "rare_loss(weight)(outputs[kind], cracked_new)")}, {"task-5": 3}),
    ("the weight is undone twice", {"task-5-b": RUNS.replace(
        'honest(outputs["weighted"], weight)', 'honest(outputs["weighted"], weight**2)')},
     {"task-5": 3}),
    ("the plain network is thought to know nothing", {"task-5-b": RUNS.replace(
        '{"B", "D"}', '{"B", "C"}')}, {"task-5": 3}),
]

ALSO_RIGHT = [
    ("ignorance by the package's losses, and the mistakes counted up", {"task-1": """
from byhand import mse

targets = np.repeat(np.eye(4), counts, axis=0)
answer = np.tile(targets.mean(axis=0), (1000, 1))
blind, blind_mse = cross_entropy(answer, targets), mse(answer, targets)
most_wrong = 0
while (most_wrong + 1) * np.log(2) < 1000 * reached:
    most_wrong += 1
most_deaf = np.floor(1000 * reached / -np.log(0.01))
"""}),
    ("the rules by loops and lists; the bent answer without odds", {"task-2-a": """
says = {}
honest_rules = []
for letter in "PQRSTU":
    best = {}
    for q in [belief, 0.13, 0.4, 0.82]:
        pays = []
        for k in range(1, 1000):
            pays.append(q * rules[letter](k / 1000) + (1 - q) * rules[letter](1 - k / 1000))
        best[q] = (1 + pays.index(min(pays))) / 1000
    says[letter] = best[belief]
    if all(abs(best[q] - q) < 0.0015 for q in best):
        honest_rules.append(letter)
""", "task-2-b": """
def bent(q, p):
    yes, no = q ** (1 / (p - 1)), (1 - q) ** (1 / (p - 1))
    return yes / (yes + no)
"""}),
    ("the weighted loss one example after the other, with lists", {"task-3": """
def weighted_loss(Z, labels, weights):
    loss, total, dZ = 0.0, 0.0, []
    for z, c in zip(Z, labels):
        z = [float(v) - max(z) for v in z]
        e = np.exp(z)
        loss += weights[c] * (np.log(e.sum()) - z[c])
        total += weights[c]
        dZ.append([weights[c] * (e[k] / e.sum() - (k == c)) for k in range(len(z))])
    return [loss / total, [[d / total for d in row] for row in dZ]]
"""}),
    ("the weights used as an array, and Z moved in place", {"task-3": """
def weighted_loss(Z, labels, weights):
    w = weights[labels]
    Z -= Z.max(axis=1, keepdims=True)
    logs = Z - np.log(np.exp(Z).sum(axis=1, keepdims=True))
    Y = np.eye(Z.shape[1])[labels]
    return -(w @ (Y * logs).sum(axis=1)) / w.sum(), w[:, None] * (np.exp(logs) - Y) / w.sum()
"""}),
    ("the factors as powers of tau; the gradient example by example", {"task-4-a": """
factor = {"W": 1, "b": head["tau"], "A": 1 / head["tau"], "tau": head["tau"]}
""", "task-4-b": """
def head_gradient(W, b, A, tau, Y):
    dW, db, dA, dtau = np.zeros(W.shape), np.zeros(b.shape), np.zeros(A.shape), 0.0
    for i in range(len(A)):
        z = W @ A[i] + b
        d = (softmax(z / tau) - Y[i]) / len(A)
        dW += np.outer(d, A[i]) / tau
        db += d / tau
        dA[i] = W.T @ d / tau
        dtau -= d @ z / tau**2
    return {"tau": dtau, "A": dA, "b": db, "W": dW}
"""}),
    ("the odds divided by the weight; the rest as plainly as possible", {"task-5-a": """
def honest(a, w):
    odds = np.asarray(a) / (1 - np.asarray(a)) / w
    return odds / (1 + odds)

constant = 1 / (1 + (1 - share) / share / weight)
""", "task-5-b": RUNS.replace('{"B", "D"}', '["D", "B"]')}),
]
