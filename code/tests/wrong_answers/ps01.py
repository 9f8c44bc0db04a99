"""Answers to problem set 1 that a class in earnest gives, and what they earn."""

FOOL = '''def smallest_change(w, b, x, p):
    missing = np.log(p / (1 - p)) - (x @ w + b)
    return np.multiply.outer(missing, w) / (w @ w)

'''

REACH = '''
step = smallest_change(pixel_w, pixel_b, image, wanted)
reach = np.linalg.norm(step) / np.linalg.norm(image)
'''

FIT = '''def fit_counts(x, shown, seen, eta, steps):
    w, b = 0.0, 0.0
    for _ in range(steps):
        error = shown * sigmoid(w * x + b) - seen
        w = w - eta * (error @ x) / np.sum(shown)
        b = b - eta * error.sum() / np.sum(shown)
    return w, b

'''

PHOTONS = '''slope, shift = fit_counts(np.log2(photons / 100), shown, seen, eta=2, steps=3000)
threshold = 100 * 2 ** (-shift / slope)
nine_in_ten = 100 * 2 ** ((np.log(9) - shift) / slope)
'''

CHECKED = '''data = batch_X, batch_y, batch_cost, penalty
reports = [check_function(lambda at: objective(at, *data), lambda at: g(at, *data), place)
           for g in attempts]
'''

USED = '''net = Network([2, 1]).unflatten(np.zeros(3))
train(net, X_fit, Y_fit, cross_entropy, eta=2, epochs=2000)

def four_numbers():
    p = net(X_use)
    mistakes = [((p >= 0.5) & (Y_use == 0)).sum(), ((p < 0.5) & (Y_use == 1)).sum()]
    return np.array([p.sum(), cross_entropy(p, Y_use), *mistakes])

before = four_numbers()
'''

WRONG = [
    # (what was misunderstood, {answer cell: its source}, {task: points earned, where it loses})
    ("a negative result isn't counted as evidence",
     {"task-1": """weights = np.log(hit / false_alarm)
bias = np.log(share_ill / (1 - share_ill))
chance = sigmoid(weights @ patient + bias)"""},
     {"task-1": 1}),
    ("the share of the ill is left out",
     {"task-1": """weights = np.log(hit * (1 - false_alarm) / false_alarm / (1 - hit))
bias = np.log((1 - hit) / (1 - false_alarm)).sum()
chance = sigmoid(weights @ patient + bias)"""},
     {"task-1": 0}),
    ("the chance is for three positive tests, not for the patient",
     {"task-1": """weights = np.log(hit * (1 - false_alarm) / false_alarm / (1 - hit))
bias = np.log(share_ill / (1 - share_ill)) + np.log((1 - hit) / (1 - false_alarm)).sum()
chance = sigmoid(weights.sum() + bias)"""},
     {"task-1": 1}),
    ("weights of probabilities, not of log-odds",
     {"task-1": """weights = hit - false_alarm
bias = share_ill
chance = sigmoid(weights @ patient + bias)"""},
     {"task-1": 0}),
    ("divided by the length of w, not by its square",
     {"task-2": FOOL.replace("(w @ w)", "np.linalg.norm(w)") + REACH},
     {"task-2": 0}),
    ("only the input with the largest weight is changed",
     {"task-2": """def smallest_change(w, b, x, p):
    d = np.zeros(np.shape(x))
    k = np.argmax(np.abs(w))
    d[..., k] = (np.log(p / (1 - p)) - (x @ w + b)) / w[k]
    return d
""" + REACH},
     {"task-2": 1}),
    ("all inputs are changed by the same amount",
     {"task-2": """def smallest_change(w, b, x, p):
    missing = np.log(p / (1 - p)) - (x @ w + b)
    return np.multiply.outer(missing / w.sum(), np.ones(len(w)))
""" + REACH},
     {"task-2": 1}),
    ("one input works, a batch doesn't",
     {"task-2": FOOL.replace("np.multiply.outer(missing, w)", "missing * w") + REACH},
     {"task-2": 1}),
    ("reach is measured up to the boundary only",
     {"task-2": FOOL + """
reach = np.linalg.norm(smallest_change(pixel_w, pixel_b, image, 0.5)) / np.linalg.norm(image)"""},
     {"task-2": 3}),
    ("reach is the length itself, not a share",
     {"task-2": FOOL + """
reach = np.linalg.norm(smallest_change(pixel_w, pixel_b, image, wanted))"""},
     {"task-2": 3}),
    ("every brightness counts the same, however many flashes it has",
     {"task-3": FIT.replace("shown * sigmoid(w * x + b) - seen",
                            "sigmoid(w * x + b) - seen / shown")
                   .replace("np.sum(shown)", "len(x)") + PHOTONS},
     {"task-3": 1}),
    ("the sum of the errors, not their mean",
     {"task-3": FIT.replace(" / np.sum(shown)", "") + PHOTONS.replace("eta=2", "eta=0.005")},
     {"task-3": 2}),
    ("stopped before the weights have settled",
     {"task-3": FIT + PHOTONS.replace("steps=3000", "steps=20")},
     {"task-3": 2}),
    ("the logarithm to the base 2 undone with e",
     {"task-3": FIT + PHOTONS.replace("2 **", "np.e **")},
     {"task-3": 2}),
    ("the logit of 0.9 forgotten: z = 0.9",
     {"task-3": FIT + PHOTONS.replace("np.log(9)", "0.9")},
     {"task-3": 2}),
    ("the order of the authors, not of the list",
     {"task-4-a": CHECKED + """faulty = ["w", "b", "s", "all"]
off_by = [max(report.values()) for report in reports]"""},
     {"task-4": 2}),
    ("only the block that is off most is looked at",
     {"task-4-a": CHECKED + """faulty = [max(report, key=report.get) for report in reports]
off_by = [max(report.values()) for report in reports]"""},
     {"task-4": 2}),
    ("the errors are added, not the largest taken",
     {"task-4-a": CHECKED + """off = [[k for k in report if report[k] > 1e-7] for report in reports]
faulty = ["all" if len(names) == 3 else names[0] for names in off]
off_by = [sum(report.values()) for report in reports]"""},
     {"task-4": 2}),
    ("the batch of the task instead of the arguments",
     {"task-4-b": """def gradient(at, X, y, cost, penalty):
    z = batch_X @ at["w"] + at["b"]
    error = batch_cost * (sigmoid(at["s"] * z) - batch_y) / 12
    return {"w": at["s"] * error @ batch_X + penalty * at["w"],
            "b": at["s"] * error.sum(), "s": error @ z}"""},
     {"task-4": 2}),
    ("the penalty of the task instead of the argument",
     {"task-4-b": """price = penalty

def gradient(at, X, y, cost, penalty):
    z = X @ at["w"] + at["b"]
    error = cost * (sigmoid(at["s"] * z) - y) / len(y)
    return {"w": at["s"] * error @ X + price * at["w"],
            "b": at["s"] * error.sum(), "s": error @ z}"""},
     {"task-4": 2}),
    ("the bias pays the penalty, too",
     {"task-4-b": """def gradient(at, X, y, cost, penalty):
    z = X @ at["w"] + at["b"]
    error = cost * (sigmoid(at["s"] * z) - y) / len(y)
    return {"w": at["s"] * error @ X + penalty * at["w"],
            "b": at["s"] * error.sum() + penalty * at["b"], "s": error @ z}"""},
     {"task-4": 2}),
    ("divided by the sum of the costs",
     {"task-4-b": """def gradient(at, X, y, cost, penalty):
    z = X @ at["w"] + at["b"]
    error = cost * (sigmoid(at["s"] * z) - y) / cost.sum()
    return {"w": at["s"] * error @ X + penalty * at["w"],
            "b": at["s"] * error.sum(), "s": error @ z}"""},
     {"task-4": 2}),
    ("the ratio of the shares, not of the odds",
     {"task-5-a": """def moved_bias(b, share_fit, share_use):
    return b + np.log(share_use / share_fit)"""},
     {"task-5": 2}),
    ("fitted to one half, whatever the share was",
     {"task-5-a": """def moved_bias(b, share_fit, share_use):
    return b + np.log(share_use / (1 - share_use))"""},
     {"task-5": 3}),
    ("the bias is moved the wrong way",
     {"task-5-a": """def moved_bias(b, share_fit, share_use):
    odds = share_use / (1 - share_use) * (1 - share_fit) / share_fit
    return b - np.log(odds)"""},
     {"task-5": 2}),
    ("the share of the ones is taken of the zeros",
     {"task-5-b": USED + """net[1].b[0] = moved_bias(net[1].b[0], 0.5, few / 250)
after = four_numbers()"""},
     {"task-5": 3}),
    ("the two kinds of mistakes are exchanged",
     {"task-5-b": USED.replace("Y_use == 0", "Y_use == 2").replace("Y_use == 1", "Y_use == 0")
                      .replace("Y_use == 2", "Y_use == 1") + """
net[1].b[0] = moved_bias(net[1].b[0], 0.5, few / (250 + few))
after = four_numbers()"""},
     {"task-5": 1}),
    ("the threshold is moved, not the bias",
     {"task-5-b": USED + """p = net(X_use)
cut = 1 - few / (250 + few)
after = np.array([(p >= cut).sum(), cross_entropy(p, Y_use),
                  ((p >= cut) & (Y_use == 0)).sum(), ((p < cut) & (Y_use == 1)).sum()])"""},
     {"task-5": 3}),
]

ALSO_RIGHT = [
    ("Bayes' rule at the corners, and lists instead of arrays",
     {"task-1": """def log_odds(x):
    ratio = share_ill / (1 - share_ill)
    for r, h, f in zip(x, hit, false_alarm):
        ratio = ratio * (h / f if r else (1 - h) / (1 - f))
    return float(np.log(ratio))

bias = log_odds([0, 0, 0])
weights = [log_odds(x) - bias for x in ([1, 0, 0], [0, 1, 0], [0, 0, 1])]
chance = 1 / (1 + np.exp(-log_odds(list(patient))))"""}),
    ("one input after the other, rounded to four digits",
     {"task-2": """def smallest_change(w, b, x, p):
    if np.ndim(x) == 2:
        return [smallest_change(w, b, row, p) for row in x]
    z = sum(w[k] * x[k] for k in range(len(w))) + b
    t = (-np.log(1 / p - 1) - z) / sum(w**2)
    return [t * w[k] for k in range(len(w))]

step = np.array(smallest_change(pixel_w, pixel_b, image, wanted))
reach = round(float(np.sqrt((step**2).sum() / (image**2).sum())), 4)
smallest = smallest_change

def smallest_change(w, b, x, p):
    return np.array(smallest(w, b, x, p))"""}),
    ("one row a flash",
     {"task-3": """def fit_counts(x, shown, seen, eta, steps):
    X = np.repeat(x, shown)
    y = np.concatenate([[1.0] * k + [0.0] * (n - k) for n, k in zip(shown, seen)])
    w = b = 0
    for _ in range(steps):
        a = sigmoid(w * X + b)
        w, b = w - eta * ((a - y) * X).mean(), b - eta * (a - y).mean()
    return [w, b]

w, b = fit_counts(np.log2(photons / 100), shown, seen, 1, 4000)
threshold = round(float(2 ** (np.log2(100) - b / w)), 1)
nine_in_ten = round(float(2 ** (np.log2(100) + (2.1972246 - b) / w)), 1)"""}),
    ("read off by hand, in a tuple",
     {"task-4-a": CHECKED + """words = []
for report in reports:
    names = [name for name in report if report[name] > 1e-6]
    words.append(names[0] if len(names) == 1 else "all")
faulty = tuple(words)
off_by = [round(max(report.values()), 4) for report in reports]"""}),
    ("a loop over the examples",
     {"task-4-b": """def gradient(at, X, y, cost, penalty):
    w, b, s = at["w"], at["b"], at["s"]
    dw, db, ds = penalty * w, 0.0, 0.0
    for x, target, c in zip(X, y, cost):
        z = float(w @ x) + b
        error = c * (1 / (1 + np.exp(-s * z)) - target) / len(X)
        dw, db, ds = dw + error * s * x, db + error * s, ds + error * z
    return {"s": ds, "b": db, "w": list(dw)}"""}),
    ("the chapter's loop instead of train, Bayes' rule on the probabilities",
     {"task-5-b": """w, b = np.zeros(2), 0.0
for _ in range(2000):
    error = sigmoid(X_fit @ w + b) - Y_fit[:, 0]
    w, b = w - 2 * error @ X_fit / len(X_fit), b - 2 * error.mean()

def measure(p):
    y = Y_use[:, 0] == 1
    loss = -(np.log(p[y]).sum() + np.log(1 - p[~y]).sum()) / len(p)
    return [float(p.sum()), float(loss), int((p[~y] >= 0.5).sum()), int((p[y] < 0.5).sum())]

p = sigmoid(X_use @ w + b)
before = measure(p)
odds = p / (1 - p) * few / 250
after = measure(odds / (1 + odds))"""}),
]
