"""What the book claims of every network and every number, with counterexamples looked for by
hypothesis: fifty draws a claim, the same ones in every run."""

from itertools import pairwise

import numpy as np
import pytest
from byhand import (
    Network,
    accuracy,
    backprop,
    binary_cross_entropy,
    cross_entropy,
    descend,
    evaluate,
    identity,
    mse,
    relu,
    sigmoid,
    softmax,
    tanh,
)
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

settings.register_profile("book", deadline=None, max_examples=50, derandomize=True, database=None)
settings.load_profile("book")

MODERATE = st.floats(-30, 30)
WIDE = st.floats(-1000, 1000)
SHAPES = st.tuples(st.integers(1, 5), st.integers(2, 5))  # (m, n)
LOGITS = SHAPES.flatmap(lambda shape: arrays(float, shape, elements=MODERATE))
WIDE_LOGITS = SHAPES.flatmap(lambda shape: arrays(float, shape, elements=WIDE))
PAIRS = [(mse, identity), (mse, sigmoid), (cross_entropy, sigmoid), (cross_entropy, softmax)]


@st.composite
def networks(draw, fewest=0, most=3):
    """(net, X, Y, loss): any depth and widths, any activation and loss that fit each other."""
    loss, output = draw(st.sampled_from(PAIRS))
    inner = draw(st.lists(st.integers(1, 5), min_size=fewest, max_size=most))
    sizes = [draw(st.integers(1, 4)), *inner, draw(st.integers(2, 4))]
    seed = draw(st.integers(0, 2**32 - 1))
    net = Network(sizes, draw(st.sampled_from([sigmoid, tanh, relu])), output, seed=seed)
    rng = np.random.default_rng(seed)
    for layer in net:
        layer.b[:] = rng.normal(size=layer.b.shape)
    m = draw(st.integers(1, 6))
    Y = np.eye(sizes[-1])[rng.integers(sizes[-1], size=m)]
    return net, rng.normal(size=(m, sizes[0])), Y, loss


# Activations and losses --------------------------------------------------------------------------


@given(z=arrays(float, 8, elements=WIDE))
def test_sigmoid_is_symmetric(z):
    """σ(−z) = 1 − σ(z), and σ'(−z) = σ'(z) (chapter 1)."""
    assert sigmoid(-z) == pytest.approx(1 - sigmoid(z), abs=1e-15)
    assert np.array_equal(sigmoid.prime(-z), sigmoid.prime(z))


@given(z=arrays(float, 8, elements=WIDE))
def test_sigmoid_is_increasing_and_tanh_is_a_stretched_sigmoid(z):
    z = np.sort(z)
    assert np.all(np.diff(sigmoid(z)) >= 0)
    assert tanh(z) == pytest.approx(2 * sigmoid(2 * z) - 1, abs=1e-15)


@given(z=WIDE_LOGITS, shift=WIDE)
def test_softmax_ignores_a_shift_and_its_rows_sum_to_1(z, shift):
    a = softmax(z)
    assert np.all(a >= 0)
    assert a.sum(axis=1) == pytest.approx(1, rel=1e-14)
    assert softmax(z + shift) == pytest.approx(a, abs=1e-12)


@given(z=WIDE_LOGITS)
def test_rows_of_the_softmax_jacobian_sum_to_0_and_it_is_symmetric(z):
    """Outputs that always sum to 1 have changes that sum to 0."""
    J = softmax.prime(z)
    assert J.sum(axis=-1) == pytest.approx(0, abs=1e-14)
    assert np.array_equal(J, J.swapaxes(-1, -2))


@given(z=LOGITS)
def test_softmax_of_two_logits_is_the_sigmoid_of_their_difference(z):
    two = z[:, :2]
    assert softmax(two)[:, 0] == pytest.approx(sigmoid(two[:, 0] - two[:, 1]), abs=1e-15)


def as_network(z, output):
    """A network whose logits are its inputs."""
    net = Network([z.shape[1]] * 2, output=output)
    net[1].W[:] = np.eye(z.shape[1])
    return net


@given(z=LOGITS, data=st.data())
def test_cross_entropy_from_logits_is_that_from_probabilities(z, data):
    Y = np.eye(z.shape[1])[data.draw(arrays(int, len(z), elements=st.integers(0, z.shape[1] - 1)))]
    loss = evaluate(as_network(z, softmax), z, Y, cross_entropy)
    assert loss == pytest.approx(cross_entropy(softmax(z), Y), rel=1e-9, abs=1e-12)
    z = z / 3  # a sigmoid of 30 has lost the digits of 1 − a already
    loss = evaluate(as_network(z, sigmoid), z, Y, cross_entropy)
    assert loss == pytest.approx(binary_cross_entropy(sigmoid(z), Y), rel=1e-9)


@given(z=LOGITS, data=st.data())
def test_no_prediction_beats_the_targets_own_entropy(z, data):
    """Cross-entropy is smallest where a = y (chapter 4), and MSE is 0 only there."""
    y = softmax(data.draw(arrays(float, z.shape, elements=st.floats(-3, 3))))
    assert cross_entropy(softmax(z), y) >= cross_entropy(y, y) - 1e-12
    assert mse(softmax(z), y) >= mse(y, y) == 0


# Networks ----------------------------------------------------------------------------------------


@given(case=networks())
def test_batch_gradient_is_the_mean_of_single_gradients(case):
    net, X, Y, loss = case
    singles = [backprop(net, X[i : i + 1], Y[i : i + 1], loss) for i in range(len(X))]
    batch = backprop(net, X, Y, loss)
    mean = np.mean([trace.flatten() for trace in singles], axis=0)
    assert batch.flatten() == pytest.approx(mean, rel=1e-9, abs=1e-12)
    assert batch.loss == pytest.approx(np.mean([trace.loss for trace in singles]), rel=1e-9)


@given(case=networks(), data=st.data())
def test_the_order_of_the_examples_does_not_matter(case, data):
    net, X, Y, loss = case
    order = data.draw(st.permutations(range(len(X))))
    expected, shuffled = backprop(net, X, Y, loss), backprop(net, X[order], Y[order], loss)
    assert shuffled.loss == pytest.approx(expected.loss, rel=1e-9)
    assert shuffled.flatten() == pytest.approx(expected.flatten(), rel=1e-9, abs=1e-12)
    assert accuracy(net(X[order]), Y[order]) == pytest.approx(accuracy(net(X), Y))


@given(case=networks(fewest=1), data=st.data())
def test_permuting_hidden_units_changes_nothing_but_their_order(case, data):
    """The function stays, and the gradient is permuted with the units (chapters 2 and 3)."""
    net, X, Y, loss = case
    l = data.draw(st.integers(1, net.L - 1))
    order = data.draw(st.permutations(range(net.sizes[l])))
    twin = net.copy()
    twin[l].W[:], twin[l].b[:] = net[l].W[order], net[l].b[order]
    twin[l + 1].W[:] = net[l + 1].W[:, order]
    assert twin(X) == pytest.approx(net(X), rel=1e-9, abs=1e-12)
    here, there = backprop(net, X, Y, loss), backprop(twin, X, Y, loss)
    close = {"rel": 1e-9, "abs": 1e-12}
    assert there.dW[l] == pytest.approx(here.dW[l][order], **close)
    assert there.db[l] == pytest.approx(here.db[l][order], **close)
    assert there.delta[l] == pytest.approx(here.delta[l][:, order], **close)
    assert there.dW[l + 1] == pytest.approx(here.dW[l + 1][:, order], **close)


@given(case=networks(fewest=1), data=st.data())
def test_a_hidden_tanh_unit_may_change_its_sign(case, data):
    """tanh is odd: turn all signs into and out of a unit, and the function stays (chapter 2)."""
    net, X, _, _ = case
    assume(net[1].sigma is tanh)
    twin, k = net.copy(), data.draw(st.integers(0, net.sizes[1] - 1))
    twin[1].W[k] *= -1
    twin[1].b[k] *= -1
    twin[2].W[:, k] *= -1
    assert twin(X) == pytest.approx(net(X), rel=1e-9, abs=1e-12)


@given(case=networks())
def test_flatten_and_unflatten_undo_each_other(case):
    net, X, _, _ = case
    theta, twin = net.flatten(), Network(net.sizes, seed=1)
    assert len(theta) == net.n_parameters == sum(a * b + b for a, b in pairwise(net.sizes))
    twin.unflatten(theta)
    assert np.array_equal(twin.flatten(), theta)
    for l in range(1, net.L + 1):
        assert np.array_equal(twin[l].W, net[l].W)
        assert np.array_equal(twin[l].b, net[l].b)


@given(case=networks())
def test_a_copy_is_equal_and_independent(case):
    net, X, _, _ = case
    theta, twin = net.flatten(), net.copy()
    assert np.array_equal(twin(X), net(X))
    twin.unflatten(theta + 1)
    assert np.array_equal(net.flatten(), theta)
    net.unflatten(theta - 1)
    assert np.array_equal(twin.flatten(), theta + 1)


@given(case=networks())
def test_a_small_step_against_the_gradient_lowers_the_loss(case):
    """What makes it a gradient: the loss falls by about η‖∇‖² (chapter 5)."""
    net, X, Y, loss = case
    trace = backprop(net, X, Y, loss)
    gradient, theta = trace.flatten(), net.flatten()
    assume(np.linalg.norm(gradient) > 1e-3)
    assume(all(abs(z).min() > 1e-3 for z in trace.z[1:]))  # stay on one side of ReLU's kinks
    eta = 1e-4 / max(1, np.linalg.norm(gradient))
    fall = trace.loss - evaluate(net.unflatten(theta - eta * gradient), X, Y, loss)
    assert fall == pytest.approx(eta * gradient @ gradient, rel=0.05)


@given(case=networks())
def test_gradient_of_a_direction_is_the_slope_along_it(case):
    """∇·v is the difference quotient along v (chapter 6)."""
    net, X, Y, loss = case
    trace, theta, h = backprop(net, X, Y, loss), net.flatten(), 1e-5
    assume(all(abs(z).min() > 1e-3 for z in trace.z[1:]))
    v = np.random.default_rng(0).normal(size=theta.shape) / np.sqrt(len(theta))
    ahead = evaluate(net.unflatten(theta + h * v), X, Y, loss)
    behind = evaluate(net.unflatten(theta - h * v), X, Y, loss)
    assert trace.flatten() @ v == pytest.approx((ahead - behind) / (2 * h), rel=1e-6, abs=1e-8)


# Descent -----------------------------------------------------------------------------------------


@given(
    eigenvalues=arrays(float, 3, elements=st.floats(0, 100)),
    start=arrays(float, 3, elements=MODERATE),
    share=st.floats(0.01, 0.99),
    seed=st.integers(0, 100),
)
def test_a_step_below_2_over_the_largest_curvature_never_raises_a_convex_quadratic(
    eigenvalues, start, share, seed
):
    """f(x) = ½ xᵀAx with A positive semidefinite (chapter 5)."""
    assume(eigenvalues.max() > 1e-3)
    Q, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    A = Q @ np.diag(eigenvalues) @ Q.T
    path = descend(lambda x: A @ x, start, eta=share * 2 / eigenvalues.max(), steps=20)
    f = np.einsum("ti,ij,tj->t", path, A, path) / 2
    assert path.shape == (21, 3)
    assert np.all(np.diff(f) <= 1e-12 * (1 + f[:-1]))
