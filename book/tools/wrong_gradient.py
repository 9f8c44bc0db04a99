"""The story on the landing page, with its numbers: a wrong gradient that still learns.

    python book/tools/wrong_gradient.py        prints every number of the story; about a minute

A 784-16-10 network with ReLU hidden units learns the shipped digits twice from the same start: once
with the book's backward pass, once with one whose ReLU mask is taken after the ReLU. Five seeds
each decide the split, the first weights and the order of the examples. The last line compares what
was found with what book/intro.md says; another processor may differ in the last digits.
"""

import sys
from pathlib import Path

import numpy as np
from byhand import (
    Network,
    accuracy,
    backprop,
    check_gradients,
    cross_entropy,
    he_normal,
    mnist,
    mse,
    relu,
    sigmoid,
    softmax,
    split,
)

SEEDS = range(5)
PAGE = Path(__file__).resolve().parents[1] / "intro.md"


def masked_after(net, X, Y, loss):
    """Backpropagation through one hidden layer of ReLUs, with the mask a ≥ 0 instead of z > 0."""
    trace = backprop(net, X, Y, loss)
    mask = trace.a[1] >= 0                          # always True: a ReLU is never negative
    trace.delta[1] = (trace.delta[2] @ net[2].W) * mask
    trace.db[1] = trace.delta[1].mean(axis=0)
    trace.dW[1] = trace.delta[1].T @ trace.a[0] / len(X)
    return trace


def learn(backward, loss, output, eta, seed, epochs=20, batch_size=10):
    """Train from the seed; return the accuracy on 1,000 other digits and the loss of each epoch."""
    (X, Y), (X_test, Y_test) = split(*mnist(), 4000, 1000, seed=seed)
    net = Network([784, 16, 10], hidden=relu, output=output, init=he_normal, seed=seed)
    rng, losses = np.random.default_rng(seed), []
    for _ in range(epochs):
        order, total = rng.permutation(len(X)), 0.0
        for start in range(0, len(X), batch_size):
            batch = order[start : start + batch_size]
            trace = backward(net, X[batch], Y[batch], loss)
            for l in range(1, net.L + 1):
                net[l].W -= eta * trace.dW[l]
                net[l].b -= eta * trace.db[l]
            total += trace.loss * len(batch)
        losses.append(total / len(X))
    return accuracy(net(X_test), Y_test), losses


def train_twice(loss, output, eta):
    """Train with the right and the wrong backward pass; return the texts that the page holds."""
    said = []
    for name, backward in ("right", backprop), ("wrong", masked_after):
        runs = [learn(backward, loss, output, eta, seed) for seed in SEEDS]
        found = 100 * np.array([run[0] for run in runs])
        first, last = (np.mean([run[1][epoch] for run in runs]) for epoch in (0, -1))
        said += [f"{found.mean():.1f} % ({found.min():.1f} to {found.max():.1f})",
                 f"{first:.3f} to {last:.3f}"]
        print(f"{loss.__name__}, {name}: accuracy {said[-2]}, loss {said[-1]}", flush=True)
    return said


def check_both():
    """The gradient check of both, with 10 digits; returns the texts that the page holds."""
    X, Y = mnist()
    net = Network([784, 16, 10], hidden=relu, init=he_normal, seed=0)
    off = f"{np.mean(net[1].forward(X[:10])[0] < 0):.0%}".replace("%", " %")
    print(f"hidden sums z below 0 at the start: {off}")
    for backward in backprop, masked_after:
        report = check_gradients(net, X[:10], Y[:10], mse, backprop=backward)
        print(f"{backward.__name__}:\n{report}")
    return [off, *str(report).splitlines()[:4]]


def main():
    said = train_twice(mse, sigmoid, eta=0.5)
    said += train_twice(cross_entropy, softmax, eta=0.1)[::2]         # the accuracies
    said += check_both()
    page = " ".join(PAGE.read_text(encoding="utf-8").split())
    missing = [text for text in said if " ".join(text.split()) not in page]
    print(f"not on the page: {missing}" if missing else "the page says the same")
    return bool(missing)


if __name__ == "__main__":
    sys.exit(main())
