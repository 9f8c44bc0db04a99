"""Answers to problem set 2 that a class in earnest gives, and what they earn."""

BENDS = '''first = np.linalg.solve(bent_W, [-bent_b[0], -bent_c / bent_v[1] - bent_b[1]])
second = np.linalg.solve(bent_W, [-bent_c / bent_v[0] - bent_b[0], -bent_b[1]])
bends = np.array([first, second])
middle = bent_v @ bent_W
'''

FENCE = '''def fence(corners, k):
    along = np.roll(corners, -1, axis=0) - corners
    normals = np.column_stack([-along[:, 1], along[:, 0]])
    W1 = k * normals / np.linalg.norm(normals, axis=1, keepdims=True)
    b1 = -(W1 * corners).sum(axis=1)
    turned = np.sign(W1 @ corners.mean(axis=0) + b1)
    n = len(corners)
    return turned[:, None] * W1, turned * b1, np.full((1, n), k), np.array([-k * (n - 0.5)])

'''

SHARES = '''yes_share = []
for k in [1, 4, 40]:
    W1, b1, W2, b2 = fence(field, k)
    yes_share.append((sigmoid(grid @ W1.T + b1) @ W2.T + b2 >= 0).mean())
'''

LOCAL = '''def local_map(W1, b1, W2, b2, x):
    on = (W1 @ x + b1 > 0).astype(float)
    return W2 * on @ W1, W2 * on @ b1 + b2

'''

COUNT = "patterns = len(np.unique(plane @ fold_W1.T + fold_b1 > 0, axis=0))\n"

CHECKED = '''checked = check_function(lambda at: loss_of(at, batch_X, batch_Y),
                         lambda at: program(at, batch_X, batch_Y), place)
block_errors = [checked["W1"], checked["b1"], checked["W2"], checked["b2"]]
'''

GRADIENTS = '''def gradients(at, X, Y):
    A1, A2 = outputs(at, X)
    D2 = (A2 - Y) / len(Y)
    D1 = D2 @ at["W2"] * (1 - A1**2)
    return {"W1": D1.T @ X, "b1": D1.sum(axis=0), "W2": D2.T @ A1, "b2": D2.sum(axis=0)}
'''

CROSS = '''def turn(p, q, r):
    return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])

'''

LOOK = '''def separable(features):
    for d in six_directions(features):
        low, high = features[[0, 3]] @ d, features[[1, 2]] @ d
        if low.max() < high.min() or high.max() < low.min():
            return True
    return False
'''

LOTTERY = '''X = xor()[0]
shares = []
for c in [0.5, 1, 2, 4]:
    features = sigmoid(c * (X @ np.swapaxes(drawn_W, 1, 2) + drawn_b[:, None]))
    shares.append(np.mean([separable(a) for a in features]))
'''

WRONG = [
    # (what was misunderstood, {answer cell: its source}, {task: points earned, where it loses})
    ("the boundary bends where the two lines cross",
     {"task-1": """cross = np.linalg.solve(bent_W, -bent_b)
bends, middle = np.array([cross, cross]), bent_v @ bent_W"""},
     {"task-1": 1}),
    ("the two bends are exchanged",
     {"task-1": BENDS.replace("[first, second]", "[second, first]")},
     {"task-1": 1}),
    ("the boundary bends where it meets the lines' level z = -c",
     {"task-1": BENDS.replace(" / bent_v[1]", "").replace(" / bent_v[0]", "")},
     {"task-1": 1}),
    ("between the bends the rows are added without their output weights",
     {"task-1": BENDS.replace("bent_v @ bent_W", "bent_W.sum(axis=0)")},
     {"task-1": 2}),
    ("rows and columns of W exchanged",
     {"task-1": BENDS.replace("bent_v @ bent_W", "bent_W @ bent_v")},
     {"task-1": 2}),
    ("the corners are taken to run anticlockwise",
     {"task-2": FENCE.replace("np.sign(W1 @ corners.mean(axis=0) + b1)", "np.ones(len(W1))")
                + SHARES},
     {"task-2": 2}),
    ("inside is taken to be where the origin is",
     {"task-2": FENCE.replace("np.sign(W1 @ corners.mean(axis=0) + b1)", "np.sign(b1)") + SHARES},
     {"task-2": 2}),
    ("five corners, whatever polygon comes",
     {"task-2": FENCE.replace("n = len(corners)", "n = 5") + SHARES},
     {"task-2": 2}),
    ("one yes is enough: the output neuron is an OR",
     {"task-2": FENCE.replace("-k * (n - 0.5)", "-k * 0.5") + SHARES},
     {"task-2": 0}),
    ("the last line lies at n - 1 yeses, not above",
     {"task-2": FENCE.replace("(n - 0.5)", "(n - 1)") + SHARES},
     {"task-2": 1}),
    ("the output weights are 1: the same answers, but not the neuron asked for",
     {"task-2": FENCE.replace("np.full((1, n), k), np.array([-k * (n - 0.5)])",
                              "np.ones((1, n)), np.array([0.5 - n])") + SHARES},
     {"task-2": 3}),
    ("b2 as a bare number",
     {"task-2": FENCE.replace("np.array([-k * (n - 0.5)])", "-k * (n - 0.5)") + SHARES},
     {"task-2": 3}),
    ("the normals are not brought to the length k",
     {"task-2": FENCE.replace(" / np.linalg.norm(normals, axis=1, keepdims=True)", "") + SHARES},
     {"task-2": 2}),
    ("the boundary is taken to be made of the units' lines, for every k",
     {"task-2": FENCE + """W1, b1, W2, b2 = fence(field, 1)
yes_share = [np.mean((grid @ W1.T + b1 >= 0).all(axis=1))] * 3"""},
     {"task-2": 3}),
    ("the mean of p, not the share of the points with a yes",
     {"task-2": FENCE + SHARES.replace("@ W2.T + b2 >= 0).mean()", "@ W2.T + b2).mean()")
                              .replace("append((sigmoid", "append(sigmoid(sigmoid")},
     {"task-2": 3}),
    ("the layers are collapsed as if there were no bend",
     {"task-3": """def local_map(W1, b1, W2, b2, x):
    return W2 @ W1, W2 @ b1 + b2

""" + COUNT},
     {"task-3": 1}),
    ("right at x alone: the rest is put into b",
     {"task-3": """def local_map(W1, b1, W2, b2, x):
    W = W2 @ W1
    return W, W2 @ relu(W1 @ x + b1) + b2 - W @ x

""" + COUNT},
     {"task-3": 2}),
    ("the slopes are masked, the biases are not",
     {"task-3": LOCAL.replace("W2 * on @ b1 + b2", "W2 @ b1 + b2") + COUNT},
     {"task-3": 1}),
    ("units counted, not patterns",
     {"task-3": LOCAL + """on = plane @ fold_W1.T + fold_b1 > 0
patterns = len(np.unique(on.sum(axis=1)))"""},
     {"task-3": 3}),
    ("the number of pieces is taken from the formula",
     {"task-3": LOCAL + "patterns = 1 + 5 + 10"},
     {"task-3": 3}),
    ("a unit is on where W x is positive, the bias left out",
     {"task-3": LOCAL + "patterns = len(np.unique(plane @ fold_W1.T > 0, axis=0))"},
     {"task-3": 3}),
    ("the line that makes b1 is blamed, as b1 is off",
     {"task-4-a": CHECKED + "wrong_lines = [4, 7]"},
     {"task-4": 2}),
    ("two lines, one for each of two blocks that are off",
     {"task-4-a": CHECKED + "wrong_lines = [6, 7]"},
     {"task-4": 2}),
    ("the errors in the order of the alphabet",
     {"task-4-a": CHECKED + """block_errors = [checked[name] for name in sorted(checked)]
wrong_lines = [4, 5]"""},
     {"task-4": 3}),
    ("absolute errors",
     {"task-4-a": """block_errors = []
for name in place:
    slope = numerical_gradient(lambda v: loss_of({**place, name: v}, batch_X, batch_Y), place[name])
    block_errors.append(abs(program(place, batch_X, batch_Y)[name] - slope).max())
wrong_lines = [4, 5]"""},
     {"task-4": 3}),
    ("only one of the two lines is mended",
     {"task-4-b": GRADIENTS.replace("D2.sum", "D2.mean")},
     {"task-4": 3}),
    ("b2 summed to a bare number",
     {"task-4-b": GRADIENTS.replace("D2.sum(axis=0)", "D2.sum()")},
     {"task-4": 3}),
    ("the six examples of the batch written into the code",
     {"task-4-b": GRADIENTS.replace("len(Y)", "6")},
     {"task-4": 3}),
    ("checked at place, and computed at place",
     {"task-4-b": GRADIENTS.replace("    A1,", "    at = place\n    A1,")},
     {"task-4": 3}),
    ("whole lines are crossed, not segments",
     {"task-5-a": CROSS + """def separable(features):
    zero, one, other, last = features
    return turn(zero, last, one) * turn(zero, last, other) >= 0"""},
     {"task-5": 0}),
    ("a proper crossing only, so points in a row always pass",
     {"task-5-a": CROSS + """def separable(a):
    met = turn(a[0], a[3], a[1]) * turn(a[0], a[3], a[2]) < 0
    return not (met and turn(a[1], a[2], a[0]) * turn(a[1], a[2], a[3]) < 0)"""},
     {"task-5": 2}),
    ("points on the line between them count as separated",
     {"task-5-a": LOOK.replace("<", "<=")},
     {"task-5": 2}),
    ("the ones are looked for above the zeros only",
     {"task-5-a": LOOK.replace(" or high.max() < low.min()", "")},
     {"task-5": 0}),
    ("nothing is returned",
     {"task-5-a": LOOK.replace("return", "found =")},
     {"task-5": 0}),
    ("separable if four different points come out",
     {"task-5-a": """def separable(features):
    return len(np.unique(features.round(6), axis=0)) == 4"""},
     {"task-5": 0}),
    ("a line is looked for among those parallel to the axes",
     {"task-5-a": """def separable(features):
    zeros, ones = features[[0, 3]], features[[1, 2]]
    return bool(((zeros.max(axis=0) < ones.min(axis=0))
                 | (ones.max(axis=0) < zeros.min(axis=0))).any())"""},
     {"task-5": 0}),
    ("the biases are not multiplied by c",
     {"task-5-b": LOTTERY.replace("c * (X @ np.swapaxes(drawn_W, 1, 2) + drawn_b[:, None])",
                                  "c * (X @ np.swapaxes(drawn_W, 1, 2)) + drawn_b[:, None]")},
     {"task-5": 2}),
    ("the rows of W taken for its columns",
     {"task-5-b": LOTTERY.replace("np.swapaxes(drawn_W, 1, 2)", "drawn_W")},
     {"task-5": 2}),
    ("the sums are looked at, before the bend",
     {"task-5-b": LOTTERY.replace("sigmoid(", "(")},
     {"task-5": 2}),
]

ALSO_RIGHT = [
    ("lists, and each bend by Cramer's rule",
     {"task-1": """(p, q), (r, s) = bent_W.tolist()
det = p * s - q * r

def meet(z1, z2):
    u, v = z1 - bent_b[0], z2 - bent_b[1]
    return [float((u * s - q * v) / det), float((p * v - r * u) / det)]

bends = [meet(0, -bent_c / bent_v[1]), meet(-bent_c / bent_v[0], 0)]
middle = [int(bent_v[0] * p + bent_v[1] * r), int(bent_v[0] * q + bent_v[1] * s)]"""}),
    ("a loop over the edges, and lists",
     {"task-2": """def fence(corners, k):
    n, W1, b1 = len(corners), [], []
    for j in range(n):
        (x, y), (u, v) = corners[j], corners[(j + 1) % n]
        length = ((u - x) ** 2 + (v - y) ** 2) ** 0.5
        w = [(v - y) / length, (x - u) / length]
        b = -(w[0] * x + w[1] * y)
        far = corners[(j + 2) % n]
        side = 1 if w[0] * far[0] + w[1] * far[1] + b > 0 else -1
        W1.append([side * k * w[0], side * k * w[1]])
        b1.append(side * k * b)
    return W1, b1, [[k] * n], [0.5 * k - k * n]

yes_share = []
for k in (1, 4, 40):
    W1, b1, W2, b2 = map(np.array, fence(field, k))
    p = sigmoid(sigmoid(grid @ W1.T + b1) @ W2.T + b2)
    yes_share.append(round(float((p >= 0.5).mean()), 4))"""}),
    ("the derivative of ReLU, one unit after the other, and a set of tuples",
     {"task-3": """def local_map(W1, b1, W2, b2, x):
    slopes = relu.prime(W1.dot(x) + b1)
    W, b = np.zeros((len(W2), len(x))), b2.copy()
    for j, slope in enumerate(slopes):
        W = W + slope * np.outer(W2[:, j], W1[j])
        b = b + slope * W2[:, j] * b1[j]
    return W, b

patterns = len({tuple(row) for row in (plane @ fold_W1.T + fold_b1 > 0).tolist()})"""}),
    ("rounded to four digits, the lines in a list and in another order",
     {"task-4-a": CHECKED + """block_errors = [round(error, 4) for error in block_errors]
wrong_lines = [5, 4]"""}),
    ("one example after the other",
     {"task-4-b": """def gradients(at, X, Y):
    total = {name: np.zeros_like(block) for name, block in at.items()}
    for x, y in zip(X, Y):
        z1 = at["W1"] @ x + at["b1"]
        a1 = np.tanh(z1)
        d2 = (sigmoid(at["W2"] @ a1 + at["b2"]) - y) / len(X)
        d1 = at["W2"].T @ d2 / np.cosh(z1) ** 2
        for name, part in [("W1", np.outer(d1, x)), ("b1", d1), ("W2", np.outer(d2, a1)),
                           ("b2", d2)]:
            total[name] += part
    return total"""}),
    ("crossings of segments, with the points in a row apart",
     {"task-5-a": CROSS + """def separable(features):
    z, p, q, y = [tuple(row) for row in features.tolist()]

    def on(a, b, c):
        inside = all(min(u, v) <= w <= max(u, v) for u, v, w in zip(a, b, c))
        return inside and turn(a, b, c) == 0

    if on(z, y, p) or on(z, y, q) or on(p, q, z) or on(p, q, y):
        return False
    met = turn(z, y, p) * turn(z, y, q) < 0 and turn(p, q, z) * turn(p, q, y) < 0
    return not met"""}),
    ("a gap counts from 1e-12 on",
     {"task-5-a": LOOK.replace(" < high.min()", " < high.min() - 1e-12")
                      .replace(" < low.min()", " < low.min() - 1e-12")}),
    ("the directions made by hand, sums of products, one number of NumPy",
     {"task-5-a": """def separable(features):
    found = np.bool_(False)
    for i in range(4):
        for j in range(i):
            x, y = features[i] - features[j]
            for d in ([x, y], [-y, x]):
                z, p, q, w = (features * d).sum(axis=1)
                found |= max(z, w) < min(p, q) or min(z, w) > max(p, q)
    return found"""}),
    ("shares by hand, one layer after the other",
     {"task-5-b": """points = [[0, 0], [0, 1], [1, 0], [1, 1]]
found = [0, 0, 0, 0]
for W, b in zip(drawn_W, drawn_b):
    for k, c in enumerate([1 / 2, 1, 2, 4]):
        features = np.array([sigmoid(c * W @ x + c * b) for x in points])
        found[k] += separable(features)
shares = [n / 1000 for n in found]"""}),
]
