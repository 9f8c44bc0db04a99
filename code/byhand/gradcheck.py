"""The check behind every gradient of the book: compare it with a difference quotient.

A wrong gradient often still learns, so a falling loss proves nothing (chapter 7). The difference
quotient (f(x + h) − f(x − h)) / 2h knows nothing of how a gradient was derived: where the two
agree to eight digits, the derivation is right; where they do not, the blocks that differ say where
to look (chapter 6).
"""

import numpy as np

from byhand.backprop import backprop as the_books_backprop
from byhand.backprop import check_examples, evaluate

TOLERANCE = 1e-7  # between the two kinds of relative error: rounding below it, mistakes above
ROUNDING = 1e-9  # differences below it, not relative to anything, may be rounding alone


def numerical_gradient(f, x, h=1e-5):
    """Central differences (f(x + h e_i) − f(x − h e_i)) / 2h for each component; shaped like x.

    f: a function of a float64 array x, of any shape, that returns one number. h = 1e-5 balances
    the error of the formula, about h², against rounding, about 1e-16/h (chapter 6).

    >>> numerical_gradient(lambda x: (x ** 2).sum(), np.array([1.0, -3.0])).round(6)
    array([ 2., -6.])
    """
    x = np.asarray(x)
    if x.dtype != np.float64:
        raise ValueError(f"differences need the digits of float64, got {x.dtype}")
    if not np.isfinite(x).all():
        raise ValueError("expected finite numbers in x, got NaN or infinity")
    gradient, moved = np.zeros(x.shape), x.copy()
    for i in np.ndindex(x.shape):
        moved[i] = x[i] + h
        above = _number(f(moved))
        moved[i] = x[i] - h
        gradient[i] = (above - _number(f(moved))) / (2 * h)
        moved[i] = x[i]
    return gradient


def relative_error(analytic, numerical):
    """‖analytic − numerical‖ / max(‖analytic‖, ‖numerical‖): 0 for equal arrays, about 1 for
    unrelated ones, 2 for opposite ones; ∞, which no max() overlooks, if a number is NaN or ±∞."""
    if not (np.isfinite(analytic).all() and np.isfinite(numerical).all()):
        return np.inf
    scale = max(np.linalg.norm(analytic), np.linalg.norm(numerical))
    return float(np.linalg.norm(np.subtract(analytic, numerical)) / scale) if scale else 0.0


class Report(dict):
    """Relative error by block, as a dict that prints as a table and says what to suspect."""

    def __init__(self, analytic, numerical):
        super().__init__((k, relative_error(analytic[k], numerical[k])) for k in analytic)
        self.advice = _suspect(analytic, numerical, self)

    def __str__(self):
        width = max(map(len, self))
        rows = [
            f"{name:<{width}}  " + ("agrees" if e < TOLERANCE else f"off, relative error {e:.1e}")
            for name, e in self.items()
        ]
        return "\n".join([*rows, self.advice])


def check_gradients(net, X, Y, loss, backprop=the_books_backprop, h=1e-5):
    """Relative error of each block dW(l), db(l) against central differences, as a `Report`.

    Needs a float64 network and float64 X, Y; the network is left as it was. Costs two forward
    passes a parameter. backprop: whose gradients to check, the book's or your own.
    """
    X, Y = check_examples(net, X, Y, loss)
    for name, array in [("X", X), ("Y", Y), *((f"W({l})", net[l].W) for l in range(1, net.L + 1))]:
        if array.dtype != np.float64:
            raise ValueError(f"a gradient check needs float64, got {name} in {array.dtype}")
    twin = net.copy()
    trace = backprop(net.copy(), X, Y, loss)  # a wrong backward pass may write to its network
    analytic, numerical = {}, {}
    for l in range(1, net.L + 1):
        for kind in "Wb":
            name, block, start = f"d{kind}({l})", getattr(twin[l], kind), getattr(net[l], kind)

            def f(parameters):
                block[...] = parameters
                return evaluate(twin, X, Y, loss)

            analytic[name] = _shaped(name, getattr(trace, f"d{kind}")[l], start)
            numerical[name] = numerical_gradient(f, start, h)
            block[...] = start
    return Report(analytic, numerical)


def check_function(f, grad, x, h=1e-5):
    """The same for a plain function: the relative error of grad(x) against differences of f(x).

    x: one float64 array, or a dict of named arrays; then f and grad take the dict, and grad
    returns a dict with the same names.
    """
    if not isinstance(x, dict):
        x = np.asarray(x)
        return Report({"gradient": _shaped("gradient", grad(x), x)},
                      {"gradient": numerical_gradient(f, x, h)})
    analytic = grad(x)
    if set(analytic) != set(x):
        raise ValueError(f"expected gradients of {', '.join(x)}, got {', '.join(analytic)}")
    numerical = {k: numerical_gradient(lambda v, k=k: f({**x, k: v}), x[k], h) for k in x}
    return Report({k: _shaped(k, analytic[k], x[k]) for k in x}, numerical)


def _suspect(analytic, numerical, errors):
    """One sentence on what the pattern of the errors points to."""
    wrong = [name for name, e in errors.items() if not e < TOLERANCE]
    zero = [name for name in errors if not np.any(analytic[name]) and not np.any(numerical[name])]
    if not wrong:
        return "all agree" + (f"; {', '.join(zero)} all zero: proves nothing" if zero else "")
    if all(np.abs(analytic[k] - numerical[k]).max() < ROUNDING for k in wrong):
        return (f"undecided: {', '.join(wrong)} so small that rounding hides the gradient; "
                "try weights and inputs that leave no unit saturated")
    if not any(np.any(analytic[k]) for k in wrong):
        return f"suspect: {', '.join(wrong)} never computed: zero, and the gradient is not"
    c = _common_factor([analytic[k] for k in wrong], [numerical[k] for k in wrong])
    times = f", each {c:.4g} times the gradient" if c else ""
    if c and len(wrong) + len(zero) == len(errors):
        return (f"suspect: every block is {c:.4g} times the gradient: "
                "a sign, a factor, or a sum where the mean belongs")
    if "dW(1)" not in errors:
        return f"suspect: the derivation of {', '.join(wrong)}{times}"
    if all(name.startswith("db") for name in wrong):
        return f"suspect: BP3 (only biases are off{times}): the mean of delta over the batch"
    if all(name.startswith("dW") for name in wrong):
        return f"suspect: BP4 (only weights are off{times}): delta[l].T @ a[l - 1] / m, to j from k"
    l, L = max(int(name[3:-1]) for name in wrong), len(errors) // 2
    if l < L:
        return (f"suspect: BP2 (right down to layer {l + 1}, off from layer {l} on{times}): "
                f"delta[{l + 1}] @ W, not its transpose, W before any update, sigma.prime of z; "
                "or a ReLU so near its kink that h crosses it")
    return "suspect: BP1 (the last layer is off): loss.grad, its factor, sigma.prime at the output"


def _common_factor(analytic, numerical):
    """c with analytic = c·numerical in every block, or None."""
    c = np.vdot(analytic[0], numerical[0]) / max(np.vdot(numerical[0], numerical[0]), 1e-300)
    same = all(relative_error(a, c * n) < 1e-6 for a, n in zip(analytic, numerical))
    return c if same else None


def _number(value):
    if np.size(value) != 1:
        raise ValueError(f"f must return one number, got shape {np.shape(value)}")
    return float(np.reshape(value, ()))


def _shaped(name, gradient, x):
    if np.shape(gradient) != np.shape(x):
        raise ValueError(f"expected {name} of shape {np.shape(x)}, got {np.shape(gradient)}")
    return np.asarray(gradient)
