"""Activations (chapters 1 and 3): values, derivatives, and no overflow however large z is."""

import math

import numpy as np
import pytest
from byhand import identity, numerical_gradient, relu, sigmoid, softmax, tanh

ELEMENTWISE = [sigmoid, tanh, relu, identity]
EXTREMES = [-1000, -750, -710, -104, -89, -88, -37, -1, 0, 1, 37, 88, 89, 104, 710, 750, 1000]
LOUD = {"over": "raise", "invalid": "raise", "divide": "raise"}


def test_values_at_a_few_points():
    z = np.array([-2.0, 0.0, 1.0])
    assert sigmoid(z) == pytest.approx([0.11920292202211755, 0.5, 0.7310585786300049], rel=1e-15)
    assert tanh(z) == pytest.approx([-0.9640275800758169, 0.0, 0.7615941559557649], rel=1e-15)
    assert relu(z).tolist() == [0, 0, 1]
    assert identity(z).tolist() == [-2, 0, 1]
    logits = np.array([[2.0, 1.0, 0.1]])
    assert softmax(logits).round(3).tolist() == [[0.659, 0.242, 0.099]]


def test_derivatives_take_z_not_the_activation():
    """σ'(2) = σ(2)(1 − σ(2)), while σ' of a = σ(2) would be another number."""
    z = np.array([2.0, -2.0, 0.0])
    assert sigmoid.prime(z) == pytest.approx([0.10499358540350652] * 2 + [0.25], rel=1e-14)
    assert tanh.prime(z) == pytest.approx([0.07065082485316443] * 2 + [1], rel=1e-14)
    assert identity.prime(z).tolist() == [1, 1, 1]


def test_relu_has_slope_0_left_of_its_kink_and_at_it():
    z = np.array([-1e-300, 0.0, 1e-300, -3.0, 0.2, 7.0])
    assert relu.prime(z).tolist() == [0, 0, 1, 0, 1, 1]


@pytest.mark.parametrize("f", ELEMENTWISE, ids=lambda f: f.__name__)
def test_derivative_equals_the_difference_quotient(f):
    for z in [-5.0, -2.0, -0.7, -0.01, 0.01, 0.3, 1.0, 4.0]:  # not 0, the kink of ReLU
        slope = numerical_gradient(f, np.array(z))
        assert float(f.prime(np.array(z))) == pytest.approx(float(slope), rel=1e-8, abs=1e-10)


def test_jacobian_of_softmax_equals_difference_quotients():
    z = np.array([[0.3, -1.2, 2.0], [0.0, 0.0, 0.0]])
    J = softmax.prime(z)
    assert J.shape == (2, 3, 3)
    for row in range(2):
        for i in range(3):
            slopes = numerical_gradient(lambda v, i=i: softmax(v)[i], z[row])
            assert J[row, i] == pytest.approx(slopes, rel=1e-8, abs=1e-11)


@pytest.mark.parametrize("f", ELEMENTWISE, ids=lambda f: f.__name__)
def test_any_shape_and_the_float_type_are_kept(f):
    for dtype in (np.float32, np.float64):
        for shape in [(), (3,), (2, 3), (2, 1, 4)]:
            z = np.ones(shape, dtype)
            for result in (f(z), f.prime(z)):
                assert np.shape(result) == shape
                assert result.dtype == dtype


def test_softmax_works_along_the_last_axis_and_keeps_the_float_type():
    for dtype in (np.float32, np.float64):
        z = np.arange(6, dtype=dtype).reshape(2, 3) / 7
        assert softmax(z).dtype == softmax.prime(z).dtype == dtype
        assert softmax(z).shape == (2, 3)
        assert np.array_equal(softmax(z[0]), softmax(z)[0])
        assert np.array_equal(softmax.prime(z[0]), softmax.prime(z)[0])


@pytest.mark.parametrize("f", [*ELEMENTWISE, softmax], ids=lambda f: f.__name__)
def test_results_are_new_arrays_and_z_stays(f):
    """identity too: an update of a layer's output must not reach its z."""
    z = np.array([[1.5, -0.5]])
    f(z)[:] = 9
    f.prime(z)[:] = 9
    assert z.tolist() == [[1.5, -0.5]]


# However large z is ------------------------------------------------------------------------------


def epsilon(dtype):
    return float(np.finfo(dtype).eps)


def exact_sigmoid(z):
    return 1 / (1 + math.exp(-z)) if z > -700 else math.exp(z)  # 1 + e^700 is e^700 to 300 digits


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_sigmoid_is_right_up_to_1000(dtype):
    z = np.array(EXTREMES, dtype)
    eps, tiny = epsilon(dtype), float(np.finfo(dtype).tiny)
    with np.errstate(**LOUD):
        value, slope = sigmoid(z), sigmoid.prime(z)
    exact = np.array([exact_sigmoid(v) for v in EXTREMES])
    exact_slope = np.array([exact_sigmoid(v) * exact_sigmoid(-v) for v in EXTREMES])
    assert value == pytest.approx(exact, rel=8 * eps, abs=tiny)
    assert slope == pytest.approx(exact_slope, rel=8 * eps, abs=tiny)


def test_the_slope_of_a_sigmoid_that_has_rounded_to_1_is_not_0():
    """σ(40) == 1 in float64, and yet σ'(40) = 4.2e-18: training can still leave the plateau."""
    z = np.array([40.0])
    assert sigmoid(z) == 1
    assert sigmoid.prime(z) == pytest.approx(math.exp(-40), rel=1e-12)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_tanh_relu_and_identity_are_right_up_to_1000(dtype):
    z = np.array(EXTREMES, dtype)
    eps = epsilon(dtype)
    with np.errstate(**LOUD):
        assert tanh(z) == pytest.approx([math.tanh(v) for v in EXTREMES], rel=4 * eps)
        slope = [1 - math.tanh(v) ** 2 for v in EXTREMES]
        assert tanh.prime(z) == pytest.approx(slope, abs=4 * eps)
        assert relu(z).tolist() == [max(0, v) for v in EXTREMES]
        assert relu.prime(z).tolist() == [float(v > 0) for v in EXTREMES]
        assert identity(z).tolist() == EXTREMES


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_softmax_is_right_up_to_1000(dtype):
    rows = {
        (1000, 1000, -1000): [0.5, 0.5, 0],
        (-1000, -1000, -1000): [1 / 3] * 3,
        (1000, 999, 998): [0.6652409557748219, 0.24472847105479764, 0.09003057317038046],
        (1000, 0, -1000): [1, 0, 0],
        (0, -80, 0): [0.5, math.exp(-80) / 2, 0.5],
    }
    for logits, expected in rows.items():
        with np.errstate(**LOUD):
            a = softmax(np.array(logits, dtype))
            J = softmax.prime(np.array(logits, dtype))
        assert a == pytest.approx(expected, rel=4 * epsilon(dtype))
        assert pytest.approx(np.diag(a) - np.outer(a, a), abs=4 * epsilon(dtype)) == J
