"""Answers that a class in earnest gives to problem set 3, and what they earn."""

WRONG = [
    # (what was misunderstood, {answer cell: its source}, {task: points earned, where any are lost})
    ("the biases are not counted", {"task-1-a": """
half = (n_in + n_out) / 2
width = round(float(np.sqrt(half**2 + len(file)) - half))
"""}, {"task-1": 2}),
    ("one hidden layer is counted instead of two", {"task-1-a": """
width = round((len(file) - n_out) / (n_in + n_out + 1))
"""}, {"task-1": 2}),
    ("the width is left as a fraction", {"task-1-a": """
half = (n_in + n_out + 2) / 2
width = np.sqrt(half**2 + len(file) - n_out) - half + 0.3
"""}, {"task-1": 2}),
    ("a kernel is reshaped to (out, in) instead of transposed", {"task-1-b": """
def load(file, sizes):
    layers, start = [], 0
    for n_from, n_to in zip(sizes, sizes[1:]):
        W = file[start : start + n_from * n_to].reshape(n_to, n_from)
        start += n_from * n_to
        layers.append((W, file[start : start + n_to]))
        start += n_to
    if start != len(file):
        raise ValueError("wrong length")
    return layers
"""}, {"task-1": 2}),
    ("a kernel is kept as it is when it is square, because its shape fits", {"task-1-b": """
def load(file, sizes):
    layers, start = [], 0
    for n_from, n_to in zip(sizes, sizes[1:]):
        W = file[start : start + n_from * n_to].reshape(n_from, n_to)
        if W.shape != (n_to, n_from):
            W = W.T
        start += n_from * n_to
        layers.append((W, file[start : start + n_to]))
        start += n_to
    if start != len(file):
        raise ValueError("wrong length")
    return layers
"""}, {"task-1": 2}),
    ("numbers that are left over are ignored", {"task-1-b": """
def load(file, sizes):
    layers, start = [], 0
    for n_from, n_to in zip(sizes, sizes[1:]):
        if start + (n_from + 1) * n_to > len(file):
            raise ValueError("not enough numbers")
        W = file[start : start + n_from * n_to].reshape(n_from, n_to).T
        start += n_from * n_to
        layers.append((W, file[start : start + n_to]))
        start += n_to
    return layers
"""}, {"task-1": 2}),
    ("the biases are read before the kernel", {"task-1-b": """
def load(file, sizes):
    layers, start = [], 0
    for n_from, n_to in zip(sizes, sizes[1:]):
        b = file[start : start + n_to]
        start += n_to
        W = file[start : start + n_from * n_to].reshape(n_from, n_to).T
        start += n_from * n_to
        layers.append((W, b))
    if start != len(file):
        raise ValueError("wrong length")
    return layers
"""}, {"task-1": 2}),
    ("the temperature multiplies the logits", {"task-2-a": """
tau = np.log(later[0] / later[1]) / np.log(said[0] / said[1])
tau_sure = 4.0
for tau_try in np.linspace(0.02, 4, 20_000):
    if softmax(np.log(said) / tau_try).max() > 0.99:
        tau_sure = tau_try
"""}, {"task-2": 3}),
    ("the sure temperature is sought among the two most probable classes only", {"task-2-a": """
tau = np.log(said[0] / said[1]) / np.log(later[0] / later[1])
second, first = np.sort(said)[-2:]
tau_sure = np.log(first / second) / np.log(0.99 / 0.005)
"""}, {"task-2": 3}),
    ("powers of small probabilities underflow", {"task-2-b": """
def reheat(P, tau):
    powers = np.asarray(P) ** (1 / tau)
    return powers / powers.sum(axis=-1, keepdims=True)
"""}, {"task-2": 3}),
    ("a little is added to keep the logarithm finite", {"task-2-b": """
def reheat(P, tau):
    return softmax(np.log(np.asarray(P) + 1e-9) / tau)
"""}, {"task-2": 3}),
    ("the sum is taken over the examples", {"task-2-b": """
def reheat(P, tau):
    odds = (P / P.max(axis=0)) ** (1 / tau)
    return odds / odds.sum(axis=0)
"""}, {"task-2": 2}),
    ("the probabilities themselves are divided by the temperature", {"task-2-b": """
def reheat(P, tau):
    return softmax(np.asarray(P) / tau)
"""}, {"task-2": 2}),
    ("the blocks are taken in the order w, v, b, c", {"task-3-a": """
right = np.array([numerical_gradient(lambda t, x=x: curve(t, np.array([x]))[0], theta)
                  for x in places])
faulty = {}
for name, version in colleagues.items():
    off = abs(version(theta, places) - right).max(axis=0)
    faulty[name] = "wvbc"[min(off.argmax() // 3, 3)]
"""}, {"task-3": 2}),
    ("the colleagues are taken in the order of the functions", {"task-3-a": """
faulty = {"Ada": "c", "Ben": "v", "Cleo": "b", "Dan": "w"}
if [colleagues[n] for n in ["Ada", "Ben", "Cleo", "Dan"]] == [four, three, two, one]:
    faulty = {"Ada": "w", "Ben": "v", "Cleo": "b", "Dan": "c"}
"""}, {"task-3": 2}),
    ("all colleagues are accused of the same block", {"task-3-a": """
faulty = {name: "w" for name in colleagues}
"""}, {"task-3": 2}),
    ("the number of units is fixed at three", {"task-3-b": """
def slopes(theta, x):
    w, b, v = theta[:3], theta[3:6], theta[6:9]
    a = np.tanh(np.outer(x, w) + b)
    rise = v * (1 - a**2)
    return np.hstack([x[:, None] * rise, rise, a, x[:, None], np.ones((len(x), 1))])
"""}, {"task-3": 2}),
    ("the number of places is fixed at six", {"task-3-b": """
def slopes(theta, x):
    w, b, v, d = knobs(theta[:-1])
    a = np.tanh(np.outer(x, w) + b)
    rise = v * (1 - a**2)
    return np.hstack([x[:, None] * rise, rise, a, x[:, None], np.ones((6, 1))])
"""}, {"task-3": 2}),
    ("difference quotients instead of formulas", {"task-3-b": """
def slopes(theta, x):
    rows = []
    for place in x:
        rows.append(numerical_gradient(lambda t: tilted(t, np.array([place]))[0], theta))
    return np.array(rows)
"""}, {"task-3": 2}),
    ("right blocks of two colleagues put together, for sigmoid units", {"task-3-b": """
def slopes(theta, x):
    n = (len(theta) - 2) // 3
    w_block, rest = two(theta[:-1], x)[:, :n], one(theta[:-1], x)[:, n:]
    return np.hstack([w_block, rest[:, :-1], x[:, None], rest[:, -1:]])
"""}, {"task-3": 2}),
    ("the columns of d and c exchanged", {"task-3-b": """
def slopes(theta, x):
    w, b, v, d = knobs(theta[:-1])
    a = np.tanh(np.outer(x, w) + b)
    rise = v * (1 - a**2)
    return np.hstack([x[:, None] * rise, rise, a, np.ones((len(x), 1)), x[:, None]])
"""}, {"task-3": 2}),
    ("a colleague's function is handed in", {"task-3-b": """
slopes = four
"""}, {"task-3": 2}),
    ("the twin is chosen by the sizes of its biases, which all have", {"task-4-a": """
sizes = np.sort(abs(row[0][1]))
twin = 4
for number in [1, 2, 3]:
    network = row[number]
    apart = abs(answers(network, np.ones((1, 3))) - answers(row[0], np.ones((1, 3)))).max()
    if np.allclose(np.sort(abs(network[1])), sizes) and apart > 1e-6:
        twin = number
"""}, {"task-4": 3}),
    ("a turned sigmoid unit is treated as a tanh unit", {"task-4-b": """
def standard(W1, b1, W2, b2):
    sign = np.sign(b1)
    W1, b1, W2 = W1 * sign[:, None], b1 * sign, W2 * sign
    order = np.argsort(-b1)
    return W1[order], b1[order], (W2 - W2.mean(axis=0))[:, order], b2 - b2.mean()
"""}, {"task-4": 2}),
    ("the biases of the output take up the new weights, not the old ones", {"task-4-b": """
def standard(W1, b1, W2, b2):
    sign = np.sign(b1)
    W1, b1, W2 = W1 * sign[:, None], b1 * sign, W2 * sign
    b2 = b2 + W2[:, sign < 0].sum(axis=1)
    order = np.argsort(-b1)
    return W1[order], b1[order], (W2 - W2.mean(axis=0))[:, order], b2 - b2.mean()
"""}, {"task-4": 2}),
    ("the second layer isn't put into the new order", {"task-4-b": """
def standard(W1, b1, W2, b2):
    sign = np.sign(b1)
    b2 = b2 + W2[:, sign < 0].sum(axis=1)
    W1, b1, W2 = W1 * sign[:, None], b1 * sign, W2 * sign
    order = np.argsort(-b1)
    return W1[order], b1[order], W2 - W2.mean(axis=0), b2 - b2.mean()
"""}, {"task-4": 2}),
    ("the mean is taken along the rows of W2", {"task-4-b": """
def standard(W1, b1, W2, b2):
    sign = np.sign(b1)
    b2 = b2 + W2[:, sign < 0].sum(axis=1)
    W1, b1, W2 = W1 * sign[:, None], b1 * sign, W2 * sign
    order = np.argsort(-b1)
    W2 = W2[:, order]
    return W1[order], b1[order], W2 - W2.mean(axis=1, keepdims=True), b2 - b2.mean()
"""}, {"task-4": 2}),
    ("the network that is handed over is changed", {"task-4-b": """
def standard(W1, b1, W2, b2):
    for j in range(len(b1)):
        if b1[j] < 0:
            b2 += W2[:, j]
            W1[j], b1[j], W2[:, j] = -W1[j], -b1[j], -W2[:, j]
    order = np.argsort(-b1)
    return W1[order], b1[order], (W2 - W2.mean(axis=0))[:, order], b2 - b2.mean()
"""}, {"task-4": 3}),
    ("the part without a digit is added instead of taken away", {"task-5-a": """
def centred(W):
    return W.sum(axis=1) / 2
"""}, {"task-5": 1}),
    ("the sum runs over the outputs", {"task-5-a": """
def centred(W):
    return -W.sum(axis=0) / 2
"""}, {"task-5": 0}),
    ("the share is the mean of the largest probabilities", {"task-5-b": """
share = {}
for kind, function in [("sigmoid", sigmoid), ("tanh", tanh), ("centred", sigmoid)]:
    largest = []
    for s in seeds:
        net = Network([784, 16, 10], hidden=function, output=softmax, seed=s)
        if kind == "centred":
            net[2].b[:] = centred(net[2].W)
        largest.append(net(pictures).max(axis=1).mean())
    share[kind] = np.mean(largest)
supported = {"A", "C"}
"""}, {"task-5": 2}),
    ("seeds 0 to 24 are taken instead of one's own; the medians instead of the means",
     {"task-5-b": """
share = {}
for kind, function in [("sigmoid", sigmoid), ("tanh", tanh), ("centred", sigmoid)]:
    shares = []
    for s in range(25):
        net = Network([784, 16, 10], hidden=function, output=softmax, seed=s)
        if kind == "centred":
            net[2].b[:] = centred(net[2].W)
        shares.append(np.bincount(net(pictures).argmax(axis=1)).max() / 500)
    share[kind] = np.median(shares)
supported = {"C", "A"}
"""}, {"task-5": 2}),
    ("the hidden layer's biases are moved, too", {"task-5-b": """
share = {}
for kind, function in [("sigmoid", sigmoid), ("tanh", tanh), ("centred", sigmoid)]:
    shares = []
    for s in seeds:
        net = Network([784, 16, 10], hidden=function, output=softmax, seed=s)
        if kind == "centred":
            net[1].b[:] = centred(net[1].W)
            net[2].b[:] = centred(net[2].W)
        shares.append(np.bincount(net(pictures).argmax(axis=1)).max() / 500)
    share[kind] = np.mean(shares)
supported = {"C", "A"}
"""}, {"task-5": 3}),
    ("shares are given in per cent, and the favourite is taken for a sign of certainty",
     {"task-5-b": """
share = {"sigmoid": 95.0, "tanh": 40.0, "centred": 40.0}
supported = {"A", "C", "D"}
"""}, {"task-5": 1}),
]

ALSO_RIGHT = [
    ("the width is tried out, one after the other", {"task-1-a": """
for width in range(1, 500):
    if Network([n_in, width, width, n_out]).n_parameters == len(file):
        break
"""}),
    ("lists and loops instead of arrays and transposes", {"task-1-b": """
def load(file, sizes):
    numbers = list(file)
    layers = []
    for n_from, n_to in zip(sizes, sizes[1:]):
        W = [[0.0] * n_from for _ in range(n_to)]
        for k in range(n_from):
            for j in range(n_to):
                if not numbers:
                    raise ValueError("too short")
                W[j][k] = numbers.pop(0)
        if len(numbers) < n_to:
            raise ValueError("too short")
        layers.append([W, numbers[:n_to]])
        numbers = numbers[n_to:]
    if numbers:
        raise ValueError("too long")
    return layers
"""}),
    ("the temperature from the largest and the smallest; the sure one by trying many",
     {"task-2-a": """
tau = float(np.log(said.max() / said.min()) / np.log(later.max() / later.min()))
tries = np.linspace(0.01, 1, 400_001)[:, None]
largest = 1 / ((said / said.max()) ** (1 / tries)).sum(axis=1)
tau_sure = round(float(tries[np.argmin(abs(largest - 0.99)), 0]), 5)
"""}),
    ("reheated by logarithms, with a softmax, one row at a time", {"task-2-b": """
def reheat(P, tau):
    P = np.asarray(P)
    if P.ndim == 1:
        return softmax(np.log(P) / tau)
    return np.array([reheat(p, tau) for p in P])
"""}),
    ("the colleagues named by hand, after a look at each matrix; slopes by loops", {"task-3-a": """
faulty = dict.fromkeys(colleagues)
for person in faulty:
    S = colleagues[person](theta, places)
    for k in range(10):
        h = np.zeros(10)
        h[k] = 1e-6
        quotient = (curve(theta + h, places) - curve(theta - h, places)) / 2e-6
        if not np.allclose(S[:, k], quotient, rtol=0, atol=1e-6):
            faulty[person] = "wwwbbbvvvc"[k]
""", "task-3-b": """
def slopes(theta, x):
    n = (len(theta) - 2) // 3
    rows = []
    for place in x:
        row_w, row_b, row_v = [], [], []
        for j in range(n):
            z = theta[j] * place + theta[n + j]
            slope = theta[2 * n + j] * 4 / (np.exp(z) + np.exp(-z)) ** 2
            row_w.append(slope * place)
            row_b.append(slope)
            row_v.append((np.exp(z) - np.exp(-z)) / (np.exp(z) + np.exp(-z)))
        rows.append(row_w + row_b + row_v + [place, 1])
    return rows
"""}),
    ("the twin by its standard name; the standard name step by step, in another order",
     {"task-4-a": """
twin = None
for i in range(1, 5):
    if np.allclose(answers(row[i], np.eye(3)), answers(row[0], np.eye(3))):
        twin = i
""", "task-4-b": """
def standard(W1, b1, W2, b2):
    W1, b1, W2, b2 = W1.copy(), b1.copy(), W2.copy(), b2.copy()
    W2 -= W2.mean(axis=0)
    b2 -= b2.mean()
    for j in range(len(b1)):
        if b1[j] < 0:
            b2 = b2 + W2[:, j]
            W1[j], b1[j], W2[:, j] = -W1[j], -b1[j], -W2[:, j]
    order = sorted(range(len(b1)), key=lambda j: b1[j], reverse=True)
    return [W1[order], b1[order], W2[:, order], b2]
"""}),
    ("biases by a product; shares rounded, letters in a list", {"task-5-a": """
def centred(W):
    return list(W @ np.full(W.shape[1], -0.5))
""", "task-5-b": """
def mean_share(function, mend):
    total = 0
    for s in seeds:
        net = Network([784, 16, 10], hidden=function, output=softmax, seed=s)
        if mend:
            net[2].b[:] = centred(net[2].W)
        labels = list(net(pictures).argmax(axis=1))
        total += max(labels.count(d) for d in range(10)) / 500
    return round(total / 25, 3)

share = {"sigmoid": mean_share(sigmoid, False), "tanh": mean_share(tanh, False),
         "centred": mean_share(sigmoid, True)}
supported = ["A", "C"]
"""}),
]
