"""Layers and networks (chapter 3): the book's indices and shapes, parameters counted, printed,
flattened and copied, and what is refused."""

import doctest
import importlib
import pkgutil

import byhand
import numpy as np
import pytest
from byhand import (
    Dense,
    Network,
    he_normal,
    identity,
    relu,
    scaled_normal,
    sigmoid,
    softmax,
    standard_normal,
    tanh,
)


@pytest.mark.parametrize("module", sorted(m.name for m in pkgutil.iter_modules(byhand.__path__)))
def test_examples_in_docstrings_give_what_they_say(module):
    failed, _ = doctest.testmod(importlib.import_module(f"byhand.{module}"))
    assert failed == 0


# Indices and shapes ------------------------------------------------------------------------------


def test_shapes_of_the_books_indices():
    net = Network([3, 5, 4, 2])
    assert net.L == len(net) == 3
    assert net.sizes == [3, 5, 4, 2]
    for l, n, before in [(1, 5, 3), (2, 4, 5), (3, 2, 4)]:
        assert net[l].W.shape == (n, before)
        assert net[l].b.shape == (n,)
        assert np.all(net[l].b == 0)
    assert [layer.W.shape for layer in net] == [(5, 3), (4, 5), (2, 4)]


def test_w_jk_goes_to_unit_j_from_unit_k():
    """Raise w_jk by 0.1: of all units of the layer only unit j moves, by 0.1 times input k."""
    layer = Network([3, 4], output=identity, seed=1)[1]
    x = np.array([[1.0, -2.0, 0.5]])
    before, _ = layer.forward(x)
    for j in range(4):
        for k in range(3):
            layer.W[j, k] += 0.1
            moved = layer.forward(x)[0] - before
            layer.W[j, k] -= 0.1
            expected = np.zeros((1, 4))
            expected[0, j] = 0.1 * x[0, k]
            assert moved == pytest.approx(expected, abs=1e-12)


def test_b_j_belongs_to_unit_j():
    layer = Network([3, 4], seed=1)[1]
    x = np.array([[1.0, -2.0, 0.5]])
    before, _ = layer.forward(x)
    layer.b[2] += 0.1
    assert layer.forward(x)[0] - before == pytest.approx(np.array([[0, 0, 0.1, 0]]), abs=1e-12)


def test_a_batch_equals_the_sums_written_out():
    """z_j = Σ_k w_jk a_k + b_j, unit by unit and example by example."""
    net = Network([2, 3, 4], hidden=tanh, output=sigmoid, seed=2)
    for layer in net:
        layer.b[:] = np.linspace(-1, 1, len(layer.b))
    X = np.random.default_rng(0).normal(size=(5, 2))
    outputs = net(X)
    assert outputs.shape == (5, 4)
    for x, output in zip(X, outputs):
        a = x
        for l, f in [(1, np.tanh), (2, lambda z: 1 / (1 + np.exp(-z)))]:
            W, b = net[l].W, net[l].b
            a = [f(sum(W[j, k] * a[k] for k in range(len(a))) + b[j]) for j in range(len(b))]
        assert output == pytest.approx(a, rel=1e-12)


def test_one_example_gives_one_row_of_outputs():
    net = Network([3, 2], seed=0)
    X = np.array([[1.0, 2.0, 3.0], [0.0, 0.5, -1.0]])
    assert net(X[0]).shape == (2,)
    assert net(X[0]) == pytest.approx(net(X)[0], rel=1e-15)
    single = Network([1, 2], seed=0)
    assert np.array_equal(single(np.array([0.5])), single(np.array([[0.5]]))[0])


def test_hidden_and_output_activations_have_their_places():
    net = Network([3, 5, 4, 2], hidden=relu, output=softmax)
    assert [layer.sigma for layer in net] == [relu, relu, softmax]
    assert [layer.sigma for layer in Network([3, 2], hidden=relu)] == [sigmoid]


def test_a_layer_returns_z_and_a_and_keeps_neither():
    layer = Dense(W=[[2.0, -1.0]], b=[0.5], sigma=tanh)
    z, a = layer.forward(np.array([[1.0, 3.0], [0.0, 0.0]]))
    assert z.tolist() == [[-0.5], [0.5]]
    assert a == pytest.approx(np.tanh(z), rel=1e-15)
    assert set(vars(layer)) == {"W", "b", "sigma"}


def test_logistic_regression_is_the_smallest_network():
    net = Network([2, 1])
    net[1].W[:], net[1].b[:] = [[1.0, -2.0]], [0.5]
    assert net(np.array([3.0, 1.0])) == pytest.approx([1 / (1 + np.exp(-1.5))], rel=1e-15)


# Parameters --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sizes", "count"),
    [([784, 16, 10], 12_730), ([784, 30, 10], 23_860), ([784, 100, 10], 79_510),
     ([784, 16, 16, 10], 13_002), ([784, 10], 7_850), ([2, 2, 2], 12), ([2, 1], 3)],
)
def test_parameters_are_counted(sizes, count):
    net = Network(sizes)
    assert net.n_parameters == count
    assert net.flatten().shape == (count,)


def test_the_network_of_the_course_as_it_prints():
    assert repr(Network([784, 16, 10])) == """\
Network 784-16-10
layer   W          b      activation  parameters
    1   (16, 784)  (16,)  sigmoid         12,560
    2   (10, 16)   (10,)  sigmoid            170
total                                     12,730"""
    assert repr(Network((2, 3, 4), hidden=relu, output=softmax)) == """\
Network 2-3-4
layer   W       b     activation  parameters
    1   (3, 2)  (3,)  relu                 9
    2   (4, 3)  (4,)  softmax             16
total                                     25"""


def test_flatten_goes_layer_by_layer_weights_row_by_row_then_biases():
    net = Network([2, 2, 1])
    net[1].W[:], net[1].b[:] = [[1, 2], [3, 4]], [5, 6]
    net[2].W[:], net[2].b[:] = [[7, 8]], [9]
    assert net.flatten().tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    other = Network([2, 2, 1], seed=3)
    assert other.unflatten(range(1, 10)) is other
    assert other.flatten().tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert other[1].W.tolist() == [[1, 2], [3, 4]]


def test_flatten_gives_a_copy_and_unflatten_takes_one():
    net = Network([2, 3, 1], seed=0)
    theta = net.flatten()
    theta[:] = 0
    assert np.any(net.flatten())
    net.unflatten(theta)
    theta[:] = 1
    assert not np.any(net.flatten())


def test_a_copy_shares_nothing():
    net = Network([3, 4, 2], hidden=relu, output=softmax, seed=0)
    theta, twin = net.flatten(), net.copy()
    assert repr(twin) == repr(net)
    for layer in twin:
        layer.W += 1
        layer.b += 1
        layer.sigma = tanh
    assert np.array_equal(net.flatten(), theta)
    assert [layer.sigma for layer in net] == [relu, softmax]


# Initial weights ---------------------------------------------------------------------------------


def test_the_seed_decides_the_weights():
    net = Network([3, 4, 2], seed=7)
    assert np.array_equal(net.flatten(), Network([3, 4, 2], seed=7).flatten())
    assert not np.array_equal(net.flatten(), Network([3, 4, 2], seed=8).flatten())
    assert not np.array_equal(Network([3, 4]).flatten(), Network([3, 4]).flatten())


def test_drawing_weights_leaves_the_global_random_state_alone():
    before = np.random.get_state()[1].copy()
    Network([3, 4, 2], seed=7)
    Network([3, 4, 2])
    assert np.array_equal(before, np.random.get_state()[1])


@pytest.mark.parametrize(
    ("init", "variance"), [(standard_normal, 1), (scaled_normal, 1 / 400), (he_normal, 2 / 400)]
)
def test_initial_weights_have_the_promised_variance(init, variance):
    """The share of 80,000 weights within one standard deviation is 68.3 %, if they are normal."""
    W = Network([400, 200], init=init, seed=0)[1].W
    assert W.shape == (200, 400)
    assert abs(W.mean()) < 4 * np.sqrt(variance / W.size)
    assert W.var() == pytest.approx(variance, rel=0.03)
    assert np.mean(abs(W) < np.sqrt(variance)) == pytest.approx(0.683, abs=0.01)


def test_weights_are_scaled_by_default():
    net = Network([400, 200], seed=0)
    assert np.array_equal(net[1].W, Network([400, 200], init=scaled_normal, seed=0)[1].W)


def test_an_initialisation_of_ones_own():
    def init(rng, n_out, n_in):
        return np.full((n_out, n_in), 10 * n_out + n_in)

    net = Network([2, 3, 1], init=init)
    assert net[1].W.tolist() == [[32, 32]] * 3
    assert net[2].W.tolist() == [[13, 13, 13]]
    assert net[1].W.dtype == float


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_float_type_reaches_every_number(dtype):
    net = Network([3, 4, 2], hidden=tanh, output=softmax, seed=0, dtype=dtype)
    for array in (net[1].W, net[1].b, net[2].W, net[2].b, net.flatten(), net.copy()[1].W):
        assert array.dtype == dtype
    assert net(np.zeros((5, 3), dtype)).dtype == dtype
    assert net.unflatten(np.zeros(net.n_parameters))[1].W.dtype == dtype


# At the door -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sizes", "got"),
    [([3], r"\[3\]"), ([], r"\[\]"), ([3, 0, 2], r"\[3, 0, 2\]"), ([3, -1], r"\[3, -1\]"),
     ([3, 2.0], r"\[3, 2.0\]"), ([3, "2"], r"\[3, '2'\]"), (5, "5"), ("784", "'784'"),
     (None, "None")],
)
def test_widths_that_make_no_network_are_refused(sizes, got):
    with pytest.raises(ValueError, match=f"at least two whole numbers from 1 up, got {got}"):
        Network(sizes)


@pytest.mark.parametrize("l", [0, 3, -1])
def test_layers_are_numbered_from_1_to_L(l):
    with pytest.raises(ValueError, match=f"layers are numbered 1 to 2, got {l}"):
        Network([3, 4, 2])[l]


def test_layer_0_is_the_input():
    with pytest.raises(ValueError, match="got 0: layer 0 is the input and has no weights"):
        Network([3, 4, 2])[0]


@pytest.mark.parametrize("place", ["hidden", "output"])
@pytest.mark.parametrize(("sigma", "got"), [("relu", "'relu'"), (np.exp, "<ufunc 'exp'>")])
def test_an_activation_without_derivative_is_refused(place, sigma, got):
    for sizes in ([3, 4, 2], [3, 2]) if place == "output" else ([3, 4, 2],):
        with pytest.raises(ValueError, match=f"with a derivative .*got {got}"):
            Network(sizes, **{place: sigma})


def test_softmax_needs_two_outputs():
    with pytest.raises(ValueError, match="output layer of at least two units, got it on one unit"):
        Network([3, 1], output=softmax)


@pytest.mark.parametrize("dtype", [int, bool, np.complex128])
def test_weights_must_be_real_floats(dtype):
    with pytest.raises(ValueError, match=f"must be a float type, got {np.dtype(dtype)}"):
        Network([3, 2], dtype=dtype)


INPUT = r"expected X of shape \(m, n_0\) = \(m, 3\), got "
BAD = {
    "too wide": (np.zeros((4, 2)), INPUT + r"\(4, 2\)$"),
    "an example of the wrong width": (np.zeros(4), INPUT + r"\(4,\); .*x\[None, :\]"),
    "a number": (1.0, INPUT + r"\(\)$"),
    "images": (np.zeros((4, 3, 3)), INPUT + r"\(4, 3, 3\)$"),
    "no examples": (np.zeros((0, 3)), r"at least one example, got an empty X of shape \(0, 3\)"),
    "integers": (np.zeros((4, 3), np.uint8), "to hold floats, got dtype uint8"),
    "one example of integers": (np.zeros(3, np.uint8), "to hold floats, got dtype uint8"),
    "complex": (np.zeros((4, 3), complex), "to hold floats, got dtype complex128"),
    "not a number": (np.array([[1, 2, np.nan]]), "finite numbers in X, got nan in row 0, column 2"),
    "infinite": (np.array([[1, -np.inf, 2]]), "finite numbers in X, got -inf in row 0, column 1"),
}


@pytest.mark.parametrize("case", BAD)
def test_inputs_that_do_not_fit_are_refused(case):
    X, message = BAD[case]
    with pytest.raises(ValueError, match=message):
        Network([3, 4, 2])(X)


@pytest.mark.parametrize("shape", [(24,), (26,), (25, 1), ()])
def test_a_vector_of_the_wrong_length_is_refused_and_nothing_is_written(shape):
    net = Network([2, 3, 4], seed=0)
    theta = net.flatten()
    with pytest.raises(ValueError, match="expected a vector of 25 parameters, got shape"):
        net.unflatten(np.zeros(shape))
    assert np.array_equal(net.flatten(), theta)


@pytest.mark.parametrize(
    ("W", "b", "message"),
    [
        (np.zeros((2, 3)), np.zeros(3), r"got W \(2, 3\) and b \(3,\)"),
        (np.zeros((2, 3)), np.zeros((2, 1)), r"got W \(2, 3\) and b \(2, 1\)"),
        (np.zeros(3), np.zeros(1), r"got W \(3,\) and b \(1,\)"),
        (np.zeros((0, 3)), np.zeros(0), r"at least one unit, got W \(0, 3\) and b \(0,\)"),
        ([[1, 2]], [0.5], "must be floats, got W int64 and b float64"),
        ([[1.0, 2.0]], np.int8([0]), "must be floats, got W float64 and b int8"),
    ],
)
def test_parameters_that_make_no_layer_are_refused(W, b, message):
    W = np.array(W, np.int64) if isinstance(W, list) and isinstance(W[0][0], int) else W
    with pytest.raises(ValueError, match=message):
        Dense(W, b)


def test_a_layer_needs_an_activation_with_a_derivative():
    with pytest.raises(ValueError, match="sigma.prime.*got <ufunc 'tanh'>"):
        Dense([[1.0]], [0.0], sigma=np.tanh)
