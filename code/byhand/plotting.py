"""Plotting: the book's pictures, drawn from plain arrays and callables.

Each function draws on the axes it is given, or on new ones, and returns them; none of them shows
or saves a figure. use_style() at the top of a notebook gives all its figures the book's look,
those you draw yourself too.

A colour means the same throughout. Blue is class 0, a negative number and the probability 0;
orange is class 1, a positive number and the probability 1; vermilion is a derivative.
"""

import sys

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LinearSegmentedColormap, PowerNorm
from matplotlib.patheffects import withStroke

INK, GREY, LIGHT, VERMILION = "#222222", "#8A8A8A", "#D0D0D0", "#D55E00"
COLOURS = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", VERMILION, "#7F7F7F", "#F0E442"]
MARKERS = "os^DvP*X<>"
SIGNED = LinearSegmentedColormap.from_list(
    "signed", ["#003A5C", COLOURS[0], "white", COLOURS[1], "#7A4A00"])


def use_style():
    """From here on the figures of this session have the book's look (the file byhand.mplstyle)."""
    plt.style.use("byhand.byhand")
    if "ipykernel" in sys.modules:      # in a notebook: with twice the pixels, for dense screens
        from matplotlib_inline.backend_inline import set_matplotlib_formats
        set_matplotlib_formats("retina")


def plot_examples(X, Y, ax=None):
    """The examples as points in the plane; a class is a colour and a marker.

    X (m, 2); Y (m, 1) of 0 and 1, or (m, n) with a single 1 a row. ax.legend() names the classes.
    """
    X, classes = _plane(X), _classes(Y, len(X))
    ax = _axes(ax)
    size = 8 if len(X) <= 200 else 4.5
    for c in np.unique(classes):
        ax.plot(*X[classes == c].T, linestyle="", marker=MARKERS[c % 10], color=COLOURS[c % 8],
                markersize=size, markeredgecolor=INK, markeredgewidth=size / 10,
                label=f"class {c}")
    ax.set(xlabel="$x_1$", ylabel="$x_2$")
    return ax


def plot_regions(f, X, Y, ax=None, steps=200):
    """What f says about every point of the plane, with the examples on top.

    f maps (m, 2) to (m, 1), a probability: the shade goes from blue, 0, to orange, 1, and the line
    is where f = 1/2. Or f maps (m, 2) to (m, n): the shade is the class with the largest output.
    The plane reaches a little beyond the examples, or as far as limits that ax already has.
    """
    ax = plot_examples(X, Y, ax)
    ax.margins(0.2)
    x1, x2 = np.linspace(*ax.get_xlim(), steps), np.linspace(*ax.get_ylim(), steps)
    a = _call(f, _points(x1, x2), columns=np.shape(Y)[1])
    if a.shape[1] == 1:
        height = a.reshape(steps, steps)
        # The paler middle of the map, so that examples stand out from the shade of their class.
        ax.contourf(x1, x2, height, np.linspace(0, 1, 11), cmap=SIGNED, vmin=-1.5, vmax=2.5,
                    extend="both", zorder=0)
        _boundary(ax, x1, x2, height - 0.5)
    else:
        for c in range(a.shape[1]):
            lead = (a[:, c] - np.delete(a, c, axis=1).max(axis=1)).reshape(steps, steps)
            if lead.max() > 0:
                ax.contourf(x1, x2, lead, [0, lead.max()], colors=[COLOURS[c % 8]], alpha=0.35,
                            zorder=0)
            _boundary(ax, x1, x2, lead)
    return ax


def plot_line(w, b, ax=None, label=None):
    """The line w·x + b = 0 in the plane, with its normal w, which points to where w·x + b > 0.

    w (2,), not zero; b a number. The axes keep their limits and get equal units, so that the
    normal is seen to be normal.
    """
    w = np.asarray(w, dtype=float)
    _expect(w.shape == (2,) and w.any(), "w of shape (2,) that is not zero", w.tolist())
    ax = _axes(ax)
    limits = np.array([ax.get_xlim(), ax.get_ylim()])
    middle, unit = limits.mean(axis=1), w / np.linalg.norm(w)
    # The point of the line nearest to the middle of the picture.
    foot = middle - (w @ middle + float(b)) / np.linalg.norm(w) * unit
    tip = foot + 0.18 * np.ptp(limits, axis=1).min() * unit
    ax.axline(foot, foot + [-unit[1], unit[0]], color=INK, label=label)
    ax.annotate("", tip, foot, arrowprops={"arrowstyle": "-|>", "color": INK, "shrinkA": 0,
                                           "shrinkB": 0, "linewidth": 1.4})
    ax.annotate("$w$", tip, 9 * unit, textcoords="offset points", ha="center", va="center",
                size=14, path_effects=[withStroke(linewidth=3, foreground="white")])
    ax.set(xlim=limits[0], ylim=limits[1], aspect="equal")
    return ax


def plot_feature_space(layer, X, Y, axes=None, symbol="a^{(1)}"):
    """The examples and a net of lines, before (left) and after (right) a layer. Returns both axes.

    layer maps (m, 2) to (m, 2); X and Y as in plot_examples; symbol names the layer's outputs.
    """
    X = _plane(X)
    after = _call(layer, X, columns=2)
    left, right = plt.subplots(1, 2, figsize=(5.6, 2.8))[1] if axes is None else axes
    low, high = X.min(axis=0), X.max(axis=0)
    low, high = low - 0.25 * (high - low), high + 0.25 * (high - low)
    for t in np.linspace(low, high, 10):
        along = np.linspace(low, high, 60)
        for k, colour in ((0, LIGHT), (1, GREY)):
            line = along.copy()
            line[:, k] = t[k]
            left.plot(*line.T, color=colour, linewidth=0.9)
            right.plot(*_call(layer, line, columns=2).T, color=colour, linewidth=0.9)
    plot_examples(X, Y, left)
    plot_examples(after, Y, right)
    left.set(aspect="equal")
    right.set(aspect="equal", xlabel=f"${symbol}_1$", ylabel=f"${symbol}_2$")
    return left, right


def plot_function(f, derivative=None, ax=None, z=(-6, 6), symbol=r"\sigma"):
    """The curve of a function of one number and, dashed, its derivative; both map arrays."""
    ax = _axes(ax)
    points = np.linspace(*z, 401)
    ax.plot(points, f(points), label=f"${symbol}(z)$")
    if derivative is not None:
        ax.plot(points, derivative(points), "--", color=VERMILION, label=f"${symbol}'(z)$")
    ax.set(xlabel="$z$", xlim=z)
    ax.legend()
    return ax


def plot_loss(runs, ax=None, label=None, log=False):
    """The loss after each epoch; for several runs their median, and a band from least to greatest.

    runs: a history (anything with a .loss), its numbers (epochs,), a list of either, or an array
    (runs, epochs).
    """
    runs = getattr(runs, "loss", runs)
    runs = [np.asarray(getattr(run, "loss", run), dtype=float) for run in runs]
    _expect(runs and len({run.shape for run in runs}) == 1 and runs[0].ndim < 2,
            "numbers, or runs with the same number of epochs", [run.shape for run in runs])
    runs = np.atleast_2d(runs)
    epochs = np.arange(1, runs.shape[1] + 1)
    ax = _axes(ax)
    (line,) = ax.plot(epochs, np.median(runs, axis=0), label=label)
    if len(runs) > 1:
        ax.fill_between(epochs, runs.min(axis=0), runs.max(axis=0), color=line.get_color(),
                        alpha=0.25, linewidth=0)
    ax.set(xlabel="epoch", ylabel=r"$\mathcal{L}$", yscale="log" if log else "linear")
    ax.xaxis.set_major_locator(plt.MaxNLocator(integer=True))
    if label is not None:
        ax.legend()
    return ax


def plot_surface(f, path=None, ax=None, x=(-2, 2), y=(-2, 2), levels=12, symbols=("w_1", "w_2")):
    """The height f over two parameters as level lines, lighter is higher, and a path on it.

    f maps an array (2,) to a number; path (steps + 1, 2), as descend returns it; x and y are the
    limits; levels is their number, or the heights themselves.
    """
    across, up = np.linspace(*x, 100), np.linspace(*y, 100)
    height = np.array([f(point) for point in _points(across, up)], dtype=float)
    _expect(height.size == 100 * 100, "f to return a number", f"an array {height.shape[1:]}")
    ax = _axes(ax)
    height = height.reshape(100, 100)
    ax.contourf(across, up, height, levels, cmap="cividis")
    ax.contour(across, up, height, levels, colors="white", linewidths=0.5)
    if path is not None:
        path = _plane(path)
        ax.plot(*path.T, "-o", color="white", markersize=4.5, markeredgecolor=INK)
        ax.plot(*path[0], "o", color=VERMILION, markersize=8, markeredgecolor="white")
    ax.set(xlim=x, ylim=y, xlabel=f"${symbols[0]}$", ylabel=f"${symbols[1]}$")
    return ax


def plot_graph(nodes, edges, ax=None):
    """A computation graph: on each edge its value above the line, the loss's gradient below it.

    nodes: {name: (x, y)}, about 1.5 apart; a name of spaces is a loose end.
    edges: {(from, to): (value, gradient)}, or (value,), or (); a text is written as it is.
    """
    places = np.array(list(nodes.values()), dtype=float)
    width, height = np.ptp(places, axis=0) + 1
    ax = _axes(ax, figsize=(5.2, 5.2 * height / width))
    for (start, end), numbers in edges.items():
        _expect(start in nodes and end in nodes, f"an edge between two of {list(nodes)}",
                f"{(start, end)}")
        a, b = np.array(nodes[start], dtype=float), np.array(nodes[end], dtype=float)
        ends = {"shrinkA": 14 * bool(start.strip()), "shrinkB": 14 * bool(end.strip())}
        ax.annotate("", b, a, arrowprops={"arrowstyle": "-|>", "color": GREY, **ends})
        slope = np.arctan2(b[1] - a[1], b[0] - a[0])
        up = 2 * np.array([-np.sin(slope), np.cos(slope)])
        for number, at, va, colour in zip(numbers, (up, -up), ("bottom", "top"), (INK, VERMILION)):
            ax.annotate(_text(number), (a + b) / 2, at, textcoords="offset points", color=colour,
                        size=11.5, ha="center", va=va, rotation=np.degrees(slope),
                        rotation_mode="anchor")
    for name, place in nodes.items():
        if name.strip():
            _unit(ax, *place, name, size=28)
    ax.set(xlim=(places[:, 0].min() - 0.5, places[:, 0].max() + 0.5),
           ylim=(places[:, 1].min() - 0.5, places[:, 1].max() + 0.5), aspect="equal")
    ax.set_axis_off()
    return ax


def plot_network(sizes, weights=None, values=None, ax=None, most=6):
    """A network's units and connections, layers 0 to L from left to right.

    sizes [n_0, …, n_L]; of a layer with more than `most` units the first and last are drawn.
    weights: L arrays (n_l, n_(l-1)); a line is orange where w > 0, blue and dashed where w < 0,
    and as wide as |w|. values: L + 1 arrays (n_l,), written into the units.
    """
    if weights is not None:
        shapes, got = list(zip(sizes[1:], sizes)), [np.shape(W) for W in weights]
        _expect(got == shapes, f"weights of shapes {shapes}", got)
    if values is not None:
        got = [np.size(a) for a in values]
        _expect(got == list(sizes), f"values of sizes {list(sizes)}", got)
    columns = [_column(n, most) for n in sizes]
    tallest = max(np.ptp(heights) for _, heights in columns) + 1
    ax = _axes(ax, figsize=(5.2, 0.6 + 0.5 * tallest))
    for l in range(1, len(sizes)):
        scale = 1 if weights is None else np.abs(weights[l - 1]).max() or 1
        for j, y in zip(*columns[l]):
            for k, y_left in zip(*columns[l - 1]):
                style = {"color": GREY, "linewidth": 0.9}
                if weights is not None:
                    w = weights[l - 1][j, k]
                    style = {"color": COLOURS[int(w > 0)], "linewidth": 0.3 + 3 * abs(w) / scale,
                             "linestyle": "-" if w > 0 else (0, (2.5, 1))}
                ax.plot([l - 1, l], [y_left, y], zorder=1, **style)
    for l, (units, heights) in enumerate(columns):
        for j, y in zip(units, heights):
            name = f"$x_{{{j + 1}}}$" if l == 0 else f"$a^{{({l})}}_{{{j + 1}}}$"
            _unit(ax, l, y, name if values is None else _text(np.ravel(values[l])[j]), size=30)
        if len(units) < sizes[l]:
            ax.text(l, 0, "⋮", ha="center", va="center", size=16)
        ax.text(l, -tallest / 2 - 0.4, f"$n_{l} = {sizes[l]}$", ha="center", va="center")
    ax.set(xlim=(-0.35, len(sizes) - 0.65), ylim=(-tallest / 2 - 0.7, tallest / 2 + 0.1))
    ax.set_axis_off()
    return ax


def plot_digits(X, titles=None, ax=None, columns=8):
    """The examples as images, in rows of `columns`: ink is 1, paper is 0.

    X (m, n_0) with n_0 a square number, as 784 = 28 × 28; titles: a text or number for each.
    """
    return _images(X, titles, ax, columns, cmap="gray_r", vmin=0, vmax=1)


def plot_weights(W, titles=None, ax=None, columns=8):
    """The rows of W as images: what each unit of a first layer looks for.

    W (n_1, n_0) with n_0 a square number. Orange is positive, blue negative, white zero, on one
    scale for all rows, which the bar shows.
    """
    reach = np.abs(W).max(initial=0) or 1
    ax = _images(W, titles, ax, columns, cmap=SIGNED, vmin=-reach, vmax=reach)
    ax.figure.colorbar(ax.images[0], ax=ax, shrink=0.8, aspect=15, label="$w^{(1)}_{jk}$")
    return ax


def plot_confusion(M, names=None, ax=None):
    """How often an example of a class (row) was taken for a class (column); M (n, n) of counts."""
    M = np.asarray(M)
    _expect(M.ndim == 2 and M.shape[0] == M.shape[1], "counts of shape (n, n)", M.shape)
    ax = _axes(ax, figsize=(5.2, 4.8))
    # The diagonal is so much larger than the mistakes that equal steps would hide them.
    image = ax.imshow(M, cmap="cividis", norm=PowerNorm(0.3, vmin=0, vmax=max(M.max(), 1)))
    for (i, j), count in np.ndenumerate(M):
        ax.text(j, i, f"{count}", ha="center", va="center", size=12,
                color="white" if image.norm(count) < 0.47 else "black")
    ticks = range(len(M)), range(len(M)) if names is None else names
    ax.set_xticks(*ticks)
    ax.set_yticks(*ticks)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set(xlabel="predicted class", ylabel="class")
    return ax


def _expect(right, expected, got):
    if not right:
        raise ValueError(f"expected {expected}, got {got}")


def _axes(ax, **figure):
    return plt.subplots(**figure)[1] if ax is None else ax


def _plane(X):
    X = np.asarray(X, dtype=float)
    _expect(X.ndim == 2 and X.shape[1] == 2 and len(X), "points of shape (m, 2)", X.shape)
    return X


def _classes(Y, m):
    Y = np.asarray(Y)
    _expect(Y.ndim == 2 and len(Y) == m, f"Y of shape ({m}, 1) or ({m}, n)", Y.shape)
    _expect(np.isin(Y, (0, 1)).all() and (Y.shape[1] == 1 or (Y.sum(axis=1) == 1).all()),
            "Y of 0 and 1, with a single 1 in a row of several", f"\n{Y}")
    return Y[:, 0].astype(int) if Y.shape[1] == 1 else Y.argmax(axis=1)


def _points(x, y):
    return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)


def _call(f, points, columns):
    out = np.asarray(f(points))
    shape = len(points), columns
    _expect(out.shape == shape, f"a function that maps {points.shape} to {shape}", out.shape)
    return out


def _boundary(ax, x, y, height):
    if height.min() < 0 < height.max():
        ax.contour(x, y, height, [0], colors=INK, linewidths=1.6)


def _text(number):
    return number if isinstance(number, str) else f"{number:.3g}".replace("-", "−")


def _unit(ax, x, y, text, size):
    ax.plot(x, y, "o", markersize=size, markerfacecolor="white", markeredgecolor=INK)
    ax.text(x, y, text, ha="center", va="center", size=12.5 if "$" in text else 11)


def _column(n, most):
    """The units of a layer that are drawn and their heights, with a gap where some are left out."""
    half = most // 2
    units = np.arange(n) if n <= most else np.r_[:half, n - half:n]
    heights = (len(units) - 1) / 2 - np.arange(len(units))
    return units, heights if n <= most else heights + np.repeat([0.5, -0.5], half)


def _images(X, titles, ax, columns, **scale):
    X = np.asarray(X, dtype=float)
    side = round(np.sqrt(X.shape[-1])) if X.ndim == 2 else 0
    _expect(X.size and X.shape[1:] == (side * side,), "square images, as (m, 784)", X.shape)
    _expect(titles is None or len(titles) == len(X), f"{len(X)} titles",
            titles if titles is None else len(titles))
    columns = min(columns, len(X))
    across, down = 1.1, 1.1 if titles is None else 1.45
    ax = _axes(ax, figsize=(5.2, 5.2 / columns * -(-len(X) // columns) * down / across))
    for i, x in enumerate(X):
        left, top = i % columns * across, i // columns * down
        ax.imshow(x.reshape(side, side), extent=(left, left + 1, top + 1, top), **scale)
        ax.add_patch(plt.Rectangle((left, top), 1, 1, fill=False, edgecolor=LIGHT, linewidth=0.6))
        if titles is not None:
            ax.text(left + 0.5, top - 0.06, titles[i], ha="center", va="bottom", size=12)
    ax.set(xlim=(-0.05, columns * across - 0.05), ylim=(top + 1.05, 0.95 - down))
    ax.set_axis_off()
    return ax
