"""Draw the picture of the landing page and the README: a hidden layer at work.

    python book/tools/make_cover.py        writes book/static/cover-light.png and cover-dark.png

A 2-3-1 network learns to tell a disc from the ring around it, which no straight line does. Its
hidden layer carries the plane, with all examples on it, into a space of three dimensions and bends
it there; one flat cut is then enough. Both halves show the same sheet, the same examples and the
same boundary, before and after the layer.
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from byhand import Network, accuracy, cross_entropy, rings, tanh, train
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import LinearSegmentedColormap, to_rgb, to_rgba
from PIL import Image

STATIC = Path(__file__).resolve().parents[1] / "static"
REACH = 2.75                    # the sheet is a disc of this radius
TURN, TILT = 66, 20             # where the bent sheet is seen from, in degrees
LIGHT = {"ink": "#1f2328", "page": "#ffffff", "class": ["#0072B2", "#E69F00"], "half": "#d9d4c8"}
DARK = {"ink": "#f0f2f4", "page": "#15181b", "class": ["#56B4E9", "#F2B233"], "half": "#6a6f76"}


def learn():
    """The trained network and its examples: X (240, 2), Y (240, 1)."""
    X, Y = rings(240, noise=0.08, seed=1)
    net = Network([2, 3, 1], hidden=tanh, seed=5)
    train(net, X, Y, cross_entropy, eta=0.3, epochs=300)
    assert accuracy(net(X), Y) == 1, "the network has not separated the examples"
    return net, X, Y


# Where a point of the plane stands on the paper, before and after the layer ----------------------


def seen(points, turn, tilt):
    """Points (…, 3) from the side: their places on the paper (…, 2) and their nearness (…)."""
    a, e = np.radians(turn), np.radians(tilt)
    x = points[..., 0] * np.cos(a) - points[..., 1] * np.sin(a)
    y = points[..., 0] * np.sin(a) + points[..., 1] * np.cos(a)
    paper = np.stack([x, points[..., 2] * np.cos(e) + y * np.sin(e)], axis=-1)
    return paper, points[..., 2] * np.sin(e) - y * np.cos(e)


def flat(points):
    """The plane before the layer, lying down: points (…, 2)."""
    ground = np.zeros(points.shape[:-1] + (1,))
    return seen(np.concatenate([points, ground], axis=-1) / REACH, 0, 38)


def bent(net):
    """The plane after the layer, as a function like `flat`; the cut lies at the height 0."""
    w, b = net[2].W[0], net[2].b[0]
    up = -w / np.linalg.norm(w)                     # class 0 comes out on top
    across = np.cross(up, [0.0, 0.0, 1.0])
    across /= np.linalg.norm(across)
    basis = np.array([across, np.cross(up, across), up])
    top = basis @ net[1].forward(np.zeros((1, 2)))[1][0]

    def place(points):
        a = net[1].forward(points.reshape(-1, 2))[1] @ basis.T
        a -= [*top[:2], b / np.linalg.norm(w)]
        return seen(a.reshape(points.shape[:-1] + (3,)) / 1.12, TURN, TILT)

    return place


def boundary(net, rays=361):
    """The closed curve in the plane where the output is 1/2, by bisection along each ray."""
    t = np.linspace(0, 2 * np.pi, rays)
    direction = np.stack([np.cos(t), np.sin(t)], axis=1)
    inside, outside = np.zeros(rays), np.full(rays, REACH)
    for _ in range(50):
        r = (inside + outside) / 2
        beyond = net(r[:, None] * direction)[:, 0] > 0.5
        inside, outside = np.where(beyond, inside, r), np.where(beyond, r, outside)
    return inside[:, None] * direction


def turned_away(place, points, h=1e-4):
    """Which points lie where the sheet shows us its underside; its middle shows the upper side."""
    points = np.vstack([np.zeros((1, 2)), points])
    ahead = place(points + [h, 0])[0] - place(points)[0]
    aside = place(points + [0, h])[0] - place(points)[0]
    area = ahead[:, 0] * aside[:, 1] - ahead[:, 1] * aside[:, 0]
    return np.sign(area[1:]) != np.sign(area[0])


# Drawing -----------------------------------------------------------------------------------------


def draw_sheet(ax, place, net, theme, finer=5):
    """The sheet, its far parts first, and on it a net of rings and rays, faint on the underside."""
    low, high = theme["class"]
    colours = LinearSegmentedColormap.from_list("sheet", [low, theme["half"], high])
    r, t = np.linspace(0.0, REACH, 12 * finer + 1), np.linspace(0, 2 * np.pi, 36 * finer + 1)
    grid = np.stack([r[:, None] * np.cos(t), r[:, None] * np.sin(t)], axis=-1)

    def corners(v):
        """The four corners of each small piece of the sheet: (pieces, 4, …)."""
        around = [v[:-1, :-1], v[1:, :-1], v[1:, 1:], v[:-1, 1:]]
        return np.stack(around, axis=2).reshape(-1, 4, *v.shape[2:])

    paper, near = place(grid)
    order = np.argsort(corners(near).mean(axis=1))
    colour = colours(net(corners(grid).mean(axis=1))[:, 0])[order, :3]
    fill = 0.86 * np.array(to_rgb(theme["page"])) + 0.14 * colour
    ax.add_collection(PolyCollection(
        corners(paper)[order], facecolors=fill, edgecolors=fill, linewidths=0.5, zorder=2))
    rays = grid[finer:, :-1:finer].swapaxes(0, 1)
    # Every other ray starts further out: in the middle they would touch.
    for line in [*grid[finer::finer], *rays[::2], *rays[1::2, 3 * finer :]]:
        middle, ends = (line[1:] + line[:-1]) / 2, place(line)[0]
        shade = colours(net(middle)[:, 0])
        shade[:, 3] = np.where(turned_away(place, middle), 0.15, 0.9)
        ax.add_collection(LineCollection(
            np.stack([ends[:-1], ends[1:]], axis=1), colors=shade, linewidths=0.8, zorder=2.5))


def draw_boundary(ax, place, net, theme):
    """The curve where the output is 1/2, thin where the sheet in front hides it."""
    curve = boundary(net)
    segments = np.stack([place(curve[:-1])[0], place(curve[1:])[0]], axis=1)
    away = turned_away(place, (curve[:-1] + curve[1:]) / 2)
    for part, width in (segments[away], 1.2), (segments[~away], 2.8):
        ax.add_collection(LineCollection(
            part, colors=theme["ink"], linewidths=width, capstyle="round", zorder=4))


def draw_half(ax, place, net, X, Y, theme, cut=None):
    """Sheet, cut, boundary and examples; place(points) says where they stand."""
    draw_sheet(ax, place, net, theme)
    if cut is not None:
        ax.add_collection(PolyCollection(
            [cut], facecolors=to_rgba(theme["ink"], 0.07), edgecolors=to_rgba(theme["ink"], 0.5),
            linewidths=1, zorder=3))
    draw_boundary(ax, place, net, theme)
    for c, marker in enumerate("os"):
        points = X[Y[:, 0] == c]
        away = turned_away(place, points)
        for part, alpha, z in (points[away], 0.25, 4), (points[~away], 1, 5):
            ax.scatter(*place(part)[0].T, s=34, marker=marker, color=theme["class"][c],
                       alpha=alpha, edgecolors=theme["page"], linewidths=0.8, zorder=z)
    ax.set(aspect="equal")
    ax.margins(0.02)
    ax.autoscale_view()
    ax.set_axis_off()


def draw(net, X, Y, theme):
    """Both halves on one transparent ground."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.7), layout="none")
    corners = 1.15 * np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]])
    draw_half(left, flat, net, X, Y, theme)
    draw_half(right, bent(net), net, X, Y, theme, cut=seen(corners, TURN, TILT)[0])
    left.set_position([0, 0, 0.5, 1])
    right.set_position([0.5, 0, 0.5, 1])
    return figure


def main():
    plt.style.use("byhand.byhand")
    net, X, Y = learn()
    for name, theme in ("light", LIGHT), ("dark", DARK):
        file = STATIC / f"cover-{name}.png"
        draw(net, X, Y, theme).savefig(file, dpi=160, transparent=True)
        with Image.open(file) as picture:           # 256 colours do, in a sixth of the bytes
            picture.quantize(256).save(file, optimize=True)


if __name__ == "__main__":
    main()
