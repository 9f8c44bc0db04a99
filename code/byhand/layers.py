"""A dense layer: every unit is joined to every output of the layer before it.

Row j of W holds the weights into unit j, so w_jk goes *to* unit j *from* unit k, and one product
Z = A @ W.T + b serves a whole batch, one example a row (chapters 1 and 3). A layer keeps its
parameters and nothing else: what flows through it is returned, never stored.
"""

import numpy as np

from byhand.activations import sigmoid


def standard_normal(rng, n_out, n_in):
    """Weights from N(0, 1), the plainest choice; (n_out, n_in).

    The variance of z grows with n_in: with 784 inputs most sigmoids start saturated (chapter 8).
    """
    return rng.standard_normal((n_out, n_in))


def scaled_normal(rng, n_out, n_in):
    """Weights from N(0, 1/n_in), so that z has about the size of one input; (n_out, n_in).

    For sigmoid and tanh (LeCun, Bottou, Orr and Müller, Efficient BackProp, 1998; chapter 8).
    """
    return rng.standard_normal((n_out, n_in)) / np.sqrt(n_in)


def he_normal(rng, n_out, n_in):
    """Weights from N(0, 2/n_in); (n_out, n_in). A ReLU passes on half of the variance, and the 2
    makes up for it (He, Zhang, Ren and Sun, Delving Deep into Rectifiers, 2015; chapter 8).
    """
    return rng.standard_normal((n_out, n_in)) * np.sqrt(2 / n_in)


class Dense:
    """One layer: W (n_out, n_in), b (n_out,) and the activation sigma.

    >>> layer = Dense(W=[[2.0, -1.0]], b=[0.5], sigma=sigmoid)
    >>> z, a = layer.forward(np.array([[1.0, 3.0]]))
    >>> z, a.round(4)
    (array([[-0.5]]), array([[0.3775]]))
    """

    def __init__(self, W, b, sigma=sigmoid):
        W, b = np.asarray(W), np.asarray(b)
        if W.ndim != 2 or b.shape != W.shape[:1] or W.size == 0:
            raise ValueError(
                "a layer needs W (n_out, n_in) and b (n_out,) of at least one unit, "
                f"got W {W.shape} and b {b.shape}"
            )
        if W.dtype.kind != "f" or b.dtype.kind != "f":
            raise ValueError(
                f"weights and biases must be floats, got W {W.dtype} and b {b.dtype}; "
                "use .astype(float)"
            )
        if not hasattr(sigma, "prime"):
            raise ValueError(
                f"sigma must be an activation with a derivative sigma.prime(z), got {sigma!r}"
            )
        self.W, self.b, self.sigma = W, b, sigma

    def forward(self, a_prev):
        """z = a_prev Wᵀ + b and a = σ(z): from (m, n_in) to two arrays (m, n_out)."""
        z = a_prev @ self.W.T + self.b
        return z, self.sigma(z)
