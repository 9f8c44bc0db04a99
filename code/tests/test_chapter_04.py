"""The numbers that chapter 4 prints, computed a second time with plain arithmetic.

Each test states numbers as the text states them, finds them in the text, and computes them with
`math` alone, without the package.
"""

import math
from decimal import Decimal, getcontext
from pathlib import Path

import pytest

CHAPTER = Path(__file__).parents[2] / "chapters" / "04-loss.ipynb"


def p_of(z):
    """The sigmoid by the other road: odds first."""
    odds = math.exp(z)
    return odds / (1 + odds)


def stated(text, value, digits):
    """The number as printed with so many decimals, after making sure that the text has it."""
    printed = f"{value:.{digits}f}"
    assert printed in text, printed
    return printed


def slope(f, z, h=1e-5):
    return (f(z + h) - f(z - h)) / (2 * h)


def shares(*z):
    total = math.fsum(map(math.exp, z))
    return [math.exp(v) / total for v in z]


LOGITS = (2, 1, 0.1)


def moved(k, value):
    """The softmax of the worked example with logit k at another value."""
    return shares(*(value if i == k else z for i, z in enumerate(LOGITS)))


def entropy(*q):
    return -math.fsum(v * math.log(v) for v in q)


# Two losses and what they send back --------------------------------------------------------------


def test_the_parameters(text):
    assert 784 * 16 + 16 + 16 * 10 + 10 == 12_730
    assert "12,730" in text
    assert "12,728" in text


def test_a_lower_loss_with_more_mistakes(text):
    first = -(3 * math.log(0.6) + math.log(0.001)) / 4
    second = -(math.log(0.6) + 3 * math.log(0.4)) / 4
    assert f"accuracy 0.75  loss {first:.2f}" in text
    assert f"accuracy 0.25  loss {second:.2f}" in text
    assert second < first


def test_squared_error_by_hand(text):
    assert stated(text, ((0.8 - 1) ** 2 + 0.3**2) / 2, 3) == "0.065"
    z = [math.log(0.8 / 0.2), math.log(0.3 / 0.7)]
    found = [slope(lambda v: ((p_of(v) - 1) ** 2 + 0.3**2) / 2, z[0]),
             slope(lambda v: (0.2**2 + p_of(v) ** 2) / 2, z[1])]
    assert [stated(text, v, 3) for v in found] == ["-0.032", "0.063"]


def test_normal_noise_has_the_squared_error_as_its_likelihood(text):
    """Differences of the logarithm of the density, against differences of the loss."""
    def log_likelihood(a, y, s):
        top = s * math.sqrt(2 * math.pi)
        return math.fsum(math.log(math.exp(-((v - u) ** 2) / (2 * s * s)) / top)
                         for u, v in zip(a, y))

    def loss(a, y):
        return math.fsum((u - v) ** 2 for u, v in zip(a, y)) / 2

    y, a, other, s = (1, 0), (0.8, 0.3), (0.1, 0.9), 0.7
    gained = log_likelihood(a, y, s) - log_likelihood(other, y, s)
    assert gained == pytest.approx(-2 / (2 * s * s) * (loss(a, y) - loss(other, y)))
    assert f"more surprise:    {gained:.4f}" in text


def test_cross_entropy_by_hand(text):
    for z, digits in ((2, "7.3891"), (1, "2.7183"), (0.1, "1.1052")):
        assert stated(text, math.exp(z), 4) == digits
    assert stated(text, math.exp(2) + math.e + math.exp(0.1), 4) == "11.2125"
    a = shares(*LOGITS)
    assert [stated(text, v, 4) for v in a] == ["0.6590", "0.2424", "0.0986"]
    assert stated(text, -math.log(a[1]), 4) == stated(text, math.log(11.2125) - 1, 4) == "1.4170"
    for k, expected in enumerate(["0.6590", "-0.7576", "0.0986"]):
        assert f"{slope(lambda v, k=k: -math.log(moved(k, v)[1]), LOGITS[k]):.4f}" == expected
    assert "(0.6590, -0.7576, 0.0986)$" in text


def test_the_jacobian_by_differences(text):
    rows = [["0.2247", "-0.1598", "-0.065"], ["-0.1598", "0.1837", "-0.0239"],
            ["-0.065", "-0.0239", "0.0889"]]
    for i, row in enumerate(rows):
        for k, expected in enumerate(row):
            found = slope(lambda v, i=i, k=k: moved(k, v)[i], LOGITS[k])
            assert found == pytest.approx(float(expected), abs=6e-5)
            assert expected in text


def test_floors(text):
    assert stated(text, entropy(0.1, 0.9), 4) == "0.3251"
    assert stated(text, math.log(2), 4) == "0.6931"
    assert stated(text, math.log(10), 4) == "2.3026"
    assert stated(text, 10 * math.log(2), 4) == "6.9315"
    assert stated(text, entropy(0.01, 0.99), 4) == "0.0560"
    assert stated(text, entropy(0.05, 0.95), 4) == "0.1985"
    assert stated(text, entropy(0.9, *[0.1 / 9] * 9), 4) == "0.5448"
    assert stated(text, 10 * entropy(0.1, 0.9), 4) == "3.2508"
    assert stated(text, 0.1 * 0.9**2 + 0.9 * 0.1**2, 2) == "0.09"
    q, grid = 0.7, [i / 1000 for i in range(1, 1000)]
    assert min(grid, key=lambda a: -q * math.log(a) - (1 - q) * math.log(1 - a)) == q
    assert min(grid, key=lambda a: q * (1 - a) ** 2 + (1 - q) * a * a) == q
    assert min(grid, key=lambda a: q * (1 - a) + (1 - q) * a) == 0.999


def test_what_wrong_labels_cost(text):
    """Spread over nine other classes, each wrong label costs ln 9 more, and one in ten is wrong."""
    assert -math.log(0.1 / 9) == pytest.approx(-math.log(0.1) + math.log(9))
    assert 0.3251 + 0.1 * math.log(9) == pytest.approx(0.5448, abs=6e-5)
    assert "0.3251 + 0.1 \\ln 9 = 0.5448" in text


def test_the_floor_of_the_squared_error():
    """Three equally likely values of the noise, with mean 0: the expectation is d² + s²."""
    noise = (-1.2, 0.5, 0.7)
    variance = sum(v * v for v in noise) / 3
    for d in (-1, 0, 0.4):
        assert sum((d - v) ** 2 for v in noise) / 3 == pytest.approx(d * d + variance)


def test_random_claims_cost_more():
    """z and −z against 0 twice: the squared error by 2 Var a, the cross-entropy by its curve."""
    for z in (0.3, 1, 4):
        a = p_of(z)
        assert (a**2 + (1 - a)**2) / 2 == pytest.approx(0.25 + (a - 0.5)**2)
        assert math.log(1 + math.exp(z)) + math.log(1 + math.exp(-z)) > 2 * math.log(2)


def test_a_fitting_pair_sends_back_said_minus_right(text):
    for a, y in ((0.8, 1), (0.3, 0)):
        assert slope(lambda v, y=y: (v - y) ** 2 / 2, a) == pytest.approx(a - y)
    assert "identity with mse                  all agree" in text


def test_the_softmax_at_three_settings(text):
    settings = ((-3, 1, 0.1), (2, 1, 0.1), (0.5, 0.25, 0.025))
    for z, expected in zip(settings, ("0.354", "1.417", "1.126")):
        assert stated(text, -math.log(shares(*z)[1]), 3) == expected
    assert stated(text, shares(-3, 1, 0.1)[1], 2) == "0.70"
    assert [f"{v:.2f}" for v in shares(3, 3, -2)] == ["0.50", "0.50", "0.00"]
    pushes = [(a - y) / 4 for a, y in zip(shares(0.5, 0.25, 0.025), (0, 1, 0))]
    assert [f"{v:.2f}" for v in pushes] == ["0.10", "-0.17", "0.06"]
    assert f"{1.417 / 0.354:.1f}" == "4.0"                    # four times as large
    assert "sigmoids [0.95 0.95 0.12]" in text
    assert [f"{p_of(v):.2f}" for v in (3, -2)] == ["0.95", "0.12"]


def test_what_a_loss_far_below_the_floor_says_of_the_wrong_labels(text):
    """At most loss / share as their mean surprise, however well the right labels are known."""
    mean = 0.01 / 0.05
    assert "The training loss is 0.01." in text
    assert "$0.01 / 0.05 = 0.2$" in text
    assert f"$e^{{-0.2}} = {math.exp(-mean):.2f}$" in text
    assert f"at least $\\ln 2 = {math.log(2):.2f}$" in text
    assert mean / math.log(2) < 0.3                         # so 70 % of them are repeated


def test_two_opposite_softmaxes_pay_at_least_twice_the_start(text):
    """L(z) + L(−z) is the logarithm of n² terms that pair up to e^u + e^(−u)."""
    for z in (LOGITS, (5, -3, 0), (0, 0, 0)):
        both = -math.log(shares(*z)[1]) - math.log(shares(*[-v for v in z])[1])
        terms = math.fsum(math.exp(u - v) for u in z for v in z)
        assert both == pytest.approx(math.log(terms))
        assert both >= 2 * math.log(3) - 1e-12
    assert "\\ge \\ln n^2 = 2 \\ln n$" in text


# The race ----------------------------------------------------------------------------------------

LOSSES = {
    "MSE": lambda z: p_of(z) ** 2,
    "half": lambda z: p_of(z) ** 2 / 2,
    "CE": lambda z: math.log(1 + math.exp(z)),
}


def steps_to_half(loss, z, eta=0.15):
    """x = 1, y = 0: w and b move alike, so z moves by twice the step. Slopes by differences."""
    for step in range(1, 100_000):
        z -= 2 * eta * slope(loss, z)
        if z < 0:
            return step
    return None


def test_slopes_of_the_two_losses(text):
    assert stated(text, p_of(4), 4) == "0.9820"
    assert stated(text, slope(LOSSES["MSE"], 4), 4) == "0.0347"
    assert stated(text, slope(LOSSES["CE"], 4), 4) == "0.9820"
    for z, expected in ((0, "2"), (4, "28"), (1.5, "3.4")):
        ratio = slope(LOSSES["CE"], z) / slope(LOSSES["MSE"], z)
        assert f"{ratio:.{len(expected.partition('.')[2])}f}" == expected
    top = slope(LOSSES["MSE"], math.log(2))
    assert stated(text, top, 3) == "0.296"
    assert all(slope(LOSSES["MSE"], math.log(2) + d) < top for d in (-0.1, 0.1))


def test_steps_of_the_saturated_neuron(text):
    found = {(name, z): steps_to_half(loss, z) for name, loss in LOSSES.items() for z in (4, 1.5)}
    assert found == {("MSE", 4): 117, ("half", 4): 232, ("CE", 4): 17,
                     ("MSE", 1.5): 18, ("half", 1.5): 36, ("CE", 1.5): 8}
    assert "117 from (2, 2), 18 from (0.6, 0.9)" in text
    assert "232 from (2, 2), 36 from (0.6, 0.9)" in text
    assert "17 from (2, 2),  8 from (0.6, 0.9)" in text
    for z, mse, ce in ((1, 12, 6), (6, 709, 23)):
        assert (steps_to_half(LOSSES["MSE"], z), steps_to_half(LOSSES["CE"], z)) == (mse, ce)
    assert "From 2, $a = 0.982$, it is 117 and 17; from 3, $a = 0.998$, it is 709 and 23" in text


def test_the_first_step_by_hand(text):
    assert stated(text, 1 - p_of(4), 5) == "0.01799"
    assert stated(text, 2 - 0.15 * slope(LOSSES["MSE"], 4), 4) == "1.9948"
    assert stated(text, 2 - 0.15 * slope(LOSSES["CE"], 4), 4) == "1.8527"
    assert round(2 * 0.98201**2 * 0.01799, 4) == 0.0347                     # on a calculator


def test_step_sizes_in_fairness(text):
    assert steps_to_half(LOSSES["MSE"], 4, eta=58) == steps_to_half(LOSSES["CE"], 4, eta=2.05) == 1
    assert steps_to_half(LOSSES["MSE"], 4, eta=57) > 1
    # The greatest and the least curvature, by second differences on a fine grid.
    h = 1e-3
    curvature = {z: (LOSSES["MSE"](z + h) - 2 * LOSSES["MSE"](z) + LOSSES["MSE"](z - h)) / h**2
                 for z in (i / 1000 for i in range(-4000, 4001))}
    high, low = max(curvature, key=curvature.get), min(curvature, key=curvature.get)
    assert stated(text, curvature[high], 5) == "0.15406"
    assert stated(text, curvature[low], 4) == "-0.1202"
    for z, printed in ((high, "0.3856"), (low, "0.8644")):
        assert printed in text
        assert p_of(z) == pytest.approx(float(printed), abs=3e-4)
    assert stated(text, 0.25 / curvature[high], 3) == "1.623"
    assert steps_to_half(LOSSES["MSE"], 4, eta=0.15 * 1.623) == 72
    assert "72 against 17" in text
    assert f"{117 / 72:.1f}" == "1.6"
    assert f"{72 / 17:.0f}" == "4"
    assert f"{117 / 17:.0f}" == "7"


def test_hidden_deltas(text):
    """A chain of one unit a layer, with differences by the hidden sum."""
    for z1 in (0, 2, 5, 10):
        b2 = 4 - 2 * p_of(z1)
        for name in ("MSE", "CE"):
            delta = slope(lambda v, n=name: LOSSES[n](2 * p_of(v) + b2), z1)
            assert stated(text, delta, 6) == f"{delta:.6f}"


# Numbers that a computer can hold ----------------------------------------------------------------


def test_limits_of_floats(text):
    assert stated(text, math.log(1.7976931348623157e308), 1) == "709.8"
    assert stated(text, math.log(3.4028235e38), 1) == "88.7"
    assert stated(text, -math.log(2.2250738585072014e-308), 1) == "708.4"
    assert stated(text, -math.log(1e-12), 1) == "27.6"
    assert stated(text, -math.log(1e-7), 1) == "16.1"
    first = next(z for z in range(60) if 1 / (1 + math.exp(-z)) == 1)
    assert f"float64 sigmoid is 1 from z = {first}" in text
    assert f"{math.exp(-37) * 1e17:.1f}" == "8.5"
    assert math.exp(-37) < 2.0**-53 < math.exp(-36)
    assert "8.5 \\cdot 10^{-17}" in text


def test_near_certainty_only_the_rounding_of_one_is_left(text):
    for z in ((40, 0), (30, 0, 0)):
        through_a = -math.log(shares(*z)[0])
        true = math.log1p(math.fsum(math.exp(v - z[0]) for v in z[1:]))
        assert abs(through_a - true) < 3e-16
        assert through_a != pytest.approx(true, rel=1e-6, abs=0)
    assert "right only up to the rounding of 1, about $10^{-16}$ in `float64`" in text


def test_the_stable_form_against_fifty_digits():
    getcontext().prec = 50
    for z in (-40, -1, 0, 1, 36, 40, 600):
        for y in (0, 1):
            exact = (1 + Decimal(z).exp()).ln() - y * z
            ours = max(z, 0) - y * z + math.log1p(math.exp(-abs(z)))
            assert ours == pytest.approx(float(exact), rel=1e-13, abs=1e-30)


def test_the_naive_form_loses_digits(text):
    for z in (20, 30, 36):
        naive = math.log(1 - 1 / (1 + math.exp(-z)))
        assert f"z = {z}: naive {naive:.6f}  right {-math.log1p(math.exp(z)):.6f}" in text


# Exercises ---------------------------------------------------------------------------------------


def test_exercise_4_1(text):
    assert stated(text, (3 * 0.01**2 + 0.99**2) / 4, 4) == "0.2451"
    assert stated(text, -(3 * math.log(0.99) + math.log(0.01)) / 4, 4) == "1.1588"
    p = math.exp(-4 * math.log(2) - 3 * math.log(0.99))
    assert stated(text, p, 4) == "0.0644"


def test_exercise_4_2(text):
    assert stated(text, math.log(26), 4) == "3.2581"
    assert stated(text, entropy(0.5, *[0.02] * 25), 4) == "2.3026"
    assert stated(text, math.log(25), 4) == "3.2189"
    assert shares(math.log(25), *[0] * 25)[0] == pytest.approx(0.5)


def test_exercise_4_4(text):
    a, h = shares(10, 0, 0), 1e-5

    def loss(z):
        return sum((u - v) ** 2 for u, v in zip(shares(*z), (0, 1, 0))) / 3

    largest = abs(loss((10 + h, 0, 0)) - loss((10 - h, 0, 0))) / (2 * h)
    assert f"largest: MSE {largest:.1e}, cross-entropy {1 - a[1]:.4f}" in text
    assert f"ratio {round((1 - a[1]) / largest, -3):.0f}" == "ratio 11000"


def test_exercise_4_5(text):
    def jump(a, times=(2, 2, 3, 3, 40)):
        return sum(t < a for t in times) - sum(t > a for t in times)

    assert (jump(2.9), jump(3.1)) == (-1, 3)
    assert (2 + 2 + 3 + 3 + 40) / 5 == 10
    assert (2 + 2 + 3 + 3 + 400) / 5 == 82
    assert "squared: 82.0  absolute: 3.0" in text


def test_exercise_4_7(text):
    right, other = 1 - 0.1 + 0.1 / 10, 0.1 / 10
    assert stated(text, math.log(right / other), 4) == "4.5109"
    assert stated(text, entropy(right, *[other] * 9), 4) == "0.5003"


def test_exercise_4_9(text):
    for z, mse, ce in ((4, 117, 17), (6, 709, 23), (8, 5016, 30), (10, 36_769, 37)):
        steps = 0
        at = float(z)
        while at >= 0:
            a = p_of(at)
            at, steps = at - 0.6 * a * a * (1 - a), steps + 1
        assert steps == mse
        assert steps_to_half(LOSSES["CE"], z) == ce
        assert f"MSE {mse:6}, predicted {math.exp(z) / 0.6:6.0f};" in text
        assert f"cross-entropy {ce}, predicted {z / 0.3:.0f}" in text
