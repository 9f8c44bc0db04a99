"""Sliders draw what they say, a still page shows three settings, and an error is seen."""

import subprocess
import sys
import textwrap
from io import BytesIO

import matplotlib
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from byhand.widgets import WIDGET, explore
from PIL import Image


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.fixture
def calls():
    return []


@pytest.fixture
def draw(calls):
    def draw(w, b=0.0, ax=None):
        calls.append({"w": w, "b": b})
        ax = plt.subplots()[1] if ax is None else ax
        ax.plot([0, 1], [b, w + b])
        return ax

    return draw


def sliders(shown):
    return {child.description: child for child in shown.widget.children[:-2]}


def picture_and_error(shown):
    error, image = shown.widget.children[-2:]
    return image, error


def pixels(png):
    return np.asarray(Image.open(BytesIO(png)).convert("RGB"))


# Ranges


@pytest.mark.parametrize(
    "given, values",
    [
        ((0, 3), [0, 1, 2, 3]),
        ((0, 10, 5), [0, 5, 10]),
        ((0, 1, 0.25), [0, 0.25, 0.5, 0.75, 1]),
        ((0, 0.5, 0.1), [0, 0.1, 0.2, 0.3, 0.4, 0.5]),  # no 0.30000000000000004
        ((0, 1, 0.4), [0, 0.4, 0.8]),  # not beyond the end
        ([1, 10, 100], [1, 10, 100]),
        (["MSE", "cross-entropy"], ["MSE", "cross-entropy"]),
    ],
)
def test_a_slider_stands_at_the_values_of_its_range(given, values):
    def draw(w):
        return plt.subplots()[1]

    slider = sliders(explore(draw, w=given))["w"]
    assert [value for _, value in slider.options] == values
    assert len({text for text, _ in slider.options}) == len(values)


def test_a_range_without_a_step_has_twenty_steps(draw):
    values = [value for _, value in sliders(explore(draw, w=(-1.0, 1.0)))["w"].options]
    np.testing.assert_allclose(values, np.linspace(-1, 1, 21))


def test_a_slider_starts_at_the_default_in_draw_else_in_the_middle_or_at_the_first_choice():
    def draw(w, b=0.31, loss="MSE", size=8, kind="y"):
        return plt.subplots()[1]

    shown = explore(draw, w=(-3, 3), b=(0, 1, 0.1), size=[16, 8], kind=["x", "y"], at=[{}])
    assert shown.start == {"w": 0, "b": 0.31, "size": 8, "kind": "y"}
    assert {name: slider.value for name, slider in sliders(shown).items()} == shown.start
    assert explore(lambda loss: plt.subplots()[1], loss=["CE", "MSE"], at=[{}]).start == {
        "loss": "CE"
    }


@pytest.mark.parametrize("given", [(3, -3), (1, 1), (1,), (1, 2, 3, 4), [], 5, "ab"])
def test_a_range_that_is_none_is_refused(draw, given):
    with pytest.raises(ValueError, match=r"expected w=\(least, greatest\).*got w="):
        explore(draw, w=given)


@pytest.mark.parametrize("step", [0, -1, 5])
def test_a_step_that_leads_nowhere_is_refused(draw, step):
    with pytest.raises(ValueError, match="expected a step above 0 and up to 2 for w"):
        explore(draw, w=(0, 2, step))


def test_without_ranges_there_is_nothing_to_explore(draw):
    with pytest.raises(ValueError, match="expected a range"):
        explore(draw)


@pytest.mark.parametrize("given", [["a", "b"], (0, 1, 0.5)])
def test_a_default_that_the_slider_cannot_show_is_refused(given):
    default = "c" if isinstance(given, list) else 3
    with pytest.raises(ValueError, match=rf"default of w in draw to be one of .* got {default!r}"):
        explore(lambda w=default: plt.subplots()[1], w=given)


def test_a_range_for_a_parameter_that_draw_lacks_is_refused(draw):
    with pytest.raises(TypeError, match="unexpected keyword argument 'v'"):
        explore(draw, v=(0, 1))


# In Jupyter


def test_moving_a_slider_redraws_with_its_value(draw, calls):
    shown = explore(draw, w=(-3, 3), b=(0, 1, 0.5))
    image, error = picture_and_error(shown)
    before = image.value
    sliders(shown)["w"].value = 2
    assert calls[-1] == {"w": 2, "b": 0.0}
    assert image.value != before and error.value == ""
    np.testing.assert_array_equal(pixels(image.value), pixels(shown.picture(w=2)))
    sliders(shown)["b"].value = 0.5
    assert calls[-1] == {"w": 2, "b": 0.5}


def test_an_error_in_draw_is_shown_in_place_of_the_picture_until_it_is_over():
    def draw(eta):
        if eta == 3:
            raise ValueError("eta is <too> large")
        return plt.subplots()[1]

    shown = explore(draw, eta=(0, 4), at=[{"eta": 1}])
    image, error = picture_and_error(shown)
    sliders(shown)["eta"].value = 3
    assert "ValueError: eta is &lt;too&gt; large" in error.value
    assert image.layout.display == "none"
    sliders(shown)["eta"].value = 4
    assert error.value == "" and image.layout.display != "none"
    assert not plt.get_fignums()


def test_an_error_in_draw_fails_the_cell():
    with pytest.raises(ZeroDivisionError):
        explore(lambda w: 1 / w, w=(0, 2))


def test_draw_must_return_what_it_drew():
    with pytest.raises(ValueError, match="Axes or the Figure it drew, got NoneType"):
        explore(lambda w: plt.subplots() and None, w=(0, 2))
    assert not plt.get_fignums()


@pytest.mark.parametrize(
    "result",
    [
        lambda figure, axes: figure,
        lambda figure, axes: axes,
        lambda figure, axes: tuple(axes),
    ],
    ids=["figure", "array of axes", "tuple of axes"],
)
def test_draw_may_return_a_figure_or_several_axes(result):
    shown = explore(lambda w: result(*plt.subplots(1, 2)), w=(0, 2))
    assert pixels(shown.picture()).ndim == 3


def test_no_figure_and_no_setting_is_left_behind(draw):
    mine = plt.gcf()
    before = matplotlib.rcParams.copy()
    shown = explore(draw, w=(-3, 3))
    sliders(shown)["w"].value = 2
    assert plt.get_fignums() == [mine.number] and not mine.axes
    assert matplotlib.rcParams == before


# On a still page


def test_a_picture_is_a_png_of_the_setting_asked_for(draw, calls):
    shown = explore(draw, w=(-3, 3), b=(0, 1, 0.5))
    png = shown.picture(w=3)
    assert calls[-1] == {"w": 3, "b": 0.0}
    assert png.startswith(b"\x89PNG") and png == shown.picture(w=3) != shown.picture(w=2)


def test_three_settings_one_below_the_other(draw, calls):
    shown = explore(draw, w=(-3, 3), b=(0, 1, 0.5))
    assert shown.at == [{"w": -3, "b": 0.0}, {"w": 0, "b": 0.0}, {"w": 3, "b": 0.0}]
    assert calls[:3] == shown.at
    height, width, _ = pixels(shown.still).shape
    assert height > 2 * width  # three pictures of 6.4 x 4.8
    top, bottom = pixels(shown.still)[: width // 2], pixels(shown.still)[-width // 2 :]
    assert (top != bottom).any()


def test_the_settings_can_be_chosen(draw, calls):
    shown = explore(draw, at=[{"w": 1}, {"w": 2, "b": 1.0}], w=(-3, 3), b=(0.0, 1.0))
    assert calls[:2] == shown.at == [{"w": 1, "b": 0.0}, {"w": 2, "b": 1.0}]


def test_each_panel_is_titled_by_its_setting():
    figures = []

    def draw(w):
        figures.append(plt.figure())
        return figures[-1]

    explore(draw, w=(-1.5, 1.5))
    assert [figure.get_suptitle() for figure in figures[:3]] == ["w = −1.5", "w = 0", "w = 1.5"]


def test_the_text_says_the_sliders_and_the_settings_and_is_stable(draw):
    shown = explore(draw, w=(-3, 3, 0.5), b=[0.0, 1.0])
    assert repr(shown) == textwrap.dedent("""\
        sliders: w from −3 to 3; b in 0, 1
        shown at: w = −3, b = 0; w = 0, b = 0; w = 3, b = 0""")
    assert repr(explore(draw, w=(-3, 3, 0.5), b=[0.0, 1.0])) == repr(shown)


def test_the_output_is_sliders_or_else_the_still_picture_or_else_the_text(draw):
    shown = explore(draw, w=(-3, 3))
    data, metadata = shown._repr_mimebundle_()
    assert set(data) == {WIDGET, "image/png", "text/plain"}
    assert data["text/plain"] == repr(shown)
    assert data[WIDGET]["model_id"] == shown.widget.model_id
    size = metadata["image/png"]
    height, width, _ = pixels(shown.still).shape
    assert (size["width"], size["height"]) == (width // 2, height // 2)


def test_without_ipywidgets_the_still_picture_stays_and_the_reason_is_said(draw, monkeypatch):
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    with pytest.warns(
        UserWarning, match="ipywidgets is not installed: pip install ipywidgets"
    ) as said:
        shown = explore(draw, w=(-3, 3))
    assert said[0].filename == __file__
    assert shown.widget is None
    data, _ = shown._repr_mimebundle_()
    assert set(data) == {"image/png", "text/plain"}


# In a notebook


def test_a_stored_output_without_sliders_compares_equal_under_nbval(tmp_path):
    """make notebooks stores the picture and the text; nbval gets the sliders with them."""
    source = textwrap.dedent("""\
        import matplotlib.pyplot as plt
        from byhand.widgets import explore
        def line(w):
            ax = plt.subplots()[1]
            ax.plot([0, 1], [0, w])
            return ax
        explore(line, w=(-3, 3))""")
    cell = nbformat.v4.new_code_cell(source, execution_count=1)
    text = "sliders: w from −3 to 3\nshown at: w = −3; w = 0; w = 3"
    path = tmp_path / "explore.ipynb"
    (tmp_path / "pytest.ini").write_text("[pytest]\n")

    def nbval(stored):
        data = {"text/plain": stored, "image/png": "eA=="}
        cell.outputs = [nbformat.v4.new_output("execute_result", data, execution_count=1)]
        nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)
        run = [sys.executable, "-m", "pytest", "-q", "--nbval", "--nbval-current-env", path]
        return subprocess.run(run, capture_output=True, text=True, timeout=120)

    run = nbval(text)
    assert run.returncode == 0, run.stdout
    assert "1 passed" in run.stdout
    assert nbval(text.replace("3", "4")).returncode != 0  # so the text is compared


def test_importing_widgets_needs_no_ipywidgets():
    code = "import sys; sys.modules['ipywidgets'] = None; import byhand.widgets"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0
