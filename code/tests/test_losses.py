"""Losses (chapters 1 and 4): values against exact arithmetic, gradients against difference
quotients, no overflow, NaN or infinite loss up to |z| = 1000, and what is refused."""

from decimal import Decimal, localcontext
from fractions import Fraction
from functools import cache

import numpy as np
import pytest
from byhand import (
    Network,
    accuracy,
    backprop,
    binary_cross_entropy,
    check_function,
    cross_entropy,
    evaluate,
    identity,
    mse,
    sigmoid,
    softmax,
)

LOSSES = [mse, cross_entropy, binary_cross_entropy]
DTYPES = [np.float64, np.float32]
EXTREMES = [-1000, -750, -90, -37, -20, -1, -0.125, 0, 0.5, 3, 20, 37, 90, 750, 1000]
LOUD = {"over": "raise", "invalid": "raise", "divide": "raise"}


# Values and gradients ----------------------------------------------------------------------------


def test_mse_is_the_mean_over_outputs_and_batch():
    a = np.array([[0.5, 0.25, 1.0], [0.0, 0.75, 0.5]])
    y = np.array([[1.0, 0.0, 0.5], [0.25, 1.0, 0.5]])
    squares = [(Fraction(p) - Fraction(q)) ** 2 for p, q in zip(a.ravel(), y.ravel())]
    assert mse(a, y) == float(sum(squares) / 6)


def test_gradient_of_mse_for_two_outputs_is_a_minus_y():
    """The reason for the mean over the outputs: design, and content §2.4, 1/2 Σ (a − y)²."""
    a, y = np.array([[0.9, 0.2], [0.4, 0.6]]), np.array([[1.0, 0.0], [0.0, 1.0]])
    assert np.array_equal(mse.grad(a, y), a - y)
    assert mse(a[:1], y[:1]) == pytest.approx((0.1**2 + 0.2**2) / 2, rel=1e-14)


def test_cross_entropy_of_several_classes():
    a, y = np.array([[0.25, 0.75], [0.5, 0.5]]), np.array([[0.0, 1.0], [1.0, 0.0]])
    assert cross_entropy(a, y) == pytest.approx((-np.log(0.75) - np.log(0.5)) / 2, rel=1e-15)
    soft = np.array([[0.25, 0.75], [0.5, 0.5]])
    entropy = -(0.25 * np.log(0.25) + 0.75 * np.log(0.75) + np.log(0.5)) / 2
    assert cross_entropy(a, soft) == pytest.approx(entropy, rel=1e-15)


def test_cross_entropy_of_one_column_is_the_log_loss():
    a, y = np.array([[0.8], [0.8]]), np.array([[1.0], [0.0]])
    expected = (-np.log(0.8) - np.log(0.2)) / 2
    assert cross_entropy(a, y) == pytest.approx(expected, rel=1e-15)
    assert cross_entropy(a, y) == binary_cross_entropy(a, y)
    assert np.array_equal(cross_entropy.grad(a, y), binary_cross_entropy.grad(a, y))


def test_binary_cross_entropy_adds_over_the_outputs():
    a, y = np.array([[0.8, 0.1, 0.5]]), np.array([[1.0, 0.0, 1.0]])
    expected = -np.log(0.8) - np.log(0.9) - np.log(0.5)
    assert binary_cross_entropy(a, y) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda f: f.__name__)
@pytest.mark.parametrize("n", [1, 2, 3])
def test_gradient_is_per_example_and_equals_difference_quotients(loss, n):
    """The loss is a mean over m = 4 examples, its gradient is that of each example alone."""
    rng = np.random.default_rng(n)
    a, y = rng.uniform(0.1, 0.9, size=(2, 4, n))
    if loss is cross_entropy and n > 1:
        a = a / a.sum(axis=1, keepdims=True)
    errors = check_function(lambda a: 4 * loss(a, y), lambda a: loss.grad(a, y), a)
    assert errors["gradient"] < 1e-8


@pytest.mark.parametrize("loss", LOSSES, ids=lambda f: f.__name__)
@pytest.mark.parametrize("dtype", DTYPES)
def test_float_type_is_kept_and_arguments_stay(loss, dtype):
    a, y = np.full((4, 2), 0.5, dtype), np.eye(2, dtype=dtype)[[0, 1, 1, 0]]
    assert loss(a, y).dtype == loss.grad(a, y).dtype == dtype
    assert np.all(a == 0.5)
    assert np.array_equal(y, np.eye(2)[[0, 1, 1, 0]])


def test_mse_passes_on_that_a_run_has_diverged():
    """`train` sees it and stops; the loss itself must not fail."""
    assert np.isnan(mse(np.array([[np.nan]]), np.array([[1.0]])))


# However large z is ------------------------------------------------------------------------------


@cache
def exact_loss(z, y):
    """The binary cross-entropy of one example by its definition, with digits enough for
    1 − σ(1000) = 5e−435."""
    with localcontext() as context:
        context.prec = 460
        total = Decimal(0)
        for logit, target in zip(map(Decimal, z), map(Decimal, y)):
            p = 1 / (1 + (-logit).exp())
            total -= target * p.ln() + (1 - target) * (1 - p).ln()
        return float(total)


@cache
def exact_softmax_loss(z, y):
    with localcontext() as context:
        context.prec = 460
        e = [Decimal(logit).exp() for logit in z]
        return float(-sum(Decimal(t) * (v / sum(e)).ln() for v, t in zip(e, y)))


def epsilon(dtype):
    return float(np.finfo(dtype).eps)


def pass_through(n, output, dtype):
    """A network whose weights are the unit matrix, so that z is the input itself."""
    net = Network([n, n], output=output, dtype=dtype)
    net[1].W[:] = np.eye(n)
    return net


@pytest.mark.parametrize("loss", [cross_entropy, binary_cross_entropy], ids=lambda f: f.__name__)
@pytest.mark.parametrize("dtype", DTYPES)
def test_sigmoid_cross_entropy_is_exact_up_to_1000(loss, dtype):
    net, eps, tiny = pass_through(1, sigmoid, dtype), epsilon(dtype), float(np.finfo(dtype).tiny)
    for z in EXTREMES:
        for y in (0.0, 1.0, 0.25):
            X, Y = np.array([[z]], dtype), np.array([[y]], dtype)
            with np.errstate(**LOUD):
                value, trace = evaluate(net, X, Y, loss), backprop(net, X, Y, loss)
            assert value == trace.loss
            assert value == pytest.approx(exact_loss((z,), (y,)), rel=8 * eps, abs=tiny)
            delta = float(1 / (1 + Decimal(-z).exp()) - Decimal(y))
            assert trace.delta[1].item() == pytest.approx(delta, abs=4 * eps)


@pytest.mark.parametrize("dtype", DTYPES)
def test_several_sigmoids_add_up(dtype):
    net = pass_through(3, sigmoid, dtype)
    z, y = (-1000, 0.5, 37), (0.0, 1.0, 0.0)
    with np.errstate(**LOUD):
        value = evaluate(net, np.array([z], dtype), np.array([y], dtype), cross_entropy)
    assert value == pytest.approx(exact_loss(z, y), rel=8 * epsilon(dtype))


@pytest.mark.parametrize("dtype", DTYPES)
def test_softmax_cross_entropy_is_exact_up_to_1000(dtype):
    net, eps = pass_through(3, softmax, dtype), epsilon(dtype)
    rows = [(0, 0, 0), (1000, 0, -1000), (-1000, 1000, 999), (1000, 1000, 1000), (20, -3, 0.5),
            (-750, -751, -749), (90, 89, 0)]
    targets = [(1, 0, 0), (0, 1, 0), (0, 0, 1), (0.25, 0.25, 0.5)]
    for z in rows:
        for y in targets:
            X, Y = np.array([z], dtype), np.array([y], dtype)
            with np.errstate(**LOUD):
                value = evaluate(net, X, Y, cross_entropy)
                trace = backprop(net, X, Y, cross_entropy)
            assert value == trace.loss
            assert value == pytest.approx(exact_softmax_loss(z, y), rel=8 * eps, abs=eps)
            assert trace.delta[1].sum() == pytest.approx(0, abs=4 * eps)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("output", [sigmoid, softmax], ids=lambda f: f.__name__)
def test_loss_of_a_large_batch_is_never_negative(output, dtype):
    """z and y·z are large and nearly equal; they must cancel before they are summed."""
    net = pass_through(2, output, dtype)
    Y = np.eye(2, dtype=dtype)[np.arange(1000) % 2]
    X = (2 * Y - 1) * np.linspace(20, 1000, 1000, dtype=dtype)[:, None]  # sure, and right
    assert 0 <= evaluate(net, X, Y, cross_entropy) < 1e-8


def test_a_loss_of_0_prints_without_a_minus():
    z, y = np.array([[20.0, -20.0]]), np.array([[1.0, 0.0]])  # a has rounded to (1, 4e-18)
    assert str(evaluate(pass_through(2, softmax, float), z, y, cross_entropy)) == "0.0"


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("loss", [cross_entropy, binary_cross_entropy], ids=lambda f: f.__name__)
def test_probabilities_that_have_rounded_to_0_or_1_give_finite_numbers(loss, dtype):
    a = np.array([[0, 1], [1, 0]], dtype)
    for y in (a, 1 - a, np.full_like(a, 0.5)):
        with np.errstate(**LOUD):
            assert np.isfinite(loss(a, y))
            assert np.isfinite(loss.grad(a, y)).all()
    assert str(float(loss(a, a))) == "0.0"  # and not -0.0
    assert loss(a, 1 - a) > 80


@pytest.mark.parametrize("dtype", DTYPES)
def test_mse_of_outputs_up_to_1000(dtype):
    a, y = np.array([[1000, -1000]], dtype), np.array([[-1000, 1000]], dtype)
    with np.errstate(**LOUD):
        assert mse(a, y) == 4e6
        assert mse.grad(a, y).tolist() == [[2000, -2000]]


# Accuracy ----------------------------------------------------------------------------------------


def test_accuracy_counts_the_largest_output_or_a_half_for_one_output():
    a = np.array([[0.2, 0.5, 0.3], [0.6, 0.1, 0.3], [0.1, 0.2, 0.7], [0.9, 0.05, 0.05]])
    assert accuracy(a, np.eye(3)[[1, 0, 2, 2]]) == 0.75
    single = np.array([[0.1], [0.5], [0.9], [0.4]])
    assert accuracy(single, np.array([[0.0], [1.0], [1.0], [1.0]])) == 0.75
    assert isinstance(accuracy(single, single), float)


# At the door -------------------------------------------------------------------------------------

A, Y = np.full((4, 2), 0.5), np.full((4, 2), 0.5)
SHAPE = r"same shape \(m, n_L\), m ≥ 1, got a "
BAD = {
    "1-D targets": (A, Y[:, 0], SHAPE + r"\(4, 2\) and y \(4,\)"),
    "a column against a vector": (A[:, :1], Y[:, 0], SHAPE + r"\(4, 1\) and y \(4,\)"),
    "both 1-D": (A[0], Y[0], SHAPE + r"\(2,\) and y \(2,\)"),
    "fewer targets": (A, Y[:3], SHAPE + r"\(4, 2\) and y \(3, 2\)"),
    "one target for all": (A, Y[:1], SHAPE + r"\(4, 2\) and y \(1, 2\)"),
    "no examples": (A[:0], Y[:0], SHAPE + r"\(0, 2\) and y \(0, 2\)"),
    "no outputs": (A[:, :0], Y[:, :0], SHAPE + r"\(4, 0\) and y \(4, 0\)"),
    "a number": (0.5, 1.0, SHAPE + r"\(\) and y \(\)"),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("f", [*LOSSES, *(loss.grad for loss in LOSSES), accuracy])
def test_shapes_that_do_not_match_are_refused(f, case):
    a, y, message = BAD[case]
    with pytest.raises(ValueError, match=message):
        f(a, y)


@pytest.mark.parametrize("f", [*LOSSES, *(loss.grad for loss in LOSSES)])
def test_integers_are_refused(f):
    with pytest.raises(ValueError, match="expects floats, got a float64 and y int8"):
        f(A, Y.astype(np.int8))
    with pytest.raises(ValueError, match="expects floats, got a int8 and y float64"):
        f(A.astype(np.int8), Y)


@pytest.mark.parametrize(
    "f", [cross_entropy, binary_cross_entropy, cross_entropy.grad, binary_cross_entropy.grad]
)
def test_cross_entropy_refuses_what_is_no_probability(f):
    with pytest.raises(ValueError, match="outputs a between 0 and 1, got values from -3 to 0.5"):
        f(np.array([[-3.0, 0.5]]), np.array([[0.0, 1.0]]))
    with pytest.raises(ValueError, match="targets y between 0 and 1, got values from 0 to 2"):
        f(np.array([[0.5, 0.5]]), np.array([[0.0, 2.0]]))
    with pytest.raises(ValueError, match="outputs a between 0 and 1, got values from nan to nan"):
        f(np.array([[np.nan, 0.5]]), np.array([[0.0, 1.0]]))


def test_lists_are_fine():
    assert mse([[0.5, 0.0]], [[1.0, 0.0]]) == 0.125
    assert cross_entropy([[0.5, 0.5]], [[1.0, 0.0]]) == pytest.approx(np.log(2))
    assert accuracy([[0.9, 0.1]], [[1, 0]]) == 1


def test_a_network_may_end_in_any_activation_under_mse():
    net = Network([2, 2], output=identity, seed=0)
    assert np.isfinite(evaluate(net, np.ones((1, 2)), np.full((1, 2), 7.0), mse))


def test_cross_entropy_refuses_the_outputs_of_several_sigmoids():
    """Several sigmoids would be taken for one softmax, and the loss would be another one."""
    a, y = np.array([[0.9, 0.8]]), np.array([[1.0, 0.0]])
    for f in (cross_entropy, cross_entropy.grad):
        with pytest.raises(ValueError, match=r"row of a to sum to 1, got .* 1\.7.*binary_"):
            f(a, y)
    assert binary_cross_entropy(a, y) == pytest.approx(-np.log(0.9) - np.log(0.2))
