"""Activation functions: what a unit does with its weighted sum z.

Each is a plain function f(z) of an array of any shape, and each carries its derivative as
`f.prime(z)`. Both take z, the sum *before* the activation; neither takes a = f(z). The first
one, the sigmoid, turns a weighted sum into a probability, and chapter 1 is built on it.
"""

import numpy as np


@np.errstate(over="ignore")
def sigmoid(z):
    """σ(z) = 1 / (1 + e^(−z)), between 0 and 1; the same shape as z (chapter 1).

    For very negative z, e^(−z) overflows to infinity and the quotient is 0, which is the right
    answer: the overflow is expected and stays silent.

    >>> float(sigmoid(0.0))
    0.5
    """
    return 1 / (1 + np.exp(-z))


def sigmoid_prime(z):
    """σ'(z) = σ(z)·(1 − σ(z)), at most 1/4; the same shape as z (chapter 1).

    Written with e = e^(−|z|), which is at most 1: σ' is e / (1 + e)² on both sides of 0, and no
    digit is lost where σ(z) rounds to 1.
    """
    e = np.exp(-abs(z))
    return e / (1 + e) ** 2


def tanh(z):
    """tanh(z) = 2·σ(2z) − 1, between −1 and 1; the same shape as z (chapter 1)."""
    return np.tanh(z)


def tanh_prime(z):
    """tanh'(z) = 1 − tanh²(z), at most 1; the same shape as z (chapter 1)."""
    return 1 - np.tanh(z) ** 2


def relu(z):
    """max(0, z), the rectified linear unit; the same shape as z (chapter 1)."""
    return np.maximum(z, 0)


def relu_prime(z):
    """1 where z > 0, else 0; the same shape as z (chapter 1).

    At z = 0 there is a kink and no derivative; 0 is the usual choice.
    """
    return np.heaviside(z, 0)


def identity(z):
    """z itself: a layer that stays affine (chapter 2)."""
    return np.positive(z)


def identity_prime(z):
    """1 everywhere; the same shape as z."""
    return np.ones_like(z)


def softmax(z):
    """a_i = e^(z_i) / Σ_k e^(z_k) along the last axis: positive numbers that sum to 1 (chapter 3).

    z: (..., n), one row of n logits for each example. Subtracting the row's largest logit changes
    nothing, because the factor cancels, and keeps the largest exponential at e^0 = 1 (chapter 4).
    """
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def softmax_prime(z):
    """The Jacobian J[..., i, k] = ∂a_i/∂z_k = a_i·(1[i = k] − a_k); shape (..., n, n) (chapter 6).

    Every output depends on every logit, so the derivative is a matrix for each example.
    """
    a = softmax(z)
    return a[..., :, None] * (np.eye(a.shape[-1], dtype=a.dtype) - a[..., None, :])


sigmoid.prime = sigmoid_prime
tanh.prime = tanh_prime
relu.prime = relu_prime
identity.prime = identity_prime
softmax.prime = softmax_prime
