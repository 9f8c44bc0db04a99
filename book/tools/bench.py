"""How fast is byhand? The same training by byhand, scikit-learn, PyTorch and a plain loop.

    make bench
    python book/tools/bench.py            the same, with torch and scikit-learn installed
    python book/tools/bench.py --quick    one table, fewer epochs

All train on the full MNIST in float32 on one thread: sigmoid hidden layer, softmax output,
cross-entropy, plain gradient descent. All start from the same weights and see the same examples in
the same order; after one epoch their weights must agree to rounding, which proves equal work.

They take turns of three epochs. The first of a turn, which holds each library's checks of its
input, is not counted; the table shows the median of the others, in seconds of the processor, which
on an idle machine are those of the clock. The *floor* does only what cannot be left out: it gathers
each batch and multiplies the five pairs of matrices, with the calls that byhand uses.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from time import process_time

os.environ["OMP_NUM_THREADS"] = "1"     # read when the libraries below are imported
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
from byhand import Network, accuracy, cross_entropy, mnist, softmax, train

ETA = 0.3
LOOP_SHARE = 20     # the loop is so slow that it trains on a twentieth of the examples
NEIGHBOUR = Path(__file__).resolve().parents[3] / "shared" / "data" / "mnist.npz"


def network(sizes):
    return Network(sizes, output=softmax, seed=0, dtype=np.float32)


# A contestant is a function of (sizes, batch size, X, Y) that returns two functions:
# turn(seed, epochs) trains on and returns a time for the end (or start) of each epoch, and
# weights() returns W(1), b(1), W(2), b(2) as they are now.


def by_hand(sizes, batch_size, X, Y):
    net = network(sizes)

    def turn(seed, epochs):
        return train(net, X, Y, cross_entropy, ETA, epochs, batch_size, seed=seed,
                     on_epoch=lambda epoch, net: process_time()).measured

    return turn, lambda: [p for layer in net for p in (layer.W, layer.b)]


def scikit_learn(sizes, batch_size, X, Y):
    """MLPClassifier as it is; only its shuffle is replaced, by one that gives the common order."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier, _multilayer_perceptron

    warnings.simplefilter("ignore", ConvergenceWarning)     # it is to stop when told
    labels = Y.argmax(axis=1)
    mlp = MLPClassifier(sizes[1:-1], activation="logistic", solver="sgd", alpha=0, momentum=0,
                        batch_size=batch_size, learning_rate="constant", learning_rate_init=ETA,
                        warm_start=True, n_iter_no_change=10**6)
    mlp.partial_fit(X[:batch_size], labels[:batch_size], classes=np.arange(10))
    mlp.coefs_ = [layer.W.T.copy() for layer in network(sizes)]
    mlp.intercepts_ = [layer.b for layer in network(sizes)]

    def turn(seed, epochs):
        rng, ticks = np.random.default_rng(seed), []

        def shuffle(indices, random_state):
            ticks.append(process_time())
            return rng.permutation(len(indices))

        _multilayer_perceptron.shuffle = shuffle
        mlp.set_params(max_iter=epochs).fit(X, labels)
        return ticks

    return turn, lambda: [p for W, b in zip(mlp.coefs_, mlp.intercepts_) for p in (W.T, b)]


def epochs_of(step, m, batch_size):
    """turn(seed, epochs) for those who have no training loop of their own."""
    def turn(seed, epochs):
        rng, ticks = np.random.default_rng(seed), []
        for _ in range(epochs):
            order = rng.permutation(m)
            for start in range(0, m, batch_size):
                step(order[start : start + batch_size])
            ticks.append(process_time())
        return ticks

    return turn


def pytorch(sizes, batch_size, X, Y):
    import torch

    torch.set_num_threads(1)
    model = torch.nn.Sequential(torch.nn.Linear(*sizes[:2]), torch.nn.Sigmoid(),
                                torch.nn.Linear(*sizes[1:]))
    for p, start in zip(model.parameters(), by_hand(sizes, batch_size, X, Y)[1]()):
        p.data = torch.from_numpy(start)
    X, labels = torch.from_numpy(X), torch.from_numpy(Y.argmax(axis=1))
    loss_function = torch.nn.CrossEntropyLoss()
    optimizer, total = torch.optim.SGD(model.parameters(), lr=ETA), [0.0]

    def step(batch):
        batch = torch.from_numpy(batch)
        loss = loss_function(model(X[batch]), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total[0] += loss.item() * len(batch)

    turn = epochs_of(step, len(X), batch_size)
    return turn, lambda: [p.detach().numpy() for p in model.parameters()]


def loop(sizes, batch_size, X, Y):
    """One example at a time, as a first program does it, with a vector for each layer."""
    weights = by_hand(sizes, batch_size, X, Y)[1]()
    W1, b1, W2, b2 = weights

    def step(batch):
        sums = [np.zeros_like(p) for p in weights]
        for x, y in zip(X[batch], Y[batch]):
            a1 = 1 / (1 + np.exp(-(W1 @ x + b1)))
            z2 = W2 @ a1 + b2
            e = np.exp(z2 - z2.max())
            delta2 = e / e.sum() - y
            delta1 = (W2.T @ delta2) * a1 * (1 - a1)
            dW1, dW2 = np.outer(delta1, x), np.outer(delta2, a1)
            for s, g in zip(sums, (dW1, delta1, dW2, delta2)):
                s += g
        for p, s in zip(weights, sums):
            p -= ETA / len(batch) * s

    return epochs_of(step, len(X), batch_size), lambda: weights


def floor(sizes, batch_size, X, Y):
    W1, W2 = (layer.W for layer in network(sizes))
    a, d = np.ones((batch_size, sizes[1]), X.dtype), np.ones((batch_size, 10), X.dtype)

    def step(batch):
        x, _ = X.take(batch, axis=0), Y.take(batch, axis=0)
        a1, delta2 = a[: len(x)], d[: len(x)]
        x @ W1.T, a1 @ W2.T, delta2 @ W2, delta2.T @ a1, a1.T @ x

    return epochs_of(step, len(X), batch_size), None


def compare(sizes, batch_size, X, Y, X_test, Y_test, rounds):
    """Let them take turns and print the table."""
    runs = {"byhand": by_hand, "scikit-learn": scikit_learn, "PyTorch": pytorch, "floor": floor}
    runs = {name: make(sizes, batch_size, X, Y) for name, make in runs.items()}
    for turn, _ in runs.values():
        turn(0, 1)
    off = {name: difference(runs["byhand"], runs[name]) for name in ("scikit-learn", "PyTorch")}
    seconds = {name: [] for name in runs}
    for seed in range(1, rounds + 1):
        for name, (turn, _) in runs.items():
            seconds[name] += np.diff(turn(seed, 3)).tolist()

    few = len(X) // LOOP_SHARE
    quick, slow = (make(sizes, batch_size, X[:few], Y[:few]) for make in (by_hand, loop))
    quick[0](0, 3)
    seconds["loop"] = LOOP_SHARE * np.diff(slow[0](0, 3))
    off["loop"] = difference(quick, slow)

    median = {name: np.median(times) for name, times in seconds.items()}
    steps = -(-len(X) // batch_size)
    print(f"\n{'-'.join(map(str, sizes))}, batch {batch_size}: {steps:,} steps an epoch; accuracy "
          f"after {1 + 3 * rounds} epochs\n{'':14}  s/epoch  µs/step (fastest)  / byhand  / floor"
          "  test accuracy  weights differ by")
    for name, t in sorted(median.items(), key=lambda item: item[1]):
        tested, differ = "", f"{off[name]:.0e}" if name in off else ""
        if name not in ("floor", "loop"):       # the loop has seen too few examples
            net = network(sizes).unflatten(flat(runs[name]))
            tested = f"{accuracy(net(X_test), Y_test):.2%}"
        print(f"{name:14}{t:9.3f}{t / steps * 1e6:9.0f}{min(seconds[name]) / steps * 1e6:10.0f}"
              f"{t / median['byhand']:10.2f}{t / median['floor']:9.2f}{tested:>15}{differ:>18}")
    assert max(off.values()) < 1e-4, f"not the same training: {off}"


def flat(run):
    """All parameters of a contestant as one vector θ."""
    return np.concatenate([p.ravel() for p in run[1]()])


def difference(run, other):
    """‖θ − θ'‖ / ‖θ‖ of two contestants' parameters."""
    return np.linalg.norm(flat(run) - flat(other)) / np.linalg.norm(flat(run))


def memory(folder):
    """Train for two epochs in a process that holds nothing else; print its peak beyond the data."""
    X, Y = (np.load(f"{folder}/{name}.npy") for name in "XY")
    train(network([784, 16, 10]), X, Y, cross_entropy, ETA, 2, 32, seed=0)
    try:
        status = Path("/proc/self/status").read_text()      # of this process alone
        peak = 1024 * int(status.split("VmHWM:")[1].split()[0]) - X.nbytes - Y.nbytes
        print(f"\nMemory of byhand, 784-16-10, batch 32: {peak / 1e6:.0f} MB at most beyond the "
              f"{(X.nbytes + Y.nbytes) / 1e6:.0f} MB of data, Python and NumPy included")
    except (OSError, IndexError):
        print("\nMemory: measured on Linux only")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one table, fewer epochs")
    parser.add_argument("--memory", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory:
        return memory(options.memory)
    if NEIGHBOUR.exists():
        os.environ.setdefault("BYHAND_DATA", str(NEIGHBOUR))
    if "BYHAND_DATA" not in os.environ:
        return print("bench: skipped, because it needs the full MNIST; name it in BYHAND_DATA")
    import sklearn
    import torch

    X, Y = mnist(full=True, dtype=np.float32)
    (X, X_test), (Y, Y_test) = np.split(X, [60000]), np.split(Y, [60000])
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    print(f"MNIST, 60,000 examples. Python {platform.python_version()}, NumPy {np.__version__}, "
          f"scikit-learn {sklearn.__version__}, PyTorch {torch.__version__}.\nLoad {load} on "
          f"{os.cpu_count()} cores. The loop trains on 1/{LOOP_SHARE} of the examples, and its "
          f"time is multiplied by {LOOP_SHARE}.")
    for sizes, batch_size in [([784, 16, 10], 32), ([784, 16, 10], 128), ([784, 128, 10], 32)]:
        compare(sizes, batch_size, X, Y, X_test, Y_test, rounds=1 if options.quick else 4)
        if options.quick:
            break
    with tempfile.TemporaryDirectory() as folder:
        np.save(f"{folder}/X.npy", X)
        np.save(f"{folder}/Y.npy", Y)
        sys.stdout.flush()
        subprocess.run([sys.executable, __file__, "--memory", folder], check=True)


if __name__ == "__main__":
    main()
