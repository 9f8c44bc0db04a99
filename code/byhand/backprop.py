"""Backpropagation: the gradient of the loss with respect to every parameter, in one sweep back.

Chapter 7 derives four equations, BP1 to BP4; here each is one line. `backprop` computes and
returns; it never changes the network (that is descent's work) and keeps nothing between calls.
"""

import numpy as np

from byhand.losses import check_targets, output_delta, output_loss
from byhand.network import check_batch


class Trace:
    """Every number of one forward and backward pass; print it to read them.

    z, a, delta, dW, db: lists indexed by layer, 0 … L. a[0] is X; other slots 0 are None.
    z[l], a[l], delta[l]: (m, n_l), one example a row, delta[l] = ∂L/∂z[l] of each example's loss.
    dW[l], db[l]: shaped like W and b, the mean over the batch.
    """

    def __init__(self, net, X, Y, loss):
        slots = net.L + 1
        self.z, self.a, self.delta = [None] * slots, [None] * slots, [None] * slots
        self.dW, self.db = [None] * slots, [None] * slots
        self.a[0], self.Y, self._loss, self._sigma = X, Y, loss, net[net.L].sigma

    @property
    def loss(self):
        """The mean loss of the batch, worked out when asked for: the gradient does not need it."""
        return float(output_loss(self._loss, self._sigma, self.z[-1], self.a[-1], self.Y))

    def flatten(self):
        """The gradient as one vector, in the order of `Network.flatten`."""
        return np.concatenate([g.ravel() for pair in zip(self.dW[1:], self.db[1:]) for g in pair])

    def __str__(self):
        L, m = len(self.a) - 1, len(self.a[0])
        sizes = "-".join(str(a.shape[1]) for a in self.a)
        rows = [f"{m} example{'s' * (m > 1)} through {sizes}: loss {self.loss:.6f}", "forward"]
        rows += [_row("a(0)", self.a[0])]
        for l in range(1, L + 1):
            rows += [_row(f"z({l})", self.z[l]), _row(f"a({l})", self.a[l])]
        rows += ["backward"]
        for l in range(L, 0, -1):
            rows += [_row(f"δ({l})", self.delta[l]), _row(f"∂L/∂b({l})", self.db[l]),
                     _row(f"∂L/∂W({l})", self.dW[l])]
        return "\n".join(rows)


def backprop(net, X, Y, loss):
    """The gradient of the batch's mean loss, with every number on the way to it, as a `Trace`.

    X: (m, n_0), Y: (m, n_L). Costs about as much as two further forward passes (chapter 7).
    """
    X, Y = check_examples(net, X, Y, loss)
    return backward(net, X, Y, loss)


def backward(net, X, Y, loss):
    """`backprop` without the checks at the door: the algorithm itself (chapter 7, BP1 to BP4)."""
    L, m, trace = net.L, len(X), Trace(net, X, Y, loss)
    z, a, delta, dW, db = trace.z, trace.a, trace.delta, trace.dW, trace.db

    for l in range(1, L + 1):
        z[l], a[l] = net[l].forward(a[l - 1])                             # (m, n_l)

    delta[L] = output_delta(loss, net[L].sigma, z[L], a[L], Y)            # (BP1)
    for l in range(L - 1, 0, -1):
        delta[l] = (delta[l + 1] @ net[l + 1].W) * net[l].sigma.prime(z[l])   # (BP2)
    for l in range(1, L + 1):
        share = delta[l] / m        # what each example adds to the batch's mean
        db[l] = share.sum(axis=0)                                         # (BP3)
        dW[l] = share.T @ a[l - 1]                                        # (BP4)
    return trace


def evaluate(net, X, Y, loss):
    """The mean loss of the network on X (m, n_0), Y (m, n_L): a forward pass, no gradient."""
    a, Y = check_examples(net, X, Y, loss)
    for l in range(1, net.L + 1):
        z, a = net[l].forward(a)
    return float(output_loss(loss, net[net.L].sigma, z, a, Y))


def check_examples(net, X, Y, loss):
    """X and Y as arrays that fit the network, each other and the loss, or a ValueError."""
    X = check_batch("X", X, net.sizes[0], "n_0")
    Y = check_batch("Y", Y, net.sizes[-1], "n_L")
    if len(X) != len(Y):
        raise ValueError(f"expected as many targets as examples, got {len(X)} in X, {len(Y)} in Y")
    check_targets(loss, net[net.L].sigma, Y)
    return X, Y


def _row(name, values):
    """A line `name  values`, to six decimals; + 0.0 turns a rounded −0 into 0."""
    text = np.array2string(
        np.squeeze(np.round(values, 6) + 0.0), floatmode="fixed", precision=6,
        suppress_small=True, max_line_width=88,
    )
    return f"  {name:<9}{text}".replace("\n", "\n" + " " * 11)
