"""The stored numbers of `make full`: complete, consistent, and (the cheapest) made once more."""

import importlib.util
import json
import os
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
RESULTS = json.loads((ROOT / "book/results/full_mnist.json").read_text(encoding="utf-8"))
GROUPS = [
    pytest.param(experiment, group, id=f"{experiment}: {group}")
    for experiment, content in RESULTS["experiments"].items() for group in content["groups"]
]


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("full_mnist", ROOT / "book/tools/full_mnist.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def parts(tool):
    if not (os.environ.get("BYHAND_DATA") or tool.NEIGHBOUR.exists()):
        pytest.skip("needs the full MNIST: set BYHAND_DATA")
    return tool.load()


def stored(experiment, group):
    return RESULTS["experiments"][experiment]["groups"][group]


def test_says_how_it_was_made():
    made, data = RESULTS["made"], RESULTS["data"]
    assert set(made) == {"by", "date", "python", "numpy", "byhand", "system", "seconds of all runs"}
    assert data["examples"] == {"train": 50000, "validation": 10000, "both": 60000, "test": 10000}
    assert data["class counts"]["test"] == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    train, validation = (np.array(data["class counts"][k]) for k in ("train", "validation"))
    assert (train + validation).tolist() == data["class counts"]["both"]


def test_every_planned_experiment_is_there(tool):
    def best(experiment, start):
        return tool.best_of(RESULTS["experiments"][experiment]["groups"], start)

    planned = {name: (settings, list(seeds)) for name, _, settings, seeds in tool.plan(best)}
    assert list(planned) == list(RESULTS["experiments"])
    for name, (settings, seeds) in planned.items():
        assert {g: stored(name, g)["settings"] for g in settings} == settings
        for group in settings:
            assert [run["seed"] for run in stored(name, group)["runs"]] == seeds


@pytest.mark.parametrize(("experiment", "group"), GROUPS)
def test_summaries_agree_with_the_runs(experiment, group):
    content = stored(experiment, group)
    runs = [run for run in content["runs"] if "stopped" not in run]
    for measure, summary in content["summary"].items():
        values = [run[measure] for run in runs]
        assert summary["min"] == min(values)
        assert summary["max"] == max(values)
        assert summary["mean"] == pytest.approx(np.mean(values), rel=1e-4)
    for run in runs:
        assert sum(run["answers"]) == 10000
        assert ("test accuracy" in run) == content["settings"].get("tested", False)
        if "confusion" in run:
            table = np.array(run["confusion"])
            assert table.trace() / 10000 == run["test accuracy"]
            assert table.sum(axis=1).tolist() == RESULTS["data"]["class counts"]["test"]
            assert table.sum(axis=0).tolist() == run["answers"]
        for curve in run.get("curves", {}).values():
            epochs = sum(epochs for _, epochs in content["settings"]["eta"])
            assert len(curve) == 1 + epochs


def test_chosen_by_validation_and_tested_once():
    """Test examples are seen by the final networks and by Nielsen's settings, which chose none."""
    for name, experiment in RESULTS["experiments"].items():
        for group in experiment["groups"].values():
            tested = group["settings"].get("tested", False)
            assert tested == name.startswith(("final", "nielsen"))


def test_accuracies_that_the_book_promises():
    small = stored("final 784-16-10", "784-16-10 chosen")["summary"]["test accuracy"]
    large = stored("final 784-100-10", "784-100-10 chosen")["summary"]["test accuracy"]
    assert small["mean"] > 0.95
    assert large["mean"] > 0.978


def test_baselines_are_made_again(tool, parts):
    assert tool.baselines(parts) == RESULTS["baselines"]


def test_the_first_epoch_of_a_run_is_made_again(tool, parts):
    group = stored("curves 784-16-10", "784-16-10 chosen")
    eta, _ = group["settings"]["eta"][0]
    again = tool.run(group["settings"] | {"eta": [[eta, 1]]}, 0, parts)["curves"]
    for measure, curve in group["runs"][0]["curves"].items():
        # processors round differently: a few of the examples may change sides
        assert again[measure] == pytest.approx(curve[:2], abs=2e-3)
