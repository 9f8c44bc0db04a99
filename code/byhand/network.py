"""A network: layers in a row, and with them one function of all their parameters.

`Network([784, 16, 10])` takes 784 numbers to 10 through 16 hidden units. Layers are counted as in
the book: net[1] is the first layer with weights, net[net.L] the output; the input is layer 0 and
has none. Logistic regression is `Network([d, 1])` (chapter 1).
"""

import numpy as np

from byhand.activations import sigmoid, softmax
from byhand.layers import Dense, scaled_normal


class Network:
    """Dense layers of the widths in sizes: sizes = [n_0, n_1, …, n_L].

    hidden, output: activations of the hidden layers and of the last one.
    init: how weights are drawn, `init(rng, n_out, n_in)`; biases start at 0.
    seed: of the random weights; the same seed gives the same network. dtype: of all parameters.

    >>> Network([784, 16, 10], seed=0)
    Network 784-16-10
    layer   W          b      activation  parameters
        1   (16, 784)  (16,)  sigmoid         12,560
        2   (10, 16)   (10,)  sigmoid            170
    total                                     12,730
    """

    def __init__(
        self, sizes, hidden=sigmoid, output=sigmoid, init=scaled_normal, seed=None, dtype=float
    ):
        sizes = _check_sizes(sizes)
        self.L = len(sizes) - 1  # the input, layer 0, is not counted
        if np.dtype(dtype).kind != "f":
            raise ValueError(f"dtype must be a float type, got {np.dtype(dtype)}")
        if hidden is softmax or (output is softmax and sizes[-1] < 2):
            raise ValueError(
                "softmax belongs on an output layer of at least two units, "
                f"got it {'in a hidden layer' if hidden is softmax else 'on one unit'}"
            )
        rng = np.random.default_rng(seed)
        self.layers = [
            Dense(
                init(rng, sizes[l], sizes[l - 1]).astype(dtype),
                np.zeros(sizes[l], dtype),
                hidden if l < self.L else output,
            )
            for l in range(1, self.L + 1)
        ]

    @property
    def sizes(self):
        """[n_0, n_1, …, n_L]."""
        return [self.layers[0].W.shape[1]] + [layer.W.shape[0] for layer in self.layers]

    @property
    def n_parameters(self):
        """Σ_l (n_{l−1} + 1)·n_l: all weights and all biases (chapter 3)."""
        return sum(layer.W.size + layer.b.size for layer in self.layers)

    def __getitem__(self, l):
        """Layer l of the book, 1 ≤ l ≤ L."""
        if not 1 <= l <= self.L:
            raise ValueError(
                f"layers are numbered 1 to {self.L}, got {l}"
                + (": layer 0 is the input and has no weights" if l == 0 else "")
            )
        return self.layers[l - 1]

    def __iter__(self):
        return iter(self.layers)

    def __len__(self):
        return self.L

    def __call__(self, X):
        """The outputs: (m, n_0) to (m, n_L), or one example (n_0,) to (n_L,)."""
        one = np.shape(X) == (self.sizes[0],)
        a = check_batch("X", np.asarray(X)[None] if one else X, self.sizes[0], "n_0")
        for layer in self.layers:
            _, a = layer.forward(a)
        return a[0] if one else a

    def flatten(self):
        """All parameters as one vector θ: W(1) row by row, b(1), W(2), b(2), … (chapter 3)."""
        return np.concatenate([p.ravel() for layer in self.layers for p in (layer.W, layer.b)])

    def unflatten(self, theta):
        """Set all parameters from a vector θ in the order of `flatten`; returns the network."""
        theta = np.asarray(theta)
        if theta.shape != (self.n_parameters,):
            raise ValueError(
                f"expected a vector of {self.n_parameters:,} parameters, got shape {theta.shape}"
            )
        start = 0
        for layer in self.layers:
            for p in (layer.W, layer.b):
                p[...] = theta[start : start + p.size].reshape(p.shape)
                start += p.size
        return self

    def copy(self):
        """A second network with its own copies of the parameters."""
        twin = object.__new__(type(self))
        twin.L = self.L
        twin.layers = [Dense(la.W.copy(), la.b.copy(), la.sigma) for la in self.layers]
        return twin

    def __repr__(self):
        rows = [
            (str(l), str(layer.W.shape), str(layer.b.shape), layer.sigma.__name__,
             f"{layer.W.size + layer.b.size:,}")
            for l, layer in enumerate(self.layers, start=1)
        ]
        rows = [("layer", "W", "b", "activation", "parameters"), *rows,
                ("total", "", "", "", f"{self.n_parameters:,}")]
        width = [max(len(row[i]) for row in rows) for i in range(5)]
        lines = [
            f"{r[0]:>{width[0]}}   {r[1]:<{width[1]}}  {r[2]:<{width[2]}}  {r[3]:<{width[3]}}"
            f"  {r[4]:>{width[4]}}"
            for r in rows
        ]
        return "\n".join([f"Network {'-'.join(map(str, self.sizes))}", *lines])


def check_batch(name, A, width, symbol):
    """A as a float array (m, width) with m ≥ 1 and finite numbers, or a ValueError that says what
    was expected and what came."""
    A = np.asarray(A)
    if A.ndim != 2 or A.shape[1] != width:
        hint = "; one column is y[:, None], one example is x[None, :]" if A.ndim == 1 else ""
        raise ValueError(
            f"expected {name} of shape (m, {symbol}) = (m, {width}), got {A.shape}{hint}"
        )
    if A.shape[0] == 0:
        raise ValueError(f"expected at least one example, got an empty {name} of shape {A.shape}")
    if A.dtype.kind != "f":
        raise ValueError(f"expected {name} to hold floats, got dtype {A.dtype}; use .astype(float)")
    if not np.isfinite([A.min(), A.max()]).all():  # NaN and ±∞ reach one of the two
        row, column = np.argwhere(~np.isfinite(A))[0]
        raise ValueError(
            f"expected finite numbers in {name}, got {A[row, column]} in row {row}, column {column}"
        )
    return A


def _check_sizes(sizes):
    widths = list(sizes) if np.iterable(sizes) else []
    if len(widths) < 2 or not all(isinstance(n, (int, np.integer)) and n >= 1 for n in widths):
        raise ValueError(
            "sizes are the widths n_0, n_1, …, n_L, at least two whole numbers from 1 up, "
            f"got {sizes!r}"
        )
    return widths
