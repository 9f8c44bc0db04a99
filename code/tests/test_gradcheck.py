"""The gradient check (chapters 6 and 7): it finds each kind of mistake and names the equation.

The faulty backward passes below are the kind found in widely read code; each still learns.
"""

import re

import numpy as np
import pytest
from byhand import (
    Network,
    backprop,
    check_function,
    check_gradients,
    cross_entropy,
    mse,
    numerical_gradient,
    relu,
    sigmoid,
    softmax,
    tanh,
)
from byhand.gradcheck import relative_error


def example(sizes=(3, 5, 4, 2), hidden=tanh, output=sigmoid, m=3, seed=0):
    rng = np.random.default_rng(seed)
    net = Network(sizes, hidden, output, seed=seed)
    for layer in net:
        layer.b[:] = rng.normal(size=layer.b.shape) / 2
    return net, rng.normal(size=(m, sizes[0])), rng.uniform(size=(m, sizes[-1]))


# Difference quotients ----------------------------------------------------------------------------


def test_gradient_of_functions_whose_derivative_is_known():
    x = np.array([1.0, -3.0, 0.5])
    assert numerical_gradient(lambda x: (x**2).sum(), x) == pytest.approx(2 * x, rel=1e-9)
    assert numerical_gradient(lambda x: x[0] * x[1] + np.sin(x[2]), x) == pytest.approx(
        [-3, 1, np.cos(0.5)], rel=1e-9
    )
    M = np.arange(6.0).reshape(2, 3)
    gradient = numerical_gradient(lambda A: (A * M).sum(), np.ones((2, 3)))
    assert gradient == pytest.approx(M, abs=1e-9)


def test_the_error_of_the_quotient_is_h_squared():
    """(f(x + h) − f(x − h)) / 2h of x³ is 3x² + h² exactly."""
    for h in (0.1, 0.01):
        assert numerical_gradient(lambda x: x[0] ** 3, np.array([2.0]), h) - 12 == pytest.approx(
            h**2, rel=1e-8
        )


def test_arrays_of_any_shape_and_functions_that_return_arrays_of_one_number():
    assert numerical_gradient(lambda x: x, np.array(3.0)) == pytest.approx(1)
    assert numerical_gradient(lambda x: x[:1], np.array([3.0, 4.0])) == pytest.approx([1, 0])
    assert numerical_gradient(lambda x: x * 2, np.array([[3.0]])).shape == (1, 1)


def test_x_is_left_as_it_was():
    x = np.array([1.0, 2.0])
    numerical_gradient(lambda x: (x**2).sum(), x)
    assert x.tolist() == [1, 2]


@pytest.mark.parametrize("dtype", ["float32", "int64", "complex128"])
def test_differences_need_float64(dtype):
    with pytest.raises(ValueError, match=f"need the digits of float64, got {dtype}"):
        numerical_gradient(lambda x: x.sum(), np.ones(2, dtype))


def test_x_must_be_finite():
    with pytest.raises(ValueError, match="expected finite numbers in x, got NaN or infinity"):
        numerical_gradient(lambda x: x.sum(), np.array([1.0, np.nan]))


def test_f_must_return_one_number():
    with pytest.raises(ValueError, match=r"one number, got shape \(2,\)"):
        numerical_gradient(lambda x: x, np.ones(2))


def test_relative_error():
    v = np.array([3.0, 4.0])
    assert relative_error(v, v) == 0
    assert relative_error(-v, v) == 2
    assert relative_error(0 * v, v) == relative_error(v, 0 * v) == 1
    assert relative_error(2 * v, v) == 0.5
    assert relative_error(0 * v, 0 * v) == 0
    assert relative_error(v, np.array([3.0, np.nan])) == np.inf


# A network that is right -------------------------------------------------------------------------


def test_the_report_is_a_dict_that_prints():
    net, X, Y = example((2, 3, 4))
    errors = check_gradients(net, X, Y, mse)
    assert list(errors) == ["dW(1)", "db(1)", "dW(2)", "db(2)"]
    assert max(errors.values()) < 1e-7
    assert str(errors) == """\
dW(1)  agrees
db(1)  agrees
dW(2)  agrees
db(2)  agrees
all agree"""


def test_blocks_of_zeros_prove_nothing():
    """A dead ReLU layer has gradient 0, whatever the formula says."""
    net, X, Y = example((2, 3, 4), hidden=relu)
    net[1].b[:] = -100
    errors = check_gradients(net, X, Y, mse)
    assert errors.advice == "all agree; dW(1), db(1), dW(2) all zero: proves nothing"


def test_a_gradient_below_rounding_is_undecided():
    """σ' of a saturated unit is so small that the quotient has no digit of it."""
    net, X, Y = example((2, 3, 4), hidden=sigmoid)
    net[1].b[:] = [20, 21, 22]
    errors = check_gradients(net, X, Y, mse)
    assert errors["dW(1)"] > 1e-7
    assert errors.advice.startswith("undecided: dW(1), db(1) so small that rounding")


def test_the_network_is_left_as_it_was():
    net, X, Y = example()
    theta = net.flatten()
    check_gradients(net, X, Y, mse)
    assert np.array_equal(net.flatten(), theta)


def test_the_network_is_left_as_it_was_when_the_backward_pass_writes_or_fails():
    def writes(net, X, Y, loss):
        trace = backprop(net, X, Y, loss)
        for l in range(1, net.L + 1):
            net[l].W -= trace.dW[l]
        return trace

    def fails(net, X, Y, loss):
        net[1].W[:] = 0
        raise RuntimeError("a slip")

    net, X, Y = example()
    theta = net.flatten()
    errors = check_gradients(net, X, Y, mse, backprop=writes)
    assert max(errors.values()) < 1e-7  # it updates too early, but its gradient is right
    assert np.array_equal(net.flatten(), theta)
    with pytest.raises(RuntimeError, match="a slip"):
        check_gradients(net, X, Y, mse, backprop=fails)
    assert np.array_equal(net.flatten(), theta)


@pytest.mark.parametrize("name", ["X", "Y", r"W\(2\)", "b"])
def test_a_check_in_float32_is_refused(name):
    net, X, Y = example((2, 3, 4))
    if name == "X":
        X = X.astype(np.float32)
    elif name == "Y":
        Y = Y.astype(np.float32)
    elif name == "b":
        net[2].b = net[2].b.astype(np.float32)
        name = "float32"
    else:
        net[2].W = net[2].W.astype(np.float32)
    with pytest.raises(ValueError, match=f"float64, got {name}"):
        check_gradients(net, X, Y, mse)


def test_a_gradient_of_the_wrong_shape_is_refused():
    def transposed(net, X, Y, loss):
        trace = backprop(net, X, Y, loss)
        trace.dW[2] = trace.dW[2].T
        return trace

    with pytest.raises(ValueError, match=r"expected dW\(2\) of shape \(4, 3\), got \(3, 4\)"):
        check_gradients(*example((2, 3, 4)), mse, backprop=transposed)

    def missing(net, X, Y, loss):
        trace = backprop(net, X, Y, loss)
        trace.db[1] = None
        return trace

    with pytest.raises(ValueError, match=r"expected db\(1\) of shape \(3,\), got \(\)"):
        check_gradients(*example((2, 3, 4)), mse, backprop=missing)


# Networks that are wrong -------------------------------------------------------------------------


def faulty(**fault):
    """A backward pass written out once more, for MSE, with one line replaced."""

    def backward(net, X, Y, loss):
        trace, m, L = backprop(net, X, Y, loss), len(X), net.L
        z, a, delta = trace.z, trace.a, trace.delta
        bp1 = fault.get("bp1", lambda z, a, y: 2 / y.shape[1] * (a - y) * sigmoid.prime(z))
        bp2 = fault.get("bp2", lambda delta, W, z: (delta @ W) * tanh.prime(z))
        bp3 = fault.get("bp3", lambda delta: delta.mean(axis=0))
        bp4 = fault.get("bp4", lambda delta, a_prev, a: delta.T @ a_prev / m)
        delta[L] = bp1(z[L], a[L], Y)
        for l in range(L - 1, 0, -1):
            delta[l] = bp2(delta[l + 1], net[l + 1].W, z[l])
        for l in range(1, L + 1):
            trace.db[l] = bp3(delta[l])
            trace.dW[l] = bp4(delta[l], a[l - 1], a[l])
        return trace

    return backward


SQUARE = (3, 3, 3, 3)
GENERAL = (3, 5, 4, 2)
FAULTS = {
    "output sigma' missing": (GENERAL, "BP1", {"bp1": lambda z, a, y: a - y}),
    "output sigma' of a": (
        GENERAL, "BP1", {"bp1": lambda z, a, y: (a - y) * sigmoid.prime(a)}
    ),
    "W not transposed": (
        SQUARE, r"BP2 \(right down to layer 3, off from layer 2 on\)",
        {"bp2": lambda delta, W, z: (delta @ W.T) * tanh.prime(z)},
    ),
    "hidden sigma' missing": (
        GENERAL, r"BP2 \(right down to layer 3, off from layer 2 on\)",
        {"bp2": lambda delta, W, z: delta @ W},
    ),
    "hidden sigma' of a": (
        GENERAL, "BP2", {"bp2": lambda delta, W, z: (delta @ W) * tanh.prime(np.tanh(z))}
    ),
    "one path only": (
        GENERAL, "BP2", {"bp2": lambda delta, W, z: (delta[:, :1] @ W[:1]) * tanh.prime(z)}
    ),
    "a fixed random matrix for W": (
        GENERAL, "BP2",
        {"bp2": lambda delta, W, z: tanh.prime(z)
         * (delta @ np.random.default_rng(9).normal(size=W.shape))},
    ),
    "W already updated": (
        GENERAL, "BP2",
        {"bp2": lambda delta, W, z: (delta @ (W - 0.5 * delta.mean(axis=0)[:, None]))
         * tanh.prime(z)},
    ),
    "one bias for the layer": (
        GENERAL, r"BP3 \(only biases are off\)",
        {"bp3": lambda delta: np.full(delta.shape[1], delta.mean())},
    ),
    "bias summed": (
        GENERAL, r"BP3 \(only biases are off, each 3 times the gradient\)",
        {"bp3": lambda delta: delta.sum(axis=0)},
    ),
    "biases never updated": (
        GENERAL, r"db\(1\), db\(2\), db\(3\) never computed",
        {"bp3": lambda delta: 0 * delta.mean(axis=0)},
    ),
    "weights summed": (
        GENERAL, r"BP4 \(only weights are off, each 3 times the gradient\)",
        {"bp4": lambda delta, a_prev, a: delta.T @ a_prev},
    ),
    "outer product transposed": (
        SQUARE, r"BP4 \(only weights are off\)",
        {"bp4": lambda delta, a_prev, a: a_prev.T @ delta / len(a)},
    ),
    "own output for input": (
        SQUARE, "BP4", {"bp4": lambda delta, a_prev, a: delta.T @ a / len(a)}
    ),
    "sign": (
        GENERAL, "every block is -1 times the gradient: a sign",
        {"bp1": lambda z, a, y: 2 / y.shape[1] * (y - a) * sigmoid.prime(z)},
    ),
    "factor": (
        GENERAL, "every block is 2 times the gradient: .*a factor",
        {"bp1": lambda z, a, y: 2 * (a - y) * sigmoid.prime(z)},
    ),
    "sum instead of mean": (
        GENERAL, "every block is 3 times the gradient: .*a sum where the mean belongs",
        {"bp1": lambda z, a, y: 3 * (a - y) * sigmoid.prime(z)},
    ),
    "not a number": (GENERAL, "BP1", {"bp1": lambda z, a, y: (a - y) * np.nan}),
}


def test_the_backward_pass_with_no_line_replaced_is_right():
    for sizes in (GENERAL, SQUARE):
        assert max(check_gradients(*example(sizes), mse, backprop=faulty()).values()) < 1e-7


@pytest.mark.parametrize("name", FAULTS)
def test_a_mistake_is_found_and_the_right_equation_suspected(name):
    sizes, suspicion, fault = FAULTS[name]
    errors = check_gradients(*example(sizes), mse, backprop=faulty(**fault))
    assert max(errors.values()) > 1e-3  # four orders above the tolerance, whatever the mistake
    assert errors.advice.startswith("suspect: ")
    assert re.search(suspicion, errors.advice)
    assert "off, relative error" in str(errors)


def test_a_frozen_layer_is_named():
    def frozen(net, X, Y, loss):
        trace = backprop(net, X, Y, loss)
        trace.dW[1], trace.db[1] = 0 * trace.dW[1], 0 * trace.db[1]
        return trace

    errors = check_gradients(*example(), mse, backprop=frozen)
    assert errors.advice.startswith("suspect: dW(1), db(1) never computed")


def test_a_relu_mask_taken_after_the_relu_is_found():
    """The mask a ≥ 0 of a published tutorial: always 1."""

    def always_open(net, X, Y, loss):
        trace = backprop(net, X, Y, loss)
        trace.delta[1] = trace.delta[2] @ net[2].W
        trace.dW[1], trace.db[1] = trace.delta[1].T @ X / len(X), trace.delta[1].mean(axis=0)
        return trace

    errors = check_gradients(*example((3, 5, 4), hidden=relu, m=4), mse, backprop=always_open)
    assert errors.advice.startswith("suspect: BP2 (right down to layer 2, off from layer 1 on)")


def test_only_the_diagonal_of_the_softmax_jacobian_is_found():
    def diagonal(net, X, Y, loss):
        trace = backprop(net, X, Y, loss)
        a = trace.a[1]
        delta = 2 / 4 * (a - Y) * a * (1 - a)
        trace.dW[1], trace.db[1] = delta.T @ X / len(X), delta.mean(axis=0)
        return trace

    net, X, Y = example((3, 4), output=softmax)
    errors = check_gradients(net, X, Y, mse, backprop=diagonal)
    assert errors.advice.startswith("suspect: BP1 (the last layer is off)")


def test_layers_are_compared_as_numbers():
    """Layer 10 comes after layer 9, though not in the alphabet."""

    def late(net, X, Y, loss):
        trace = backprop(net, X, Y, loss)
        for l in range(1, 10):
            trace.dW[l], trace.db[l] = trace.dW[l] + l, trace.db[l] - l
        return trace

    net, X, Y = example((2,) + (3, 2) * 5 + (3,))
    errors = check_gradients(net, X, Y, mse, backprop=late)
    assert "BP2 (right down to layer 10, off from layer 9 on)" in errors.advice


# Plain functions ---------------------------------------------------------------------------------


def test_a_plain_function_of_an_array():
    x = np.array([[1.0, -2.0], [0.5, 3.0]])
    errors = check_function(lambda x: (x**3).sum(), lambda x: 3 * x**2, x)
    assert errors["gradient"] < 1e-7
    assert str(errors) == "gradient  agrees\nall agree"
    assert check_function(lambda x: (x**3).sum(), lambda x: 3 * x**2, [1.0, 2.0])["gradient"] < 1e-7


def test_a_plain_function_of_named_arrays():
    def f(p):
        return np.log1p(np.exp(p["w"] @ np.array([1.0, 2.0]) + p["b"])).sum()

    def grad(p):
        slope = sigmoid(p["w"] @ np.array([1.0, 2.0]) + p["b"])
        return {"w": slope * np.array([1.0, 2.0]), "b": slope}

    x = {"w": np.array([0.3, -0.2]), "b": np.array(0.1)}
    errors = check_function(f, grad, x)
    assert list(errors) == ["w", "b"]
    assert max(errors.values()) < 1e-7
    assert x["w"].tolist() == [0.3, -0.2]
    errors = check_function(f, lambda p: {**grad(p), "w": grad(p)["w"][::-1]}, x)
    assert errors["b"] < 1e-7 < errors["w"]
    assert errors.advice == "suspect: the derivation of w"


def test_mistakes_of_a_plain_function():
    x = np.array([1.0, 2.0])
    errors = check_function(lambda x: (x**2).sum(), lambda x: x, x)
    assert errors.advice.startswith("suspect: every block is 0.5 times the gradient")
    errors = check_function(lambda x: (x**2).sum(), lambda x: 2 * x + 1, x)
    assert errors.advice == "suspect: the derivation of gradient"
    assert "gradient  off, relative error" in str(errors)


def test_gradients_of_the_wrong_shape_or_name_are_refused():
    x = np.ones(3)
    with pytest.raises(ValueError, match=r"expected gradient of shape \(3,\), got \(1, 3\)"):
        check_function(lambda x: x.sum(), lambda x: np.ones((1, 3)), x)
    with pytest.raises(ValueError, match="expected gradients of w, b, got w"):
        check_function(lambda p: 0.0, lambda p: {"w": x}, {"w": x, "b": x})
    with pytest.raises(ValueError, match="need the digits of float64, got int64"):
        check_function(lambda x: x.sum(), np.ones_like, np.ones(3, np.int64))


def test_cross_entropy_and_softmax_by_hand():
    """Chapter 4: the gradient of −ln softmax(z)_i is a − y."""
    z, y = np.array([[2.0, 1.0, 0.1]]), np.array([[0.0, 1.0, 0.0]])
    errors = check_function(lambda z: cross_entropy(softmax(z), y), lambda z: softmax(z) - y, z)
    assert errors["gradient"] < 1e-7
