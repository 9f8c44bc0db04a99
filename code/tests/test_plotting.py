"""The pictures say what they should: places, numbers, colours and markers, not pixels."""

import os
import subprocess
from base64 import b64decode
from io import BytesIO

import matplotlib
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from byhand import plotting
from byhand.plotting import (
    plot_confusion,
    plot_digits,
    plot_examples,
    plot_feature_space,
    plot_function,
    plot_graph,
    plot_line,
    plot_loss,
    plot_network,
    plot_regions,
    plot_surface,
    plot_weights,
)
from matplotlib.colors import to_hex
from matplotlib.contour import ContourSet
from nbclient import NotebookClient
from PIL import Image

X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=float)
Y = np.array([[0], [1], [1], [0]])
THREE = np.eye(3)[[0, 1, 2, 0]]
RNG = np.random.default_rng(0)


def logistic(points):
    return 1 / (1 + np.exp(-(3 * points[:, :1] - points[:, 1:] - 0.5)))


def bowl(point):
    return point[0] ** 2 + 3 * point[1] ** 2


CALLS = {
    "examples": lambda ax=None: plot_examples(X, Y, ax=ax),
    "regions of two classes": lambda ax=None: plot_regions(logistic, X, Y, ax=ax),
    "regions of three classes": lambda ax=None: plot_regions(
        lambda p: np.c_[p, p[:, 0] - p[:, 1]], X, THREE, ax=ax
    ),
    "line": lambda ax=None: plot_line([1, 2], -1, ax=ax),
    "function": lambda ax=None: plot_function(np.tanh, lambda z: 1 - np.tanh(z) ** 2, ax=ax),
    "loss": lambda ax=None: plot_loss([3, 2, 1.5], ax=ax, label="MSE"),
    "surface": lambda ax=None: plot_surface(bowl, [[1, 1], [0.5, 0.2]], ax=ax),
    "graph": lambda ax=None: plot_graph(
        {"w": (0, 0), "u": (1.5, 0)}, {("w", "u"): (2, -0.5)}, ax=ax
    ),
    "network": lambda ax=None: plot_network([2, 3, 1], ax=ax),
    "digits": lambda ax=None: plot_digits(RNG.random((3, 784)), [1, 2, 3], ax=ax),
    "weights": lambda ax=None: plot_weights(RNG.normal(size=(4, 784)), ax=ax),
    "confusion": lambda ax=None: plot_confusion([[5, 1], [0, 7]], ax=ax),
}


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_draws_on_the_axes_given_and_opens_no_figure(call):
    _, axes = plt.subplots(1, 2)
    assert call(ax=axes[1]) is axes[1]
    assert len(plt.get_fignums()) == 1
    assert not axes[0].has_data()
    assert axes[1].has_data() or axes[1].texts


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_without_axes_draws_on_new_ones(call):
    other = plt.gca()
    ax = call()
    assert ax is not other and not other.has_data()
    assert len(plt.get_fignums()) == 2


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_changes_no_setting_and_shows_nothing(call, monkeypatch):
    monkeypatch.setattr(plt, "show", lambda *_, **__: pytest.fail("plt.show was called"))
    before = matplotlib.rcParams.copy()
    call()
    assert matplotlib.rcParams == before


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_leaves_its_input_as_it_was(call):
    x, y = X.copy(), Y.copy()
    call()
    assert (X == x).all() and (Y == y).all()


def test_use_style_sets_the_style_sheet():
    with plt.style.context("default"):
        plotting.use_style()
        assert plt.rcParams["image.cmap"] == "cividis"
        assert plt.rcParams["figure.facecolor"] == "white"
        # A curve and a class of the same number have the same colour.
        cycle = plt.rcParams["axes.prop_cycle"].by_key()["color"]
        assert [to_hex(f"#{c}".replace("##", "#")) for c in cycle] == [
            to_hex(c) for c in plotting.COLOURS
        ]


def test_in_a_notebook_a_figure_has_two_pixels_for_one_on_the_page():
    code = (
        "from byhand.plotting import plot_loss, use_style\nuse_style()\nax = plot_loss([3, 2, 1])"
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    inline = {**os.environ, "MPLBACKEND": "module://matplotlib_inline.backend_inline"}
    NotebookClient(notebook, kernel_name="python3", timeout=60).execute(
        env=inline, stderr=subprocess.DEVNULL
    )
    output = notebook.cells[0].outputs[-1]
    width, height = Image.open(BytesIO(b64decode(output.data["image/png"]))).size
    shown = output.metadata["image/png"]
    assert 450 < shown["width"] < 550
    assert (shown["width"], shown["height"]) == (width // 2, height // 2)


def test_the_same_figure_has_the_same_bytes(tmp_path):
    with plt.style.context("byhand.byhand"):
        for name in ("a.png", "b.png"):
            plot_regions(logistic, X, Y).figure.savefig(tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


# Examples and regions


def test_a_class_has_its_own_colour_and_its_own_marker():
    digits = np.eye(10)
    ax = plot_examples(RNG.random((10, 2)), digits)
    assert len({(line.get_color(), line.get_marker()) for line in ax.lines}) == 10
    assert len({line.get_marker() for line in ax.lines}) == 10


def test_a_class_looks_the_same_when_others_are_missing():
    every, one = plot_examples(X, THREE), plot_examples(X[2:3], THREE[2:3])
    assert one.lines[0].get_color() == every.lines[2].get_color()
    assert one.lines[0].get_marker() == every.lines[2].get_marker()
    assert one.lines[0].get_label() == "class 2"


def test_every_example_is_drawn_at_its_place():
    ax = plot_examples(X, Y)
    assert ax.lines[0].get_xydata().tolist() == [[0, 0], [1, 1]]
    assert ax.lines[1].get_xydata().tolist() == [[0, 1], [1, 0]]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$x_1$", "$x_2$")


def boundaries(ax):
    """The vertices of all boundary lines."""
    lines = [c for c in ax.collections if isinstance(c, ContourSet) and not c.filled]
    return np.concatenate(
        [path.vertices for line in lines for path in line.get_paths() if len(path.vertices)]
    )


def test_the_boundary_is_where_f_is_one_half():
    line = boundaries(plot_regions(logistic, X, Y))
    assert len(line) > 10
    assert np.abs(logistic(line) - 0.5).max() < 1e-3


def test_the_shade_is_blue_towards_0_and_orange_towards_1():
    ax = plot_regions(logistic, X, Y)
    shade = next(c for c in ax.collections if isinstance(c, ContourSet) and c.filled)
    low, high = shade.cmap(shade.norm(0.05)), shade.cmap(shade.norm(0.95))
    assert low[2] > low[0] and high[0] > high[2]


def test_without_a_boundary_in_view_only_the_shade_is_drawn():
    ax = plot_regions(lambda p: np.full((len(p), 1), 0.9), X, Y)
    assert not any(isinstance(c, ContourSet) and not c.filled for c in ax.collections)


def test_boundaries_of_several_classes_are_where_two_are_equal():
    centres = np.array([[0, 0], [1, 0], [0, 1]])

    def scores(p):
        return -((p[:, None] - centres) ** 2).sum(axis=2)

    ax = plot_regions(scores, X, THREE)
    a = np.sort(scores(boundaries(ax)), axis=1)
    assert np.abs(a[:, -1] - a[:, -2]).max() < 0.02


def test_regions_keep_the_limits_that_the_axes_have():
    ax = plt.gca()
    ax.set(xlim=(-3, 5), ylim=(-2, 2))
    plot_regions(logistic, X, Y, ax=ax)
    assert ax.get_xlim() == (-3, 5) and ax.get_ylim() == (-2, 2)


@pytest.mark.parametrize(
    "x, y, said",
    [
        (X[:, :1], Y, r"shape \(m, 2\).*\(4, 1\)"),
        (X[0], Y, r"shape \(m, 2\).*\(2,\)"),
        (X[:0], Y[:0], r"shape \(m, 2\).*\(0, 2\)"),
        (X, Y[:, 0], r"\(4, 1\) or \(4, n\).*\(4,\)"),
        (X, Y[:3], r"\(4, 1\) or \(4, n\).*\(3, 1\)"),
        (X, Y + 1, r"0 and 1"),
        (X, np.ones((4, 3)), r"single 1"),
    ],
)
def test_examples_that_are_none_are_refused(x, y, said):
    with pytest.raises(ValueError, match=f"(?s)expected.*{said}"):
        plot_examples(x, y)
    assert not plt.get_fignums()


def test_a_function_of_the_wrong_width_is_refused():
    with pytest.raises(
        ValueError,
        match=r"expected a function that maps \(40000, 2\) to \(40000, 1\), got \(40000, 3\)",
    ):
        plot_regions(lambda p: np.ones((len(p), 3)), X, Y)
    with pytest.raises(ValueError, match=r"\(4, 2\) to \(4, 2\), got \(4,\)"):
        plot_feature_space(lambda p: p[:, 0], X, Y)


# The line and feature space


@pytest.mark.parametrize("w, b", [([1, 2], -1), ([-3, 0.5], 0.4), ([0, 1], -0.5), ([2, 0], -1)])
def test_the_line_is_where_w_x_plus_b_is_zero_and_the_arrow_points_up_the_slope(w, b):
    ax = plot_examples(X, Y)
    limits = ax.get_xlim(), ax.get_ylim()
    plot_line(w, b, ax)
    assert (ax.get_xlim(), ax.get_ylim()) == limits
    line = ax.lines[-1]
    for point in (line.get_xy1(), line.get_xy2()):
        assert np.dot(w, point) + b == pytest.approx(0, abs=1e-12)
    arrow = ax.texts[0]
    tip, foot = np.array(arrow.xy), np.array(arrow.xyann)
    along = np.subtract(line.get_xy2(), line.get_xy1())
    assert np.dot(w, tip - foot) > 0
    assert np.dot(along, tip - foot) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("w", [[0, 0], [1, 2, 3], 1.0])
def test_a_line_needs_a_normal(w):
    with pytest.raises(ValueError, match=r"expected w of shape \(2,\)"):
        plot_line(w, 0)


def test_feature_space_shows_the_examples_before_and_after():
    left, right = plot_feature_space(lambda p: 2 * p + 1, X, Y)
    assert left.lines[-1].get_xydata().tolist() == [[0, 1], [1, 0]]
    assert right.lines[-1].get_xydata().tolist() == [[1, 3], [3, 1]]
    assert (right.get_xlabel(), right.get_ylabel()) == ("$a^{(1)}_1$", "$a^{(1)}_2$")
    # Each line of the net on the right is the image of the one on the left.
    assert len(left.lines) == len(right.lines) == 22
    for before, after in zip(left.lines, right.lines):
        np.testing.assert_allclose(after.get_xydata(), 2 * before.get_xydata() + 1)


def test_feature_space_draws_on_two_axes_given():
    _, axes = plt.subplots(1, 2)
    assert plot_feature_space(lambda p: p, X, Y, axes=axes) == tuple(axes)
    assert len(plt.get_fignums()) == 1


# Curves and surfaces


class History:
    def __init__(self, loss):
        self.loss = loss


@pytest.mark.parametrize(
    "runs",
    [
        [4, 2, 1],
        np.array([4, 2, 1]),
        History([4, 2, 1]),
        [History([4, 2, 1])],
        np.array([[4, 2, 1]]),
    ],
    ids=["list", "array", "history", "list of one history", "array of one run"],
)
def test_one_run_is_a_curve_over_epochs_from_1(runs):
    ax = plot_loss(runs)
    assert ax.lines[0].get_xydata().tolist() == [[1, 4], [2, 2], [3, 1]]
    assert not ax.collections
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", r"$\mathcal{L}$")


@pytest.mark.parametrize(
    "wrap", [np.array, lambda runs: [History(run) for run in runs]], ids=["array", "histories"]
)
def test_several_runs_are_their_median_and_a_band_from_least_to_greatest(wrap):
    ax = plot_loss(wrap([[4, 2], [6, 1], [5, 9]]))
    assert ax.lines[0].get_ydata().tolist() == [5, 2]
    band = ax.collections[0].get_paths()[0].vertices
    assert {tuple(v) for v in band} >= {(1, 4), (1, 6), (2, 1), (2, 9)}


def test_loss_curves_share_axes_with_a_legend_and_a_log_scale_when_asked():
    ax = plot_loss([3, 2], label="MSE", log=True)
    plot_loss([2, 1], ax, label="cross-entropy", log=True)
    assert ax.get_yscale() == "log"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["MSE", "cross-entropy"]
    assert ax.lines[0].get_color() != ax.lines[1].get_color()


def test_runs_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match=r"same number of epochs.*\(3,\), \(2,\)"):
        plot_loss([[3, 2, 1], [3, 2]])
    with pytest.raises(ValueError, match="expected numbers"):
        plot_loss([])


def test_the_surface_is_the_height_and_the_path_lies_on_it():
    path = np.array([[1.5, 1], [0.5, -0.4], [0.1, 0.1]])
    ax = plot_surface(bowl, path, levels=[0, 1, 4, 9], symbols=("x", "y"))
    assert ax.lines[0].get_xydata().tolist() == path.tolist()
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$x$", "$y$")
    lines = next(c for c in ax.collections if isinstance(c, ContourSet) and not c.filled)
    for level, line in zip(lines.levels, lines.get_paths()):
        for vertex in line.vertices:
            assert bowl(vertex) == pytest.approx(level, abs=0.02)
    assert ax.get_xlim() == (-2, 2)


def test_the_surface_needs_a_number_and_a_path_in_the_plane():
    with pytest.raises(ValueError, match=r"f to return a number, got an array \(2,\)"):
        plot_surface(lambda p: p)
    with pytest.raises(ValueError, match=r"\(m, 2\), got \(5, 3\)"):
        plot_surface(bowl, np.zeros((5, 3)))


def test_a_function_and_its_derivative_are_both_drawn():
    ax = plot_function(np.sin, np.cos, z=(-1, 2), symbol="f")
    curve, derivative = ax.lines
    np.testing.assert_allclose(curve.get_ydata(), np.sin(curve.get_xdata()))
    np.testing.assert_allclose(derivative.get_ydata(), np.cos(curve.get_xdata()))
    assert curve.get_linestyle() != derivative.get_linestyle()
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["$f(z)$", "$f'(z)$"]


# Graphs and networks


def words(ax):
    return [text.get_text() for text in ax.texts if text.get_text()]


def test_a_graph_has_values_above_and_gradients_below_its_edges():
    ax = plot_graph(
        {"w": (0, 0), "u": (1.5, 0), " ": (3, 0)}, {("w", "u"): (2, -0.5), ("u", " "): ("0.50", 1)}
    )
    assert sorted(words(ax)) == sorted(["w", "u", "2", "−0.5", "0.50", "1"])
    value, gradient = (next(t for t in ax.texts if t.get_text() == word) for word in ("2", "−0.5"))
    ax.figure.canvas.draw()
    assert value.get_window_extent().y0 >= gradient.get_window_extent().y1
    assert gradient.get_color() == plotting.VERMILION != value.get_color()


def test_an_edge_joins_two_nodes():
    with pytest.raises(ValueError, match=r"between two of \['w', 'u'\], got \('w', 'z'\)"):
        plot_graph({"w": (0, 0), "u": (1, 0)}, {("w", "z"): ()})


def test_a_network_draws_every_connection_with_its_weight():
    W = [np.array([[1.0, -2.0], [0.5, 4.0], [3.0, 0.1]]), np.array([[-1.0, 1.0, 2.0]])]
    ax = plot_network([2, 3, 1], W)
    lines = [line for line in ax.lines if line.get_marker() == "None"]
    assert len(lines) == 9
    first = lines[:6]  # to unit 1, then 2, then 3
    assert [line.get_color() == plotting.COLOURS[1] for line in first] == [
        True,
        False,
        True,
        True,
        True,
        True,
    ]
    widths = [line.get_linewidth() for line in first]
    assert np.argsort(widths).tolist() == np.argsort(np.abs(W[0]).ravel()).tolist()
    assert (
        first[0].get_linestyle() == "-" != first[1].get_linestyle()
    )  # the sign is seen in grey too


def test_a_network_names_its_units_or_shows_their_values():
    assert {"$x_{1}$", "$x_{2}$", "$a^{(1)}_{3}$", "$a^{(2)}_{1}$", "$n_1 = 3$"} <= set(
        words(plot_network([2, 3, 1]))
    )
    ax = plot_network([2, 1], values=[[1, -0.5], np.array([[0.25]])])
    assert {"1", "−0.5", "0.25"} <= set(words(ax))


def test_a_wide_layer_shows_its_first_and_last_units():
    ax = plot_network([784, 16, 10])
    said = words(ax)
    assert {"$x_{1}$", "$x_{784}$", "$n_0 = 784$", "⋮"} <= set(said)
    assert "$x_{400}$" not in said
    assert len([line for line in ax.lines if line.get_marker() == "None"]) == 2 * 6 * 6


def test_a_network_of_zero_weights_can_be_drawn():
    plot_network([2, 2], [np.zeros((2, 2))])


def test_weights_and_values_must_fit_the_network():
    with pytest.raises(
        ValueError, match=r"weights of shapes \[\(3, 2\), \(1, 3\)\], got \[\(2, 3\), \(1, 3\)\]"
    ):
        plot_network([2, 3, 1], [np.ones((2, 3)), np.ones((1, 3))])
    with pytest.raises(ValueError, match=r"values of sizes \[2, 1\], got \[2, 2\]"):
        plot_network([2, 1], values=[[1, 2], [1, 2]])


# Images


def test_digits_are_ink_on_paper_in_rows():
    images = RNG.random((5, 784))
    ax = plot_digits(images, titles=["a", "b", "c", "d", "e"], columns=3)
    assert len(ax.images) == 5 and words(ax) == list("abcde")
    np.testing.assert_array_equal(ax.images[1].get_array(), images[1].reshape(28, 28))
    assert ax.images[0].get_clim() == (0, 1)
    assert ax.images[0].cmap(0.0)[:3] == (1, 1, 1) and ax.images[0].cmap(1.0)[:3] == (0, 0, 0)
    left, _, bottom, top = ax.images[3].get_extent()  # the fourth opens the second row
    assert left == 0 and top > ax.images[0].get_extent()[2]
    assert bottom > top and ax.get_ylim()[0] > ax.get_ylim()[1]  # and is not upside down


def test_weights_share_one_scale_with_zero_white():
    W = RNG.normal(size=(3, 16))
    W[1, 2] = -7
    ax = plot_weights(W)
    assert {image.get_clim() for image in ax.images} == {(-7, 7)}
    zero, most = (ax.images[0].cmap(ax.images[0].norm(v)) for v in (0, 7))
    assert zero[:3] == pytest.approx((1, 1, 1), abs=0.01) and most[0] > most[2]
    assert ax.figure.axes[-1] is not ax  # the bar


@pytest.mark.parametrize(
    "X, shape", [(np.ones(784), r"\(784,\)"), (np.ones((2, 783)), r"\(2, 783\)")]
)
def test_images_must_be_square(X, shape):
    with pytest.raises(ValueError, match=rf"square images, as \(m, 784\), got {shape}"):
        plot_digits(X)


def test_each_image_needs_its_title():
    with pytest.raises(ValueError, match="expected 3 titles, got 2"):
        plot_digits(np.ones((3, 784)), titles=[1, 2])


def test_a_confusion_matrix_shows_every_count_legibly():
    M = RNG.integers(0, 1200, (10, 10))
    ax = plot_confusion(M)
    assert words(ax) == [str(count) for count in M.ravel()]
    for text, count in zip(ax.texts, M.ravel()):
        j, i = text.get_position()
        assert M[i, j] == count
        cell = ax.images[0].cmap(ax.images[0].norm(count))
        ink = matplotlib.colors.to_rgb(text.get_color())
        bright, dark = sorted((luminance(cell), luminance(ink)), reverse=True)
        assert (bright + 0.05) / (dark + 0.05) > 4.5  # WCAG AA
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted class", "class")


def luminance(colour):
    """WCAG's relative luminance."""
    rgb = np.array(colour[:3])
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ [
        0.2126,
        0.7152,
        0.0722,
    ]


def test_a_confusion_matrix_can_name_its_classes_and_must_be_square():
    ax = plot_confusion([[0, 0], [0, 0]], names=["cat", "dog"])
    assert [label.get_text() for label in ax.get_xticklabels()] == ["cat", "dog"]
    with pytest.raises(ValueError, match=r"shape \(n, n\), got \(2, 3\)"):
        plot_confusion(np.ones((2, 3)))
