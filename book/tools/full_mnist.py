"""Chapter 8's experiments on all of MNIST; the numbers go to book/results/full_mnist.json.

    make full                                    an hour or so on two cores
    python book/tools/full_mnist.py              the same; finished runs are kept
    python book/tools/full_mnist.py --again      everything anew
    python book/tools/full_mnist.py --processes 1

The 60,000 training examples are split, shuffled, into 50,000 to train on and 10,000 to validate on.
Every choice (activation, step size, batch size) is made on the validation examples. The 10,000 test
examples are used at the end only, by the experiments `final`, `nielsen` and `baselines`; `final`
trains on all 60,000 with the settings chosen before. No run is left out.

An experiment is a set of groups; a group is one choice of settings, run with several seeds. The
seed draws the weights and shuffles the batches. Step sizes: [[0.3, 20], [0.03, 5]] is 20 epochs
with eta 0.3, then 5 with 0.03. Losses are byhand's: MSE is the mean over the ten outputs, so its
step size is five times that of a half sum of squares.
"""

import argparse
import datetime
import json
import multiprocessing
import os
import platform
import re
import time
import warnings
from importlib.metadata import version
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import byhand
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "book" / "results" / "full_mnist.json"
NEIGHBOUR = ROOT.parent / "shared" / "data" / "mnist.npz"
INIT = {"sigmoid": "scaled_normal", "tanh": "scaled_normal", "relu": "he_normal"}


# One run -----------------------------------------------------------------------------------------


def load():
    """The parts by name: train (50,000), validation (10,000), both (60,000) and test (10,000)."""
    if NEIGHBOUR.exists():
        os.environ.setdefault("BYHAND_DATA", str(NEIGHBOUR))
    X, Y = byhand.mnist(full=True, dtype=np.float32)
    train, validation = byhand.split(X[:60000], Y[:60000], 50000, 10000, seed=0)
    return {"train": train, "validation": validation,
            "both": (X[:60000], Y[:60000]), "test": (X[60000:], Y[60000:])}


def run(settings, seed, parts):
    """Train one network as the settings say and measure it at the end; a dict of numbers."""
    name = settings.get
    activation = getattr(byhand, name("hidden", "sigmoid"))
    loss = getattr(byhand, name("loss", "cross_entropy"))
    net = byhand.Network(settings["sizes"], hidden=activation,
                         output=getattr(byhand, name("output", "softmax")),
                         init=getattr(byhand, name("init", "scaled_normal")),
                         seed=seed, dtype=np.float32)
    X, Y = (part[: name("examples")] for part in parts[name("train_on", "train")])
    start, curve, result = time.perf_counter(), [], {"seed": seed}

    def look(epoch=0, net=net):
        curve.append(measure(net, loss, train=(X, Y), validation=parts["validation"]))

    if name("curves"):
        z, _ = net[1].forward(parts["validation"][0])
        result["start"] = {"std of z(1)": tidy(z.std()),
                           "share of |z(1)| > 5": tidy((abs(z) > 5).mean())}
        look()
    for piece, (eta, epochs) in enumerate(settings["eta"]):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)     # a diverging run is a result
            history = byhand.train(net, X, Y, loss, eta, epochs, settings["batch_size"],
                                   seed=[seed, piece], on_epoch=look if name("curves") else None)
        if history.stopped:
            result["stopped"] = history.stopped
            break
    if not history.stopped:
        result.update(measure(net, loss, train=(X, Y)))
        seen = "test" if name("tested") else "validation"
        result.update(measure(net, loss, **{seen: parts[seen]}))
        result["answers"] = answers(net, parts[seen][0])
        if name("tested"):
            result["confusion"] = confusion(net, *parts["test"])
    result["seconds"] = round(time.perf_counter() - start, 1)
    if curve:
        result["curves"] = {key: [point[key] for point in curve] for key in curve[0]}
    return result


def measure(net, loss, **parts):
    """{"train loss": …, "train accuracy": …, …} for the parts given by name."""
    numbers = {}
    for part, (X, Y) in parts.items():
        numbers[f"{part} loss"] = tidy(byhand.evaluate(net, X, Y, loss))
        numbers[f"{part} accuracy"] = tidy(byhand.accuracy(net(X), Y))
    return numbers


def answers(net, X):
    """How often each digit is the answer, 0 to 9: a collapsed network gives itself away."""
    return np.bincount(net(X).argmax(axis=1), minlength=10).tolist()


def confusion(net, X, Y):
    """Counts [true digit][answer]."""
    table = np.zeros((10, 10), int)
    np.add.at(table, (Y.argmax(axis=1), net(X).argmax(axis=1)), 1)
    return table.tolist()


def baselines(parts):
    """Test accuracy of three classifiers without training by descent."""
    (X, Y), (X_test, Y_test) = parts["both"], parts["test"]
    X, X_test = X.astype(float), X_test.astype(float)
    labels, truth = Y.argmax(axis=1), Y_test.argmax(axis=1)
    means = np.stack([X[labels == c].mean(axis=0) for c in range(10)])
    darkness = means.mean(axis=1)
    classifiers = {
        "always says 1": np.ones_like(truth),
        "nearest mean darkness": abs(X_test.mean(axis=1)[:, None] - darkness).argmin(axis=1),
        # |x − c|² = |x|² − 2 x·c + |c|², where |x|² is the same for every class
        "nearest class mean": ((means**2).sum(axis=1) - 2 * X_test @ means.T).argmin(axis=1),
    }
    return {name: tidy((answer == truth).mean()) for name, answer in classifiers.items()}


def tidy(x):
    return float(f"{x:.5g}")


# The experiments ---------------------------------------------------------------------------------


def plan(best):
    """Yield (experiment, what it is, {group: settings}, seeds); best(experiment, start) gives the
    settings of that earlier experiment's group with the best mean validation accuracy."""
    five, sigmoid_net = range(5), {"sizes": [784, 16, 10], "batch_size": 32}

    def grid(width):
        return {f"{hidden}, eta {eta}, batch {batch}": {
                    "sizes": [784, width, 10], "hidden": hidden, "init": INIT[hidden],
                    "eta": [[eta, 20], [eta / 10, 5]], "batch_size": batch}
                for hidden in INIT for eta in (0.1, 0.3, 1.0) for batch in (10, 32, 100)}

    def final(name):
        """The settings chosen in each way, to be trained on everything and tested."""
        chosen = {f"{name} {how}": best(f"grid {name}", start)
                  for how, start in (("chosen", ""), ("sigmoid", "sigmoid"))}
        return {k: s | {"train_on": "both", "tested": True} for k, s in chosen.items()}

    for width, seeds in ((16, range(2)), (100, range(1))):
        name = f"784-{width}-10"
        yield f"grid {name}", "choosing activation, step size and batch size", grid(width), seeds
        yield f"final {name}", "trained on all 60,000, tested once", final(name), five
        yield f"curves {name}", "the same settings on the 50,000, epoch by epoch", {
            k: s | {"train_on": "train", "tested": False, "curves": True}
            for k, s in final(name).items()}, five

    yield "grid 784-10", "softmax regression: choosing the step size", {
        f"eta {eta}": {"sizes": [784, 10], "eta": [[eta, 20], [eta / 10, 5]], "batch_size": 32}
        for eta in (0.03, 0.1, 0.3, 1.0)}, range(2)
    yield "final 784-10", "trained on all 60,000, tested once", {
        "784-10": best("grid 784-10", "") | {"train_on": "both", "tested": True}}, five

    yield "nielsen", "Nielsen's settings: MSE, N(0, 1), batches of 10, his eta", {
        f"784-{H}-10, eta {eta:g}": {
            "sizes": [784, H, 10], "loss": "mse", "output": "sigmoid", "init": "standard_normal",
            "eta": [[5 * eta, 30]], "batch_size": 10, "tested": True}
        for H, eta in ((30, 3), (100, 3), (100, 0.001), (30, 100))}, five

    losses = {"mse, sigmoid": (("mse", "sigmoid"), (1, 3, 10, 30)),
              "cross_entropy, sigmoid": (("cross_entropy", "sigmoid"), (0.1, 0.3, 1.0, 3.0)),
              "cross_entropy, softmax": (("cross_entropy", "softmax"), (0.1, 0.3, 1.0, 3.0))}
    yield "grid loss", "784-16-10 with a sigmoid hidden layer: a step size for each loss", {
        f"{name}, eta {eta}": sigmoid_net | {"loss": loss, "output": output, "eta": [[eta, 20]]}
        for name, ((loss, output), etas) in losses.items() for eta in etas}, range(2)
    yield "loss", "each loss with the step size chosen for it", {
        name: best("grid loss", name) | {"curves": True} for name in losses}, five

    inits = ("standard_normal", "scaled_normal", "he_normal")
    yield "initialisation", "784-16-10: how the weights are drawn", {
        f"{how}, {init}": sigmoid_net | {"init": init, "eta": [[eta, 20]], "curves": True, **more}
        for how, eta, more in (
            ("mse", 10, {"loss": "mse", "output": "sigmoid"}),
            ("cross_entropy", 0.3, {}),
            ("cross_entropy, relu", 0.1, {"hidden": "relu"}))
        for init in inits}, five

    yield "step size", "784-16-10, ten epochs with one step size; some runs collapse", {
        f"{how}, eta {eta:g}": sigmoid_net | {"eta": [[eta, 10]], **more}
        for how, more in (
            ("cross_entropy", {}),
            ("mse, standard_normal",
             {"loss": "mse", "output": "sigmoid", "init": "standard_normal"}))
        for eta in (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300)}, range(3)

    yield "hidden units", "784-H-10 with the settings chosen for 784-16-10", {
        f"H = {H}": best("grid 784-16-10", "") | {"sizes": [784, H, 10]}
        for H in (2, 4, 8, 16, 32, 64, 128)}, range(3)

    yield "training examples", "784-16-10, 20,000 steps of 32 examples from the first m", {
        f"m = {m}": sigmoid_net | {"hidden": "relu", "init": "he_normal", "examples": m,
                                   "eta": [[0.1, round(20000 * 32 / m)]]}
        for m in (100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000)}, range(3)

    yield "overfitting", "784-30-10, 400 epochs on the first 1,000 examples", {
        "m = 1000": {"sizes": [784, 30, 10], "output": "sigmoid", "examples": 1000,
                     "eta": [[0.5, 400]], "batch_size": 10, "curves": True}}, range(3)


# Running and keeping -----------------------------------------------------------------------------


def start_worker():
    global parts
    parts = load()


def work(task):
    group, settings, seed = task
    return group, run(settings, seed, parts)


def summary(runs):
    """Mean, least and greatest of every loss and accuracy, over the runs that did not stop."""
    rows = [r for r in runs if "stopped" not in r]
    keys = [k for k in (rows[0] if rows else []) if k.endswith(("loss", "accuracy"))]
    return {k: {"mean": tidy(np.mean([r[k] for r in rows])), "min": min(r[k] for r in rows),
                "max": max(r[k] for r in rows)} for k in keys}


def best_of(groups, start):
    """The settings of the group with the best mean validation accuracy, among those so named."""
    named = {k: group for k, group in groups.items() if k.startswith(start) and group["summary"]}
    winner = max(named, key=lambda k: named[k]["summary"]["validation accuracy"]["mean"])
    return named[winner]["settings"]


def write(results):
    """Store everything in one step, so that a reader finds all of it or what was there before."""
    text = json.dumps(results, indent=1)
    text = re.sub(r"\[[^][{}]*\]", lambda row: " ".join(row[0].split()), text)    # a list a line
    part = RESULTS.with_suffix(".part")
    part.write_text(text + "\n", encoding="utf-8")
    part.replace(RESULTS)


def key(settings, seed):
    return json.dumps([settings, seed], sort_keys=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--again", action="store_true", help="keep no run of the stored results")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    options = parser.parse_args()
    versions = {"python": platform.python_version(), "numpy": np.__version__,
                "byhand": version("byhand")}
    stored = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    if options.again or {k: stored.get("made", {}).get(k) for k in versions} != versions:
        stored = {}
    kept = {key(group["settings"], r["seed"]): r for experiment in
            stored.get("experiments", {}).values()
            for group in experiment["groups"].values() for r in group["runs"]}
    print(f"{len(kept)} runs are kept; reading MNIST")
    RESULTS.parent.mkdir(exist_ok=True)

    everything = load()
    results = {
        "made": versions | {"by": "make full", "date": datetime.date.today().isoformat(),
                            "system": f"{platform.system()} {platform.machine()}",
                            "seconds of all runs": 0},
        "data": {"set": "MNIST", "dtype": "float32", "split seed": 0,
                 "examples": {k: len(X) for k, (X, _) in everything.items()},
                 "class counts": {k: Y.sum(axis=0).astype(int).tolist()
                                  for k, (_, Y) in everything.items()}},
        "baselines": baselines(everything),
        "experiments": {},
    }
    del everything
    experiments = results["experiments"]

    def best(experiment, start):
        return best_of(experiments[experiment]["groups"], start)

    with multiprocessing.Pool(options.processes, start_worker) as pool:
        for name, what, settings, seeds in plan(best):
            tasks = [(group, s, seed) for group, s in settings.items() for seed in seeds]
            todo = [task for task in tasks if key(*task[1:]) not in kept]
            print(f"{name}: {what}; {len(tasks)} runs, {len(tasks) - len(todo)} kept", flush=True)
            for i, (group, r) in enumerate(pool.imap_unordered(work, todo), start=1):
                kept[key(settings[group], r["seed"])] = r
                shown = [f"{k} {r[k]}" for k in r if k in ("validation accuracy", "test accuracy",
                                                           "stopped", "seconds")]
                print(f"  {i}/{len(todo)}  {group}, seed {r['seed']}:", *shown, flush=True)
            runs = {g: [kept[key(s, seed)] for seed in seeds] for g, s in settings.items()}
            experiments[name] = {"what": what, "groups": {
                g: {"settings": s, "summary": summary(runs[g]), "runs": runs[g]}
                for g, s in settings.items()}}
            results["made"]["seconds of all runs"] = round(sum(
                r["seconds"] for e in experiments.values() for g in e["groups"].values()
                for r in g["runs"]))
            write(results | {"experiments": stored.get("experiments", {}) | experiments})
    write(results)
    print(f"stored in {RESULTS.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
