"""Chapter 2: how often does training solve XOR? The counts go to book/results/xor_table.json.

    python book/tools/xor_table.py               about two minutes on one core

A network 2-H-1 with a sigmoid output starts from weights N(0, 1) and biases 0 and is trained on
the four examples by 5,000 epochs of full-batch gradient descent, with eta 1 for cross_entropy and
eta 4 for mse. It has solved XOR if all four answers lie on the right side of 1/2. Seeds 0 to 499
for each width, activation and loss; run k is the run of

    net = Network([2, H, 1], hidden=..., init=standard_normal, seed=k)
    train(net, *xor(), loss, eta, epochs=5000)

All seeds are trained at once: every array has the seed as its first axis, and `@` multiplies the
matrices of each seed. The backward pass is BP1 to BP4 (chapter 7). Stuck runs of cross_entropy go
on to 50,000 epochs. Once more, with the first layer's weights twice as long at the start, run the
500 networks with two sigmoid units.
"""

import datetime
import json
import os
import platform
import re
from collections import Counter
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import byhand
import numpy as np
from byhand.layers import standard_normal

RESULTS = Path(__file__).resolve().parents[1] / "results" / "xor_table.json"
X, Y = byhand.xor()
SEEDS, EPOCHS, LONGER = 500, 5000, (10_000, 50_000)
ETA = {"cross_entropy": 1, "mse": 4}
HIDDEN = {"sigmoid": byhand.sigmoid, "tanh": byhand.tanh, "relu": byhand.relu}
WIDTHS = 2, 3, 4, 8


def start(width, seeds):
    """W1 (seeds, H, 2), b1 (seeds, 1, H), W2 (seeds, 1, H), b2 (seeds, 1, 1), as Network's."""
    nets = [byhand.Network([2, width, 1], init=standard_normal, seed=seed) for seed in seeds]
    return [np.stack([np.atleast_2d(getattr(net[l], name)) for net in nets])
            for l in (1, 2) for name in ("W", "b")]


def forward(parameters, sigma):
    """z1 and a1 (seeds, 4, H), and the answers a2 (seeds, 4, 1)."""
    W1, b1, W2, b2 = parameters
    z1 = X @ W1.mT + b1
    a1 = sigma(z1)
    return z1, a1, byhand.sigmoid(a1 @ W2.mT + b2)


def train(parameters, sigma, loss, epochs):
    """Gradient descent for all seeds at once, in place."""
    for _ in range(epochs):
        z1, a1, a2 = forward(parameters, sigma)
        delta2 = a2 - Y if loss == "cross_entropy" else 2 * (a2 - Y) * a2 * (1 - a2)
        delta1 = delta2 @ parameters[2] * sigma.prime(z1)
        gradient = (delta1.mT @ X / 4, delta1.mean(axis=1, keepdims=True),
                    delta2.mT @ a1 / 4, delta2.mean(axis=1, keepdims=True))
        for parameter, derivative in zip(parameters, gradient):
            parameter -= ETA[loss] * derivative


def solved(parameters, sigma):
    return ((forward(parameters, sigma)[2] >= 0.5) == (Y == 1)).all(axis=(1, 2))


def dead_units(parameters, sigma):
    """How many hidden units have z <= 0 for all four examples; (seeds,)."""
    return (forward(parameters, sigma)[0] <= 0).all(axis=1).sum(axis=1)


def silent_where_wrong(parameters, sigma):
    """Whether all hidden units are silent at every example answered with more than 0.1 of error."""
    z1, _, a2 = forward(parameters, sigma)
    silent, wrong = (z1 <= 0).all(axis=2), abs(a2 - Y)[:, :, 0] > 0.1
    return (silent | ~wrong).all(axis=1)


def always_on(parameters, sigma):
    """Whether all hidden units have z > 0 at all four examples: nothing bends between them."""
    return (forward(parameters, sigma)[0] > 0).all(axis=(1, 2))


def ideas(a1):
    """What each pair of hidden units says, up to their order and to turning a unit around.

    a1 (seeds, 4, 2): the features at (0, 0), (0, 1), (1, 0), (1, 1).
    """
    on = (a1 >= 0.5).astype(int)
    on = np.where(on[:, :1] == 1, 1 - on, on)         # turned around so that (0, 0) gives 0
    names = {"0001": "and", "0111": "or", "0100": "x2 only", "0010": "x1 only"}
    words = [["".join(map(str, unit)) for unit in run.T] for run in on]
    return [", ".join(sorted(names.get(word, word) for word in pair)) for pair in words]


def apart(a1, a2):
    """The largest distance, in one feature, of points answered with more than 0.1 of error."""
    wrong = abs(a2 - Y)[:, :, 0] > 0.1
    return [float(np.ptp(features[at], axis=0).max()) for features, at in zip(a1, wrong)]


def tally(values):
    return {str(v): n for v, n in sorted(Counter(values).items(), key=lambda item: -item[1])}


def group(loss, hidden, width):
    """Everything that is kept of one cell of the table."""
    sigma = HIDDEN[hidden]
    parameters = start(width, range(SEEDS))
    born_dead = dead_units(parameters, sigma)
    train(parameters, sigma, loss, EPOCHS)
    well = solved(parameters, sigma)
    a2 = forward(parameters, sigma)[2][~well, :, 0]
    result = {"solved": int(well.sum()), "by seed": "".join("01"[w] for w in well.astype(int)),
              "answers of the stuck": tally(" ".join(f"{a:.1f}" for a in row) for row in a2)}
    if (loss, hidden, width) == ("cross_entropy", "sigmoid", 2):
        a1 = forward(parameters, sigma)[1]
        result["ideas of the solved"] = tally(ideas(a1[well]))
        result["their hidden units are off 0 or 1 by at most"] = round(
            float(np.minimum(a1, 1 - a1)[well].max()), 4)
        answers = [" ".join(f"{a:.1f}" for a in row) for row in a2]
        distances = apart(a1[~well], forward(parameters, sigma)[2][~well])
        result["features of the points in doubt differ by at most"] = {
            kind: round(max(d for d, a in zip(distances, answers) if a == kind), 4)
            for kind in result["answers of the stuck"]}
    if hidden == "relu":
        dead = dead_units(parameters, sigma)
        result["dead at the start, stuck"] = tally(born_dead[~well].tolist())
        result["dead at the start, solved"] = tally(born_dead[well].tolist())
        result["dead at the end, stuck"] = tally(dead[~well].tolist())
        result["dead at the end, solved"] = tally(dead[well].tolist())
        silent = silent_where_wrong(parameters, sigma) & (dead == 0) & ~well
        result["stuck without a dead unit, silent wherever wrong"] = int(silent.sum())
        on = always_on(parameters, sigma) & ~well
        result["stuck, all units on at all points"] = int(on.sum())
    if loss == "cross_entropy" and not well.all():
        stuck, before = [p[~well] for p in parameters], EPOCHS
        result["of the stuck, solved later"] = {}
        for epochs in LONGER:
            train(stuck, sigma, loss, epochs - before)
            before = epochs
            result["of the stuck, solved later"][str(epochs)] = int(solved(stuck, sigma).sum())
    return result


def main():
    results = {
        "made": {"by": "python book/tools/xor_table.py", "date": datetime.date.today().isoformat(),
                 "python": platform.python_version(), "numpy": np.__version__},
        "setting": {"seeds": SEEDS, "epochs": EPOCHS, "init": "standard_normal", "eta": ETA},
        "groups": {},
    }
    for loss in ETA:
        for hidden in HIDDEN:
            for width in WIDTHS:
                name = f"{loss}, {hidden}, {width}"
                results["groups"][name] = group(loss, hidden, width)
                print(f"{name}: {results['groups'][name]['solved']} of {SEEDS}", flush=True)
    longer = start(2, range(SEEDS))
    longer[0] *= 2
    train(longer, byhand.sigmoid, "cross_entropy", EPOCHS)
    results["cross_entropy, sigmoid, 2, first weights twice as long"] = {
        "solved": int(solved(longer, byhand.sigmoid).sum())}
    text = json.dumps(results, indent=1)
    text = re.sub(r"\{[^][{}]*\}", lambda row: " ".join(row[0].split()), text)
    RESULTS.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
