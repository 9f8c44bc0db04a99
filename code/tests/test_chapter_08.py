"""The numbers that chapter 8 works out by hand, computed a second time by another road.

Each test states numbers as the text states them, finds them in the text, and computes them without
the package's network: with `math` and `statistics`, with loops over pixels, and with the training
written out again in a few lines of arrays. The side note on PyTorch is run where PyTorch is
installed, and must print what the chapter shows.
"""

import contextlib
import io
import json
import math
import re
from pathlib import Path
from statistics import NormalDist, median, pstdev, pvariance, stdev

import numpy as np
import pytest
from byhand import data

CHAPTER = Path(__file__).parents[2] / "chapters" / "08-reading-digits.ipynb"
RESULTS = Path(__file__).parents[2] / "book" / "results" / "full_mnist.json"
TEST_DIGITS = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]      # of the full set


@pytest.fixture(scope="module")
def prose(cells):
    return "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")


@pytest.fixture(scope="module")
def printed(cells):
    """All that the cells print."""
    return "\n".join("".join(out.get("text", out.get("data", {}).get("text/plain", "")))
                     for c in cells for out in c.get("outputs", []))


@pytest.fixture(scope="module")
def parts():
    """X (rows of 784) and the digits of the three parts, as the chapter splits them."""
    X, Y = data.mnist()
    order = np.random.default_rng(0).permutation(5000)
    labels = np.array([list(row).index(1) for row in Y])
    return [(X[i], labels[i]) for i in np.split(order, [3000, 4000])]


def learn(X, digit, seed=0, eta=1.0, epochs=10, hidden=16, first=1 / 28, batch=32):
    """784-hidden-10 in plain arrays, or 784-10 with hidden=0: (z1, a1, probabilities) of pictures,
    and the losses. first is the standard deviation of the weights into the hidden layer."""
    rng = np.random.default_rng(seed)
    if hidden:
        V, c = rng.standard_normal((hidden, 784)) * first, np.zeros(hidden)
        W, b = rng.standard_normal((10, hidden)) / math.sqrt(hidden), np.zeros(10)
    else:
        W, b = rng.standard_normal((10, 784)) / 28, np.zeros(10)

    def forward(x):
        z = x @ V.T + c if hidden else x
        with np.errstate(over="ignore"):
            h = 1 / (1 + np.exp(-z)) if hidden else x
        s = h @ W.T + b
        e = np.exp(s - s.max(axis=1, keepdims=True))
        return z, h, e / e.sum(axis=1, keepdims=True)

    rng, losses = np.random.default_rng(seed), []
    for _ in range(epochs):
        total, order = 0.0, rng.permutation(len(X))
        for k in range(0, len(X), batch):
            i = order[k : k + batch]
            _, h, p = forward(X[i])
            total -= np.log(np.maximum(p[range(len(i)), digit[i]], 1e-300)).sum()
            p[range(len(i)), digit[i]] -= 1
            d = p @ W * h * (1 - h)
            W, b = W - eta * p.T @ h / len(i), b - eta * p.mean(axis=0)
            if hidden:
                V, c = V - eta * d.T @ X[i] / len(i), c - eta * d.mean(axis=0)
        losses.append(total / len(X))
    return forward, losses


@pytest.fixture(scope="module")
def five(parts):
    """The five networks of the chapter, trained again."""
    return [learn(*parts[0], seed)[0] for seed in range(5)]


@pytest.fixture(scope="module")
def long(parts):
    """The same trained for thirty epochs."""
    return [learn(*parts[0], seed, epochs=30)[0] for seed in range(5)]


def says(forward, X):
    return forward(X)[2].argmax(axis=1)


def rights(nets, X, digit):
    return np.array([says(net, X) == digit for net in nets])


def compared(right, other):
    """The mean difference and its paired error in points, counted digit by digit."""
    d = [100 * (a - b) for a, b in zip(np.mean(right, axis=0), np.mean(other, axis=0))]
    mean = math.fsum(d) / len(d)
    error = math.sqrt(math.fsum((x - mean) ** 2 for x in d)) / len(d)
    return f"{mean:+.1f} ± {error:.1f} points"


def spread(values):
    return f"{np.mean(values):.1%} ({min(values):.1%} to {max(values):.1%})"


def nearest(parts, X):
    X_train, digit = parts[0]
    return np.array([digit[((X_train - x) ** 2).sum(axis=1).argmin()] for x in X])


def shifted(X, right):
    pictures = X.reshape(-1, 28, 28)
    left, rest = pictures[:, :, -right:], pictures[:, :, :-right]
    return np.concatenate([left, rest], axis=2).reshape(X.shape)


def holds(text, *statements):
    for statement in statements:
        assert statement in text, statement


def test_facts_about_the_data(prose, printed):
    X, _ = data.mnist()
    holds(printed, f"{np.count_nonzero(X == 0) / X.size:.0%} of the values are 0",
          f"{sum(not column.any() for column in X.T)} pixels are 0 in every picture")
    length = math.fsum(math.fsum(v * v for v in x[x > 0]) for x in X) / 5000
    assert f"{length:.1f}" == "88.2"
    holds(printed, "mean of |x|^2: 88.2")
    holds(prose, "81 %", "121 of the 784", "is 88.2")


def test_sampling_error(prose):
    assert round(0.91 * 0.09, 4) == 0.0819 and round(0.0819 / 1000, 7) == 0.0000819
    # The spread of a binomial number, from its probabilities instead of the formula.
    m, p = 1000, 0.91
    log = [math.lgamma(m + 1) - math.lgamma(k + 1) - math.lgamma(m - k + 1)
           + k * math.log(p) + (m - k) * math.log(1 - p) for k in range(m + 1)]
    mean = math.fsum(math.exp(w) * k / m for k, w in enumerate(log))
    s = math.sqrt(math.fsum(math.exp(w) * (k / m - mean) ** 2 for k, w in enumerate(log)))
    assert f"{s:.5f}" == "0.00905" and f"{s / math.sqrt(10):.4f}" == "0.0029"
    assert math.sqrt(0.5 * 0.5 / 1000) < 0.016
    holds(prose, "never more than 1.6", "$0.0000819$", "$s = 0.00905$", "**0.9 points**",
          "$0.0029$")


def test_paired_error(prose, printed):
    d = 30 * [1] + 20 * [-1] + 950 * [0]
    assert sum(d) == 10 and sum(x * x for x in d) / 1000 == 0.05
    assert f"{pstdev(d) / math.sqrt(1000):.4f}" == "0.0071"
    assert round(pvariance(d), 4) == 0.0499
    holds(printed, "+1.0 ± 0.7 points")
    holds(prose, "= 0.0499$", r"$s_d = \sqrt{0.0000499} = 0.0071$")
    d = 14 * [1] + 4 * [-1] + 982 * [0]                             # quick question 2
    assert f"{math.sqrt(14 + 4):.1f}" == "4.2" and sum(d) > 2 * 1000 * pstdev(d) / math.sqrt(1000)
    holds(prose, r"$\sqrt{14 + 4} = 4.2$")


def test_baselines(parts, printed):
    (X, digit), (X_val, digit_val), _ = parts
    sums = np.array([math.fsum(x) / 784 for x in X])
    ink = [sums[digit == d].sum() / (digit == d).sum() for d in range(10)]
    guess = [min(range(10), key=lambda d: abs(x.mean() - ink[d])) for x in X_val]
    right = sum(g == d for g, d in zip(guess, digit_val))
    assert f"{right / 1000:.1%}" == "22.5%"
    means = [X[digit == d].sum(axis=0) / (digit == d).sum() for d in range(10)]
    guess = [min(range(10), key=lambda d: np.linalg.norm(x - means[d])) for x in X_val]
    right = sum(g == d for g, d in zip(guess, digit_val))
    assert f"{right / 1000:.1%}" == "79.4%"
    right = (nearest(parts, X_val) == digit_val).sum()
    assert f"{right / 1000:.1%}" == "93.3%"
    gap = sorted((math.dist(means[i], means[j]), i, j) for j in range(10) for i in range(j))
    holds(printed, f"median {median(g for g, _, _ in gap):.2f}")
    for g, i, j in gap[:5]:
        holds(printed, f"{i} and {j}: {g:.2f}")
    holds(printed, "22.5%", "79.4%", "93.3%", "8.0% to 11.1%")


def test_undecided_and_untrained(prose):
    assert f"{-math.log(0.1):.4f}" == "2.3026" and f"{math.log(10) + 0.125:.4f}" == "2.4276"
    # The mean of e^z for a normal z of variance 1/4, by a sum over a fine grid.
    z = NormalDist(0, 0.5)
    grid = [i / 1000 for i in range(-6000, 6001)]
    mean = math.fsum(math.exp(x) * z.pdf(x) / 1000 for x in grid)
    assert math.isclose(math.log(10 * mean), math.log(10) + 0.125, abs_tol=1e-9)
    # ln bends: ten terms of spread e^{1/4} − 1 lower the mean of the logarithm by about 0.014.
    assert abs(math.log(10) + 0.125 - (math.exp(0.25) - 1) / 20 - 2.415) < 0.003
    holds(prose, r"\ln 10 = 2.3026", "= 2.4276")


def test_loss_before_training(parts, prose, printed):
    """The five starts, and what zero weights into the output would give."""
    X, digit = parts[0]
    losses = []
    for seed in range(5):
        p = learn(X, digit, seed, epochs=0)[0](X)[2]
        losses.append(-math.fsum(math.log(v) for v in p[range(3000), digit]) / 3000)
    holds(printed, str([round(loss, 2) for loss in losses]))
    assert f"{np.mean(losses) - math.log(10):.2f}" == "0.13"
    holds(prose, "Above, for all five, by about 0.13", "random weights give about 2.42")
    assert f"{-math.log(math.exp(0) / (10 * math.exp(0))):.4f}" == "2.3026"


def test_counts_of_steps_and_parameters(prose, printed):
    assert math.ceil(3000 / 32) == 94 and 3000 - 93 * 32 == 24
    assert sum((n + 1) * k for n, k in ((784, 16), (16, 10))) == 12_730
    assert 784 * 16 + 16 * 10 == 12_704 and f"{1.5e6 * 12_704:.1e}" == "1.9e+10"
    assert (784 + 1) * 100 + (100 + 1) * 10 == 795 * 100 + 10 == 79_510
    holds(prose, "12,730", "12{,}704", "= 79{,}510$",
          "are 94 steps, the last with 24, and ten epochs are 940")
    holds(printed, "79510\n150000 12704 1.9e+10")


def test_weights_that_never_move(parts, prose):
    X, digit = parts[0]
    never = [k for k, column in enumerate(X.T) if not any(column)]
    holds(prose, f"the {16 * len(never):,} weights from the {len(never)} pixels")
    # A picture with ink in these pixels only is read by the weights that the training left alone.
    ink = np.zeros((len(never), 784))
    ink[range(len(never)), never] = 1
    paper = np.zeros((1, 784))
    untrained, trained = (learn(X, digit, epochs=e)[0] for e in (0, 1))
    assert np.allclose(untrained(ink)[0] - untrained(paper)[0],
                       trained(ink)[0] - trained(paper)[0], rtol=0, atol=1e-12)


def test_spread_of_the_first_sums(prose):
    s = math.sqrt(88.2)
    assert f"{s:.2f}" == "9.39" and f"{5 / s:.2f}" == "0.53"
    assert f"{2 * (1 - NormalDist(0, s).cdf(5)):.0%}" == "59%"
    assert f"{1 / (2 + math.exp(5) + math.exp(-5)):.4f}" == "0.0066"      # sigmoid'(5)
    s = math.sqrt(88.2 / 784)
    assert f"{s:.3f}" == "0.335"
    least = 4 / (2 + math.exp(s) + math.exp(-s))                # one standard deviation away
    assert 0.97 < least < 1
    holds(prose, "= 9.39$", "$5/9.39 = 0.53$", "59 %", "= 0.0066$", "= 0.335$", "within 3 %")


def test_step_sizes_of_two_conventions(prose):
    a, y = [0.3, 0.6, 0.1, 0.5, 0.2, 0.7, 0.9, 0.4, 0.8, 0.05], [0, 1] + 8 * [0]
    half_sum = sum((p - q) ** 2 for p, q in zip(a, y)) / 2
    mean = sum((p - q) ** 2 for p, q in zip(a, y)) / 10
    assert math.isclose(half_sum / mean, 5)
    holds(prose, r"$\eta = 5\cdot3 = 15$", "his 100 is our 500")


def test_failed_runs(prose, printed):
    assert sum(TEST_DIGITS) == 10_000
    assert [TEST_DIGITS.index(n) for n in (1009, 982, 1135, 892)] == [9, 4, 1, 5]
    pairs = [(i, j) for i in range(10) for j in range(i + 1, 10)
             if TEST_DIGITS[i] + TEST_DIGITS[j] == 2117]
    assert pairs == [(1, 4)]
    for count in TEST_DIGITS:
        assert re.search(rf"count .*\b{count}\b", prose)
    # A guesser's number right is binomial: its exact probabilities at the ten counts.
    m, p = 10_000, 0.1
    hit = math.fsum(math.exp(math.lgamma(m + 1) - math.lgamma(k + 1) - math.lgamma(m - k + 1)
                             + k * math.log(p) + (m - k) * math.log(1 - p)) for k in TEST_DIGITS)
    assert 1 / 13.5 < hit < 1 / 12.5
    assert math.isclose(math.sqrt(m * p * (1 - p)), 30)
    holds(printed, f"[(1, 4)]\n{hit:.1%}")
    holds(prose, "One guess in thirteen", r"$1000 \pm 30$")


def test_the_run_written_out_again(parts, printed, five):
    """Seed 0 of the chapter, its threshold and its example."""
    (X, digit), (X_val, digit_val), (X_test, digit_test) = parts
    forward, losses = learn(X, digit)
    for epoch in (1, 2, 5, 10):
        holds(printed, f"epoch {epoch:2}: loss {losses[epoch - 1]:.6f}")
    right = (says(forward, X_val) == digit_val).mean()
    holds(printed, f"validation accuracy {right:.3f}")
    for t in (0, 0.5, 0.9, 0.99):
        p = forward(X_val)[2]
        kept = p.max(axis=1) >= t
        right = (p.argmax(axis=1) == digit_val)[kept].mean()
        holds(printed, f"t = {t}: coverage {kept.mean():.0%}, accuracy {right:.1%}")
    p = forward(X_test)[2]
    kept = p.max(axis=1) >= 0.9
    right = (p.argmax(axis=1) == digit_test)[kept].mean()
    assert kept.sum() == 757 and f"{math.sqrt(right * (1 - right) / 757):.3f}" == "0.005"
    holds(printed, f"\ncoverage {kept.mean():.0%}, accuracy {right:.1%}")
    nine = X_test[digit_test == 9][47:48]
    change = abs(forward(shifted(nine, 4))[1] - forward(nine)[1])
    assert (change > 0.25).sum() == 7
    holds(printed, "moved by 4: 7 change by more than 0.25")


def test_settings_compared(parts, prose, printed, five):
    (X, digit), val, _ = parts
    best = rights(five, *val)

    def runs(**settings):
        return rights([learn(X, digit, seed, **settings)[0] for seed in range(5)], *val)

    for eta in (0.1, 0.3):
        holds(printed, f"1 against {eta:3}: {compared(best, runs(eta=eta))}")
    for batch, eta in ((8, 0.3), (128, 1), (128, 3)):
        holds(printed, f"eta {eta}, against 32: {compared(runs(batch=batch, eta=eta), best)}")
    holds(printed, f"against 16: {compared(runs(hidden=64), best)}")
    holds(printed, f"10 epochs: {spread(runs(first=1).mean(axis=1))}")
    # From 3 on, a run depends on how sums are rounded: here they are added up in another order.
    three, late = runs(eta=3), runs(eta=3, first=1)
    for right, least, most in ((three, 0.6, 1.6), (late, 2.5, 5.5)):
        gap, error = map(float, re.findall(r"[\d.]+", compared(best, right)))
        assert least < gap < most and gap > 2 * error
    assert three.mean(axis=1).std() > 2 * best.mean(axis=1).std()
    holds(prose, "3 is a point behind, more than twice the paired error", "about four after ten")


def test_a_step_of_30_flattens_the_hidden_layer(parts, printed):
    (X, digit), (X_val, _), _ = parts
    for seed in range(5):
        forward, _ = learn(X, digit, seed, eta=30)
        z, a, _ = forward(X)
        assert (abs(z) > 5).mean() > 0.995 and (a * (1 - a)).mean() < 1e-3
        awake = ((a > 0.5).any(axis=0) & (a < 0.5).any(axis=0)).sum()
        assert awake <= 4 and len(set(says(forward, X_val))) <= 2


def test_too_sure_after_thirty_epochs(parts, printed, five, long):
    _, (X_val, digit_val), _ = parts
    for epochs in (10, 30):
        nets = five if epochs == 10 else long
        p = np.array([net(X_val)[2] for net in nets])
        right = p.argmax(axis=2) == digit_val
        said = p.max(axis=2)
        holds(printed, f"{epochs} epochs: says {said.mean():.1%}, right in {right.mean():.1%}\n"
                       f"    says {said[~right].mean():.0%} when wrong")


def test_next_to_the_baselines(parts, prose, printed, five):
    (X, digit), _, (X_test, digit_test) = parts
    read = rights(five, X_test, digit_test)
    tested = read.mean(axis=1)
    holds(printed, f"{spread(tested)}\nstandard deviation {stdev(tested):.1%}")
    linear = rights([learn(X, digit, seed, 0.3, hidden=0)[0] for seed in range(5)],
                    X_test, digit_test)
    near = [nearest(parts, X_test) == digit_test]
    for name, other in (("logistic regression", linear), ("the nearest picture", near)):
        holds(printed, f"{name}: {np.mean(other):.1%}\n    the network: {compared(read, other)}")
    for move in (1, 3, 4):
        X_moved = shifted(X_test, move)
        right = rights(five, X_moved, digit_test).mean(axis=1)
        network = right.mean()
        holds(printed, f"moved by {move}: {spread(right)}")
        # Ink that leaves on one side returns on the other; with paper instead it is the same.
        blank = X_moved.reshape(-1, 28, 28).copy()
        blank[:, :, :move] = 0
        filled = rights(five, blank.reshape(-1, 784), digit_test).mean()
        assert abs(filled - network) < 0.001
    for move in (3, 4):
        near = [nearest(parts, shifted(X_test, move)) == digit_test]
        network = rights(five, shifted(X_test, move), digit_test)
        holds(printed, f"moved by {move}: nearest {np.mean(near):.1%}, "
                       f"network {network.mean():.1%}\n"
                       f"    nearest against network: {compared(near, network)}")
    lost = 0.934 - np.mean(near), tested.mean() - network.mean()
    assert [f"{100 * x:.0f}" for x in lost] == ["70", "65"]
    holds(prose, "loses 70 points, the network 65")
    assert 3000 * 784 // 12_704 == 185
    missed = 5 - read.sum(axis=0)
    holds(printed, f"missed by some of them {(missed > 0).sum()}, by all {(missed == 5).sum()}")


def test_mistakes_and_confidence(parts, prose, printed, five):
    _, _, (X_test, digit_test) = parts
    p = np.array([net(X_test)[2] for net in five])
    read, said = p.argmax(axis=2), p.max(axis=2)
    C = [[sum(((digit_test == i) & (answers == j)).sum() for answers in read)
          for j in range(10)] for i in range(10)]
    confused = sorted((C[i][j] + C[j][i], i, j) for j in range(10) for i in range(j))[:-6:-1]
    wrong = 5000 - sum(C[i][i] for i in range(10))
    for count, i, j in confused:
        holds(printed, f"{i} and {j}: {count} of {wrong}, distance")
    assert {(i, j) for _, i, j in confused} == {(4, 9), (7, 9), (5, 8), (3, 5), (3, 8)}
    holds(printed, f"9 read as 4: {C[9][4]}, 4 read as 9: {C[4][9]}",
          f"{C[4][4] / sum(C[4]):.0%} of the digits 4",
          f"{C[4][4] / sum(row[4] for row in C):.0%} of the answers 4")
    recall = C[4][4] / sum(C[4])
    assert (digit_test == 4).sum() == 100
    assert f"{math.sqrt(recall * (1 - recall) / 100):.2f}" == "0.02"
    holds(prose, "has 100 fours", "good to about 2 points")
    ends = [0, 0.5, 0.7, 0.9, 0.99, 1.01]
    for low, high in zip(ends, ends[1:]):
        bin_ = (low <= said) & (said < high)
        sure, right = said[bin_].mean(), (read == digit_test)[bin_].mean()
        assert abs(sure - right) < 0.03
        holds(printed, f": {bin_.sum():4} said {sure:.1%}, right {right:.1%}")
    noise = five[0](np.random.default_rng(0).random((1, 784)))[2][0]
    first = noise.argsort()[::-1]
    holds(printed, f"noise only: {first[0]} with {noise[first[0]]:.0%}, then {first[1]}")
    holds(prose, f"Pure noise it calls a {first[0]}, with {100 * noise[first[0]]:.0f} %")


def test_thirty_epochs(parts, prose, printed, five, long):
    """The accuracy hardly falls, and the answers are too sure, on the test part too."""
    _, val, (X_test, digit_test) = parts
    holds(printed, f"epoch 30 against 10: {compared(rights(long, *val), rights(five, *val))}")
    holds(prose, "0.7 points below epoch 10", "between 90.6 % and 91.0 %")
    p = np.array([net(X_test)[2] for net in long])
    right, said = p.argmax(axis=2) == digit_test, p.max(axis=2)
    found = {}
    for low, high in ((0, 0.5), (0.5, 0.7), (0.7, 0.9), (0.9, 0.99), (0.99, 1.01)):
        k = (low <= said) & (said < high)
        found[low] = said[k].mean(), right[k].mean()
        holds(printed, ": {:4} said {:.1%}, right {:.1%}".format(k.sum(), *found[low]))
    assert [f"{x:.0%}" for x in found[0.9]] == ["96%", "90%"] and found[0.5][1] < 0.5
    holds(prose, "on average 96 %, 90 % are right; said with 0.5 to 0.7, fewer than half")


def test_a_unit_less(parts, prose, printed):
    """All 80 cuts, by the weights that are left out."""
    (X, digit), _, (X_test, digit_test) = parts
    counts, mean_counts = 0, 0
    for seed in range(5):
        forward, _ = learn(X, digit, seed)
        _, h, p = forward(X_test)
        # The output weights, found from the outputs: ln p is W h + b up to one number a picture.
        s = np.log(p) - np.log(p).mean(axis=1, keepdims=True)
        W = np.linalg.lstsq(np.c_[h, np.ones(len(h))], s, rcond=None)[0][:16]
        for j in range(16):
            for instead in (0, forward(X)[1][:, j].mean()):
                cut = s - np.outer(h[:, j] - instead, W[j])
                d = (s.argmax(axis=1) == digit_test) * 1.0 - (cut.argmax(axis=1) == digit_test)
                sure = d.mean() > 2 * math.sqrt(pvariance(d) / 1000)
                counts, mean_counts = (counts + sure, mean_counts) if instead == 0 else \
                    (counts, mean_counts + sure)
    holds(printed, f"{counts} of 80 beyond", f"instead of 0: {mean_counts}")
    holds(prose, f"{counts} of 80 beyond twice", f"the single picture: {mean_counts} of 80")


def test_gradient_of_mse_behind_a_softmax(prose):
    rng = np.random.default_rng(0)
    z, y = rng.normal(size=10), np.eye(10)[3]

    def loss(z):
        e = np.exp(z)
        return ((e / e.sum() - y) ** 2).mean()

    a = np.exp(z) / np.exp(z).sum()
    g = 2 / 10 * (a - y)
    for i, unit in enumerate(np.eye(10)):
        slope = (loss(z + 1e-5 * unit) - loss(z - 1e-5 * unit)) / 2e-5
        assert math.isclose(a[i] * (g[i] - (a * g).sum()), slope, abs_tol=1e-9)
    holds(prose, r"a_i\,(g_i - \sum_k a_k g_k)$")


def test_like_units_are_one_with_other_steps():
    """16 like units: u = 16 w takes steps 16 times as long, the hidden weights a sixteenth."""
    x, y, v, u, eta = 0.7, 0.2, 0.3, 0.5, 0.1          # one input, one linear output, (z − y)²/2
    V, w = [v] * 16, [u / 16] * 16
    h = 1 / (1 + math.exp(-v * x))
    error = sum(k * h for k in w) - y
    V_new = [p - eta * error * k * h * (1 - h) * x for p, k in zip(V, w)]
    w_new = [k - eta * error * h for k in w]
    assert math.isclose(sum(w_new), u - 16 * eta * error * h)
    assert math.isclose(V_new[0], v - eta / 16 * error * u * h * (1 - h) * x)


def test_labels_dealt_anew(parts, prose, printed):
    (X, digit), (X_val, digit_val), _ = parts
    dealt = digit[np.random.default_rng(0).permutation(3000)]
    assert (dealt[:300] != digit[:300]).sum() == 270
    holds(printed, "270 of 300 labels are wrong")
    holds(prose, "all 300 labels, 270 of them wrong")
    # Solution 8.3: the training loss goes below the entropy, the validation loss above it.
    share = np.bincount(digit) / 3000
    entropy = -(share * np.log(share)).sum()
    for eta in (0.1, 1):
        forward, losses = learn(X, dealt, eta=eta)
        p = forward(X_val)[2]
        assert losses[-1] < entropy < -np.log(p[range(1000), digit_val]).mean()


def test_pull_of_the_decay(prose):
    steps = 20 * math.ceil(1000 / 32)
    assert 1 / 6 < 1 - (1 - 0.0003) ** steps < 1 / 5.5
    holds(prose, "about a sixth off a weight")


def test_lost_digits(prose, printed):
    assert f"{math.exp(-20) / (1 + math.exp(-20)) ** 2:.0e}" == "2e-09"
    assert f"{math.exp(-15) / (1 + math.exp(-15)) ** 2:.0e}" == "3e-07"
    holds(prose, r"$\sigma'(-20) = 2\cdot10^{-9}$", r"$\sigma'(-15) = 3\cdot10^{-7}$")
    experiments = json.loads(RESULTS.read_text(encoding="utf-8"))["experiments"]
    for run in experiments["nielsen"]["groups"]["784-100-10, eta 3"]["runs"]:
        lost = [d for d, n in enumerate(run["answers"]) if n < 100]
        holds(printed, f"{run['test accuracy']:.1%}, hardly ever says {lost}")
        assert run["test accuracy"] < 1 - sum(TEST_DIGITS[d] for d in lost) / 10_000 + 0.03
    kinds = []
    for run in experiments["nielsen"]["groups"]["784-30-10, eta 100"]["runs"]:
        given = {d: n for d, n in enumerate(run["answers"]) if n > 0}
        kinds.append(len(given))
        holds(printed, f"{run['test accuracy']:.1%}: {given}")
    assert sorted(kinds) == [1, 2, 3, 3, 4]
    holds(prose, "one run has a single answer, the others two to four")


def test_committee_counterexample(prose):
    ours, other = [0.4, 0.4, 0.1], [0.3, 0.3, 0.9]
    assert sum(a > b for a, b in zip(ours, other)) == 2 and sum(ours) < sum(other)
    assert f"{sum(ours) / 3:.1f}" == "0.3" and f"{sum(other) / 3:.1f}" == "0.5"
    holds(prose, "0.4, 0.4 and 0.1", "0.3, 0.3 and 0.9", "with 0.3 against 0.5")


def test_pytorch_side_note(prose):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    code = re.search(r"```python\n(.*?)```\n\n```text\n(.*?)```", prose, re.DOTALL)
    out = io.StringIO()
    torch.set_num_threads(1)
    with contextlib.redirect_stdout(out):
        exec(code[1], {})
    assert out.getvalue() == code[2]


def test_pytorch_and_byhand_print_the_same(prose, printed):
    shown = re.search(r"```text\n(epoch .*?)```", prose, re.DOTALL)[1]
    assert shown in printed + "\n"


def test_full_set(prose, printed):
    """What the chapter prints of the full set is what is stored, added up again."""
    experiments = json.loads(RESULTS.read_text(encoding="utf-8"))["experiments"]
    means = {}
    for name in ("final 784-10", "final 784-16-10", "final 784-100-10", "nielsen"):
        for group, what in experiments[name]["groups"].items():
            a = [run["test accuracy"] for run in what["runs"] if "test accuracy" in run]
            means[group] = mean = math.fsum(a) / len(a)
            line = f"{mean:.1%} ({min(a):.1%} to {max(a):.1%})"
            assert f"{group}, {len(what['runs'])} seeds:\n    {line}" in printed, (group, line)
            if name != "nielsen":
                assert max(a) - min(a) < 0.0055
    gain = means["784-16-10 sigmoid"] - means["784-10"]
    assert 0.024 < gain < 0.027
    for kind in ("sigmoid", "chosen"):
        assert 1 - means[f"784-16-10 {kind}"] > 2 * (1 - means[f"784-100-10 {kind}"])
    assert 25 * 60_000 // 100 == 15_000 and 25 * 3000 // 100 == 750 and 30 * 94 > 3 * 750
    losses = {name: [run["validation accuracy"] for run in what["runs"]]
              for name, what in experiments["loss"]["groups"].items()}
    for name, a in losses.items():
        holds(printed, f"{name}:\n    {spread(a)}")
    squares, cross, soft = losses.values()
    assert abs(np.mean(squares) - np.mean(cross)) < 0.001
    assert 0.005 < np.mean(soft) - np.mean(cross) < 0.007 and min(soft) > max(squares + cross)
    settings = experiments["final 784-16-10"]["groups"]["784-16-10 sigmoid"]["settings"]
    assert settings["eta"] == [[1.0, 20], [0.1, 5]] and settings["batch_size"] == 100
    holds(prose, "gain two and a half points", "91.0 % again", "best of 27 settings")
    assert len(experiments["grid 784-16-10"]["groups"]) == 27
    for name in ("784-16-10", "784-100-10"):
        chosen = experiments[f"final {name}"]["groups"][f"{name} chosen"]["settings"]
        assert chosen["hidden"] == "relu"
