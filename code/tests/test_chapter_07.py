"""The numbers that chapter 7 prints, computed a second time with plain arithmetic.

Each test states numbers as the text states them, finds them in the text, and computes them without
the package: with `math` alone, and derivatives by difference quotients of a network in plain loops.
"""

import math
import re
from pathlib import Path

import pytest

CHAPTER = Path(__file__).parents[2] / "chapters" / "07-backpropagation.ipynb"

START = (0.2, -0.3, 0.4, 0.1, -0.1, 0.2, 0.5, -0.6, -0.2, 0.3, 0.1, -0.1)     # W1, b1, W2, b2
NAMES = ["w1_11", "w1_12", "w1_21", "w1_22", "b1_1", "b1_2",
         "w2_11", "w2_12", "w2_21", "w2_22", "b2_1", "b2_2"]
X, Y = (1.0, 0.5), (1.0, 0.0)


def stated(text, value, digits):
    """The number as printed with so many decimals, after making sure that the text has it."""
    printed = f"{value:.{digits}f}"
    assert printed in text, printed
    return printed


def sigmoid(z):
    """By the other road: odds first."""
    odds = math.exp(z)
    return odds / (1 + odds)


def forward(theta, x=X):
    """z1, a1, z2, a2 of the 2-2-2 network."""
    w = dict(zip(NAMES, theta))
    z1 = [w[f"w1_{j}1"] * x[0] + w[f"w1_{j}2"] * x[1] + w[f"b1_{j}"] for j in (1, 2)]
    a1 = [sigmoid(z) for z in z1]
    z2 = [w[f"w2_{j}1"] * a1[0] + w[f"w2_{j}2"] * a1[1] + w[f"b2_{j}"] for j in (1, 2)]
    return z1, a1, z2, [sigmoid(z) for z in z2]


def loss(theta, y=Y):
    a2 = forward(theta)[3]
    return ((a2[0] - y[0]) ** 2 + (a2[1] - y[1]) ** 2) / 2


def moved(name, by, theta=START):
    return [v + by * (n == name) for n, v in zip(NAMES, theta)]


def derivative(name, theta=START, y=Y, h=1e-4):
    """By five points, whose error is of the order of h to the fourth."""
    f = [loss(moved(name, s * h, theta), y) for s in (-2, -1, 1, 2)]
    return (f[0] - 8 * f[1] + 8 * f[2] - f[3]) / (12 * h)


GRADIENT = {name: derivative(name) for name in NAMES}


def test_forward_pass(text):
    z1, a1, z2, a2 = forward(START)
    assert [stated(text, v, 2) for v in z1] == ["-0.05", "0.65"]
    assert [stated(text, v, 6) for v in a1] == ["0.487503", "0.657010"]
    assert [stated(text, v, 6) for v in z2] == ["-0.050455", "-0.000397"]
    assert [stated(text, v, 6) for v in a2] == ["0.487389", "0.499901"]
    assert [stated(text, (a - y) ** 2, 6) for a, y in zip(a2, Y)] == ["0.262770", "0.249901"]
    assert stated(text, loss(START), 6) == "0.256335"


def test_the_twelve_derivatives(text):
    printed = {name: stated(text, g, 6) for name, g in GRADIENT.items()}
    assert printed == {
        "w1_11": "-0.022244", "w1_12": "-0.011122", "w1_21": "0.025765", "w1_22": "0.012883",
        "b1_1": "-0.022244", "b1_2": "0.025765",
        "w2_11": "-0.062435", "w2_12": "-0.084144", "w2_21": "0.060926", "w2_22": "0.082110",
        "b2_1": "-0.128071", "b2_2": "0.124975",
    }


def test_the_trace_prints_them(text):
    assert "∂L/∂W(2) [[-0.062435 -0.084144]" in text
    assert "∂L/∂W(1) [[-0.022244 -0.011122]" in text


def test_factors_and_slopes(text):
    _, a1, _, a2 = forward(START)
    assert stated(text, a2[0] - 1, 6) == "-0.512611"
    assert [stated(text, a * (1 - a), 6) for a in a2] == ["0.249841", "0.250000"]
    assert [stated(text, a * (1 - a), 6) for a in a1] == ["0.249844", "0.225348"]
    assert stated(text, 1 - a2[1], 6) == "0.500099"
    assert [stated(text, 1 - a, 6) for a in a1] == ["0.512497", "0.342990"]
    assert -0.512611 * 0.249841 * 0.657010 == pytest.approx(-0.084144, abs=6e-7)


def test_two_paths(text):
    """Each path alone: a nudge of the hidden activation that only one output is told of."""
    _, a1, z2, a2 = forward(START)
    h, path = 1e-5, []
    for j, weight in enumerate((0.5, -0.2)):
        f = [((sigmoid(z2[j] + s * h * weight) - Y[j]) ** 2 + (a2[1 - j] - Y[1 - j]) ** 2) / 2
             for s in (1, -1)]
        path.append((f[0] - f[1]) / (2 * h))
    assert [stated(text, v, 6) for v in path] == ["-0.064036", "-0.024995"]
    assert stated(text, sum(path), 6) == "-0.089031"
    slope = a1[0] * (1 - a1[0])
    assert stated(text, path[0] * slope * 0.5, 6) == "-0.007999"
    assert sum(path) * slope * 0.5 == pytest.approx(GRADIENT["w1_12"], rel=1e-6)
    other = GRADIENT["b2_1"] * -0.6, GRADIENT["b2_2"] * 0.3
    assert [stated(text, v, 6) for v in other] == ["0.076843", "0.037493"]
    assert stated(text, sum(other), 6) == "0.114335"


def test_one_step(text):
    stepped = [v - GRADIENT[n] for n, v in zip(NAMES, START)]
    assert stated(text, stepped[NAMES.index("w2_12")], 6) == "-0.515856"
    assert stated(text, stepped[NAMES.index("w1_12")], 6) == "-0.288878"
    assert stated(text, loss(stepped), 6) == "0.203531"
    assert f"{loss(stepped):.9f}" == "0.203531292"
    assert stated(text, loss(START) - loss(stepped), 6) == "0.052804"
    assert stated(text, -sum(g * g for g in GRADIENT.values()), 6) == "-0.056060"


def test_nudges(text):
    for name, by, predicted, true in [("w2_12", 0.5, "-0.0421", "-0.0385"),
                                      ("w2_12", 4, "-0.3366", "-0.1289"),
                                      ("w1_12", 4, "-0.0445", "-0.0332")]:
        assert stated(text, GRADIENT[name] * by, 4) == predicted
        assert stated(text, loss(moved(name, by)) - loss(START), 4) == true
    for predicted, true, times in [(0.0421, 0.0385, "1.09"), (0.3366, 0.1289, "2.6"),
                                   (0.0445, 0.0332, "1.34")]:
        assert f"{predicted / true:.{len(times) - 2}f}" == times and times in text


def test_the_widget_at_three_settings(text):
    cut = moved("w2_21", 0.2, moved("w2_11", -0.5))
    assert derivative("b1_1", cut) == pytest.approx(0, abs=1e-12)
    assert abs(derivative("w2_11", cut)) > 0.05
    saturated = moved("w1_21", 5.6)
    z = forward(saturated)[0][1]
    assert stated(text, z, 2) == "6.25"
    assert stated(text, sigmoid(z) * (1 - sigmoid(z)), 4) == "0.0019"
    assert stated(text, derivative("b1_2", saturated), 4) == "0.0002"


def test_weights_out_of_hidden_unit_1(text):
    """Blame and delta by a nudge of its activation; the output biases keep the outputs."""
    z1, _, z2, _ = forward(START)
    rows = {}
    for weights, bias in [((0.5, -0.2), -0.1), ((2, -2), -0.1), ((2, 2), -0.1), ((2, -2), 8)]:
        h, quotients = 1e-5, []
        at = z1[0] + bias + 0.1
        for by in (lambda s: s * h, lambda s: sigmoid(at + s * h) - sigmoid(at)):
            f = [sum((sigmoid(z + w * by(s)) - y) ** 2 for z, w, y in zip(z2, weights, Y)) / 2
                 for s in (1, -1)]
            quotients.append((f[0] - f[1]) / (2 * h))
        rows[weights, bias] = quotients
        assert f"blame {quotients[0]:.6f}  delta {quotients[1]:.6f}" in text
    blame = [row[0] for row in rows.values()]
    assert [stated(text, v, 6) for v in blame] == ["-0.089031", "-0.506093", "-0.006192",
                                                   "-0.506093"]
    assert 5.5 < blame[1] / blame[0] < 6 and 14 < blame[0] / blame[2] < 15


def test_wrong_steps_on_the_2_2_2(text):
    """Where the text gives a reason: the loss after a step, and the angle to the gradient."""
    _, a1, _, a2 = forward(START)
    slopes = [a * (1 - a) for a in a2]
    mean = (GRADIENT["b2_1"] + GRADIENT["b2_2"]) / 2
    paths = GRADIENT["b2_1"] * 0.5, GRADIENT["b2_1"] * -0.6
    one = [path * a * (1 - a) for path, a in zip(paths, a1)]
    wrong = {
        "no slope at the output": {n: g * 4 if n[1] == "1" else g / slopes[int(n[3]) - 1]
                                   for n, g in GRADIENT.items()},
        "one path only": GRADIENT | {"w1_11": one[0], "w1_12": one[0] / 2, "b1_1": one[0],
                                     "w1_21": one[1], "w1_22": one[1] / 2, "b1_2": one[1]},
        "hidden layer frozen": {n: g * (n[1] == "2") for n, g in GRADIENT.items()},
        "biases never move": {n: g * (n[0] == "w") for n, g in GRADIENT.items()},
        "one bias for all": GRADIENT | {"b2_1": mean, "b2_2": mean} | dict.fromkeys(
            ("b1_1", "b1_2"), (GRADIENT["b1_1"] + GRADIENT["b1_2"]) / 2),
        "wrong sign": {n: -g for n, g in GRADIENT.items()},
    }
    printed = {}
    for name, g in wrong.items():
        cosine = (sum(g[n] * GRADIENT[n] for n in NAMES)
                  / math.hypot(*g.values()) / math.hypot(*GRADIENT.values()))
        new = loss([v - g[n] for n, v in zip(NAMES, START)])
        degrees = math.degrees(math.acos(max(-1, min(1, cosine))))
        printed[name] = f"{new:.4f} {degrees:5.0f}°"
        assert f"{name:24}{printed[name]}" in text
    assert printed["one path only"].startswith("0.2042")
    assert math.hypot(*wrong["no slope at the output"].values()) == pytest.approx(
        4 * math.hypot(*GRADIENT.values()), rel=1e-3)
    assert abs(mean) < 0.002 and abs(GRADIENT["b1_1"] + GRADIENT["b1_2"]) / 2 < 0.002
    table = [line for line in text.splitlines() if "°" in line and re.search(r" 0\.\d{4} ", line)]
    assert len(table) == 12 and sum("higher" in line for line in table) == 1


def test_cost_by_counting(text):
    """Multiplications with weights, counted one by one."""
    def ratio(sizes):
        forward = sum(1 for l in range(1, len(sizes))
                      for _ in range(sizes[l]) for _ in range(sizes[l - 1]))
        below = sum(sizes[l] * sizes[l - 1] for l in range(2, len(sizes)))
        return (2 * forward + below) / forward

    assert stated(text, ratio([784, 16, 10]), 4) == "2.0126"
    parameters = 16 * 785 + 10 * 17
    assert parameters == 12_730
    assert round(2 * parameters / 2.0126, -1) == 12_650
    assert "$25,460$" in text and "12,650" in text


def test_paths_through_ten_layers_of_ten():
    paths = [1] * 10                                    # from each output unit to the loss
    for _ in range(8):                                  # layers 9 to 2
        paths = [sum(paths)] * 10
    assert sum(paths) == 10 ** 9                        # from one unit of the first layer


def test_zoo_as_the_text_reads_it(text):
    """The text's sentences about the table, from the table as printed."""
    rows = {}
    for line in text.splitlines():
        name, _, rest = line.partition("  ")
        if "   error " in line and "%" in rest:
            rows[name] = float(rest.split("%")[0]), float(rest.split("error ")[1].split()[0])
    right, wrong = ("right", "right, with ReLU"), {}
    assert len(rows) == 14
    for name, (score, error) in rows.items():
        if name in right:
            assert error == 0
        else:
            wrong[name] = score
            assert error >= 0.06
    assert rows["right"][0] == 90
    assert len(wrong) == 12
    assert sum(score > 70 for score in wrong.values()) == 8
    assert sum(86 <= score <= 90 for score in wrong.values()) == 5
    assert rows["W already updated"][0] == 86 and rows["no slope when hidden"][0] == 81
    assert rows["random matrix for W"][1] == 0.90
    visible = {name for name, score in wrong.items() if score < 50}
    assert visible == {"one path only", "hidden layer frozen", "sum, not mean", "wrong sign"}
    assert {name for name, score in wrong.items() if score <= 10} == {"sum, not mean", "wrong sign"}
    assert rows["hidden layer frozen"][0] == 25 and rows["one path only"][0] == 33
    for bug in ("biases never move", "one bias for all", "random matrix for W"):
        (line,) = [line for line in text.splitlines() if re.match(rf"{bug} +\[", line)]
        off = [float(v) for v in line[line.index("[") + 1:-1].split()]
        assert len(off) == 5
        if bug == "random matrix for W":
            assert sum(v < -0.01 for v in off) == 4
        else:
            assert max(abs(v) for v in off) < 0.01 and min(off) < 0 < max(off)
    assert sum(line.endswith("   BP2") for line in text.splitlines()) == 6


def test_right_directions_with_a_wrong_step(text):
    """With steps that fit, two bugs reach what the right pass reaches, and two don't."""
    lines, rows = text.splitlines(), {}
    start = next(i for i, line in enumerate(lines) if line.split() == ["1.5", "3.75", "7.5", "15"])
    for line in lines[start + 1:start + 6]:
        rows[line[:23].strip()] = [int(v.strip("%")) for v in line[23:].split()]
    assert rows["sum, not mean"][0] == rows["right"][3] == 90
    assert rows["no slope at the output"][0] == 90
    assert max(rows["slope at a, not at z"]) <= 85 and max(rows["no slope when hidden"]) <= 85
    slopes = [sigmoid(k / 100) * (1 - sigmoid(k / 100)) for k in range(101)]
    assert 0.19 < min(slopes) < 0.20 and max(slopes) == 0.25


def test_rule_1_as_the_text_reads_it(text):
    found = {}
    for line in text.splitlines():
        row = re.fullmatch(r"(\w+) +(\d+) to (\d+) of 16 above 0\.9; \|mean\|/RMS at most (\S+);"
                           r" correlated by (\S+) to (\S+)", line)
        if row:
            found[row[1]] = [float(v) for v in row.groups()[1:]]
    assert found["untrained"][0] > 8 and found["trained"][1] == 2
    assert found["trained"][2] < 0.25 < found["untrained"][2]
    assert min(found["untrained"][3], found["trained"][3]) > 0.7


def test_rule_2_as_the_text_reads_it(text):
    found = {}
    for name, what, low, high in re.findall(
            r"(\w+) +(one digit|all digits|gradients) +from (\S+) to (\S+)", text):
        found[name, what] = float(low), float(high)
    assert len(found) == 6
    for name in ("untrained", "trained"):
        assert found[name, "all digits"][0] > 0.5
        assert found[name, "one digit"][1] < 0.4 and found[name, "gradients"][1] < 0.5
    for end in (0, 1):
        assert found["trained", "all digits"][end] > found["untrained", "all digits"][end]
        assert found["trained", "gradients"][end] < found["untrained", "gradients"][end]


def test_ten_sigmoid_layers(text):
    assert f"{4 ** -10:.1e}" == "9.5e-07" and "9.5 \\cdot 10^{-7}" in text
    assert max(sigmoid(z / 100) * (1 - sigmoid(z / 100)) for z in range(-500, 501)) == 0.25


def test_scale_at_which_the_sigmoid_passes_its_deltas(text):
    """The mean square of the slope, by adding up, against 1 / (6 sqrt(pi) s)."""
    def mean_square_slope(s, step=0.01):
        sd, total = s / math.sqrt(2), 0
        for k in range(-10_000, 10_001):
            z = k * step
            slope = sigmoid(z) * (1 - sigmoid(z))
            total += slope ** 2 * math.exp(-z * z / (2 * sd * sd)) * step
        return total / (sd * math.sqrt(2 * math.pi))

    assert f"{1 / (6 * math.sqrt(math.pi)):.3f}" == "0.094" and "0.094" in text
    assert f"{6 * math.sqrt(math.pi):.1f}" == "10.6" and "10.6" in text
    for s in (10.6, 50):
        assert mean_square_slope(s) == pytest.approx(1 / (6 * math.sqrt(math.pi) * s), rel=0.03)
    slopes = [sigmoid(k / 100) * (1 - sigmoid(k / 100)) for k in range(-3000, 3001)]
    area = sum(slope ** 2 for slope in slopes) / 100
    assert area == pytest.approx(1 / 6, rel=1e-6)


def test_twenty_layers_as_the_text_reads_them(text):
    """Factors a layer from the table's last column, and what the derivation says of a ReLU."""
    left = {}
    for line in text.splitlines():
        row = re.fullmatch(r"(\w.*?) +(?:\d\.\de[-+]\d\d ?\s*){5}", line)
        if row:
            left[row[1]] = float(line.split()[-1])
    assert len(left) == 7
    assert left["sigmoid"] < 4 ** -19
    assert f"{left['sigmoid, s = 4'] ** (1 / 19):.2f}" == "0.62" and "0.62" in text
    assert f"{math.sqrt(0.094 * 4):.2f}" == "0.61"
    assert 0.8 < left["sigmoid, s = 10.6"] < 1.3 and 0.8 < left["ReLU, s = 1.41"] < 1.2
    (median,) = re.findall(r"by the median: (\S+) at layer 1", text)
    assert median == "0.02" == f"{1 / 50:.2f}" and "by the median a fiftieth" in text
    assert 0.17 < left["tanh"] < 0.23 and 0.9 < left["tanh, s = 1.25"] < 1.1
    relu = 2 ** (-19 / 2)
    assert f"{relu:.1e}" == "1.4e-03" and "1.4 \\cdot 10^{-3}" in text
    assert 0.8 < left["ReLU"] / relu < 1.2


def test_all_outputs_zero_cost_a_tenth():
    assert sum((0 - t) ** 2 for t in [1] + 9 * [0]) / 10 == 0.1


# Exercises ---------------------------------------------------------------------------------------


def test_exercise_7_1(text):
    other = {name: derivative(name, y=(0.0, 1.0)) for name in NAMES}
    assert [stated(text, other[n], 6) for n in ("b2_1", "b2_2")] == ["0.121770", "-0.125025"]
    assert [stated(text, other[n], 6) for n in ("b1_1", "b1_2")] == ["0.021459", "-0.024917"]
    assert stated(text, other["w1_12"], 6) == "0.010730"
    assert stated(text, 0.5 * other["b2_1"] - 0.2 * other["b2_2"], 6) == "0.085890"
    assert stated(text, -0.6 * other["b2_1"] + 0.3 * other["b2_2"], 6) == "-0.110569"
    assert stated(text, loss(START, (0.0, 1.0)), 6) == "0.243824"
    for g in other.values():
        stated(text, g, 6)


def test_exercise_7_2(text):
    table = {0.1: ("0.500000", "0.488950", "0.499276", "0.255224"),
             -0.1: ("0.475021", "0.485830", "0.500525", "0.257448")}
    for by, row in table.items():
        theta = moved("w1_12", by)
        _, a1, _, a2 = forward(theta)
        assert tuple(stated(text, v, 6) for v in (a1[0], *a2, loss(theta))) == row
    quotient = (loss(moved("w1_12", 0.1)) - loss(moved("w1_12", -0.1))) / 0.2
    assert stated(text, quotient, 5) == "-0.01112"
    wider = (loss(moved("w1_12", 0.2)) - loss(moved("w1_12", -0.2))) / 0.4
    assert stated(text, wider, 5) == "-0.01111"


def test_exercise_7_4(text):
    """The quotients of patient B, and those of a missing slope."""
    for a, found, missing in [(0.239, "1.31", "5.5"), (0.589, "2.43", "4.1")]:
        assert f"{1 / (1 - a):.2f}" == found and f"{1 / (a * (1 - a)):.1f}" == missing
        assert found in text and missing in text
    assert "[1.31 2.43] where a is [0.239 0.589]" in text


def test_exercise_7_9(text):
    """Held at most, with the input: L/q + q; the best segment for 16 layers, tried out."""
    held = {q: 16 // q + q for q in (1, 2, 4, 8, 16)}
    assert min(held, key=held.get) == 4
    for q, most in held.items():
        computed = 16 + (q - 1) * (16 // q - 1)
        assert f"q = {q:2}: at most {most:2} in memory, {computed} computed" in text
