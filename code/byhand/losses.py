"""Losses: one number that says how wrong the outputs are.

A loss is a plain function `loss(a, y)` of outputs a and targets y, both (m, n_L): the mean over
the m examples of the batch. Its gradient, `loss.grad(a, y)`, is (m, n_L) and *per example*: the
mean over the batch is taken once, in BP3 and BP4 (chapter 7). At the end of the file, loss and
output activation meet: there the two stable forms live that need z instead of a (chapter 4).
"""

import numpy as np

from byhand.activations import sigmoid, softmax


def mse(a, y):
    """Mean squared error, 1/n_L · Σ_i (a_i − y_i)², then the mean over the batch (chapter 4).

    >>> float(mse(np.array([[0.5, 0.5]]), np.array([[1.0, 0.0]])))
    0.25
    """
    a, y = _floats(a, y)
    error = (a - y).ravel()
    return error @ error / error.size


def mse_grad(a, y):
    """∂/∂a_i of one example's error: 2/n_L · (a_i − y_i), which is a_i − y_i for two outputs."""
    a, y = _floats(a, y)
    return (a - y) * (2 / y.shape[1])


def binary_cross_entropy(a, y):
    """−Σ_i [y_i ln a_i + (1 − y_i) ln(1 − a_i)], then the mean over the batch (chapters 1 and 4).

    Each output answers a yes-or-no question of its own with the probability a_i. A probability
    that has rounded to 0 or 1 counts as the smallest normal number away from it, so the loss
    stays finite. Behind a network's sigmoid the loss is taken from z and needs no such help.
    """
    a, y = _probabilities(a, y)
    return 0 - (y * _log(a) + (1 - y) * _log(1 - a)).sum(axis=1).mean()  # 0 − 0 prints no minus


def binary_cross_entropy_grad(a, y):
    """∂/∂a_i of one example's loss: (a_i − y_i) / (a_i (1 − a_i)); (m, n_L)."""
    a, y = _probabilities(a, y)
    return (1 - y) / _positive(1 - a) - y / _positive(a)


def cross_entropy(a, y):
    """−Σ_i y_i ln a_i over n_L ≥ 2 classes, then the mean over the batch (chapter 4).

    With a single output it is the two-class case, `binary_cross_entropy` (the log-loss of
    chapter 1). Given a network, the output activation decides: one softmax is one question with
    n_L answers, n_L sigmoids are n_L yes-or-no questions, whose binary losses add up. Here only a
    and y are seen, so rows that don't sum to 1 are refused: several sigmoids, most likely.

    >>> round(float(cross_entropy(np.array([[0.25, 0.75]]), np.array([[0.0, 1.0]]))), 4)
    0.2877
    """
    a, y = _probabilities(a, y)
    if y.shape[1] == 1:
        return binary_cross_entropy(a, y)
    _check_rows("a", a)
    return 0 - (y * _log(a)).sum(axis=1).mean()


def cross_entropy_grad(a, y):
    """∂/∂a_i of one example's loss: −y_i / a_i, or the binary gradient for a single output."""
    a, y = _probabilities(a, y)
    if y.shape[1] == 1:
        return binary_cross_entropy_grad(a, y)
    _check_rows("a", a)
    return -y / _positive(a)


mse.grad = mse_grad
binary_cross_entropy.grad = binary_cross_entropy_grad
cross_entropy.grad = cross_entropy_grad


def accuracy(a, y):
    """The share of examples whose prediction is right: the largest output, or a ≥ 1/2 if single."""
    a, y = _pair(a, y)
    if y.shape[1] == 1:
        return float(np.mean((a >= 0.5) == (y >= 0.5)))
    return float(np.mean(a.argmax(axis=1) == y.argmax(axis=1)))


# Where loss and output activation meet -----------------------------------------------------------


def output_loss(loss, sigma, z, a, y):
    """loss(a, y) of the outputs a = sigma(z), from z where a has lost digits (chapter 4)."""
    if loss is cross_entropy or loss is binary_cross_entropy:
        return _softmax_loss(z, a, y) if sigma is softmax else _sigmoid_loss(z, y)
    return loss(a, y)


def output_delta(loss, sigma, z, a, y):
    """BP1: δ = ∂L/∂z at the output, per example; (m, n_L) (chapter 7).

    In general (∂L/∂a)·σ'(z). For cross-entropy behind a sigmoid or a softmax, all but a − y
    cancels (chapter 4). Behind a softmax, σ' is a matrix, and several paths add.
    """
    if loss is cross_entropy or loss is binary_cross_entropy:
        return a - y
    if sigma is softmax:
        return np.einsum("mi,mik->mk", loss.grad(a, y), softmax.prime(z))
    return loss.grad(a, y) * sigma.prime(z)


def _sigmoid_loss(z, y):
    """Σ_i [ln(1 + e^(z_i)) − y_i z_i]: the binary cross-entropy with σ put in and simplified.

    Here ln(1 + e^z) = max(z, 0) + ln(1 + e^(−|z|)), so that the large z and y z cancel first.
    """
    return (np.maximum(z, 0) - y * z + np.log1p(np.exp(-abs(z)))).sum() / len(z)


def _softmax_loss(z, a, y):
    """−Σ_i y_i ln a_i as it stands, unless some a_i is so small that digits are lost in float32.

    Then ln Σ_k e^(z_k) − Σ_i y_i z_i, which is the same with the softmax put in (Σ_i y_i = 1).
    """
    if a.min() > 1e-37:
        return 0 - np.vdot(y, np.log(a)) / len(a)
    z = z - z.max(axis=1, keepdims=True)  # any shift leaves a softmax unchanged; this one is safe
    return (np.log(np.exp(z).sum(axis=1)).sum() - np.vdot(y, z)) / len(z)


def check_targets(loss, sigma, Y):
    """Raise ValueError if the loss does not fit the output activation, or Y is out of its range."""
    if not (callable(loss) and hasattr(loss, "grad")):
        raise ValueError(
            "expected a loss: a function loss(a, y) that carries its gradient loss.grad(a, y), "
            f"got {loss!r}"
        )
    if loss is not cross_entropy and loss is not binary_cross_entropy:
        return
    allowed = (sigmoid, softmax) if loss is cross_entropy else (sigmoid,)
    if not any(sigma is f for f in allowed):
        raise ValueError(
            f"{loss.__name__} needs probabilities: expected the output activation to be "
            f"{' or '.join(f.__name__ for f in allowed)}, got {sigma.__name__}"
        )
    if Y.min() < 0 or Y.max() > 1:
        raise ValueError(
            f"{loss.__name__} expects targets between 0 and 1, got values from "
            f"{Y.min():g} to {Y.max():g}; one_hot(labels, n) makes targets of labels"
        )
    if sigma is softmax:
        _check_rows("Y", Y)


def _pair(a, y):
    """a and y as arrays of one shape (m, n_L), or a ValueError."""
    a, y = np.asarray(a), np.asarray(y)
    if a.ndim != 2 or a.shape != y.shape or a.size == 0:
        raise ValueError(
            "a loss compares outputs a and targets y of the same shape (m, n_L), m ≥ 1, "
            f"got a {a.shape} and y {y.shape}"
        )
    return a, y


def _floats(a, y):
    a, y = _pair(a, y)
    if a.dtype.kind != "f" or y.dtype.kind != "f":
        raise ValueError(
            f"a loss expects floats, got a {a.dtype} and y {y.dtype}; use .astype(float)"
        )
    return a, y


def _probabilities(a, y):
    a, y = _floats(a, y)
    for name, p in (("outputs a", a), ("targets y", y)):
        if not (p.min() >= 0 and p.max() <= 1):  # so written, NaN is refused too
            raise ValueError(
                f"a cross-entropy expects {name} between 0 and 1, "
                f"got values from {p.min():g} to {p.max():g}"
            )
    return a, y


def _check_rows(name, p):
    sums = p.sum(axis=1)
    worst = sums[abs(sums - 1).argmax()]
    if abs(worst - 1) > 1e-3:
        raise ValueError(
            f"cross_entropy over classes expects each row of {name} to sum to 1, got a row that "
            f"sums to {worst:g}; several yes-or-no questions go to binary_cross_entropy"
        )


def _positive(a):
    return np.maximum(a, np.finfo(a.dtype).tiny)


def _log(a):
    return np.log(_positive(a))
