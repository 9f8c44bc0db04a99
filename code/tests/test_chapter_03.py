"""The numbers that chapter 3 prints, computed a second time by another road.

As in test_chapter_01.py: each number is computed without the package's networks, with `math` and
loops, or for thousands of digits with NumPy formulas written out here, and must stand in the text
as printed. The training, too, is done again, with a backward pass of its own.
"""

import math
from pathlib import Path

import numpy as np
import pytest
from byhand import data

CHAPTER = Path(__file__).parents[2] / "chapters" / "03-network-function.ipynb"


def stated(text, value, digits):
    """The number as printed with so many decimals, after making sure that the text has it."""
    printed = f"{value:.{digits}f}"
    assert printed in text, printed
    return printed


def p_of(z):
    """The sigmoid by the other road: odds first."""
    odds = math.exp(z)
    return odds / (1 + odds)


def shares(z):
    """The softmax from odds against the last class."""
    odds = [math.exp(v - z[-1]) for v in z]
    return [v / math.fsum(odds) for v in odds]


# Knobs and counts ------------------------------------------------------------------------------


def test_three_settings_of_nine_knobs(text):
    settings = [[10, 10, -10, -10, -5, 15, 10, 10, -15], [-10, 10, 10, -10, -5, -5, 10, 10, -5],
                [10, 10, -10, -10, -5, 15, 10, 0, -5]]
    for p in settings:
        said = []
        for x1, x2 in (0, 0), (0, 1), (1, 0), (1, 1):
            first, second = p_of(p[0] * x1 + p[1] * x2 + p[4]), p_of(p[2] * x1 + p[3] * x2 + p[5])
            said.append(p_of(p[6] * first + p[7] * second + p[8]))
        assert "[" + " ".join(f"{a:.2f}" for a in said) + "]" in text
    assert sum(a != b for a, b in zip(settings[0], settings[1])) == 4       # "differ in four"
    assert sum(a != b for a, b in zip(settings[0], settings[2])) == 2


def test_the_curve_of_thirteen_knobs(text):
    def f(x, w=10, b=5, v=-1):
        units = [(10, 15, 1), (w, b, v), (10, -5, 1), (10, -15, -1)]
        return sum(v * p_of(w * x + b) for w, b, v in units)

    assert f(-1) == pytest.approx(1, abs=0.02) and f(1) == pytest.approx(1, abs=0.02)
    assert f(0) == pytest.approx(0, abs=0.02)                               # two hills
    heights = [f(x, v=1) for x in (-1, 0, 1, 3)]
    assert heights == pytest.approx([1, 2, 3, 2], abs=0.02)                 # the staircase
    assert all(f(x, b=-5) == pytest.approx(1, abs=0.01) for x in (-1, 0, 1))
    assert stated(text, p_of(5), 2) == "0.99"
    for x, lowered in (-3, 0.99), (-2, 0.99), (-1, 0.99), (0, 0), (1, 0), (2, 0):
        assert f(x) - f(x, w=0) == pytest.approx(lowered, abs=0.01)
    assert f(-1, w=0) == pytest.approx(0, abs=0.01)
    grid = [k / 100 for k in range(-300, 301)]
    for knob, first, last in ({"b": -5}, -0.8, 0.8), ({"v": 1}, -0.9, 3), ({"w": 0}, -3, -0.2):
        moved = [x for x in grid if abs(f(x, **knob) - f(x)) > 0.05]
        assert moved[0] == pytest.approx(first, abs=0.05)
        assert moved[-1] == pytest.approx(last, abs=0.05)
    assert max(f(x, w=w, b=b, v=2) for x in grid for w in (-15, 0, 15) for b in (-15, 5)) < 4.3


def count(sizes):
    """Parameters by counting one after the other."""
    return sum(1 for n_in, n_out in zip(sizes, sizes[1:])
               for unit in range(n_out) for weight_or_bias in range(n_in + 1))


def test_counts(text):
    assert count([784, 16, 10]) == 784 * 16 + 16 + 16 * 10 + 10 == 16 * 785 + 10 * 17 == 12_730
    for sizes in [[784, 10], [784, 16, 16, 10], [784, 32, 10]]:
        assert f"{count(sizes):,}" in text
    assert stated(text, 100 * 16 * 785 / 12_730, 2) == "98.66"
    assert all(count([784, h, 10]) == 795 * h + 10 for h in range(1, 40))
    assert count([784, 16, 16, 10]) - 12_730 == 272 and "272" in text
    assert count([784, 32, 10]) - 12_730 == 12_720 and "12,720" in text
    assert count([4, 2, 3]) == 19 and count([1, 4, 1]) == 13
    assert 784 * 16 + 16 * 10 == 12_704 and "12,704" in text
    assert 12_730 * 8 // 784 == 129 and "129 pictures" in text
    assert f"{12_730 * 8:,}" in text and f"{3000 * 784:,}" in text
    assert f"{math.factorial(16):,}" in text and 2**16 == 65_536
    assert f"{math.factorial(16) * 2**16:.1e}" == "1.4e+18"
    assert count([100, 50, 20, 5]) == 6175                                  # quick question 1


def test_places_in_theta(text):
    assert 784 * 16 == 12_544 and 12_544 + 16 == 12_560 and 12_560 + 160 == 12_720
    for place in "12,543", "12,544", "12,559", "12,560", "12,719", "12,720", "12,729":
        assert place in text
    assert stated(text, math.sqrt(16 * 784 / 784 + 10 * 16 / 16), 1) == "5.1"
    assert divmod(12_345, 784) == (15, 585) and divmod(585, 28) == (20, 25)  # exercise 3.5


def test_budget(text):
    deep = max(h for h in range(1, 50) if count([784, h, h, 10]) <= 12_730)
    small = max(h for h in range(1, 99) if count([196, h, 10]) <= 12_730)
    assert (deep, small) == (15, 61)
    for sizes, biases in ([784, 15, 15, 10], 40), ([196, 61, 10], 71):
        assert f"{count(sizes):,}" in text and f"{count(sizes) - biases:,}" in text


# The stamp and the softmax ---------------------------------------------------------------------


def test_stamp(text):
    x = [0, 1, 1, 0.5]
    W1, b1 = [[1, -1, 0.5, 0], [0, 2, -1, -2]], [0.5, math.log(3)]
    W2, b2 = [[1, 2], [-1, 2], [2, -2]], [0, 0, 0.6]
    a = [p_of(sum(w * v for w, v in zip(row, x)) + b) for row, b in zip(W1, b1)]
    assert a == pytest.approx([1 / 2, 3 / 4])
    z = [sum(w * v for w, v in zip(row, a)) + b for row, b in zip(W2, b2)]
    assert z == pytest.approx([2, 1, 0.1])
    exponentials = [math.exp(v) for v in z]
    assert [stated(text, e, 4) for e in exponentials] == ["7.3891", "2.7183", "1.1052"]
    assert stated(text, sum(exponentials), 4) == "11.2125"
    assert [stated(text, p, 4) for p in shares(z)] == ["0.6590", "0.2424", "0.0986"]
    assert "(.659, .242, .099)" in text
    assert shares(z)[0] / shares(z)[1] == pytest.approx(math.e)
    assert f"{7.3891 / 2.7183:.3f}" == "2.718"


def test_temperatures(text):
    for tau, expected in (0.25, ["0.98"]), (4, ["0.42", "0.32", "0.26"]):
        a = shares([2 / tau, 1 / tau, 0.1 / tau])
        assert [stated(text, p, 2) for p in a[:len(expected)]] == expected


def test_undoing_a_softmax(text):
    z = [math.log(7), math.log(2), 0]
    assert [stated(text, v, 4) for v in z[:2]] == ["1.9459", "0.6931"]
    assert stated(text, math.log(3.5), 4) == "1.2528"
    mean = sum(z) / 3
    assert [stated(text, v - mean, 4) for v in z] == ["1.0662", "-0.1865", "-0.8797"]
    assert stated(text, mean, 4) == "0.8797"
    doubled = shares([2 * v for v in z])
    assert doubled == pytest.approx([49 / 54, 4 / 54, 1 / 54])
    assert [stated(text, v, 4) for v in doubled] == ["0.9074", "0.0741", "0.0185"]


def test_one_more_for_the_first_class(text):
    raised = [0.5 * math.e, 0.3, 0.2]
    assert [stated(text, v / sum(raised), 3) for v in raised[1:]] == ["0.161", "0.108"]
    assert stated(text, 0.5 * math.e, 2) == "1.36"


def test_the_largest_compromise(text):
    z, tau = [2, 1, 0.1], 0.7
    p = shares([v / tau for v in z])
    value = sum(q * v for q, v in zip(p, z)) - tau * sum(q * math.log(q) for q in p)
    assert stated(text, value, 4) == "2.1868"


# Digits through untrained networks -------------------------------------------------------------


@pytest.fixture(scope="module")
def digits():
    return data.mnist()


def start(seed):
    """The parameters of an untrained 784-16-10: N(0, 1/n_in) weights, biases 0."""
    rng = np.random.default_rng(seed)
    W1 = rng.standard_normal((16, 784)) / math.sqrt(784)
    return [W1, np.zeros(16), rng.standard_normal((10, 16)) / math.sqrt(16), np.zeros(10)]


def forward(theta, X):
    W1, b1, W2, b2 = theta
    A = (1 + np.tanh((X @ W1.T + b1) / 2)) / 2                              # the sigmoid
    E = np.exp(A @ W2.T + b2)
    return A, E / E.sum(axis=1, keepdims=True)


def right(theta, X, Y):
    return (forward(theta, X)[1].argmax(axis=1) == Y.argmax(axis=1)).mean()


def test_the_seven_by_loops(text, digits):
    x, (W1, _, W2, _) = [float(v) for v in digits[0][0]], start(0)
    z1 = [math.fsum(w * v for w, v in zip(row, x)) for row in W1]
    assert sum(v > 0 for v in x) == 144 and "144 of the products" in text
    assert stated(text, z1[0], 4) == "-0.2718" and stated(text, p_of(z1[0]), 4) == "0.4325"
    for k, value in (297, "0.6118"), (298, "0.9882"), (299, "0.9882"):
        assert stated(text, x[k], 4) == value and divmod(k, 28)[0] == 10
        assert stated(text, W1[0][k] * x[k], 4)
    z2 = [math.fsum(w * p_of(v) for w, v in zip(row, z1)) for row in W2]
    p = shares(z2)
    assert p.index(max(p)) == 5 and stated(text, max(p), 3) == "0.184"
    assert stated(text, sorted(p)[-2], 3) == f"{p[1]:.3f}" == "0.182"
    assert f"{p[7]:.2f}" == "0.05"


def test_twenty_untrained_networks(text, digits):
    X, Y = digits
    answers = [forward(start(seed), X)[1].argmax(axis=1) for seed in range(20)]
    scores = [100 * float((a == Y.argmax(axis=1)).mean()) for a in answers]
    mean = sum(scores) / 20
    spread = math.sqrt(sum((s - mean) ** 2 for s in scores) / 19)
    assert f"mean {mean:.1f}%, from {min(scores):.1f}% to {max(scores):.1f}%" in text
    assert stated(text, spread, 2) == "1.23"
    used = [len(set(a.tolist())) for a in answers]
    assert used.count(1) == 8 and max(used) == 4
    exactly = [seed for seed, s in enumerate(scores) if s == 10 and used[seed] > 1]
    assert exactly == [3, 17] and [used[seed] for seed in exactly] == [2, 2]
    assert f"{math.sqrt(5000 * 0.1 * 0.9):.0f}" == "21"                 # quick question 4
    assert f"{spread / math.sqrt(20):.1f}" == "0.3"
    assert stated(text, 100 * math.sqrt(0.1 * 0.9 / 5000), 2) == "0.42"


def test_which_have_a_favourite(text, digits):
    lead, share, move = [], [], []
    for seed in range(20):
        theta = start(seed)
        A, P = forward(theta, digits[0])
        logits = A @ theta[2].T
        middle = logits.mean(axis=0).tolist()
        third, second, first = sorted(range(10), key=middle.__getitem__)[-3:]
        lead.append(middle[first] - middle[second])
        move.append((logits[:, first] - logits[:, second]).std())
        if seed == 0:
            counts = np.bincount(P.argmax(axis=1))
            assert (third, second) == (1, 2) and counts[1] > counts[2] > 0
        share.append(np.bincount(P.argmax(axis=1)).max() / 5000)
    order = sorted(range(20), key=lead.__getitem__)
    curve = [0.5 * (1 + math.erf(v / 0.09 / math.sqrt(2))) for v in lead]
    assert max(abs(c - s) for c, s in zip(curve, share)) < 0.07
    for half in order[:10], order[10:]:
        for name, values in ("lead ", lead), ("share", share), ("curve", curve):
            assert f"{name} {np.round([values[s] for s in half], 2)}" in text
    assert f"difference moves by {min(move):.2f} to {max(move):.2f}" in text
    assert f"mean lead: {sum(lead) / 20:.2f} " in text
    firm = [s for v, s in zip(lead, share) if v >= 0.13]
    open_ = [s for v, s in zip(lead, share) if v < 0.06]
    assert (len(firm), len(open_)) == (14, 6)
    assert f"{min(firm):.2f}" == "0.86" and "at least 86 %" in text
    assert (f"{min(open_):.2f}", f"{max(open_):.2f}") == ("0.54", "0.73")
    assert "54 to 73 %" in text


def test_two_hundred_more(text, digits):
    share, used = [], []
    for seed in range(100, 300):
        counts = np.bincount(forward(start(seed), digits[0])[1].argmax(axis=1))
        share.append(counts.max() / 5000)
        used.append((counts > 0).sum())
    assert f"gets {100 * np.median(share):.0f}% (median)" in text
    assert f"86% or more in {sum(s >= 0.86 for s in share)} of 200" in text
    assert f"one label only: {used.count(1)}  most labels: {max(used)}" in text


def test_lead_of_the_largest_of_ten(text):
    """The mean distance of the two largest of ten normal numbers, as an integral.

    It is the integral over x of P(exactly one lies above x) = 10 (1 - F(x)) F(x)^9.
    """
    F = [0.5 * (1 + math.erf(k / 1000 / math.sqrt(2))) for k in range(-8000, 8001)]
    ahead = math.fsum(10 * (1 - p) * p**9 for p in F) / 1000
    assert stated(text, ahead, 2) == "0.54" and stated(text, 0.54 * 0.5, 2) == "0.27"


def test_why_it_has_a_favourite(text, digits):
    X = digits[0]
    square, variance = (X**2).mean(), X.var(axis=0).mean()
    assert [stated(text, v, 3) for v in (square, variance)] == ["0.112", "0.067"]
    assert (f"{math.sqrt(0.112):.2f}", f"{math.sqrt(0.067):.2f}") == ("0.33", "0.26")
    assert stated(text, 0.26 / 4, 3) == "0.065"
    assert f"{math.sqrt(2) * 0.065:.2f}" == "0.09"
    rows = []
    for theta in map(start, range(20)):
        sums = X @ theta[0].T
        logits = forward(theta, X)[0] @ theta[2].T
        middle = logits.mean(axis=0)
        rows.append([(sums**2).mean(), sums.var(axis=0).mean(), logits.var(axis=0).mean(),
                     ((middle - middle.mean()) ** 2).sum() / 9])
    size, sums, move, spread = np.sqrt(np.mean(rows, axis=0))
    assert f"hidden sums: size {size:.2f}, from digit to digit {sums:.2f}" in text
    assert f"logits: from digit to digit {move:.2f}, from class to class {spread:.2f}" in text
    P = forward(start(0), X)[1]
    assert f"from {P.min():.2f} to {P.max():.2f}, mean 0.10" in text
    assert stated(text, P.max(), 2) == "0.25" and P.max() < 0.25        # "no probability is above"


# Trained networks ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained(digits):
    """Five networks trained by a loop of its own, and the 3,000 and 1,000 digits."""
    X, Y = digits
    order = np.random.default_rng(0).permutation(5000)
    X_train, Y_train, X_new, Y_new = (D[part] for part in (order[:3000], order[3000:4000])
                                      for D in (X, Y))
    networks = []
    for seed in range(5):
        W1, b1, W2, b2 = theta = start(seed)
        rng = np.random.default_rng(seed)
        for _ in range(10):
            shuffled = rng.permutation(3000)
            for batch in np.split(shuffled, range(32, 3000, 32)):
                x, m = X_train[batch], len(batch)
                A, P = forward(theta, x)
                error = (P - Y_train[batch]) / m
                back = error @ W2 * A * (1 - A)
                step = [back.T @ x, back.sum(axis=0), error.T @ A, error.sum(axis=0)]
                for array, change in zip(theta, step):
                    array -= change
        networks.append(theta)
    return networks, X_train, Y_train, X_new, Y_new


def flat(theta):
    return np.concatenate([p.ravel() for p in theta])


def shaped(v):
    return [v[:12544].reshape(16, 784), v[12544:12560], v[12560:12720].reshape(10, 16), v[12720:]]


def test_accuracy_after_training(text, trained):
    networks, X_train, Y_train, X_new, Y_new = trained
    for X, Y in (X_new, Y_new), (X_train, Y_train):
        printed = [f"{100 * right(theta, X, Y):.1f}%" for theta in networks]
        assert str(printed) in text
    never = (X_train == 0).all(axis=0)
    assert never.sum() == 128 and 16 * never.sum() == 2048
    assert (networks[0][0][:, never] == start(0)[0][:, never]).all()
    assert (X_new[:, never] > 0).any(axis=1).sum() == 5
    assert "new digits with ink there: 5" in text and "five of the 1,000 new" in text
    for name, rows in ("pixels", X_train), ("weights before", start(0)[0]), \
            ("weights after", networks[0][0]):
        left, right_ = (rows.reshape(-1, 28, 28)[..., part].ravel()
                        for part in (slice(27), slice(1, 28)))
        left, right_ = left - left.mean(), right_ - right_.mean()
        alike = left @ right_ / math.sqrt((left @ left) * (right_ @ right_))
        assert f"{name}: {alike:.2f}" in text


def test_two_digits_on_their_way(text, trained):
    networks, _, _, X_new, Y_new = trained
    for d, theta, name in (7, start(0), "untrained"), (7, networks[0], "trained  "), \
            (9, networks[0], "trained  "):
        A, P = forward(theta, X_new[Y_new[:, d] == 1][:1])
        assert (f"a {d}, {name}: activations from {A.min():.2f} to {A.max():.2f}, "
                f"says {P.argmax()} with {P.max():.2f}") in text


def test_noise(text, trained):
    networks, _, _, X_new, _ = trained
    noise = np.random.default_rng(0).uniform(size=(1000, 784))
    ink, thinned = noise.mean() / X_new.mean(), []
    assert f"ink of noise / ink of a digit: {ink:.1f}" in text
    for seed, theta in enumerate(networks):
        P, thin, real = (forward(theta, Z)[1] for Z in (noise, noise / ink, X_new))
        top, said = P.max(axis=1), np.bincount(P.argmax(axis=1))
        thinned.append(np.median(thin.max(axis=1)))
        assert (f"seed {seed}: noise {np.median(top):.2f}, above 0.9 in "
                f"{100 * (top > 0.9).mean():2.0f}%, says {said.argmax()} to {said.max()}; "
                f"thin {thinned[-1]:.2f}, digits {np.median(real.max(axis=1)):.2f}") in text
        assert f"{np.median(real.max(axis=1)):.2f}" == "0.98"
    assert f"medians of {min(thinned):.2f} to {max(thinned):.2f}" in text
    assert (forward(networks[3], noise)[1].argmax(axis=1) == 3).sum() == 993 and "993 of" in text


def test_lines_in_parameter_space(text, trained):
    networks, _, _, X_new, Y_new = trained
    ends = [(flat(start(seed)), flat(theta)) for seed, theta in enumerate(networks)]
    for t in (-1.5, -0.5, 0.5, 2.0, 3.0):
        s = [right(shaped(p + t * (q - p)), X_new, Y_new) for p, q in ends]
        assert (f"t = {t:4.1f}: mean {np.mean(s):.2f}, from {min(s):.2f} to {max(s):.2f}") in text
    for p, q in ends:
        lengths = [math.sqrt(math.fsum(v * v for v in u)) for u in (p, q, q - p)]
        printed = "length before {:.1f}, after {:.1f}, distance from start {:.1f}"
        assert printed.format(*lengths) in text
        cosines = [f"{-back @ q / math.sqrt((back @ back) * (q @ q)):.2f}"
                   for back in (p - 0.25 * (q - p), p - 1.5 * (q - p))]
        assert cosines[1] == "0.95" and (p is not ends[0][0] or cosines[0] == "0.55")
        ahead = [right(shaped(p + t * (q - p)), X_new, Y_new) for t in np.linspace(0.75, 3, 10)]
        assert 0.89 < min(ahead) and max(ahead) < 0.92      # "hardly changes"
    drop = [right(shaped(q), X_new, Y_new) - right(shaped(p + 3 * (q - p)), X_new, Y_new)
            for p, q in ends]
    assert np.mean(drop) == pytest.approx(0.015, abs=0.001)
    on_the_line = [100 * right(shaped(p - 1.5 * (q - p)), X_new, Y_new) for p, q in ends]
    assert f"line, t = -1.5:   {[f'{s:.0f}%' for s in on_the_line]}" in text
    alone = [100 * right(shaped(-1.5 * q), X_new, Y_new) for _, q in ends]
    assert sum(a > s for a, s in zip(alone, on_the_line)) == 4          # "four of the five"
    assert f"({on_the_line[1]:.0f} % for {alone[1]:.0f} %)" in text
    for factor in 1, 1.5:
        turned = [f"{100 * right(shaped(-factor * q), X_new, Y_new):.0f}%" for _, q in ends]
        assert f"-{factor} times after: {turned}" in text


def test_random_directions(text, trained):
    networks, _, _, X_new, Y_new = trained
    rng, aside = np.random.default_rng(0), []
    for seed, theta in enumerate(networks):
        q = flat(theta)
        step = rng.normal(size=12730)
        step *= np.linalg.norm(q - flat(start(seed))) / np.linalg.norm(step)
        aside.append([right(shaped(q + s * step), X_new, Y_new) for s in (0, 0.25, 0.5, 1, 2)])
    mean = np.mean(aside, axis=0)
    assert f"0 to 2 times as far: {mean.round(2)}" in text
    assert [f"{100 * (mean[0] - m):.0f}" for m in mean[3:]] == ["8", "31"]


def test_weights_taken_at_random(text, trained):
    networks, _, _, X_new, Y_new = trained
    wrong = []
    for seed, (W1, *others) in enumerate(networks):
        size = np.random.default_rng(seed).uniform(size=W1.shape)
        thin = np.where(size < np.quantile(size, 0.8), 0, W1)
        wrong.append(100 * (1 - right([thin, *others], X_new, Y_new)))
    assert f"wrong about {min(wrong):.0f} to {max(wrong):.0f} % of the digits" in text


def test_halfway_between_twins(text, trained):
    networks, _, _, X_new, Y_new = trained
    W1, b1, W2, b2 = networks[0]
    halfway = []
    for k in range(5):
        o = np.random.default_rng(k).permutation(16)
        middle = [(W1 + W1[o]) / 2, (b1 + b1[o]) / 2, (W2 + W2[:, o]) / 2, b2]
        halfway.append(f"{100 * right(middle, X_new, Y_new):.0f}%")
    assert str(halfway) in text


def test_one_nudged_weight_moves_the_digits_with_ink_there(text, trained):
    X_new = trained[3]
    assert f"{100 * (X_new[:, 299] > 0).mean():.0f}%" == "52%" and "52 % of the digits" in text


def test_bound_on_the_logits(text, trained):
    (W1, b1, W2, _), X_new = trained[0][0], trained[3]
    stretch = [math.sqrt(np.linalg.eigvalsh(W @ W.T).max()) for W in (W1, W2)]
    assert f"bound {stretch[0] * stretch[1] / 4:.1f}," in text
    i, j = np.random.default_rng(0).integers(0, 1000, (2, 5000))
    Z = X_new @ W1.T + b1
    A = 1 / (1 + np.exp(-Z))
    way = [((V[i] - V[j]) ** 2).sum(axis=1) for V in (X_new, Z, A, A @ W2.T)]
    ratio = way[3] / np.where(i == j, np.inf, way[0])
    best = ratio.argmax()
    assert f"largest {math.sqrt(ratio[best]):.1f}, median" in text
    below = [limit * math.sqrt(u[best] / v[best])
             for limit, u, v in zip((stretch[0], 1 / 4, stretch[1]), way, way[1:])]
    assert "{:.2f}, {:.2f} and {:.2f}, together".format(*below) in text
    assert stated(text, math.prod(below), 1) == "5.6"


def test_a_bias_for_each_example_instead_of_each_unit(text, trained):
    (W1, b1, W2, b2), X_new = trained[0][0], trained[3]
    for m in 1, 16:
        Z, wrong = X_new[:m] @ W1.T, []
        for i in range(16):                                 # column i of the wrong answers
            answers = []
            for bias in b1, [b1[i]] * 16:
                hidden = [p_of(v + b) for v, b in zip(Z[i % m], bias)]
                answers.append(shares([math.fsum(w * h for w, h in zip(row, hidden)) + c
                                       for row, c in zip(W2, b2)]))
            wrong += [abs(p - q) for p, q in zip(*answers)]
        assert (f"m = {m}: no error, shape (10, 16), probabilities wrong by up to "
                f"{max(wrong):.2f}") in text


def test_the_nine_overtakes_the_seven(text, trained):
    theta, X_new, Y_new = trained[0][0], trained[3], trained[4]
    seven, nine = (X_new[Y_new[:, d] == 1][0] for d in (7, 9))
    P = forward(theta, np.array([seven + s * (nine - seven) for s in (0.28, 0.30)]))[1]
    assert (P[:, 9] > P[:, 7]).tolist() == [False, True] and "three tenths of the way" in text


def test_mean_of_two_networks(text, trained):
    networks, _, _, X_new, Y_new = trained
    pairs = [(i, j) for j in range(5) for i in range(j)]
    midpoint = [right([(u + v) / 2 for u, v in zip(networks[i], networks[j])], X_new, Y_new)
                for i, j in pairs]
    outputs = [forward(theta, X_new)[1] for theta in networks]
    committee = [((outputs[i] + outputs[j]).argmax(axis=1) == Y_new.argmax(axis=1)).mean()
                 for i, j in pairs]
    alone = [right(theta, X_new, Y_new) for theta in networks]
    gain = [c - max(alone[i], alone[j]) for c, (i, j) in zip(committee, pairs)]
    assert sum(g > 0 for g in gain) == 9 and "nine pairs of ten" in text
    assert np.mean(gain) == pytest.approx(0.0033, abs=0.0003)           # "a third of a point"
    for case, s in ("a", midpoint), ("d", committee):
        assert f"({case}) {np.mean(s):.3f}, from {min(s):.3f} to {max(s):.3f}" in text
