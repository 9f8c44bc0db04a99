"""The numbers that chapter 8 works out by hand, computed a second time by another road.

Each test states numbers as the text states them, finds them in the text, and computes them without
the package's network: with `math` and `statistics`, with loops over pixels, and once with the whole
training written out again in six lines of arrays. The side note on PyTorch is run where PyTorch is
installed, and must print what the chapter shows.
"""

import contextlib
import io
import json
import math
import re
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest
from byhand import data

CHAPTER = Path(__file__).parents[2] / "chapters" / "08-reading-digits.ipynb"
RESULTS = Path(__file__).parents[2] / "book" / "results" / "full_mnist.json"
TEST_DIGITS = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]      # of the full set


@pytest.fixture(scope="module")
def cells():
    return json.loads(CHAPTER.read_text(encoding="utf-8"))["cells"]


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
    holds(prose, "$0.0000819$", "$s = 0.00905$", "**0.9 points**", "$0.0029$")


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
    nearest = [digit[np.linalg.norm(X - x, axis=1).argmin()] for x in X_val]
    right = sum(g == d for g, d in zip(nearest, digit_val))
    assert f"{right / 1000:.1%}" == "93.3%"
    holds(printed, "22.5%", "79.4%", "93.3%", "8.0% to 11.1%")


def test_undecided_and_untrained(prose):
    assert f"{-math.log(0.1):.4f}" == "2.3026" and f"{math.log(10) + 0.125:.4f}" == "2.4276"
    # The mean of e^z for a normal z of variance 1/4, by a sum over a fine grid.
    z = NormalDist(0, 0.5)
    grid = [i / 1000 for i in range(-6000, 6001)]
    mean = math.fsum(math.exp(x) * z.pdf(x) / 1000 for x in grid)
    assert math.isclose(math.log(10 * mean), math.log(10) + 0.125, abs_tol=1e-9)
    mse = ((1 - 0.1) ** 2 + 9 * 0.1**2) / 10
    assert f"{mse:.2f}" == "0.09"
    holds(prose, r"\ln 10 = 2.3026", "= 2.4276", "= 0.09$")


def test_counts_of_steps_and_parameters(prose, printed):
    assert 3000 / 32 == 93.75 and math.ceil(3000 / 32) == 94 and 3000 - 93 * 32 == 24
    assert sum((n + 1) * k for n, k in ((784, 16), (16, 10))) == 12_730
    assert 784 * 16 + 16 * 10 == 12_704 and f"{1.5e6 * 12_704:.1e}" == "1.9e+10"
    assert f"{math.factorial(16):.1e}" == "2.1e+13"
    holds(prose, "93.75", "12,730", "12,704", r"2.1\cdot10^{13}")
    holds(printed, "94 steps, the last with 24 examples", "940 steps", "150000 12704 1.9e+10")


def test_weights_that_never_move(parts, printed):
    X, _ = parts[0]
    never = sum(all(v == 0 for v in column) for column in X.T)
    holds(printed, f"{never} pixels, {16 * never} weights")


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
    assert [TEST_DIGITS.index(n) for n in (1009, 982, 1135, 892, 1028)] == [9, 4, 1, 5, 7]
    pairs = [(i, j) for i in range(10) for j in range(i + 1, 10)
             if TEST_DIGITS[i] + TEST_DIGITS[j] == 2117]
    assert pairs == [(1, 4)]
    for count in TEST_DIGITS:
        assert re.search(rf"count .*\b{count}\b", prose)
    holds(printed, "5 7 10000\n[(1, 4)]")


def test_the_run_written_out_again(parts, printed):
    """Seed 0 of the chapter, with the network and its gradient in plain arrays."""
    (X, digit), (X_val, digit_val), (X_test, digit_test) = parts
    rng = np.random.default_rng(0)
    V, c = rng.standard_normal((16, 784)) / 28, np.zeros(16)
    W, b = rng.standard_normal((10, 16)) / 4, np.zeros(10)

    def forward(x):
        h = 1 / (1 + np.exp(-(x @ V.T + c)))
        e = np.exp(h @ W.T + b)
        return h, e / e.sum(axis=1, keepdims=True)

    rng, losses = np.random.default_rng(0), []
    for _ in range(10):
        total, order = 0.0, rng.permutation(3000)
        for k in range(0, 3000, 32):
            i = order[k : k + 32]
            h, p = forward(X[i])
            total -= np.log(p[range(len(i)), digit[i]]).sum()
            p[range(len(i)), digit[i]] -= 1
            d = p @ W * h * (1 - h)
            W, b = W - p.T @ h / len(i), b - p.mean(axis=0)
            V, c = V - d.T @ X[i] / len(i), c - d.mean(axis=0)
        losses.append(total / 3000)
    for epoch in (1, 2, 5, 10):
        holds(printed, f"epoch {epoch:2}: loss {losses[epoch - 1]:.6f}")
    right = (forward(X_val)[1].argmax(axis=1) == digit_val).mean()
    holds(printed, f"validation accuracy {right:.3f}")
    p = forward(X_test)[1]
    sure = p.max(axis=1) >= 0.9
    right = p.argmax(axis=1) == digit_test
    holds(printed, f"t = 0: coverage 100%, accuracy {right.mean():.1%}",
          f"t = 0.9: coverage {sure.mean():.0%}, accuracy {right[sure].mean():.1%}")


def test_lost_digits(prose, printed):
    assert f"{math.exp(-20) / (1 + math.exp(-20)) ** 2:.0e}" == "2e-09"
    holds(prose, r"$\sigma'(-20) = 2\cdot10^{-9}$")
    experiments = json.loads(RESULTS.read_text(encoding="utf-8"))["experiments"]
    for run in experiments["nielsen"]["groups"]["784-100-10, eta 3"]["runs"]:
        lost = [d for d, n in enumerate(run["answers"]) if n < 100]
        holds(printed, f"{run['test accuracy']:.1%}, hardly ever says {lost}")
        assert run["test accuracy"] < 1 - sum(TEST_DIGITS[d] for d in lost) / 10_000 + 0.03


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


def test_full_set(printed):
    """What the chapter prints of the full set is what is stored, added up again."""
    experiments = json.loads(RESULTS.read_text(encoding="utf-8"))["experiments"]
    for name in ("final 784-10", "final 784-16-10", "final 784-100-10", "nielsen"):
        for group, what in experiments[name]["groups"].items():
            a = [run["test accuracy"] for run in what["runs"] if "test accuracy" in run]
            mean = math.fsum(a) / len(a)
            line = f"{mean:.1%} ({min(a):.1%} to {max(a):.1%})"
            assert f"{group}, {len(what['runs'])} seeds:\n    {line}" in printed, (group, line)
