"""Gradient descent: walk downhill, one small step against the gradient at a time (chapter 5).

`descend` does it for any function of a few variables. `train` does it for a network: backprop
gives the gradient of a batch, and every parameter moves a little against it.
"""

import warnings

import numpy as np

from byhand.backprop import backward, check_examples


def descend(grad, start, eta, steps):
    """The path x ← x − η·grad(x) from start (n,): an array (steps + 1, n), start included.

    A path that leaves the finite numbers ends there, with a warning.

    >>> descend(lambda x: 2 * x, [10.0], eta=0.2, steps=2).ravel().round(4)
    array([10. ,  6. ,  3.6])
    """
    eta = _check_eta(eta)
    _check_count("steps", steps)
    path = [np.atleast_1d(np.array(start, dtype=float))]
    if not np.isfinite(path[0]).all():
        raise ValueError(f"expected a finite start, got {start}")
    with np.errstate(over="ignore", invalid="ignore"):
        for step in range(1, steps + 1):
            gradient = np.atleast_1d(grad(path[-1]))
            if gradient.shape != path[0].shape:
                raise ValueError(
                    f"expected grad(x) of shape {path[0].shape}, got {gradient.shape}"
                )
            x = path[-1] - eta * gradient
            if not np.isfinite(x).all():
                warnings.warn(f"the path is infinite after step {step}: try a smaller eta",
                              RuntimeWarning, stacklevel=2)
                break
            path.append(x)
    return np.array(path)


class History:
    """What a training run leaves behind.

    loss: the mean loss of each epoch's batches, taken before each update. measured: what
    `on_epoch` returned after each epoch. stopped: None, or why the run ended early.
    """

    def __init__(self):
        self.loss, self.measured, self.stopped = [], [], None

    def __repr__(self):
        if not self.loss:
            return "History of no epochs"
        end = f", stopped: {self.stopped}" if self.stopped else ""
        return (f"History of {len(self.loss)} epochs: loss {self.loss[0]:.4f} to "
                f"{self.loss[-1]:.4f}{end}")


def train(net, X, Y, loss, eta, epochs, batch_size=None, seed=None, on_epoch=None, progress=False):
    """Train the network in place by gradient descent; returns a `History`.

    X: (m, n_0), Y: (m, n_L). eta: step size η. batch_size: None for the whole set at each step,
    else that many examples, shuffled anew in each epoch (the last batch may be smaller); seed: of
    the shuffling. on_epoch(epoch, net): called after each epoch, from 1; what it returns is kept
    in history.measured; it may raise StopIteration to end the run. progress: show a bar.

    If the loss turns infinite or NaN, the run stops with a RuntimeWarning and keeps its history.
    """
    X, Y = check_examples(net, X, Y, loss)
    eta = _check_eta(eta)
    _check_count("epochs", epochs)
    if batch_size is not None:
        _check_count("batch_size", batch_size, most=len(X))
    rng, history = np.random.default_rng(seed), History()

    for epoch in _counted(epochs, progress):
        history.loss.append(_one_epoch(net, X, Y, loss, eta, batch_size, rng))
        if not np.isfinite(history.loss[-1]):
            history.stopped = f"the loss turned {history.loss[-1]} in epoch {epoch}"
            warnings.warn(f"{history.stopped}: try a smaller eta than {eta:g}, "
                          "inputs scaled to about −1 … 1, or smaller initial weights",
                          RuntimeWarning, stacklevel=2)
            break
        try:
            if on_epoch is not None:
                history.measured.append(on_epoch(epoch, net))
        except StopIteration as reason:
            history.stopped = str(reason) or f"on_epoch ended the run in epoch {epoch}"
            break
    return history


@np.errstate(over="ignore", invalid="ignore")  # a run that diverges is told so by its loss
def _one_epoch(net, X, Y, loss, eta, batch_size, rng):
    """One pass over all examples, a step a batch; their mean loss, each taken before its step."""
    if batch_size is None:
        return _step(net, X, Y, loss, eta)
    order, total = rng.permutation(len(X)), 0.0
    for start in range(0, len(X), batch_size):
        batch = order[start : start + batch_size]
        total += _step(net, X.take(batch, axis=0), Y.take(batch, axis=0), loss, eta) * len(batch)
    return total / len(X)


def _step(net, X, Y, loss, eta):
    """W ← W − η·dW and b ← b − η·db in every layer; returns the loss before it."""
    trace = backward(net, X, Y, loss)
    for layer, dW, db in zip(net, trace.dW[1:], trace.db[1:]):
        layer.W -= eta * dW
        layer.b -= eta * db
    return trace.loss


def _counted(epochs, progress):
    if not progress:
        return range(1, epochs + 1)
    from tqdm.auto import tqdm  # only for those who ask for a bar
    return tqdm(range(1, epochs + 1), unit="epoch")


def _check_eta(eta):
    """eta as a plain float, which leaves the parameters their float type."""
    if not isinstance(eta, (int, float, np.integer, np.floating)) or not 0 < eta < np.inf:
        raise ValueError(f"expected a step size eta greater than 0, got {eta!r}")
    return float(eta)


def _check_count(name, n, most=None):
    if not isinstance(n, (int, np.integer)) or n < 1 or (most and n > most):
        end = f"to m = {most}" if most else "up"
        raise ValueError(f"expected {name} to be a whole number from 1 {end}, got {n!r}")
