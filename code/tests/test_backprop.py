"""Backpropagation (chapter 7): the gradient of every kind of network, compared twice, once with
difference quotients and once with the library autograd, which knows nothing of this package; the
worked 2-2-2 example, digit by digit; what a `Trace` holds and prints; what is refused at the door.

Every width differs from its neighbours, so that a transposed matrix can't hide. ReLU has a kink at
z = 0, where a difference quotient is no derivative: `example` draws again until every z of a
ReLU is at least 0.01 away from it.
"""

from itertools import pairwise

import autograd
import autograd.numpy as anp
import numpy as np
import pytest
from byhand import (
    Network,
    backprop,
    binary_cross_entropy,
    check_gradients,
    cross_entropy,
    evaluate,
    identity,
    mse,
    relu,
    sigmoid,
    softmax,
    tanh,
)


def huber(a, y):
    """A loss of one's own: Σ_i [√(1 + (a_i − y_i)²) − 1], then the mean over the batch."""
    return (np.sqrt(1 + (a - y) ** 2) - 1).sum(axis=1).mean()


huber.grad = lambda a, y: (a - y) / np.sqrt(1 + (a - y) ** 2)

SIZES = [(3, 2), (2, 3, 4), (3, 5, 4, 2), (2, 4, 3, 5, 2)]
HIDDEN = [sigmoid, tanh, relu, identity]
OUTPUTS = [
    *((mse, output) for output in (sigmoid, tanh, relu, identity, softmax)),
    *((huber, output) for output in (sigmoid, tanh, relu, identity, softmax)),
    (cross_entropy, sigmoid),
    (cross_entropy, softmax),
    (binary_cross_entropy, sigmoid),
]
CASES = [
    pytest.param(
        sizes, hidden, output, loss,
        id=f"{'-'.join(map(str, sizes))}-{hidden.__name__}-{output.__name__}-{loss.__name__}",
    )
    for sizes in SIZES
    for hidden in (HIDDEN if len(sizes) > 2 else HIDDEN[:1])
    for loss, output in OUTPUTS
]


def example(sizes, hidden, output, m, dtype=float):
    """A network with biases, m examples and soft targets, away from the kinks of ReLU."""
    rng = np.random.default_rng([m, *sizes])
    for _ in range(1000):
        net = Network(sizes, hidden, output, seed=rng.integers(1000), dtype=dtype)
        for layer in net:
            layer.W *= 2 if hidden is sigmoid else 1  # its slope, at most 1/4, shrinks the blame
            layer.b[:] = rng.normal(size=layer.b.shape) / 2
        X = rng.normal(size=(m, sizes[0])).astype(dtype)
        Y = rng.uniform(0.1, 1, size=(m, sizes[-1])).astype(dtype)
        Y /= Y.sum(axis=1, keepdims=True)
        a, fine = X, True
        for layer in net:
            z, a = layer.forward(a)
            if layer.sigma is relu:  # no kink near by, and in each example at least one unit passes
                fine = fine and abs(z).min() > 0.01 and (z > 0).any(axis=1).all()
        if fine and abs(a - Y).max() > 0.2:  # no gradient so small that rounding drowns it
            return net, X, Y
    raise AssertionError("no network away from the kinks in 1,000 draws")


# The same network again, in autograd's words -----------------------------------------------------

FORWARD = {
    sigmoid: lambda z: 1 / (1 + anp.exp(-z)),
    tanh: lambda z: anp.sinh(z) / anp.cosh(z),
    relu: lambda z: anp.where(z > 0, z, 0.0),
    identity: lambda z: z,
    softmax: lambda z: anp.exp(z) / anp.sum(anp.exp(z)),
}


def binary(a, y):
    return -anp.sum(y * anp.log(a) + (1 - y) * anp.log(1 - a))


PER_EXAMPLE = {
    (mse, None): lambda a, y: anp.sum((a - y) ** 2) / len(y),
    (huber, None): lambda a, y: anp.sum(anp.sqrt(1 + (a - y) ** 2) - 1),
    (cross_entropy, sigmoid): binary,
    (cross_entropy, softmax): lambda a, y: -anp.sum(y * anp.log(a)),
    (binary_cross_entropy, sigmoid): binary,
}


def independent_loss(parameters, X, Y, hidden, output, loss):
    """One example at a time, W @ x + b, no batch: the mean of the examples' losses."""
    one = PER_EXAMPLE.get((loss, output)) or PER_EXAMPLE[loss, None]
    total = 0.0
    for x, y in zip(X, Y):
        a = x
        for l, (W, b) in enumerate(parameters, start=1):
            a = FORWARD[output if l == len(parameters) else hidden](anp.dot(W, a) + b)
        total = total + one(a, y)
    return total / len(X)


# Gradients ---------------------------------------------------------------------------------------


def off(ours, theirs):
    """The relative error, of gradients that are not zero."""
    assert ours.shape == theirs.shape
    assert np.linalg.norm(theirs) > 0
    return np.linalg.norm(ours - theirs) / np.linalg.norm(theirs)


@pytest.mark.parametrize(("sizes", "hidden", "output", "loss"), CASES)
def test_loss_and_gradient_equal_autograd(sizes, hidden, output, loss):
    for m in (1, 4):
        net, X, Y = example(sizes, hidden, output, m)
        trace = backprop(net, X, Y, loss)
        parameters = [(layer.W, layer.b) for layer in net]
        value, gradients = autograd.value_and_grad(independent_loss)(
            parameters, X, Y, hidden, output, loss
        )
        assert trace.loss == pytest.approx(value, rel=1e-12)
        for l, (dW, db) in enumerate(gradients, start=1):
            assert off(trace.dW[l], dW) < 1e-10
            assert off(trace.db[l], db) < 1e-10


@pytest.mark.parametrize(("sizes", "hidden", "output", "loss"), CASES)
def test_gradient_equals_difference_quotients(sizes, hidden, output, loss):
    for m in (1, 4):
        net, X, Y = example(sizes, hidden, output, m)
        errors = check_gradients(net, X, Y, loss)
        assert len(errors) == 2 * net.L
        assert max(errors.values()) < 1e-7
        assert errors.advice == "all agree"


@pytest.mark.parametrize("loss", [mse, cross_entropy, binary_cross_entropy])
@pytest.mark.parametrize("sizes", [(3, 1), (3, 2, 1), (1, 2, 1)])
def test_gradient_of_a_single_output(sizes, loss):
    for m in (1, 4):
        net, X, _ = example(sizes, sigmoid, sigmoid, m)
        errors = check_gradients(net, X, np.linspace(0, 1, m)[:, None], loss)
        assert max(errors.values()) < 1e-7


@pytest.mark.parametrize(("loss", "output"), [(mse, sigmoid), (cross_entropy, softmax)])
def test_gradient_with_an_activation_of_ones_own(loss, output):
    def softplus(z):
        return np.log1p(np.exp(z))

    softplus.prime = sigmoid
    net, X, Y = example((2, 3, 4), softplus, output, 4)
    assert max(check_gradients(net, X, Y, loss).values()) < 1e-7


def test_softmax_is_refused_in_a_hidden_layer():
    with pytest.raises(ValueError, match="softmax belongs on an output .*in a hidden layer"):
        Network([2, 3, 4], hidden=softmax)


@pytest.mark.parametrize("loss", [cross_entropy, binary_cross_entropy])
def test_output_delta_of_cross_entropy_is_a_minus_y(loss):
    """Chapter 4: behind sigmoid or softmax all but a − y cancels (BP1)."""
    for output in (sigmoid, softmax) if loss is cross_entropy else (sigmoid,):
        net, X, Y = example((3, 5, 4, 2), tanh, output, 4)
        trace = backprop(net, X, Y, loss)
        assert np.array_equal(trace.delta[3], trace.a[3] - Y)


def test_output_delta_of_softmax_and_mse_goes_through_the_jacobian():
    """BP1 where every output depends on every logit: δ_k = Σ_i ∂L/∂a_i · ∂a_i/∂z_k."""
    net, X, Y = example((2, 3, 4), sigmoid, softmax, 2)
    trace = backprop(net, X, Y, mse)
    for a, y, delta in zip(trace.a[2], Y, trace.delta[2]):
        for k in range(4):
            paths = [2 / 4 * (a[i] - y[i]) * a[i] * ((i == k) - a[k]) for i in range(4)]
            assert delta[k] == pytest.approx(sum(paths), rel=1e-12)


def test_batch_gradient_is_the_mean_of_single_gradients_and_delta_is_per_example():
    net, X, Y = example((3, 5, 4, 2), tanh, sigmoid, 4)
    batch = backprop(net, X, Y, mse)
    singles = [backprop(net, X[i : i + 1], Y[i : i + 1], mse) for i in range(4)]
    for l in (1, 2, 3):
        assert batch.delta[l] == pytest.approx(np.vstack([s.delta[l] for s in singles]), rel=1e-12)
        assert batch.dW[l] == pytest.approx(np.mean([s.dW[l] for s in singles], axis=0), rel=1e-12)
        assert batch.db[l] == pytest.approx(np.mean([s.db[l] for s in singles], axis=0), rel=1e-12)
    assert batch.loss == pytest.approx(np.mean([s.loss for s in singles]), rel=1e-12)


def test_a_weights_gradient_is_the_blame_of_its_unit_times_the_input_on_its_left():
    """Chapter 7 with indices, for one example: ∂L/∂w_jk = δ_j a_k and ∂L/∂b_j = δ_j."""
    net, X, Y = example((3, 5, 4, 2), tanh, sigmoid, 1)
    trace = backprop(net, X, Y, mse)
    for l in (1, 2, 3):
        for j in range(net.sizes[l]):
            assert trace.db[l][j] == trace.delta[l][0, j]
            for k in range(net.sizes[l - 1]):
                product = trace.delta[l][0, j] * trace.a[l - 1][0, k]
                assert trace.dW[l][j, k] == pytest.approx(product, rel=1e-12)


def test_blame_flows_back_along_the_weights():
    """BP2 with indices: δ_k of layer l is Σ_j δ_j w_jk · σ'(z_k)."""
    net, X, Y = example((3, 5, 4, 2), tanh, sigmoid, 1)
    trace = backprop(net, X, Y, mse)
    for l in (1, 2):
        for k in range(net.sizes[l]):
            blame = sum(
                trace.delta[l + 1][0, j] * net[l + 1].W[j, k] for j in range(net.sizes[l + 1])
            )
            slope = 1 - np.tanh(trace.z[l][0, k]) ** 2
            assert trace.delta[l][0, k] == pytest.approx(blame * slope, rel=1e-12)


# The worked example: x = (1, 0.5), y = (1, 0), sigmoid everywhere, MSE ---------------------------


@pytest.fixture
def by_hand():
    net = Network([2, 2, 2], hidden=sigmoid, output=sigmoid)
    net[1].W[:] = [[0.2, -0.3], [0.4, 0.1]]
    net[1].b[:] = [-0.1, 0.2]
    net[2].W[:] = [[0.5, -0.6], [-0.2, 0.3]]
    net[2].b[:] = [0.1, -0.1]
    return net, np.array([[1.0, 0.5]]), np.array([[1.0, 0.0]])


WORKED = [  # as printed, so to half a unit of the last digit
    ("z", 1, [-0.05, 0.65], 7),
    ("a", 1, [0.4875026, 0.6570105], 7),
    ("z", 2, [-0.0504550, -0.0003974], 7),
    ("a", 2, [0.4873889, 0.4999007], 7),
    ("delta", 2, [-0.1280712, 0.1249752], 7),
    ("db", 2, [-0.1280712, 0.1249752], 7),
    ("dW", 2, [[-0.0624351, -0.0841441], [0.0609257, 0.0821100]], 7),
    ("delta", 1, [-0.0222438, 0.0257652], 7),
    ("db", 1, [-0.0222438, 0.0257652], 7),
    ("dW", 1, [[-0.0222438, -0.0111219], [0.0257652, 0.0128826]], 7),
]


@pytest.mark.parametrize(("name", "l", "printed", "digits"), WORKED)
def test_every_number_of_the_worked_example(by_hand, name, l, printed, digits):
    value = getattr(backprop(*by_hand, mse), name)[l]
    assert np.round(value, digits).squeeze() == pytest.approx(np.array(printed), abs=1e-12)


def test_loss_of_the_worked_example_before_and_after_one_step(by_hand):
    net, X, Y = by_hand
    trace = backprop(net, X, Y, mse)
    assert round(trace.loss, 9) == round(evaluate(net, X, Y, mse), 9) == 0.256335386
    for eta, after in [(0.5, 0.229094933), (1, 0.203531292)]:
        moved = net.copy()
        for l in (1, 2):
            moved[l].W -= eta * trace.dW[l]
            moved[l].b -= eta * trace.db[l]
        assert round(evaluate(moved, X, Y, mse), 9) == after


def test_the_worked_example_as_it_prints(by_hand):
    assert str(backprop(*by_hand, mse)) == """\
1 example through 2-2-2: loss 0.256335
forward
  a(0)     [1.000000 0.500000]
  z(1)     [-0.050000  0.650000]
  a(1)     [0.487503 0.657010]
  z(2)     [-0.050455 -0.000397]
  a(2)     [0.487389 0.499901]
backward
  δ(2)     [-0.128071  0.124975]
  ∂L/∂b(2) [-0.128071  0.124975]
  ∂L/∂W(2) [[-0.062435 -0.084144]
            [ 0.060926  0.082110]]
  δ(1)     [-0.022244  0.025765]
  ∂L/∂b(1) [-0.022244  0.025765]
  ∂L/∂W(1) [[-0.022244 -0.011122]
            [ 0.025765  0.012883]]"""


# What a Trace holds ------------------------------------------------------------------------------


def test_slots_and_shapes():
    net, X, Y = example((3, 5, 4, 2), tanh, sigmoid, 6)
    trace = backprop(net, X, Y, mse)
    assert trace.a[0] is X
    for slots in (trace.z, trace.delta, trace.dW, trace.db):
        assert len(slots) == 4
        assert slots[0] is None
    for l, n, before in [(1, 5, 3), (2, 4, 5), (3, 2, 4)]:
        assert trace.z[l].shape == trace.a[l].shape == trace.delta[l].shape == (6, n)
        assert trace.dW[l].shape == (n, before)
        assert trace.db[l].shape == (n,)
    assert isinstance(trace.loss, float)
    assert np.array_equal(trace.a[3], net(X))
    assert trace.loss == pytest.approx(mse(net(X), Y), rel=1e-12)


def test_the_gradient_as_one_vector_is_in_the_order_of_the_parameters():
    net, X, Y = example((2, 3, 4), tanh, sigmoid, 4)
    trace = backprop(net, X, Y, mse)
    twin = net.copy().unflatten(trace.flatten())
    for l in (1, 2):
        assert np.array_equal(twin[l].W, trace.dW[l])
        assert np.array_equal(twin[l].b, trace.db[l])


def test_small_and_large_numbers_print_in_fixed_point():
    net, X, Y = example((2, 3, 1), sigmoid, identity, 2)
    net[2].W *= 1e3
    text = str(backprop(net, X * 1e-3, Y, mse))
    assert text.startswith("2 examples through 2-3-1: loss ")
    assert "e+" not in text
    assert "e-" not in text
    assert "-0.000000" not in text.replace("[", " ").split()


@pytest.mark.parametrize(("loss", "output"), OUTPUTS)
def test_float32_stays_float32(loss, output):
    for hidden in HIDDEN:
        net, X, Y = example((2, 3, 4), hidden, output, 4, dtype=np.float32)
        trace = backprop(net, X, Y, loss)
        for array in [*trace.a, *trace.z[1:], *trace.delta[1:], *trace.dW[1:], *trace.db[1:]]:
            assert array.dtype == np.float32
        exact = net.copy()
        for layer in exact:
            layer.W, layer.b = layer.W.astype(float), layer.b.astype(float)
        exact = backprop(exact, X.astype(float), Y.astype(float), loss)
        assert trace.loss == pytest.approx(exact.loss, rel=1e-5)
        assert off(trace.flatten().astype(float), exact.flatten()) < 1e-5


def test_backprop_changes_nothing_and_keeps_nothing():
    net, X, Y = example((3, 5, 4, 2), relu, softmax, 4)
    theta, X_before, Y_before = net.flatten(), X.copy(), Y.copy()
    first = backprop(net, X, Y, cross_entropy).flatten()
    backprop(net, 2 * X, Y, cross_entropy)
    assert np.array_equal(backprop(net, X, Y, cross_entropy).flatten(), first)
    assert np.array_equal(net.flatten(), theta)
    assert np.array_equal(X, X_before)
    assert np.array_equal(Y, Y_before)


# Saturated outputs: no overflow, no NaN, no infinite loss up to |z| = 1000 -----------------------


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("loss", "output"), OUTPUTS)
def test_saturated_outputs_give_finite_losses_and_gradients(loss, output, dtype):
    net = Network([3, 3], output=output, dtype=dtype)
    net[1].W[:] = np.eye(3)  # so z = x
    logits = [-1000, -750, -90, -1, 0, 1, 90, 750, 1000]
    X = np.array([[a, b, c] for a in logits for b in logits for c in logits], dtype)
    Y = np.eye(3, dtype=dtype)[np.arange(len(X)) % 3]
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        trace = backprop(net, X, Y, loss)
        assert np.isfinite([trace.loss, evaluate(net, X, Y, loss)]).all()
    for array in (trace.a[1], trace.delta[1], trace.dW[1], trace.db[1]):
        assert np.isfinite(array).all()
        assert array.dtype == dtype


# At the door -------------------------------------------------------------------------------------

X, Y = np.zeros((4, 3)), np.full((4, 2), 0.5)
NAN = X.copy()
NAN[2, 1] = np.nan

BAD = {
    "too wide": (X[:, :2], Y, mse, r"expected X .* \(m, 3\), got \(4, 2\)"),
    "one example as a vector": (X[0], Y, mse, r"expected X .* \(m, 3\), got \(3,\).*x\[None, :\]"),
    "1-D targets": (X, Y[:, 0], mse, r"expected Y .* \(m, 2\), got \(4,\).*y\[:, None\]"),
    "one column of targets": (X, Y[:, :1], mse, r"expected Y .* \(m, 2\), got \(4, 1\)"),
    "three dimensions": (X[None], Y, mse, r"expected X .* got \(1, 4, 3\)"),
    "fewer targets": (X, Y[:3], mse, "expected as many targets as examples, got 4 in X, 3 in Y"),
    "no examples": (X[:0], Y[:0], mse, r"expected at least one example, got .* X .*\(0, 3\)"),
    "integers in X": (X.astype(np.int64), Y, mse, "expected X to hold floats, got dtype int64"),
    "integers in Y": (X, np.int8([[0, 1]] * 4), mse, "expected Y to hold floats, got dtype int8"),
    "yes and no": (X, Y > 0, mse, "expected Y to hold floats, got dtype bool"),
    "words": (np.full((4, 3), "a"), Y, mse, "expected X to hold floats, got dtype <U1"),
    "not a number": (NAN, Y, mse, "expected finite numbers in X, got nan in row 2, column 1"),
    "infinite": (X, Y + [0, np.inf], mse, "expected finite .* Y, got inf in row 0, column 1"),
    "labels": (X, Y + 1, cross_entropy, "targets between 0 and 1, got values from 1.5 to 1.5"),
    "a label below": (X, Y - 1, binary_cross_entropy, "between 0 and 1, got .* from -0.5 to -0.5"),
    "no loss": (X, Y, "mse", "expected a loss.*got 'mse'"),
    "no gradient": (X, Y, lambda a, y: 0.0, r"expected a loss.*loss.grad\(a, y\), got <function"),
}


@pytest.mark.parametrize("entrance", [backprop, evaluate, check_gradients])
@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_in_words(entrance, case):
    X, Y, loss, message = BAD[case]
    with pytest.raises(ValueError, match=message):
        entrance(Network([3, 4, 2]), X, Y, loss)


@pytest.mark.parametrize("entrance", [backprop, evaluate, check_gradients])
@pytest.mark.parametrize(
    ("loss", "output", "message"),
    [
        (cross_entropy, tanh, "cross_entropy needs .*sigmoid or softmax, got tanh"),
        (cross_entropy, relu, "cross_entropy needs .*sigmoid or softmax, got relu"),
        (cross_entropy, identity, "cross_entropy needs .*sigmoid or softmax, got identity"),
        (binary_cross_entropy, softmax, "binary_cross_entropy needs .*to be sigmoid, got softmax"),
        (binary_cross_entropy, identity, "binary_cross_entropy needs .*sigmoid, got identity"),
    ],
)
def test_a_loss_that_does_not_fit_its_output_is_refused(entrance, loss, output, message):
    with pytest.raises(ValueError, match=message):
        entrance(Network([3, 4, 2], output=output), X, Y, loss)


@pytest.mark.parametrize("entrance", [backprop, evaluate, check_gradients])
def test_rows_of_softmax_targets_must_sum_to_1(entrance):
    with pytest.raises(ValueError, match="each row of Y to sum to 1, got a row that sums to 1.1"):
        entrance(Network([3, 2], output=softmax), X, Y + [[0, 0], [0, 0], [0, 0.1], [0, 0]],
                 cross_entropy)


def test_sizes_pair_up():
    """The test networks have no square matrix, or a transposition could hide."""
    assert all(n != before for sizes in SIZES for before, n in pairwise(sizes))
