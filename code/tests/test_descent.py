"""Gradient descent (chapter 5): `descend` against the closed form on a quadratic, `train` against
the same loop written out; batches, seeds, callbacks, divergence, the bar, and what is refused."""

import subprocess
import sys

import numpy as np
import pytest
from byhand import (
    History,
    Network,
    accuracy,
    backprop,
    binary_cross_entropy,
    cross_entropy,
    descend,
    evaluate,
    identity,
    mse,
    relu,
    sigmoid,
    softmax,
    tanh,
    train,
    xor,
)


def examples(m=10, dtype=float):
    rng = np.random.default_rng(4)
    X = rng.normal(size=(m, 3)).astype(dtype)
    return X, np.eye(2, dtype=dtype)[rng.integers(2, size=m)]


# descend -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("eta", [0.05, 0.2, 0.5, 0.9, 1.0])
def test_path_on_a_quadratic_is_the_closed_form(eta):
    """f(x) = x²: each step multiplies x by 1 − 2η."""
    path = descend(lambda x: 2 * x, [10.0], eta, steps=10)
    assert path.shape == (11, 1)
    assert path[:, 0] == pytest.approx(10 * (1 - 2 * eta) ** np.arange(11), rel=1e-12, abs=1e-12)


def test_ten_steps_on_x_squared_to_the_printed_digit():
    ends = {0.05: 3.4868, 0.2: 0.0605, 0.5: 0, 0.9: 1.0737, 1.0: 10, 1.1: 61.9174}
    for eta, end in ends.items():
        assert round(float(descend(lambda x: 2 * x, [10.0], eta, 10)[-1, 0]), 4) == end


def test_two_directions_move_independently():
    """½(x² + 25 y²): factors 1 − η and 1 − 25η."""
    path = descend(lambda x: x * [1, 25], [5.0, 1.0], eta=0.07, steps=6)
    t = np.arange(7)
    expected = np.stack([5 * 0.93**t, (-0.75) ** t], axis=1)
    assert path == pytest.approx(expected, rel=1e-12)


def test_three_regimes():
    """0 < η < 1/λ creeps from one side, 1/λ < η < 2/λ zigzags in, η > 2/λ grows; here λ = 2."""
    creeping, zigzag, growing = (descend(lambda x: 2 * x, [1.0], eta, 20)[:, 0]
                                 for eta in (0.1, 0.9, 1.1))
    assert np.all(creeping > 0)
    assert np.all(np.diff(creeping) < 0)
    assert np.all(zigzag[1:] * zigzag[:-1] < 0)
    assert np.all(np.diff(abs(zigzag)) < 0)
    assert np.all(np.diff(abs(growing)) > 0)


def test_a_path_that_leaves_the_finite_numbers_ends_with_a_warning():
    with pytest.warns(RuntimeWarning, match="infinite after step 4: try a smaller eta") as caught:
        path = descend(lambda x: 1e80 * x, [1.0, 0.0], eta=1.0, steps=100)
    assert caught[0].filename == __file__
    assert np.isfinite(path).all()
    assert path.shape[1] == 2
    assert 1 < len(path) < 101


def test_start_is_copied_and_may_be_a_number():
    start = np.array([1.0, 2.0])
    path = descend(lambda x: x, start, 0.5, 3)
    path[0] = 7
    assert start.tolist() == [1, 2]
    assert descend(lambda x: 2 * x[0], 8, 0.25, 2).tolist() == [[8], [4], [2]]


@pytest.mark.parametrize("eta", [0, -0.1, np.nan, np.inf, "0.1", None, [0.1]])
def test_a_step_size_that_is_none_is_refused(eta):
    message = "expected a step size eta greater than 0, got"
    with pytest.raises(ValueError, match=message):
        descend(lambda x: x, [1.0], eta, 3)
    net = Network([3, 2], seed=0)
    theta = net.flatten()
    with pytest.raises(ValueError, match=message):
        train(net, *examples(), mse, eta, epochs=3)
    assert np.array_equal(net.flatten(), theta)


@pytest.mark.parametrize("n", [0, -1, 2.5, "3", None])
def test_steps_and_epochs_are_whole_numbers(n):
    with pytest.raises(ValueError, match=f"steps to be a whole number from 1 up, got {n!r}"):
        descend(lambda x: x, [1.0], 0.1, n)
    with pytest.raises(ValueError, match=f"epochs to be a whole number from 1 up, got {n!r}"):
        train(Network([3, 2]), *examples(), mse, 0.1, epochs=n)


def test_a_gradient_of_the_wrong_shape_is_refused():
    """(1,) would be broadcast to (2,) in silence."""
    for gradient in ([1.0], [1.0, 2.0, 3.0], 1.0, [[1.0, 2.0]]):
        got = np.atleast_1d(gradient).shape
        with pytest.raises(ValueError) as caught:
            descend(lambda x: np.array(gradient), [1.0, 2.0], 0.1, 3)
        assert f"expected grad(x) of shape (2,), got {got}" in str(caught.value)


def test_a_start_must_be_finite():
    with pytest.raises(ValueError, match=r"expected a finite start, got \[nan\]"):
        descend(lambda x: x, [np.nan], 0.1, 3)


# train: the loop ---------------------------------------------------------------------------------


CASES = [
    (mse, sigmoid, sigmoid),
    (mse, relu, identity),
    (mse, tanh, softmax),
    (cross_entropy, tanh, softmax),
    (binary_cross_entropy, relu, sigmoid),
]


@pytest.mark.parametrize("batch_size", [None, 1, 4, 10])
@pytest.mark.parametrize(("loss", "hidden", "output"), CASES)
def test_train_is_this_plain_loop(loss, hidden, output, batch_size):
    X, Y = examples()
    net = Network([3, 4, 2], hidden, output, seed=1)
    twin = net.copy()
    history = train(net, X, Y, loss, eta=0.3, epochs=3, batch_size=batch_size, seed=5)

    rng, losses = np.random.default_rng(5), []
    for _ in range(3):
        order = range(10) if batch_size is None else rng.permutation(10)
        pieces = [list(order)[i : i + (batch_size or 10)] for i in range(0, 10, batch_size or 10)]
        total = 0
        for piece in pieces:
            trace = backprop(twin, X[piece], Y[piece], loss)
            total += trace.loss * len(piece)
            for l in (1, 2):
                twin[l].W = twin[l].W - 0.3 * trace.dW[l]
                twin[l].b = twin[l].b - 0.3 * trace.db[l]
        losses.append(total / 10)
    assert net.flatten() == pytest.approx(twin.flatten(), rel=1e-9, abs=1e-12)
    assert history.loss == pytest.approx(losses, rel=1e-9)
    assert history.stopped is None
    assert history.measured == []


def watch():
    """Let a loss note the targets of every batch: Y holds each example's number."""
    seen = []

    def noting(a, y):
        return mse(a, y)

    def grad(a, y):
        seen.append(y[:, 0].astype(int).tolist())
        return mse.grad(a, y)

    noting.grad = grad
    return noting, seen


@pytest.mark.parametrize(
    ("batch_size", "sizes"),
    [(None, [10]), (10, [10]), (4, [4, 4, 2]), (3, [3, 3, 3, 1]), (1, [1] * 10)],
)
def test_each_epoch_takes_every_example_once(batch_size, sizes):
    loss, seen = watch()
    X, Y = np.zeros((10, 3)), np.arange(10.0)[:, None]
    train(Network([3, 1]), X, Y, loss, 0.1, epochs=2, batch_size=batch_size, seed=0)
    assert [len(batch) for batch in seen] == 2 * sizes
    for epoch in (seen[: len(sizes)], seen[len(sizes) :]):
        assert sorted(sum(epoch, [])) == list(range(10))


def test_the_order_comes_from_the_seed_and_is_new_in_each_epoch():
    X, Y = np.zeros((10, 3)), np.arange(10.0)[:, None]
    orders = {}
    for name, seed in [("a", 0), ("again", 0), ("b", 1), ("none", None), ("other", None)]:
        loss, seen = watch()
        train(Network([3, 1]), X, Y, loss, 0.1, epochs=2, batch_size=5, seed=seed)
        orders[name] = seen
    assert orders["a"] == orders["again"] != orders["b"]
    assert orders["none"] != orders["other"]
    first, second = sum(orders["a"][:2], []), sum(orders["a"][2:], [])
    assert first != second
    assert first != list(range(10))


def test_rows_of_X_and_Y_stay_together():
    """Each target is a function of its input, so a shuffled pair would leave a loss."""
    X = np.linspace(-1, 1, 12)[:, None]
    net = Network([1, 1], output=identity, seed=0)
    history = train(net, X, 3 * X - 1, mse, eta=0.3, epochs=100, batch_size=5, seed=0)
    assert history.loss[-1] < 1e-12
    assert net[1].W.item() == pytest.approx(3)
    assert net[1].b.item() == pytest.approx(-1)


def test_the_same_seeds_give_the_same_run_and_numpys_global_state_is_left_alone():
    X, Y = examples()
    before = np.random.get_state()[1].copy()
    runs = []
    for _ in range(2):
        net = Network([3, 4, 2], seed=1)
        runs.append((train(net, X, Y, mse, 1, 5, batch_size=3, seed=2).loss, net.flatten()))
    assert runs[0][0] == runs[1][0]
    assert np.array_equal(runs[0][1], runs[1][1])
    assert np.array_equal(before, np.random.get_state()[1])


def test_losses_are_those_before_each_step():
    X, Y = examples()
    net = Network([3, 4, 2], seed=1)
    first = evaluate(net, X, Y, mse)
    history = train(net, X, Y, mse, eta=1, epochs=3)
    assert history.loss[0] == pytest.approx(first, rel=1e-12)
    assert evaluate(net, X, Y, mse) < history.loss[2] < history.loss[1] < history.loss[0]
    assert all(type(value) is float for value in history.loss)


def test_examples_are_left_as_they_were():
    X, Y = examples()
    X_before, Y_before = X.copy(), Y.copy()
    train(Network([3, 4, 2], relu, identity), X, Y, mse, 0.1, 3, batch_size=4)
    assert np.array_equal(X, X_before)
    assert np.array_equal(Y, Y_before)


@pytest.mark.parametrize("eta", [1, 0.5, np.float64(0.5), np.float32(0.5)])
def test_a_float32_run_stays_float32(eta):
    X, Y = examples(dtype=np.float32)
    nets = [Network([3, 4, 2], output=softmax, seed=1, dtype=np.float32) for _ in range(2)]
    for net, size in zip(nets, (eta, float(eta))):
        train(net, X, Y, cross_entropy, size, epochs=3, batch_size=4, seed=0)
    for layer in nets[0]:
        assert layer.W.dtype == layer.b.dtype == np.float32
    assert np.array_equal(nets[0].flatten(), nets[1].flatten())


def test_xor_is_learned():
    X, Y = xor()
    net = Network([2, 4, 1], hidden=tanh, seed=0)
    train(net, X, Y, cross_entropy, eta=1, epochs=500)
    assert accuracy(net(X), Y) == 1


# train: what happens around it -------------------------------------------------------------------


def test_on_epoch_sees_the_network_after_each_epoch_and_its_answers_are_kept():
    X, Y = examples()
    net = Network([3, 4, 2], seed=1)

    def on_epoch(epoch, given):
        assert given is net
        return epoch, evaluate(net, X, Y, mse)

    history = train(net, X, Y, mse, 1, 3, on_epoch=on_epoch)
    assert [epoch for epoch, _ in history.measured] == [1, 2, 3]
    after = [loss for _, loss in history.measured]
    assert after[:2] == pytest.approx(history.loss[1:], rel=1e-12)
    assert after[2] == evaluate(net, X, Y, mse)


def test_on_epoch_may_end_the_run():
    X, Y = examples()

    def enough(epoch, net):
        if epoch == 2:
            raise StopIteration("good enough")
        return epoch

    history = train(Network([3, 2]), X, Y, mse, 1, 10, on_epoch=enough)
    assert len(history.loss) == 2
    assert history.measured == [1]
    assert history.stopped == "good enough"
    assert repr(history).endswith(", stopped: good enough")

    def at_once(epoch, net):
        raise StopIteration

    history = train(Network([3, 2]), X, Y, mse, 1, 10, on_epoch=at_once)
    assert history.stopped == "on_epoch ended the run in epoch 1"


def test_other_errors_of_on_epoch_are_not_hidden():
    def fails(epoch, net):
        return 1 / 0

    with pytest.raises(ZeroDivisionError):
        train(Network([3, 2]), *examples(), mse, 1, 10, on_epoch=fails)


def test_warnings_of_on_epoch_are_not_hidden():
    """A run may overflow on its way out, and is stopped then; a callback's overflow is its own."""
    with pytest.warns(RuntimeWarning, match="overflow"):
        train(Network([3, 2]), *examples(), mse, 1, 1, on_epoch=lambda *_: np.exp(np.array([1e3])))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("batch_size", [None, 4])
@pytest.mark.parametrize("hidden", [relu, identity])
def test_a_diverging_run_stops_with_advice_and_its_history(hidden, batch_size, dtype):
    X, Y = examples(dtype=dtype)
    net = Network([3, 8, 2], hidden, identity, seed=1, dtype=dtype)
    advice = "the loss turned .* in epoch .*: try a smaller eta than 50, .*, or smaller initial"
    with pytest.warns(RuntimeWarning, match=advice) as caught:
        history = train(net, X, Y, mse, 50, 100, batch_size=batch_size, on_epoch=lambda *_: 1)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    n = len(history.loss)
    assert 1 <= n < 100
    assert np.isfinite(history.loss[:-1]).all()
    assert not np.isfinite(history.loss[-1])
    assert len(history.measured) == n - 1
    assert history.stopped.startswith(f"the loss turned {history.loss[-1]} in epoch {n}")
    assert "stopped: the loss turned" in repr(history)


def test_a_large_step_with_saturating_units_is_no_divergence():
    """Sigmoid and softmax stay finite whatever the weights do, and so does the loss from z."""
    X, Y = examples()
    net = Network([3, 8, 2], sigmoid, softmax, seed=1)
    history = train(net, X, Y, cross_entropy, 1e4, 20, batch_size=3, seed=0)
    assert history.stopped is None
    assert np.isfinite(history.loss).all()


def test_a_history_prints_in_one_line():
    assert repr(History()) == "History of no epochs"
    history = train(Network([3, 2], seed=0), *examples(), mse, 1, 4)
    expected = f"History of 4 epochs: loss {history.loss[0]:.4f} to {history.loss[-1]:.4f}"
    assert repr(history) == expected


def test_nothing_is_printed_unless_a_bar_is_asked_for(capfd):
    train(Network([3, 2]), *examples(), mse, 1, 4, batch_size=3)
    assert capfd.readouterr() == ("", "")
    history = train(Network([3, 2]), *examples(), mse, 1, 4, progress=True)
    out, err = capfd.readouterr()
    assert out == ""
    assert "4/4" in err
    assert "epoch" in err
    assert len(history.loss) == 4


def test_tqdm_is_imported_only_for_a_bar():
    code = "import sys, byhand; sys.exit('tqdm' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


# At the door -------------------------------------------------------------------------------------

X, Y = examples()
BAD = {
    "1-D targets": ((X, Y[:, 0], mse), r"expected Y of shape \(m, n_L\) = \(m, 2\), got \(10,\)"),
    "inputs too wide": ((Y, Y, mse), r"expected X of shape \(m, n_0\) = \(m, 3\), got \(10, 2\)"),
    "fewer targets": ((X, Y[:9], mse), "as many targets as examples, got 10 in X, 9 in Y"),
    "no examples": ((X[:0], Y[:0], mse), "at least one example, got an empty X"),
    "integer targets": ((X, Y.astype(np.int64), mse), "Y to hold floats, got dtype int64"),
    "not a number": ((X * np.nan, Y, mse), "finite numbers in X, got nan in row 0, column 0"),
    "labels": ((X, 3 * Y, cross_entropy), "between 0 and 1, got values from 0 to 3; one_hot"),
    "no loss": ((X, Y, None), "expected a loss.*got None"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_examples_are_refused_and_the_network_is_left_alone(case):
    arguments, message = BAD[case]
    net = Network([3, 4, 2], seed=0)
    theta = net.flatten()
    with pytest.raises(ValueError, match=message):
        train(net, *arguments, eta=1, epochs=1)
    assert np.array_equal(net.flatten(), theta)


@pytest.mark.parametrize("batch_size", [0, -1, 11, 2.0, "4"])
def test_a_batch_size_out_of_range_is_refused(batch_size):
    net = Network([3, 4, 2], seed=0)
    theta = net.flatten()
    message = f"batch_size to be a whole number from 1 to m = 10, got {batch_size!r}"
    with pytest.raises(ValueError, match=message):
        train(net, X, Y, mse, eta=1, epochs=1, batch_size=batch_size)
    assert np.array_equal(net.flatten(), theta)


def test_a_loss_that_does_not_fit_its_output_is_refused():
    net = Network([3, 4, 2], output=tanh, seed=0)
    with pytest.raises(ValueError, match="cross_entropy needs .*sigmoid or softmax, got tanh"):
        train(net, X, Y, cross_entropy, eta=1, epochs=1)
