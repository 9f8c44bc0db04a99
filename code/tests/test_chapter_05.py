"""The numbers that chapter 5 prints, computed a second time with plain arithmetic.

Each test states numbers as the text states them, finds them in the text, and computes them without
the package: with `math` and loops alone.
"""

import math
import random
from pathlib import Path

import pytest

CHAPTER = Path(__file__).parents[2] / "chapters" / "05-gradient-descent.ipynb"


def stated(text, value, digits):
    """The number as printed with so many decimals, after making sure that the text has it."""
    printed = f"{value:.{digits}f}"
    assert printed in text, printed
    return printed


def log_loss(z, y):
    """ln(1 + e^z) - y z, without overflow."""
    return max(z, 0) + math.log1p(math.exp(-abs(z))) - y * z


def sigmoid(z):
    return 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))


# The hill ---------------------------------------------------------------------------------------


def hill(x, y):
    return 9 - x * x - x * y - 1.5 * y * y


def slope(angle):
    """By a difference quotient at (1, 1)."""
    u, h = (math.cos(angle), math.sin(angle)), 1e-6
    return (hill(1 + h * u[0], 1 + h * u[1]) - hill(1 - h * u[0], 1 - h * u[1])) / (2 * h)


def test_slopes_on_the_hill(text):
    assert hill(1, 1) == 5.5
    assert slope(0) == pytest.approx(-3)
    assert slope(math.pi / 2) == pytest.approx(-4)
    assert stated(text, slope(math.radians(135)), 4) == "-0.7071"
    assert stated(text, slope(math.radians(225)), 4) == "4.9497"
    steepest = max(slope(math.radians(a / 100)) for a in range(36_000))
    assert steepest == pytest.approx(5, abs=1e-5)
    assert stated(text, math.degrees(math.acos(7 / math.sqrt(2) / 5)), 2) == "8.13"


def test_angle_between_the_gradient_and_the_minimum(text):
    assert math.sqrt(650) * math.sqrt(26) == pytest.approx(130)
    assert stated(text, 50 / 130, 4) == "0.3846"
    by_directions = math.atan2(25, 5) - math.atan2(1, 5)        # a second way to the angle
    assert stated(text, math.degrees(by_directions), 1) == "67.4"


def test_random_directions(text):
    assert stated(text, math.sqrt(1 / 2), 2) == "0.71"
    assert 784 * 16 + 16 + 16 * 10 + 10 == 12_730
    assert stated(text, 1 / math.sqrt(12_730), 4) == "0.0089"


# The step size ----------------------------------------------------------------------------------


@pytest.mark.parametrize("eta, digits, printed", [
    (0.05, 4, "3.4868"), (0.2, 4, "0.0605"), (0.5, 4, "0.0000"), (0.9, 4, "1.0737"),
    (1.0, 4, "10.0000"), (1.1, 4, "61.9174"), (1.1, 2, "61.92"), (1.05, 3, "25.937"),
])
def test_ten_steps_on_a_parabola(text, eta, digits, printed):
    x = 10.0
    for _ in range(10):
        x -= eta * 2 * x
    assert stated(text, x, digits) == printed


def walk(eta, steps, w=(5.0, 1.0)):
    w1, w2 = w
    for _ in range(steps):
        w1, w2 = w1 - eta * w1, w2 - eta * 25 * w2
    return w1, w2


def steps_to_a_thousandth(eta):
    k = 0
    while math.hypot(*walk(eta, k)) >= math.hypot(5, 1) / 1000:
        k += 1
    return k


def test_two_curvatures(text):
    assert [steps_to_a_thousandth(eta) for eta in (0.02, 0.04, 1 / 13, 0.079)] == [
        341, 169, 87, 209]
    assert "after 341 steps" in text and "after 87 steps" in text
    assert stated(text, 12 / 13, 4) == "0.9231"
    assert stated(text, math.log(1000) / math.log(13 / 12), 1) == "86.3"
    assert stated(text, math.log(1000), 4) == "6.9078"
    assert stated(text, math.hypot(*walk(0.02, 30)), 2) == "2.73"
    assert stated(text, math.hypot(*walk(0.0769, 30)), 2) == "0.46"
    assert walk(0.081, 30)[1] == pytest.approx(2, rel=0.06)                 # "has doubled"
    best = min(range(1, 800), key=lambda e: max(abs(1 - e / 10_000), abs(1 - 25 * e / 10_000)))
    assert best / 10_000 == pytest.approx(1 / 13, abs=1e-4)


def xor_runs(eta, targets, steps=4000):
    """Gradient descent for one neuron on the four points, from a start near 0."""
    points = [(0, 0), (0, 1), (1, 0), (1, 1)]
    w1, w2, b = 0.3, -0.2, 0.1
    for _ in range(steps):
        e = [sigmoid(w1 * p + w2 * q + b) - y for (p, q), y in zip(points, targets, strict=True)]
        w1 -= eta * sum(d * p for d, (p, q) in zip(e, points, strict=True)) / 4
        w2 -= eta * sum(d * q for d, (p, q) in zip(e, points, strict=True)) / 4
        b -= eta * sum(e) / 4
    return (w1, w2, b), sum(log_loss(w1 * p + w2 * q + b, y)
                            for (p, q), y in zip(points, targets, strict=True)) / 4


def test_the_cliff_of_xor(text):
    mu = (7 + math.sqrt(33)) / 2
    assert stated(text, mu, 4) == "6.3723"
    assert stated(text, mu / 16, 4) == "0.3983"
    assert stated(text, 32 / mu, 3) == "5.022"
    # The characteristic polynomial of [[2, 1, 2], [1, 2, 2], [2, 2, 4]] is 0 at mu.
    a, c = 2 - mu, 4 - mu
    assert a * (a * c - 4) - (c - 4) + 2 * (2 - 2 * a) == pytest.approx(0, abs=1e-9)
    assert stated(text, xor_runs(5.0, (0, 1, 1, 0))[1], 5) == "0.69315"
    assert stated(text, xor_runs(5.05, (0, 1, 1, 0))[1], 5) == "0.69991"
    assert stated(text, xor_runs(6, (0, 1, 1, 0))[1], 5) == "0.92372"
    assert stated(text, xor_runs(20, (0, 0, 0, 1))[1], 5) == "0.00021"
    ends = [xor_runs(5.05, (0, 1, 1, 0), steps)[0] for steps in (4000, 4001)]
    for one, two in zip(*ends, strict=True):
        assert one == pytest.approx(-two, abs=1e-9)
    printed = [stated(text, abs(c), 4) for c in ends[0]]
    assert printed == ["0.0838", "0.0838", "0.1415"]
    assert "= 87$" in text and round(2 / 0.023) == 87


def test_steps_grow_like_the_ratio_of_curvatures(text):
    """122 and 147 steps for 144 and 173; the same constant makes half a million of 610,299."""
    assert "144, steps [122, 58, 9, 63, 76, None]" in text
    assert "173, steps [147, 71, 14, 60, 77, None]" in text
    assert "610299, steps [None, None, None, None, None, None]" in text
    assert 147 / 122 == pytest.approx(173 / 144, rel=0.01)
    assert 610_299 * 122 / 144 == pytest.approx(500_000, rel=0.05)


def test_power_iteration(text):
    """The rule of the text on a matrix whose largest eigenvalue is known: 25."""
    v = [1.0, 0.2]
    for _ in range(20):
        size = math.hypot(*v)
        v = [c / size for c in v]
        v, old = [13 * v[0] + 12 * v[1], 12 * v[0] + 13 * v[1]], v
    assert old[0] * v[0] + old[1] * v[1] == pytest.approx(25)
    for printed in ("limit 1.25", "limit 1.18", "limit 1.60", "eta 1:  0 rises",
                    "eta 2:  0 rises", "eta 3: 11 rises"):
        assert printed in text
    assert "is 1.25, 1.18 and 1.60" in text


def test_numbers_that_the_prose_takes_from_the_cells(text):
    for printed, said in [
        ("[122, ", "takes 122 steps"), ("[147, ", "173 is to 144 as 147 to 122"),
        ("random: mean of 5 draws 0.42", "0.42 and 0.41 on average"),
        ("half  : mean of 5 draws 0.41", "0.42 and 0.41 on average"),
        ("right : loss 2.48 ... 0.40", "against 0.40"),
        ("on new digits 1.18", "after the epoch: 1.18"),
        ("outputs near 0: 90%", "nine or all ten sigmoids"),
        ("lower the loss of their own batch: 100%", "Each step lowers the loss of *its own*"),
        ("gradient 0.00057", "gradient is the same, 0.0006"),
        ("gradient 0.00058", "gradient is the same, 0.0006"),
        ("[0.03125 0.0625  0.125   0.25   ] [15 24 22  7]", "29 of the 68"),
    ]:
        assert printed in text and said in text, (printed, said)


def test_lower_ground_needs_the_output_bias():
    """Without it, the recipe's points lie higher than ln 2; with about -eps^2 / 2, lower."""
    for e in (0.5, 0.25, 0.125):
        zs = [e * sigmoid(e * k) - e * sigmoid(e * k - 2 * e) for k in (0, 1, 1, 2)]
        without = sum(log_loss(z, y) for z, y in zip(zs, (0, 1, 1, 0), strict=True)) / 4
        assert without > math.log(2)
        assert sum(zs) / 4 == pytest.approx(e * e / 2, rel=0.1)


# Zero slopes ------------------------------------------------------------------------------------


def test_two_valleys(text):
    def height(w):
        return (w * w - 1) ** 2 + w / 4

    left = min((k / 1e4 for k in range(-15_000, 0)), key=height)
    right = min((k / 1e4 for k in range(5000, 15_000)), key=height)
    ridge = max((k / 1e4 for k in range(-5000, 5000)), key=height)
    assert [stated(text, w, 3) for w in (left, ridge, right)] == ["-1.030", "0.063", "0.967"]
    assert [stated(text, height(w), 3) for w in (left, right)] == ["-0.254", "0.246"]
    for start, eta, end in [(0.0, 0.05, left), (0.1, 0.05, right), (1.5, 0.2, left)]:
        w = start
        for _ in range(100):
            w -= eta * (4 * w * (w * w - 1) + 0.25)
        assert w == pytest.approx(end, abs=1e-3)


def test_lower_ground_beside_the_exact_zero(text):
    def gain(e):
        loss, zs = 0, []
        for p, q in [(0, 0), (0, 1), (1, 0), (1, 1)]:
            zs.append(e * sigmoid(e * (p + q)) - e * sigmoid(e * (p + q) - 2 * e))
        middle = sum(zs) / 4
        for z, y in zip(zs, (0, 1, 1, 0), strict=True):
            loss += log_loss(z - middle, y) / 4
        return math.log(2) - loss

    assert [stated(text, gain(e), 6) for e in (1, 0.5, 0.25, 0.125)] == [
        "0.020123", "0.001731", "0.000118", "0.000008"]
    assert 14 < gain(0.25) / gain(0.125) < 16.5
    assert stated(text, math.log(2) / 2, 4) == "0.3466"


def test_no_path_gains_more_than_the_fourth_power(text):
    """The gain against its bound of the text, for 2-2-1 networks near zero and far from it."""
    assert r"at most $-\frac18 (z_{00} - z_{01} - z_{10} + z_{11})$" in text
    rng = random.Random(0)
    for _ in range(2000):
        size = 10 ** rng.uniform(-2, 1)
        units = [[rng.gauss(0, size) for _ in range(4)] for _ in range(2)]
        c = rng.gauss(0, size)
        z = [c + sum(v * sigmoid(b + w1 * p + w2 * q) for v, w1, w2, b in units)
             for p, q in [(0, 0), (0, 1), (1, 0), (1, 1)]]
        gain = math.log(2) - sum(map(log_loss, z, (0, 1, 1, 0))) / 4
        by_sums = -(z[0] - z[1] - z[2] + z[3]) / 8
        by_sizes = sum(abs(v * w1 * w2) * (abs(b) + abs(w1) + abs(w2)) / 64
                       for v, w1, w2, b in units)
        assert gain <= by_sums + 1e-12 and by_sums <= by_sizes + 1e-12
    for k in range(1, 2000):
        s = sigmoid(k / 100)
        assert abs(s * (1 - s) * (1 - 2 * s)) <= k / 800


def test_the_gain_is_a_thirty_second_of_the_fourth_power(text):
    assert "about $\\varepsilon^4/32$" in text
    assert f"{(1 / 8) ** 4 / 32:.6f}" == "0.000008"                         # as the cell prints
    assert stated(text, 0.98**99, 2) == "0.14"


def test_cosine_of_a_spoiled_gradient(text):
    """Factors of mean 1 and mean square 2: cosine and relative error are near 1 / sqrt 2."""
    rng = random.Random(0)
    for draw in (lambda: rng.expovariate(1), lambda: 2.0 * (rng.random() < 0.5)):
        g = [rng.gauss(0, 1) for _ in range(100_000)]
        d = [draw() * c for c in g]
        length = math.sqrt(sum(c * c for c in d))
        cosine = sum(map(math.prod, zip(d, g, strict=True))) / length / math.hypot(*g)
        assert cosine == pytest.approx(1 / math.sqrt(2), rel=0.02)
        assert math.dist(d, g) / length == pytest.approx(1 / math.sqrt(2), rel=0.02)
    assert "promise a cosine near $1/\\sqrt2$" in text


def test_prices_of_knowing_nothing(text):
    assert (1 + 9 * 0) / 10 == 0.1
    assert (0.9**2 + 9 * 0.1**2) / 10 == pytest.approx(0.09)
    assert stated(text, math.log(10), 2) == "2.30"


def test_momentum(text):
    w, v, last = [5.0, 1.0], [0.0, 0.0], 0
    for k in range(1, 201):
        v = [4 / 9 * v[0] + w[0], 4 / 9 * v[1] + 25 * w[1]]
        w = [w[0] - v[0] / 9, w[1] - v[1] / 9]
        if math.hypot(*w) >= math.hypot(5, 1) / 1000:
            last = k
    assert last + 1 == 24
    assert "24 instead of 87" in text


# Exercises --------------------------------------------------------------------------------------


def test_exercise_1(text):
    half, root = 0.5, math.sqrt(3) / 2
    u = half * -0.6 + root * 0.8, half * -0.8 - root * 0.6
    v = half * -0.6 - root * 0.8, half * -0.8 + root * 0.6
    printed = [stated(text, c, 4) for c in (*u, *v)]
    assert printed == ["0.3928", "-0.9196", "-0.9928", "0.1196"]
    for w in (u, v):
        assert math.hypot(*w) == pytest.approx(1)
        assert slope(math.atan2(w[1], w[0])) == pytest.approx(2.5)


def test_exercise_2():
    w, places = 7.0, []
    for _ in range(2):
        w -= 0.1 * 6 * (w - 1 / 3)
        places.append(w)
    assert places == pytest.approx((3, 1.4))


def test_exercise_4(text):
    w = 2.2
    for k in range(1, 10_001):
        w -= 0.4 * w**3
        if k in (100, 10_000):
            stated(text, abs(w), 4)
            stated(text, 1 / math.sqrt(0.8 * k), 4)
    assert stated(text, 1 / math.sqrt(0.2), 3) == "2.236"


def test_exercise_5():
    for start, steps in [((5.0, 1.0), 18), ((25.0, 1.0), 87)]:
        w, k = start, 0
        while math.hypot(*w) > math.hypot(*start) / 1000:
            g = w[0], 25 * w[1]
            eta = (g[0] ** 2 + g[1] ** 2) / (g[0] ** 2 + 25 * g[1] ** 2)
            w, k = (w[0] - eta * g[0], w[1] - eta * g[1]), k + 1
        assert k == steps


def test_exercise_10(text):
    for kappa, rate, few, counted, many in [
        (25, "0.6667", 18, 24, 87), (10_000, "0.9802", 346, 620, 34_539),
    ]:
        root = math.sqrt(kappa)
        q = (root - 1) / (root + 1)
        assert stated(text, q, 4) == rate
        assert math.ceil(math.log(1000) / -math.log(q)) == few
        assert math.ceil(math.log(1000) / math.log((kappa + 1) / (kappa - 1))) == many
        far = [math.hypot(5 * (1 + (1 - q) * k) * q**k, (1 + (1 + q) * k) * q**k)   # k r^k
               for k in range(1000)]
        assert max(k for k in range(1000) if far[k] >= far[0] / 1000) + 1 == counted
        assert f"steps {few} by the rate, {counted} counted, plain {many}" in text


def test_exercise_11(text):
    steps = [math.ceil(math.log(1 / e) / math.log(1.1)) for e in (1e-3, 1e-6, 1e-12)]
    assert steps == [73, 145, 290]
    assert "73, 145 and 290" in text


def test_quick_questions():
    assert math.hypot(6, -8) == 10
    assert -3 / 4 == 2.25 / -3 == -0.75
    assert 20 * 6000 // 30 == 80 * 6000 // 120 == 4000
