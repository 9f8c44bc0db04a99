"""The numbers that chapter 6 prints, computed a second time with plain arithmetic.

Each test states numbers as the text states them, finds them in the text, and computes them without
the package and by another route: with `math`, with fractions, or by counting one by one. (Only the
digits and the untrained network of exercise 6.7 come from the package.)
"""

import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from byhand import Network, mnist, softmax

CHAPTER = Path(__file__).parents[2] / "chapters" / "06-chain-rule.ipynb"
EPS = 2.0**-53


def stated(text, value, digits):
    """The number as printed with so many decimals, after making sure that the text has it."""
    printed = f"{value:.{digits}f}"
    assert printed in text, f"the chapter does not say {printed}"
    return printed


def p_of(z):
    odds = math.exp(z)
    return odds / (1 + odds)


# Paths -------------------------------------------------------------------------------------------


def test_one_path(text):
    assert stated(text, 2 * math.log(2), 4) == "1.3863"
    assert stated(text, 2 * math.log(2.1), 4) == "1.4839"
    change = 2 * math.log(1.05)                     # ln(4.41 / 4)
    assert stated(text, change, 4) == "0.0976"
    assert stated(text, change / 0.41, 4) == "0.2380"
    assert stated(text, change / 0.1, 3) == "0.976"
    for dx, line in ((1, "5.0000 * 0.1622 = 0.8109"), (0.1, "4.1000 * 0.2380 = 0.9758"),
                     (0.01, "4.0100 * 0.2488 = 0.9975"), (0.001, "4.0010 * 0.2499 = 0.9998")):
        stretch, whole = 4 + dx, 2 * math.log1p(dx / 2) / dx     # ((2 + dx)^2 - 4) / dx = 4 + dx
        assert f"{stretch:.4f} * {whole / stretch:.4f} = {whole:.4f}" == line
        assert line in text
    assert 0.25**10 < 1e-6                          # ten sigmoids: "less than a millionth"


def test_two_paths(text):
    assert stated(text, math.sin(1), 4) == "0.8415"
    assert stated(text, 2 * math.sin(1), 4) == "1.6829"
    assert stated(text, math.cos(1), 4) == "0.5403"
    h = 1e-5                                        # the sum by a five-point difference
    g = [(1 + k * h) ** 2 * math.sin(1 + k * h) for k in (-2, -1, 1, 2)]
    assert stated(text, (g[0] - 8 * g[1] + 8 * g[2] - g[3]) / (12 * h), 4) == "2.2232"


def test_the_rectangle(text):
    u, v, du, dv = 1, math.sin(1), 1.2**2 - 1, math.sin(1.2) - math.sin(1)
    assert [stated(text, area, 2) for area in (v * du, u * dv, du * dv)] == ["0.37", "0.09", "0.04"]
    assert u * v + v * du + u * dv + du * dv == pytest.approx(1.2**2 * math.sin(1.2))
    for nudge, closeness in ((0.2, 0.2), (0.002, 0.002)):   # the strips become the paths
        du, dv = (1 + nudge) ** 2 - 1, math.sin(1 + nudge) - v
        assert (v * du, u * dv) == pytest.approx((2 * v * nudge, math.cos(1) * nudge),
                                                 rel=closeness)
        assert du * dv < 2.3 * nudge * min(v * du, u * dv)      # the corner is small beside them


def test_the_nudge_at_three_settings(text):
    g = lambda x: x**2 * math.sin(x)
    slope = 2 * math.sin(1) + math.cos(1)
    assert stated(text, 0.1 * slope, 3) == "0.222"
    assert stated(text, g(1.1) - g(1), 3) == "0.237"
    assert stated(text, g(2) - g(1), 2) == "2.80"
    errors = [g(1 + dx) - g(1) - slope * dx for dx in (0.1, 0.01)]
    assert [stated(text, error, k) for error, k in zip(errors, (4, 5))] == ["0.0146", "0.00015"]
    assert 95 < errors[0] / errors[1] < 100         # "a hundredth of that"
    bend = lambda x: (2 - x**2) * math.sin(x) + 4 * x * math.cos(x)        # g''
    assert min(bend(1 + k / 100) for k in range(51)) > 0 > bend(1.53)      # "up to 1.5"
    by_u, by_v = 2 * 2.3 * math.sin(2.3), 2.3**2 * math.cos(2.3)
    assert [stated(text, path, 2) for path in (by_u, by_v)] == ["3.43", "-3.52"]
    assert stated(text, 0.1 * (by_u + by_v), 4) == "-0.0094"
    assert stated(text, g(2.4) - g(2.3), 3) == "-0.054"


# Graphs and orders -------------------------------------------------------------------------------


def test_the_graph_by_multiplying_out(text):
    """f = x²y² + 2xyz + z², differentiated term by term."""
    x, y, z = Fraction(2), Fraction(-1), Fraction(3)
    assert x**2 * y**2 + 2 * x * y * z + z**2 == 1
    slopes = 2 * x * y**2 + 2 * y * z, 2 * x**2 * y + 2 * x * z, 2 * x * y + 2 * z
    assert slopes == (-2, 4, 2)
    assert "f = 1.0   gradient: -2.0 4.0 2.0" in text


def test_the_neuron(text):
    a = p_of(-0.5)
    assert stated(text, a, 5) == "0.37754"
    assert stated(text, -1 / a, 4) == "-2.6487"
    h = 1e-6
    loss = lambda w2: math.log(1 + math.exp(-(2 + 3 * w2 + 0.5)))
    assert stated(text, (loss(-1 + h) - loss(-1 - h)) / (2 * h), 4) == "-1.8674"
    assert stated(text, a - 1, 4) == "-0.6225"
    assert stated(text, p_of(a) * (1 - p_of(a)), 4) == "0.2413"
    right, wrong = p_of(5) * p_of(-5), p_of(p_of(5)) * p_of(-p_of(5))
    assert [stated(text, v, 4) for v in (right, wrong)] == ["0.0066", "0.1972"]
    assert 29 < wrong / right < 31                  # "thirty times too large"


def test_a_fork_in_reverse(text):
    """The contributions along the edges of g = x² sin x, and their sum by the product rule."""
    sine, cosine = math.sin(1), math.cos(1)
    for step in ("1 \\cdot v = 0.8415", "1 \\cdot \\cos 1 = 0.5403", "| $x$ | $2.2232$ |",
                 "0.8415 \\cdot 2x = 1.6829"):
        assert step in text
    assert [f"{v:.4f}" for v in (sine, cosine, 2 * sine, 2 * sine + cosine)] == [
        "0.8415", "0.5403", "1.6829", "2.2232"]


def test_costs_by_walking_every_edge(text):
    sizes = 784, 16, 10
    reverse = sum(1 for _ in range(10) for _ in range(16)) + 16
    reverse += sum(1 for _ in range(16) for _ in range(784)) + 10 * 16
    in_reach = sum(1 + 10 + 10 for _ in range(16) for _ in range(784 + 1)) + 160
    parameters = sum(n * (k + 1) for k, n in zip(sizes, sizes[1:]))
    assert (parameters, reverse, in_reach) == (12_730, 12_880, 263_920)
    nudges = 2 * parameters * (16 * 784 + 10 * 16)
    kept = sum(sizes)                               # numbers for the way back
    assert f"= {kept}$ numbers" in text and 2 < 32 * kept / parameters < 2.1
    for number in (2 * parameters, nudges, reverse, in_reach, 784 * 16, 32 * kept):
        assert f"{number:,}" in text
    assert f"ratios: {nudges / reverse:,.0f} and {in_reach / reverse:.1f}" in text
    assert "twenty times" in text and "25,000 times" in text
    # ten equal layers: each once forward; each twice in reverse, but the first once
    assert (10 + 9) / 10 == pytest.approx(2, rel=0.1)
    assert "16 \\cdot 10 = 160" in text             # paths from a pixel to the loss


# Jacobians ---------------------------------------------------------------------------------------


def test_a_product_of_jacobians(text):
    """The detour left out: z = (x1 x2³, x1 + x2)."""
    x1, x2 = 1, 3
    assert ((x2**3, 3 * x1 * x2**2), (1, 1)) == ((27, 27), (1, 1))
    assert "[[27 27]\n [ 1  1]]" in text


# The machine -------------------------------------------------------------------------------------


def test_the_machine_has_54_lines(cells, text):
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    parts = [next(s for s in sources if start in s)
             for start in ("class Number", "def number", "def in_order")]
    lines = sum(bool(line.strip()) for part in parts for line in part.splitlines())
    assert lines < 60 and f"{lines} lines, blank ones not counted" in text


def test_the_formulas_use_every_operation(cells):
    """Run the machine's cells on the formulas, and count how often each operation is called."""
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    space, called = {"np": np}, set()
    for start in ("class Number", "def number", "def in_order", "def value", "def neuron",
                  "formulas = ["):
        exec(next(s for s in sources if start in s), space)
    Number = space["Number"]

    def counted(name, method):
        def call(*arguments):
            called.add(name)
            return method(*arguments)
        return call

    names = {name for name, kind in vars(Number).items()
             if name.startswith("__") and callable(kind)} - {"__init__"}
    for name in names:
        setattr(Number, name, counted(name, vars(Number)[name]))
    for f in space["formulas"]:
        space["gradient"](f, [0.7, -1.2, 0.4])
    assert len(names) == 10 and called == names
    a, b = Number(3), Number(2)
    assert ((a / b).value, (a / 2).value, (3 / b).value) == (1.5, 1.5, 1.5)


def test_a_sum_of_a_thousand_terms_is_too_deep(cells):
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    space = {}
    for start in ("class Number", "def number", "def in_order"):
        exec(next(s for s in sources if start in s), space)
    with pytest.raises(RecursionError):
        space["backward"](sum(space["Number"](i) for i in range(1000)))


def test_the_forgetful_sweep(text):
    full, last = 2 * math.sin(1) + math.cos(1), math.cos(1)
    assert stated(text, (full - last) / full, 2) == "0.76"


# The difference quotient -------------------------------------------------------------------------


def test_truncation(text):
    for h, forward, both in ((0.1, "4.3e-02", "9.0e-04"), (0.01, "4.2e-03", "9.0e-06"),
                             (0.001, "4.2e-04", "9.0e-08")):
        # sin(1 + h) - sin(1 - h) = 2 cos 1 sin h;  sin(1 + h) - sin 1 = 2 cos(1 + h/2) sin(h/2)
        one = math.cos(1 + h / 2) * math.sin(h / 2) / (h / 2) - math.cos(1)
        two = math.cos(1) * (math.sin(h) / h - 1)
        assert (f"{-one:.1e}", f"{-two:.1e}") == (forward, both)
        assert f"h = {h}: forward off by {forward}, central by {both}" in text


def test_eight_digits(text):
    above, here = round(math.sin(1.00001), 8), round(math.sin(1), 8)
    assert [stated(text, v, 8) for v in (above, here)] == ["0.84147639", "0.84147098"]
    assert stated(text, above - here, 8) == "0.00000541"
    assert stated(text, (above - here) / 1e-5, 3) == "0.541"
    assert stated(text, 1e-5 / 2 * math.sin(1), 6) == "0.000004"
    assert stated(text, (above - here) / 1e-5 - math.cos(1), 4) == "0.0007"


def test_best_steps_by_search(text):
    """The least value of each bound on a fine grid of steps."""
    grid = [10 ** (-k / 1000) for k in range(3000, 10_000)]
    forward = min((h / 2 + 2 * EPS / h, h) for h in grid)
    central = min((h**2 / 6 + EPS / h, h) for h in grid)
    assert [f"{v:.1e}" for v in forward] == ["2.1e-08", "2.1e-08"]
    assert [f"{v:.1e}" for v in central] == ["2.4e-11", "6.9e-06"]
    for said in ("2.1 \\cdot 10^{-8}", "6.9 \\cdot 10^{-6}", "2.4 \\cdot 10^{-11}"):
        assert said in text
    assert 300 < central[1] / forward[1] < 350      # "three hundred times the step"
    assert f"{(3 * 2.0**-24) ** (1 / 3):.3f}" == "0.006"
    assert f"{2 * math.sqrt(EPS) / math.sqrt(2 * EPS):.1f}" == "1.4"


def test_a_steep_curve_needs_a_shorter_step(text):
    """sin 100x: its central difference is 100 cos 100x · sin(100h)/(100h)."""
    assert f"{(3 * EPS / 1e6) ** (1 / 3):.1e}" == "6.9e-08"
    assert f"{1e6 * 1e-10 / 6:.1e}" == "1.7e-05" and "1.7 \\cdot 10^{-5}" in text
    assert f"{1 - math.sin(1e-3) / 1e-3:.1e}" == "1.7e-07" and "1.7 \\cdot 10^{-7}" in text

    def off(h):
        xs = [0.5 + k / 200 for k in range(200)]
        pairs = [((math.sin(100 * (x + h)) - math.sin(100 * (x - h))) / (2 * h),
                  100 * math.cos(100 * x)) for x in xs]
        return math.sqrt(sum((q - p) ** 2 for q, p in pairs) / sum(p**2 for _, p in pairs))

    assert off(6.9e-8) < 1e-8 < 1e-7 < off(1e-5)


def test_a_tiny_gradient_beside_a_large_function(text):
    assert f"{EPS / 1e-5:.1e}" == "1.1e-11" and "1.1 \\cdot 10^{-11}" in text
    f = lambda x: 1 + 1e-8 * math.sin(x)
    off = max(abs((f(x + 1e-5) - f(x - 1e-5)) / 2e-5 / (1e-8 * math.cos(x)) - 1)
              for x in (0.1 * k for k in range(11)))
    assert 1e-4 < off < 3e-3                        # "a thousandth"


def test_a_large_x_spoils_the_estimate():
    """The rounding of x + h, measured: the estimate for x near 1 fails a hundredfold at 1,000."""
    def worst(start, h=1e-5):
        xs = [start + k / 500 for k in range(500)]
        return max(abs((math.sin(x + h) - math.sin(x - h)) / (2 * h) - math.cos(x)) for x in xs)

    estimate = 1e-10 / 6 + EPS / 1e-5
    assert worst(1) < estimate and worst(1000) > 10 * estimate
    assert worst(1000) < 2 * EPS * 1000 / 1e-5      # the added term covers it


def test_the_microscope(text):
    assert f"{math.cos(1) - (math.sin(2) - math.sin(1)):.1f}" == "0.5"
    assert 1 + 1e-16 == 1 and math.ulp(1.0) == pytest.approx(2e-16, rel=0.12)


def test_a_step_across_the_kink(text):
    slope = (3e-6 + 1e-5) / 2e-5
    assert stated(text, slope, 2) == "0.65"
    assert stated(text, (1 - slope) / math.sqrt(100), 3) == "0.035"     # one component of 100


# Exercises ---------------------------------------------------------------------------------------


def test_exercise_6_1(text):
    assert stated(text, math.log(8), 4) == "2.0794"
    assert Fraction(3, 8) + Fraction(1, 8) == Fraction(1, 2)


def test_exercise_6_4(text):
    def cost(shapes):                               # multiply from left to right
        total, (rows, inner) = 0, shapes[0]
        for _, columns in shapes[1:]:
            total, inner = total + rows * inner * columns, columns
        return total

    chain = [(1, 10), (10, 16), (16, 784)]
    mirrored = [(columns, rows) for rows, columns in chain[::-1]]
    assert (cost(chain), cost(mirrored)) == (12_704, 133_280)
    assert "reverse 12704  forward 133280" in text
    for n, m, k in ((784, 16, 10), (784, 2, 10), (50, 1000, 40)):
        ratio = Fraction(cost([(k, m), (m, n)]) + k * n,
                         cost([(1, k), (k, m), (m, n)]))
        assert ratio == Fraction(k * n, k + n) * (1 + Fraction(1, m))
    n = 100
    assert cost([(n, 1), (1, n), (n, 1), (1, n)]) == 3 * n**2 == 30_000
    assert n + n + n * n == 10_200
    assert "either 30000  from the middle 10200" in text


def test_exercise_6_5(text):
    a = p_of(-0.5)
    steepness = (1 - a) ** 2 * (1 + 9 + 1)
    assert stated(text, steepness, 4) == "4.2620"
    loss = lambda eta: math.log(1 + math.exp(0.5 - 11 * (1 - a) * eta))
    assert stated(text, 0.1 * steepness, 4) == "0.4262"
    assert stated(text, loss(0) - loss(0.1), 4) == "0.3690"
    for eta, shown in ((0.1, "5.718"), (0.01, "5.539"), (0.001, "5.512")):
        assert stated(text, (loss(eta) - loss(0) + steepness * eta) / eta**2, 3) == shown
    assert stated(text, a * (1 - a), 4) == "0.2350"
    assert stated(text, 11 * (1 - a), 3) == "6.847"
    assert stated(text, a * (1 - a) / 2 * (11 * (1 - a)) ** 2, 2) == "5.51"
    eta = next(k / 1000 for k in range(1, 1000)
               if loss(0) - loss(k / 1000) < steepness * k / 2000)
    assert f"missing from eta = {eta}" in text


def test_exercise_6_6(text):
    for n in (5, 10, 15):
        assert f"n = {n}: derivative {2**n}, calls {2 ** (n + 1) - 1}, edges {2 * n}" in text


def test_exercise_6_7(text):
    """The first layer's gradient once more, by the rule for a softmax, example by example."""
    (X, Y), net = (part[:5] for part in mnist()), Network([784, 16, 10], output=softmax, seed=0)
    dW1, db1, rest = np.zeros((16, 784)), np.zeros(16), np.zeros(10 * 16 + 10)
    for x, y in zip(X, Y):
        a = 1 / (1 + np.exp(-(net[1].W @ x + net[1].b)))
        e = np.exp(net[2].W @ a + net[2].b)
        error = (e / e.sum() - y) / 5
        back = net[2].W.T @ error * a * (1 - a)
        dW1 += np.outer(back, x)
        db1 += back
        rest += np.concatenate([np.outer(error, a).ravel(), error])
    whole = math.hypot(*map(np.linalg.norm, (dW1, db1, rest)))
    assert f"an error of {np.linalg.norm(db1) / whole:.2f} in the whole gradient" in text
    share = abs(dW1.ravel()) / whole
    middle = float(np.median(share[share > 0]))
    assert f"largest {share.max():.3f}, median of those not 0 {middle:.4f}" in text
    assert stated(text, middle, 3) == "0.005"
    small = float(np.mean(share[share > 0] < 1e-3))
    assert f"below 1e-3: {small:.0%} of the others" in text
    assert "one in six leaves less than 0.001" in text and round(1 / small) == 6
    paper = 16 * sum(not any(x[i] for x in X) for i in range(784))
    assert f"zero: {paper:,} of 12,544" in text and f"The {paper:,} zeros" in text
    # Random directions: the weight's part and the rest of the slope are independent and normal.
    part, other = np.random.default_rng(1).normal(size=(2, 1_000_000))
    part, other = share.max() * part, math.sqrt(1 - share.max() ** 2) * other
    error = abs(part) / np.maximum(abs(part + other), abs(other))
    assert "three directions in two hundred" in text
    assert np.mean(error < 1e-3) == pytest.approx(3 / 200, rel=0.05)


def test_exercise_6_8(text):
    assert stated(text, -1 / (1 + math.exp(0.7)), 12) == "-0.331812227832"


def test_exercise_6_10(text):
    grid = [10 ** (-k / 1000) for k in range(2000, 4000)]
    best = min(grid, key=lambda h: 4 * h**4 / 120 + 1.5 * EPS / h)
    assert best == pytest.approx((1.2e-15) ** 0.2, rel=0.02) == pytest.approx(1e-3, rel=0.1)
    assert f"{4 * best**4 / 120 + 1.5 * EPS / best:.0e}" == "2e-13" and "2 \\cdot 10^{-13}" in text


def test_exercise_6_9(text):
    x, y, z = 0.5, 1.0, 2.0
    e, d = math.exp(x * y), x - z
    slopes = e * (y * d**2 + 2 * d), e * x * d**2, -2 * e * d
    assert [stated(text, v, 4) for v in slopes] == ["-1.2365", "1.8548", "4.9462"]
