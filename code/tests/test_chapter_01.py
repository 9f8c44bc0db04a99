"""The numbers that chapter 1 prints, computed a second time with plain arithmetic.

Each test states numbers as the text states them, finds them in the text, and computes them without
the package: with `math` alone, or for the thousand digits with loops that share no line with it.
"""

import math
from pathlib import Path

import numpy as np
import pytest
from byhand import data

CHAPTER = Path(__file__).parents[2] / "chapters" / "01-logistic-regression.ipynb"


@pytest.fixture(scope="module")
def digits():
    """The two standardised measurements and the target of every digit, by loops over pixels."""
    images, Y = data.digits(0, 1)
    measured = []
    for image in images.reshape(-1, 28, 28):
        columns = [float(sum(image[:, c])) for c in range(28)]
        ink = sum(columns)
        middle = sum(c * v for c, v in enumerate(columns)) / ink
        breadth = sum(abs(c - middle) * v for c, v in enumerate(columns)) / ink
        measured.append((ink, breadth))
    mean = [math.fsum(v) / 1000 for v in zip(*measured)]
    unit = [math.sqrt(math.fsum((v - mu) ** 2 for v in column) / 1000)
            for column, mu in zip(zip(*measured), mean)]
    X = [[(v - mu) / u for v, mu, u in zip(row, mean, unit)] for row in measured]
    return np.array(X), Y[:, 0], measured, mean, unit


def p_of(z):
    """The sigmoid by the other road: odds first."""
    odds = math.exp(z)
    return odds / (1 + odds)


def stated(text, value, digits):
    """The number as printed with so many decimals, after making sure that the text has it."""
    printed = f"{value:.{digits}f}"
    assert printed in text, printed
    return printed


# The worked example: w = (2, -1), b = 0.5, x = (1, 3) ------------------------------------------

Z = 2 * 1 - 1 * 3 + 0.5
P = p_of(Z)


def test_sum_odds_and_probability(text):
    assert Z == -0.5
    assert stated(text, math.exp(Z), 4) == "0.6065"
    assert stated(text, P, 4) == "0.3775"
    assert stated(text, P, 5) == "0.37754"
    assert stated(text, 1 - P, 5) == "0.62246"


def test_distance_from_the_boundary(text):
    assert stated(text, math.hypot(2, -1), 4) == "2.2361"
    assert stated(text, Z / math.hypot(2, -1), 4) == "-0.2236"
    assert stated(text, 0.5 / math.hypot(2, -1), 4) == "0.2236"
    # The same from geometry: (1, 3) - (-0.2236) w/|w| lies on the line 2 x1 - x2 + 0.5 = 0.
    d = Z / math.sqrt(5)
    foot = 1 - d * 2 / math.sqrt(5), 3 + d / math.sqrt(5)
    assert 2 * foot[0] - foot[1] + 0.5 == pytest.approx(0, abs=1e-12)


def test_losses(text):
    assert stated(text, math.log(1 + math.exp(0.5)), 4) == "0.9741"         # y = 1: -ln p
    assert stated(text, math.log(1 + math.exp(-0.5)), 4) == "0.4741"        # y = 0: -ln(1 - p)
    assert stated(text, math.log(2), 4) == "0.6931"
    assert stated(text, -math.log(0.99), 2) == "0.01"                       # the surprise
    assert stated(text, -math.log(0.01), 1) == "4.6"


def test_gradient_of_one_example(text):
    def loss(w1, w2, b):
        return math.log(1 + math.exp(-(w1 * 1 + w2 * 3 + b)))               # y = 1

    h = 1e-6
    by_differences = [
        (loss(2 + h, -1, 0.5) - loss(2 - h, -1, 0.5)) / (2 * h),
        (loss(2, -1 + h, 0.5) - loss(2, -1 - h, 0.5)) / (2 * h),
        (loss(2, -1, 0.5 + h) - loss(2, -1, 0.5 - h)) / (2 * h),
    ]
    assert [stated(text, g, 4) for g in by_differences] == ["-0.6225", "-1.8674", "-0.6225"]
    assert stated(text, -1 / P, 2) == "-2.65"                               # in the graph
    assert stated(text, P * (1 - P), 3) == "0.235"
    assert stated(text, -1 / P * P * (1 - P), 3) == "-0.622"


def test_one_step_down(text):
    w1, w2, b = 2 + 0.1 * (1 - P), -1 + 0.1 * (1 - P) * 3, 0.5 + 0.1 * (1 - P)
    printed = [stated(text, v, 6) for v in (w1, w2, b)]
    assert printed == ["2.062246", "-0.813262", "0.562246"]
    w1, w2, b = map(float, printed)                     # what a reader's calculator starts from
    z = w1 + 3 * w2 + b
    assert stated(text, z, 6) == "0.184706"
    assert stated(text, p_of(z), 4) == "0.5460"
    assert stated(text, -math.log(p_of(z)), 4) == "0.6051"
    fall = math.log(1 + math.exp(0.5)) + math.log(p_of(z))
    assert stated(text, fall, 3) == "0.369"
    assert stated(text, 0.1 * (1 - P) ** 2 * (1**2 + 3**2 + 1**2), 3) == "0.426"


def test_gradient_of_two_examples(text):
    first, second = P - 1, p_of(2 * 2 - 1 * 0 + 0.5) - 0
    assert stated(text, second, 4) == "0.9890"
    assert stated(text, second * 2, 4) == "1.9780"
    means = (first + second) / 2, (first * 1 + second * 2) / 2, (first * 3 + second * 0) / 2
    assert [stated(text, v, 4) for v in means] == ["0.1833", "0.6778", "-0.9337"]


def test_doubled_and_tenfold_parameters(text):
    assert stated(text, p_of(2 * Z), 4) == "0.2689"
    assert stated(text, p_of(10 * Z), 4) == "0.0067"


def test_the_sigmoid_at_three_settings(text):
    assert [f"{p_of(z):.2f}" for z in (-3, 0, 2)] == ["0.05", "0.50", "0.88"]
    assert stated(text, p_of(2) * (1 - p_of(2)), 3) == "0.105"
    assert f"{p_of(4) - p_of(2):.1f}" == "0.1"                              # "another tenth"


def test_the_loss_at_three_settings(text):
    assert stated(text, math.log(1 + math.exp(3)), 2) == "3.05"
    assert stated(text, p_of(-3) - 1, 2) == "-0.95"
    assert stated(text, p_of(3) - 1, 2) == "-0.05"


def test_squared_error_is_flat_where_the_neuron_is_wrong(text):
    a = p_of(4)
    assert stated(text, a, 2) == "0.98"
    assert stated(text, 2 * a * a * (1 - a), 2) == "0.03"
    # Its curvature for y = 0, 2a²(1 - a)(2 - 3a), changes sign at a = 2/3, z = ln 2.
    below, above = p_of(math.log(2) - 0.01), p_of(math.log(2) + 0.01)
    assert below < 2 / 3 < above
    a = p_of(2)
    assert stated(text, 2 * a**2 * (1 - a) * (2 - 3 * a), 3) == "-0.119"


# The thousand digits -----------------------------------------------------------------------------


def test_measurements(text, digits):
    _, y, measured, mean, unit = digits
    assert [stated(text, v, 2) for v in (*mean, *unit)] == ["99.46", "3.14", "46.24", "1.52"]
    assert sum(y) == 500
    for c, expected in ((0, ["138.46", "4.43"]), (1, ["60.46", "1.85"])):
        rows = [row for row, target in zip(measured, y) if target == c]
        assert [stated(text, math.fsum(v) / 500, 2) for v in zip(*rows)] == expected


def test_fitted_neuron_by_newtons_method(text, digits):
    """A second road to the bottom of the one valley: a few steps that know the curvature."""
    X, y, _, mean, unit = digits
    X1, theta = np.hstack([X, np.ones((1000, 1))]), np.zeros(3)
    for _ in range(20):
        p = np.array([p_of(z) for z in X1 @ theta])
        theta = theta - np.linalg.solve((X1 * (p * (1 - p))[:, None]).T @ X1, X1.T @ (p - y))
    assert [stated(text, v, 2) for v in theta] == ["-4.41", "-3.83", "-0.51"]
    losses = [-math.log(q if t else 1 - q) for q, t in zip(p, y)]
    assert stated(text, math.fsum(losses) / 1000, 4) == "0.0752"
    assert sum((p >= 0.5) != (y == 1)) == 30
    assert "wrong: 30 of 1000" in text
    assert stated(text, p_of(theta @ [-0.5, 0.2, 1]), 2) == "0.72"
    assert [f"{math.exp(-v):.0f}" for v in theta[:2]] == ["82", "46"]
    raw = theta[:2] / unit
    assert [stated(text, v, 3) for v in raw] == ["-0.095", "-2.523"]
    assert stated(text, theta[2] - raw @ mean, 2) == "16.89"
    missed, false = sum((p < 0.1) & (y == 1)), sum((p >= 0.1) & (y == 0))
    assert f"{missed} missed, {false} false alarms, cost {9 * missed + false}" in text
    assert f"makes {missed + false} mistakes instead of 30" in text
    assert stated(text, math.log(9) / math.hypot(*theta[:2]), 3) == "0.376"


def test_mistakes_of_lines_set_by_hand(text, digits):
    X, y, *_ = digits
    lines = (-2, 0, 0, 10), (-2, -2, 0, 4), (-2, -2, 2, 17), (-5, -4.5, 0.5, 3)
    for w1, w2, b, expected in lines:
        wrong = sum((w1 * x1 + w2 * x2 + b >= 0) != (t == 1) for (x1, x2), t in zip(X[:200], y))
        assert wrong == expected
    assert "10 of the 200 are wrong" in text
    assert stated(text, 2 / math.hypot(2, 2), 2) == "0.71"
    w, y = np.arange(-6, 6.5, 0.5), y[:200]
    z = w[:, None, None] * X[:200, 0] + w[None, :, None] * X[:200, 1]
    fewest = min(((z + b >= 0) != (y == 1)).sum(axis=2).min() for b in np.arange(-4, 4.5, 0.5))
    assert fewest == 3
    assert "The fewest you can reach is 3" in text


def step(X, y, theta):
    p = np.array([p_of(z) for z in X @ theta[:2] + theta[2]])
    return theta - 2 * np.array([*((p - y) @ X), (p - y).sum()]) / len(y)


def measures(X, y, theta):
    """Length of w, its angle, the loss of zeros and ones, and the mistakes among them."""
    z = X @ theta[:2] + theta[2]
    loss = np.array([math.log(1 + math.exp(-v if t else v)) for v, t in zip(z, y)]) / len(y)
    wrong = (z >= 0) != (y == 1)
    by_class = [[math.fsum(loss[y == c]), int(wrong[y == c].sum())] for c in (0, 1)]
    return math.hypot(*theta[:2]), math.degrees(math.atan(theta[1] / theta[0])), *zip(*by_class)


def test_the_line_and_the_length_on_the_way_down(text, digits):
    X, y, *_ = digits
    path = [np.zeros(3)]
    for _ in range(2000):
        path.append(step(X, y, path[-1]))
    fewest, w1, w2, cut = best_of_lines(X, y)
    assert fewest == 22
    at = [path[1], path[10], 2.1 * path[10], path[-1], 5.84 * np.array([w1, w2, -cut])]
    found = [measures(X, y, theta) for theta in at]
    for length, angle, losses, wrong in found:
        row = (f"{length:.2f}  {angle:.1f}°  {sum(losses):.4f} = {losses[0]:.4f} + {losses[1]:.4f}"
               f"   {sum(wrong)} = {wrong[0]} + {wrong[1]}")
        assert row in text, row
    assert [f"{sum(losses):.3f}" for *_, losses, _ in found[:2]] == ["0.254", "0.113"]
    assert [sum(wrong) for *_, wrong in found] == [26, 27, 27, 30, 22]
    assert "26 after one step, 27 after ten, and 30 at the end" in text
    assert stated(text, sum(found[2][2]) - sum(found[3][2]), 4) == "0.0015"
    assert found[1][1] - found[3][1] < 4                                    # degrees
    assert [f"{v:.1f}" for v in (*path[10][:2], *path[-1][:2])] == ["-1.9", "-1.9", "-4.4", "-3.8"]
    assert "about (-1.9, -1.9)" in text and "near (-4.4, -3.8)" in text
    # The zeros as a whole surprise less, the ones more, though not each of them.
    assert found[3][2][0] < found[2][2][0] and found[3][2][1] > found[2][2][1]
    # The three ones that are given up, and no digit won in exchange.
    right = [(X @ theta[:2] + theta[2] >= 0) == (y == 1) for theta in at]
    assert list(y[right[2] & ~right[3]]) == [1, 1, 1] and not (right[3] & ~right[2]).any()


def best_of_lines(X, y, right=()):
    """Fewest mistakes in 360 directions, w1, w2 and the cut, with the zeros `right` on their side.

    Along each direction the digits are sorted; a cut before place k takes those from k on for ones.
    """
    best = (len(y) + 1,)
    for degrees in range(360):
        w = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        s = w[0] * X[:, 0] + w[1] * X[:, 1]
        order, wrong = np.argsort(s), sum(y == 0)                           # all are "ones"
        least = max((s[i] for i in right), default=-math.inf)
        for k, i in enumerate(order[:-1]):
            wrong += 1 if y[i] else -1
            if wrong < best[0] and s[order[k + 1]] > least:
                best = wrong, *w, s[order[k + 1]] - 1e-6
    return best


def test_step_sizes_and_starts(text, digits):
    X, y, *_ = digits
    for eta, begin in ((10, 0), (50, 0), (10, 5), (200, 0)):
        theta, losses = np.full(3, float(begin)), []
        for k in range(2000):
            z = X @ theta[:2] + theta[2]
            if k >= 1950:                                                   # before each step
                losses.append(np.mean(np.logaddexp(0, -z) * y + np.logaddexp(0, z) * (1 - y)))
            p = 1 / (1 + np.exp(-z))
            theta = theta - eta * np.array([*((p - y) @ X), (p - y).sum()]) / 1000
        if eta == 200:
            assert f"eta = 200: loss from {min(losses):.2f} to {max(losses):.2f}" in text
            assert "With $\\eta = 200$ the loss still jumps" in text
        else:
            assert [f"{v:.2f}" for v in theta] == ["-4.41", "-3.83", "-0.51"]
            row = f"eta = {eta} from {[begin] * 3}: [-4.41 -3.83 -0.51], loss {losses[-1]:.4f}"
            assert row in text


def test_newtons_eight_steps(text, digits):
    X, y, *_ = digits
    X1, theta, path = np.hstack([X, np.ones((1000, 1))]), np.zeros(3), []
    for _ in range(15):
        p = 1 / (1 + np.exp(-(X1 @ theta)))
        H = (X1 * (p * (1 - p))[:, None]).T @ X1
        theta = theta - np.linalg.solve(H, X1.T @ (p - y))
        path.append(theta)
    far = [abs(theta - path[-1]).max() for theta in path]
    assert far[6] > 1e-5 > far[7]
    assert "Eight of *Newton's*" in text and "within $10^{-5}$" in text
    assert "eigenvalues: [0.003" in text
    assert np.linalg.eigvalsh(H / 1000)[0] == pytest.approx(0.003, abs=5e-5)


def fitted(X, y):
    """The best neuron by Newton's method, with short steps first."""
    X1, theta = np.hstack([X, np.ones((len(y), 1))]), np.zeros(X.shape[1] + 1)
    for k in range(60):
        p = 1 / (1 + np.exp(-(X1 @ theta)))
        H = (X1 * (p * (1 - p))[:, None]).T @ X1
        theta = theta - (0.3 if k < 30 else 1) * np.linalg.solve(H, X1.T @ (p - y))
    return theta


def test_how_honest_the_probabilities_are(text, digits):
    X, y, *_ = digits
    w1, w2, b = fitted(X, y)
    p = np.array([p_of(w1 * x1 + w2 * x2 + b) for x1, x2 in X])
    assert math.fsum(p) == pytest.approx(500)
    near = sorted((math.hypot(x1 + 0.5, x2 - 0.2), t) for (x1, x2), t in zip(X, y))
    assert [t for _, t in near[:8]] == [0, 1, 1, 1, 1, 1, 1, 1]
    rows = [("near the star  ", np.hypot(X[:, 0] + 0.5, X[:, 1] - 0.2) < 0.3)]
    edges = 0, 0.1, 0.3, 0.5, 0.7, 0.9, 1
    rows += [(f"p from {low:.1f} to {high:.1f}", (low <= p) & (p < high))
             for low, high in zip(edges, edges[1:])]
    off = []
    for name, some in rows:
        ones, expected = sum(y[some]), math.fsum(p[some])
        spread = math.sqrt(math.fsum(p[some] * (1 - p[some])))
        off.append(abs(ones - expected) / spread)
        row = f"{name}: {ones:3.0f} of {some.sum():3} are ones, expected {expected:5.1f}"
        assert f"{row} ± {spread:.1f}" in text, row
    assert off[0] < 2 and off[3] > 2 and max(off[1:3] + off[4:]) < 1.2
    assert "21 of 24 are ones, where 17.9" in text
    assert "8 of 10 are ones instead of 4.0 ± 1.5" in text


def test_what_the_slim_zeros_would_cost(text, digits):
    X, y, *_ = digits
    theta = fitted(X, y)
    z = X @ theta[:2] + theta[2]
    seven = np.argsort(np.where(y == 0, -z, np.inf))[:7]
    fewest = best_of_lines(X, y, seven)[0]
    assert f"then wrong: {fewest}" in text
    assert f"with fewer than {fewest} other mistakes" in text


def test_splits(text, digits):
    """The twenty splits with the best neuron of each; gradient descent is nearly there."""
    _, y, measured, *_ = digits
    measured, shares = np.array(measured), []
    for seed in range(20):
        order = np.random.default_rng(seed).permutation(1000)
        first, rest = order[:800], order[800:]
        X = (measured - measured[first].mean(axis=0)) / measured[first].std(axis=0)
        theta = fitted(X[first], y[first])
        right = (X @ theta[:2] + theta[2] >= 0) == (y == 1)
        shares.append((right[first].mean(), right[rest].mean()))
    on_800, on_200 = np.mean(shares, axis=0)
    assert f"on the 800: mean {on_800:.3f}; on the 200:\nmean {on_200:.3f}" in text
    assert on_800 - on_200 == pytest.approx(0.005, abs=0.001)               # "half a point"


def test_shuffled_breadth(text, digits):
    X, y, *_ = digits
    weights = []
    for seed in range(10):
        mixed, rng = X.copy(), np.random.default_rng(seed)
        for c in (0, 1):
            mixed[y == c, 1] = rng.permutation(X[y == c, 1])
        weights.append(fitted(mixed, y)[0])
    row = f"breadth shuffled: {np.mean(weights):.1f} ± {np.std(weights):.1f} for the ink"
    assert row in text, row
    for k in range(2):
        assert fitted(X[:, [k]], y)[0] == pytest.approx(-5.6, abs=0.05)


def test_correlations(text, digits):
    X, y, *_ = digits
    found = []
    for rows in (X, X[y == 0], X[y == 1]):
        dx = rows - [math.fsum(v) / len(rows) for v in rows.T]
        found.append(math.fsum(dx[:, 0] * dx[:, 1]) / math.sqrt(
            math.fsum(dx[:, 0] ** 2) * math.fsum(dx[:, 1] ** 2)))
    assert [stated(text, v, 2) for v in found] == ["0.79", "0.19", "0.39"]


# Where one neuron ends ---------------------------------------------------------------------------


def test_weights_of_and_grow_like_the_logarithm(text):
    """By symmetry w1 = w2, so two numbers are enough."""
    w, b, lengths = 0.0, 0.0, {}
    for step in range(1, 10_001):
        none, one, both = p_of(b), p_of(w + b), p_of(2 * w + b) - 1
        w, b = w - (one + both) / 4, b - (none + 2 * one + both) / 4
        lengths[step] = math.sqrt(2) * w
    printed = [stated(text, lengths[n], 2) for n in (100, 1000, 10_000)]
    assert printed == ["4.31", "10.49", "17.08"]
    assert stated(text, math.hypot(2, 2) * math.log(10), 2) == "6.51"
    corners = zip((7, -5, -5), ((1, 1, 1), (0, 1, 1), (1, 0, 1)))
    assert [sum(v) for v in zip(*([c * x for x in row] for c, row in corners))] == [2, 2, -3]
    assert -both / one == pytest.approx(7 / 5, abs=1e-4)                    # exercise 1.11


def test_xor_is_stuck_at_ln_2():
    """No parameters on a grid do better than none at all."""
    points = [((0, 0), 0), ((0, 1), 1), ((1, 0), 1), ((1, 1), 0)]
    grid = [i / 2 for i in range(-8, 9)]
    least = min(
        sum(math.log(1 + math.exp((1 - 2 * t) * (w1 * x1 + w2 * x2 + b))) for (x1, x2), t in points)
        for w1 in grid for w2 in grid for b in grid
    )
    assert least / 4 == pytest.approx(math.log(2), abs=1e-12)
    # And only none at all does as well: the other grid points are higher.
    away = min(
        sum(math.log(1 + math.exp((1 - 2 * t) * (w1 * x1 + w2 * x2 + b))) for (x1, x2), t in points)
        for w1 in grid for w2 in grid for b in grid if w1 or w2 or b
    )
    assert away > least + 0.05


# Exercises ---------------------------------------------------------------------------------------


def test_exercise_1_1(text):
    c = math.log(9) / 5
    assert [stated(text, v, 4) for v in (3 * c, 4 * c, -10 * c)] == ["1.3183", "1.7578", "-4.3944"]
    z = 3 * c * 2.6 + 4 * c * 1.8 - 10 * c
    p = p_of(z)
    assert p == pytest.approx(0.9)
    assert stated(text, -math.log(1 - p), 4) == "2.3026"
    assert [stated(text, p * v, 2) for v in (2.6, 1.8)] == ["2.34", "1.62"]
    d = math.log(99) / math.log(9)
    assert stated(text, d, 4) == "2.0913"
    assert p_of(3 * c * (2 + 0.6 * d) + 4 * c * (1 + 0.8 * d) - 10 * c) == pytest.approx(0.99)


def test_exercise_1_2():
    """The tanh unit w = (1, -0.5), b = 0.25 says in other words what the worked example says."""
    e = math.exp(1 * 1 - 0.5 * 3 + 0.25)
    assert (1 + (e - 1 / e) / (e + 1 / e)) / 2 == pytest.approx(P)


def test_exercise_1_3(text):
    assert stated(text, math.exp(0.7), 4) == "2.0138"
    assert stated(text, 0.25 * math.exp(0.7), 5) == "0.50344"
    assert stated(text, p_of(math.log(0.25) + 0.7), 4) == "0.3349"
    assert stated(text, 19 * math.exp(0.7), 2) == "38.26"
    assert stated(text, p_of(math.log(19) + 0.7), 4) == "0.9745"


def test_exercise_1_6(text, digits):
    """Every output against every target: the mean of the losses with both targets, by halves."""
    X, *_ = digits
    z = X @ [-4.4072, -3.8313] - 0.5137
    both = [math.log(1 + math.exp(-v)) + math.log(1 + math.exp(v)) for v in z]
    assert stated(text, math.fsum(both) / 2000, 2) == "3.57"


def test_the_text_repeats_what_the_cells_print(text):
    for printed, said in (("wrong 5.1%", "wrong on 5.1 %"), ("wrong 3.3%", "falls to 3.3 %"),
                          ("wrong 6.6%", "the breadth alone on 6.6 %"),
                          ("at the start: from 0.69 to 0.89", "from up to 0.89"),
                          ("with a sign: 4.2e-18", "approx 4 \\cdot 10^{-18}"),
                          ("at most 0.6932", "to 0.6932 or less"),
                          ("formula: -0.119", "it is $-0.119$")):
        assert printed in text and said in text


def test_exercise_1_8(text, digits):
    """The neuron by Newton's method, least squares by its normal equations."""
    X, y, *_ = digits
    first = list(y).index(1)
    for place, expected in ((X[first], (31, 27)), ((-30, -30), (31, 248)), ((30, 30), (108, 413))):
        few, targets = X[:100].copy(), y[:100]
        few[first] = place
        X1 = np.hstack([few, np.ones((100, 1))])
        line = np.linalg.solve(X1.T @ X1, X1.T @ (targets - 0.5))
        wrong = [int(((X @ theta[:2] + theta[2] >= 0) != (y == 1)).sum())
                 for theta in (fitted(few, targets), line)]
        assert tuple(wrong) == expected
        assert f"neuron {wrong[0]} least squares {wrong[1]}" in text
        if tuple(place) == tuple(X[first]):
            assert f"would predict {line @ [-30, -30, 1] + 0.5:.0f} there" in text
