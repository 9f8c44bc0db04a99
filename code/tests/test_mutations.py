"""Would the tests notice? More than fifty wrong versions of the package, each one line away from
the right one; against each, the tests of this folder are run, and at least one must fail.

Many are taken from widely read code, where they went unnoticed because a network with a wrong
gradient often still learns (chapter 7). Each mutant is a replacement in the source of a copy of the
package. The copies are tested in one further process, this file run as a script, and each run ends
at its first failure. `pytest -s code/tests/test_mutations.py` prints which test caught what.
"""

import importlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
PACKAGE = TESTS.parent / "byhand"
ORDER = ["activations", "losses", "backprop", "network", "descent", "gradcheck"]  # test files

BP2 = "(delta[l + 1] @ net[l + 1].W) * net[l].sigma.prime(z[l])"
SQUARE = "net.sizes[l] == net.sizes[l + 1]"
BP4 = "dW[l] = share.T @ a[l - 1]"
LOG_LOSS = "np.maximum(z, 0) - y * z + np.log1p(np.exp(-abs(z)))"

MUTANTS = {  # name: (module, what stands there, what a mistake puts there)
    # the backward pass
    "hidden delta from W already updated": (
        "backprop", BP2, BP2.replace("net[l + 1].W", "(net[l + 1].W - delta[l + 1].T @ a[l] / m)")
    ),
    "W not transposed, where it is square": (
        "backprop", "@ net[l + 1].W)", f"@ (net[l + 1].W.T if {SQUARE} else net[l + 1].W))"
    ),
    "W transposed": ("backprop", BP2, BP2.replace("].W", "].W.T")),
    "hidden sigma' missing": ("backprop", BP2, "delta[l + 1] @ net[l + 1].W"),
    "hidden sigma' of a instead of z": ("backprop", BP2, BP2.replace("prime(z[l])", "prime(a[l])")),
    "hidden sigma' of the layer above": ("backprop", BP2, BP2.replace("net[l].s", "net[l + 1].s")),
    "a fixed random matrix instead of W": (
        "backprop", BP2,
        BP2.replace("net[l + 1].W", "np.random.default_rng(0).normal(size=net[l + 1].W.shape)"),
    ),
    "only one of the paths": (
        "backprop", "(delta[l + 1] @ net[l + 1].W)", "(delta[l + 1][:, :1] @ net[l + 1].W[:1])"
    ),
    "hidden layers frozen": ("backprop", "share = delta[l] / m", "share = delta[l] / m * (l == L)"),
    "sum over the batch instead of mean": ("backprop", "share = delta[l] / m", "share = delta[l]"),
    "divided by m twice": ("backprop", "share = delta[l] / m", "share = delta[l] / m / m"),
    "biases never updated": ("backprop", "share.sum(axis=0)", "0 * share.sum(axis=0)"),
    "one bias for the whole layer": (
        "backprop", "share.sum(axis=0)", "share.sum(axis=0).mean() + 0 * share[0]"
    ),
    "bias from the first example only": ("backprop", "share.sum(axis=0)", "share[0] * m"),
    "outer product transposed, where it is square": (
        "backprop", BP4,
        "dW[l] = a[l - 1].T @ share if a[l - 1].shape == share.shape else share.T @ a[l - 1]",
    ),
    "a unit's output for its input, where shapes allow": (
        "backprop", BP4, "dW[l] = share.T @ (a[l] if a[l].shape == a[l - 1].shape else a[l - 1])"
    ),
    "gradient of the weights with the wrong sign": ("backprop", BP4, "dW[l] = -share.T @ a[l - 1]"),
    # where loss and output meet
    "output sigma' missing": ("losses", "loss.grad(a, y) * sigma.prime(z)", "loss.grad(a, y)"),
    "output sigma' of a instead of z": ("losses", "* sigma.prime(z)", "* sigma.prime(a)"),
    "only the diagonal of the softmax Jacobian": (
        "losses", 'return np.einsum("mi,mik->mk", loss.grad(a, y), softmax.prime(z))',
        "return loss.grad(a, y) * a * (1 - a)",
    ),
    "y - a": ("losses", "return a - y", "return y - a"),
    "a slope left where it has cancelled": (
        "losses", "return a - y", "return (a - y) * a * (1 - a)"
    ),
    "the log-loss of logits overflows": ("losses", LOG_LOSS, "np.log1p(np.exp(z)) - y * z"),
    "the log-loss of logits cancels": ("losses", LOG_LOSS, "np.logaddexp(0, z) - y * z"),
    "the log-loss of logits with the other sign of z": (
        "losses", LOG_LOSS, LOG_LOSS.replace("- y * z", "+ y * z")
    ),
    "log of a softmax that is 0": ("losses", "if a.min() > 1e-37:", "if a.min() > -1:"),
    "no shift before the softmax loss": (
        "losses", "z = z - z.max(axis=1, keepdims=True)", "z = z + 0"
    ),
    # losses
    "MSE is the sum over the outputs": ("losses", "/ error.size", "/ len(a)"),
    "MSE gradient off by n_L": ("losses", "(2 / y.shape[1])", "2"),
    "MSE gradient without the 2": ("losses", "(2 / y.shape[1])", "(1 / y.shape[1])"),
    "MSE gradient with the wrong sign": ("losses", "(a - y) * (2 /", "(y - a) * (2 /"),
    "MSE gradient divided by m already": ("losses", "(2 / y.shape[1])", "(2 / y.size)"),
    "log-loss with its terms swapped": (
        "losses", "y * _log(a) + (1 - y) * _log(1 - a)", "(1 - y) * _log(a) + y * _log(1 - a)"
    ),
    "log-loss with one term only": ("losses", "y * _log(a) + (1 - y) * _log(1 - a)", "y * _log(a)"),
    "log-loss gradient with one term only": (
        "losses", "(1 - y) / _positive(1 - a) - y / _positive(a)", "-y / _positive(a)"
    ),
    "cross-entropy is the mean over the classes": (
        "losses", "(y * _log(a)).sum(axis=1).mean()", "(y * _log(a)).mean()"
    ),
    "cross-entropy gradient without the division": ("losses", "-y / _positive(a)\n", "-y\n"),
    "log of 0": ("losses", "np.maximum(a, np.finfo(a.dtype).tiny)", "a"),
    # activations
    "the sigmoid of 2z": ("activations", "np.exp(-z)", "np.exp(-2 * z)"),
    "sigmoid' that takes the activation": ("activations", "e / (1 + e) ** 2", "z * (1 - z)"),
    "sigmoid' that is 0 where sigmoid is 1": (
        "activations", "e / (1 + e) ** 2", "sigmoid(z) * (1 - sigmoid(z))"
    ),
    "sigmoid' without the square": ("activations", "e / (1 + e) ** 2", "e / (1 + e)"),
    "tanh' = 1 - tanh": ("activations", "1 - np.tanh(z) ** 2", "1 - np.tanh(z)"),
    "ReLU mask always 1": ("activations", "np.heaviside(z, 0)", "np.ones_like(z)"),
    "ReLU mask with z = 0 let through": ("activations", "np.heaviside(z, 0)", "np.heaviside(z, 1)"),
    "ReLU mask of the ReLU, >= 0": (
        "activations", "np.heaviside(z, 0)", "np.heaviside(relu(z), 1)"
    ),
    "softmax overflows": ("activations", "z - z.max(axis=-1, keepdims=True)", "z"),
    "softmax over the batch": ("activations", "e.sum(axis=-1, keepdims=True)", "e.sum(axis=0)"),
    "softmax Jacobian with a plus": (
        "activations", "dtype=a.dtype) - a[..., None, :]", "dtype=a.dtype) + a[..., None, :]"
    ),
    # the forward pass and the step
    "bias forgotten in the forward pass": ("layers", "self.W.T + self.b", "self.W.T"),
    "hidden and output activation exchanged": (
        "network", "hidden if l < self.L else output", "output if l < self.L else hidden"
    ),
    "a step uphill": ("descent", "layer.W -= eta", "layer.W += eta"),
    "biases left out of the step": ("descent", "layer.b -= eta", "layer.b -= 0 * eta"),
    "the same order in each epoch": ("descent", "rng.permutation(len(X))", "np.arange(len(X))"),
    "the last, smaller batch dropped": (
        "descent", "range(0, len(X), batch_size)", "range(0, len(X) - batch_size + 1, batch_size)"
    ),
    "X shuffled, Y not": ("descent", "Y.take(batch, axis=0)", "Y[start : start + batch_size]"),
    "half a difference quotient": ("gradcheck", "moved[i] = x[i] - h", "moved[i] = x[i]"),
}


def mutated(name):
    """The module's file name and its source with the one replacement."""
    module, old, new = MUTANTS[name]
    source = (PACKAGE / f"{module}.py").read_text(encoding="utf-8")
    found = source.count(old)
    assert found == 1, f"stale mutant: {old!r} stands {found} times in {module}"
    return f"{module}.py", source.replace(old, new)


@pytest.mark.parametrize("name", MUTANTS)
def test_each_mutant_is_one_replacement_away(name):
    file, source = mutated(name)
    compile(source, file, "exec")


@pytest.fixture(scope="module")
def caught(tmp_path_factory):
    """By name, which test caught a mutant: (test, error), or None. "none" is the package itself."""
    folder = tmp_path_factory.mktemp("mutants")
    (folder / "tests").mkdir()
    for name in ORDER:
        shutil.copy(TESTS / f"test_{name}.py", folder / "tests")
    jobs = {}
    for number, name in enumerate(["none", *MUTANTS]):
        copy = folder / str(number) / "byhand"
        shutil.copytree(PACKAGE, copy, ignore=lambda path, names: [
            n for n in names if not n.endswith(".py")
        ])
        module = "activations"
        if name != "none":
            try:
                file, source = mutated(name)
            except AssertionError:
                continue  # stale; its own test says so
            (copy / file).write_text(source, encoding="utf-8")
            module = MUTANTS[name][0]
        first = {"layers": "network"}.get(module, module)
        jobs[name] = str(copy.parent), [first, *(other for other in ORDER if other != first)]
    (folder / "jobs.json").write_text(json.dumps(jobs))
    run = subprocess.run(
        [sys.executable, __file__, str(folder)], capture_output=True, text=True, timeout=600,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""}, cwd=folder,
    )
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    results = json.loads((folder / "caught.json").read_text())
    print("\n\nmutant".ljust(56) + "caught by")
    for name in MUTANTS:
        print(f"{name:<54}{(results.get(name) or ['NOTHING'])[0]}")
    return results


def test_the_package_itself_passes(caught):
    assert caught["none"] is None


@pytest.mark.parametrize("name", MUTANTS)
def test_a_test_fails_on_the_mutant(caught, name):
    assert caught.get(name), f"no test notices: {name}"
    test, error = caught[name]
    assert not test.startswith("collecting"), f"the mutant does not even import: {error}"
    assert not error.startswith(("NameError", "SyntaxError", "AttributeError", "TypeError")), error


# As a script: test each copy in turn -------------------------------------------------------------


class FirstFailure:
    """A plugin for pytest that remembers the first thing that failed."""

    def __init__(self):
        self.found = None

    def note(self, where, report):
        crash = getattr(report.longrepr, "reprcrash", None)
        message = crash.message if crash else str(report.longrepr)
        self.found = self.found or (where, message[:500])

    def pytest_runtest_logreport(self, report):
        if report.failed:
            self.note(report.nodeid.rpartition("/")[2], report)

    def pytest_collectreport(self, report):
        if report.failed:
            self.note(f"collecting {report.nodeid}", report)


def first_failure(copy, tests):
    """Run the tests against the package in the folder copy, freshly imported."""
    sys.path.insert(0, copy)
    importlib.invalidate_caches()
    plugin = FirstFailure()
    for name in tests:
        for module in list(sys.modules):
            if module.partition(".")[0] == "byhand" or module.startswith("test_"):
                del sys.modules[module]
        assert Path(importlib.import_module("byhand").__file__).is_relative_to(copy)
        pytest.main(
            ["-x", "-q", "--no-header", "--tb=line", "-W", "error", "-p", "no:cacheprovider",
             "-k", "not docstrings and not tqdm", "-c", "pytest.ini", f"tests/test_{name}.py"],
            plugins=[plugin],
        )
        if plugin.found:
            break
    sys.path.remove(copy)
    return plugin.found


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    (folder / "pytest.ini").write_text("[pytest]\n")
    jobs = json.loads((folder / "jobs.json").read_text())
    results = {name: first_failure(copy, tests) for name, (copy, tests) in jobs.items()}
    (folder / "caught.json").write_text(json.dumps(results))
