"""Widgets: sliders around a plain plotting function.

explore(draw, w=(-3, 3, 0.1)) shows draw(w=…) under a slider for w. In Jupyter the slider moves; on
a built page, on paper and where ipywidgets is missing, three pictures stand in its place. The
function that draws knows nothing of this, and nothing but pictures is made here.
"""

import inspect
import traceback
import warnings
from base64 import b64encode
from html import escape
from io import BytesIO

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

NONE = inspect.Parameter.empty
WIDGET = "application/vnd.jupyter.widget-view+json"


def explore(draw, at=None, **ranges):
    """Sliders for parameters of draw, and the picture it draws.

    draw(**values) draws a new figure and returns its Axes, one or several, or the Figure, as the
    functions of byhand.plotting do. A range is (least, greatest), (least, greatest, step) or a
    list of choices. A slider starts at the default that the parameter has in draw; without one,
    in the middle of its range or at the first choice.

    at: the settings that a still page shows, as [{"w": -1}, {"w": 0}, {"w": 2}]; what a setting
    does not name stays at its start. Without it: the first parameter low, at its start, and high.
    """
    if not ranges:
        raise ValueError("expected a range for at least one parameter, as w=(-3, 3, 0.1), got none")
    return Exploration(draw, at, ranges)


class Exploration:
    """Shows itself in a notebook; picture(**values) is the picture of any one setting."""

    def __init__(self, draw, at, ranges):
        self.draw, self.ranges = draw, ranges
        self.values, self.start = {}, {}
        parameters = inspect.signature(draw).parameters
        for name, given in ranges.items():
            default = getattr(parameters.get(name), "default", NONE)
            self.values[name], self.start[name] = _values(name, given, default)
        name, values = next(iter(self.values.items()))
        at = at or [{name: values[0]}, {}, {name: values[-1]}]
        self.at = [{**self.start, **setting} for setting in at]
        # Drawn here and not when it is shown, so that an error in draw fails the cell.
        self.still = _stack([_png(draw, s, 1.6, title=self._title(s)) for s in self.at])
        self.widget = self._sliders()

    def picture(self, density=2, **values):
        """The PNG of one setting, as bytes; what is not named stays at its start."""
        return _png(self.draw, {**self.start, **values}, density)

    def _title(self, setting):
        """What a panel shows: with more than three sliders, only what differs from the start."""
        moved = {name: value for name, value in setting.items() if value != self.start[name]}
        return _text(setting if len(setting) <= 3 else moved) or "at the start"

    def _sliders(self):
        try:
            import ipywidgets
        except ImportError:
            warnings.warn("pictures instead of sliders, because ipywidgets is not installed: "
                          "pip install ipywidgets", stacklevel=4)
            return None
        sliders = {name: ipywidgets.SelectionSlider(options=[(_text(v), v) for v in values],
                                                    value=self.start[name], description=name)
                   for name, values in self.values.items()}
        image, error = ipywidgets.Image(value=self.picture(), format="png"), ipywidgets.HTML()
        image.layout.width, image.layout.max_width = f"{_size(image.value)[0] // 2}px", "100%"

        def redraw(change):
            # Jupyter hides an error raised here in a log: show it in place of the picture.
            try:
                image.value = self.picture(**{name: s.value for name, s in sliders.items()})
                error.value, image.layout.display = "", None
            except Exception:
                error.value = f"<pre>{escape(traceback.format_exc())}</pre>"
                image.layout.display = "none"

        for slider in sliders.values():
            slider.observe(redraw, names="value")
        return ipywidgets.VBox([*sliders.values(), error, image])

    def __repr__(self):
        sliders = [f"{name} from {_text(values[0])} to {_text(values[-1])}"
                   if isinstance(self.ranges[name], tuple)
                   else f"{name} in {', '.join(map(_text, values))}"
                   for name, values in self.values.items()]
        return f"sliders: {'; '.join(sliders)}\nshown at: {'; '.join(map(_text, self.at))}"

    def _repr_mimebundle_(self, include=None, exclude=None):
        data = {"text/plain": repr(self), "image/png": b64encode(self.still).decode()}
        if self.widget is not None:
            data[WIDGET] = self.widget._repr_mimebundle_()[WIDGET]
        width, height = _size(self.still)
        return data, {"image/png": {"width": width // 2, "height": height // 2}}


def _values(name, given, default):
    """The values at which a slider can stand, and the one at which it starts."""
    if isinstance(given, list) and given:
        values, start = given, given[0]
    elif isinstance(given, tuple) and len(given) in (2, 3) and given[0] < given[1]:
        least, greatest = given[:2]
        whole = isinstance(least, int) and isinstance(greatest, int)
        step = given[2] if len(given) == 3 else 1 if whole else (greatest - least) / 20
        if not 0 < step <= greatest - least:
            raise ValueError(f"expected a step above 0 and up to {greatest - least} for {name}, "
                             f"got {step}")
        # Rounded, because 0 + 3 * 0.1 is 0.30000000000000004.
        steps = np.arange(int((greatest - least) / step + 1e-9) + 1)
        values = (least + steps * step).round(10).tolist()
        start = values[len(values) // 2]
        if default is not NONE and least <= default <= greatest:
            values = sorted({*values, default})
    else:
        raise ValueError(f"expected {name}=(least, greatest), (least, greatest, step) or a list "
                         f"of choices, got {name}={given!r}")
    if default is NONE:
        return values, start
    if default not in values:
        raise ValueError(f"expected the default of {name} in draw to be one of the slider's "
                         f"values, {values}, got {default!r}")
    return values, default


def _png(draw, setting, density=2, title=None):
    """What draw draws for one setting, as a PNG of density times the figure's dpi."""
    before = set(plt.get_fignums())
    try:
        with plt.ioff():
            drawn = np.ravel(np.array(draw(**setting), dtype=object))[0]
        figure = drawn if isinstance(drawn, Figure) else getattr(drawn, "figure", None)
        if figure is None:
            raise ValueError("expected draw to return the Axes or the Figure it drew, got "
                             f"{type(drawn).__name__}")
        if title:
            figure.suptitle(title, size="medium", color="0.35")
        png = BytesIO()
        figure.savefig(png, format="png", dpi=density * figure.dpi)
        return png.getvalue()
    finally:
        for number in set(plt.get_fignums()) - before:
            plt.close(number)


def _stack(panels):
    """Pictures one below the other: side by side they could not be read on a phone."""
    images = [Image.open(BytesIO(panel)) for panel in panels]
    width = max(image.width for image in images)
    gap = width // 25
    height = sum(image.height + gap for image in images) - gap
    sheet, top = Image.new("RGB", (width, height), "white"), 0
    for image in images:
        sheet.paste(image, ((width - image.width) // 2, top))
        top += image.height + gap
    png = BytesIO()
    sheet.save(png, "PNG", optimize=True)
    return png.getvalue()


def _size(png):
    return Image.open(BytesIO(png)).size


def _text(value):
    """A setting, or a value in it, as a reader writes it."""
    if isinstance(value, dict):
        return ", ".join(f"{name} = {_text(v)}" for name, v in value.items())
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return f"{value:.10g}".replace("-", "−") if number else str(value)
