"""Pictures for sliders that move on the page without Python: loaded by the kernels of notebooks.py.

A figure of byhand.widgets.explore then stores, beside its still picture, a *strip*: one WebP with
its pictures at many settings, one below the other, where WebP stores only once what they share.
The strip's metadata say which picture is which; book/site/static/page.js shows them.
"""

from base64 import b64encode
from io import BytesIO
from itertools import product
from math import prod

import numpy as np
from byhand.widgets import Exploration, _text
from PIL import Image

FRAMES, BYTES = 60, 150_000     # of one figure, at most
TALLEST = 16_383                # pixels, a limit of the format


def stops(shown, name, count):
    """About count of a slider's values, with its start and those of the still picture."""
    values = shown.values[name]
    if isinstance(shown.ranges[name], list):
        return values
    some = {values[int(i)] for i in np.linspace(0, len(values) - 1, count).round()}
    return sorted(some | {setting[name] for setting in shown.at} | {shown.start[name]})


def plans(shown):
    """Ever coarser choices of pictures: {slider: stops}, the settings, whether in combination.

    All combinations of the stops, if they are few enough; else one slider at a time moves.
    """
    for count in (25, 17, 13, 11, 9, 7, 5, 3):
        chosen = {name: stops(shown, name, count) for name in shown.ranges}
        if prod(map(len, chosen.values())) <= FRAMES:
            yield chosen, [dict(zip(chosen, at)) for at in product(*chosen.values())], True
        elif sum(map(len, chosen.values())) <= FRAMES and count <= 11:
            yield chosen, [{name: at} for name in chosen for at in chosen[name]], False


def stacked(frames):
    """The pictures below one another, in columns, as a lossless WebP; and the size of one."""
    width, height = (max(frame.size[i] for frame in frames) for i in (0, 1))
    rows = TALLEST // height
    columns = -(-len(frames) // rows)
    sheet = Image.new("RGB", (width * columns, height * min(rows, len(frames))), "white")
    for i, frame in enumerate(frames):
        sheet.paste(frame, (i // rows * width, i % rows * height))
    sheet = sheet.quantize(128, dither=Image.Dither.NONE).convert("RGB")
    webp = BytesIO()
    sheet.save(webp, "WEBP", lossless=True, quality=80, method=4)
    return webp.getvalue(), width, height


def strip(shown):
    """The strip of an Exploration, (bytes, metadata): the finest that is small enough."""
    for chosen, settings, together in plans(shown):
        for density in (1.25, 1):
            pngs = [shown.picture(density, **setting) for setting in settings]
            frames = [Image.open(BytesIO(png)) for png in pngs]
            webp, width, height = stacked(frames)
            if len(webp) <= BYTES:
                return webp, {
                    "sliders": [[name, [_text(v) for v in chosen[name]]] for name in chosen],
                    "start": [chosen[name].index(shown.start[name]) for name in chosen],
                    "together": together,
                    "rows": TALLEST // height,
                    "width": round(width / density),
                    "height": round(height / density),
                }
    raise ValueError(f"the pictures of {shown!r} take more than {BYTES:,} bytes at every setting")


def with_strip(shown, include=None, exclude=None):
    data, metadata = plain(shown)
    webp, metadata["image/webp"] = strip(shown)
    return data | {"image/webp": b64encode(webp).decode()}, metadata


plain = Exploration._repr_mimebundle_
Exploration._repr_mimebundle_ = with_strip
