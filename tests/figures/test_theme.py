"""Colours are the same in Python and in the style sheet, and can be told apart."""

import re
from pathlib import Path

import pytest

from site_builder.charts import theme

CSS = (Path(__file__).parents[2] / "assets/post.css").read_text("utf-8")
BACKGROUNDS = {"light": "#fdfcfa", "dark": "#15181c"}


def variables(text: str) -> dict[str, str]:
    return dict(re.findall(r"--fig-(\w+): (#[0-9a-f]{6})", text))


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_the_style_sheet_has_the_same_colours():
    light, dark = CSS.split('[data-md-color-scheme="slate"] {', 1)

    assert variables(light) == theme.LIGHT
    assert variables(dark) == theme.DARK


@pytest.mark.parametrize(("scheme", "colours"), [("light", theme.LIGHT), ("dark", theme.DARK)])
def test_text_and_marks_stand_out(scheme, colours):
    ground = BACKGROUNDS[scheme]

    assert f"--md-default-bg-color: {ground}" in CSS
    assert all(contrast(colours[name], ground) >= 4.5 for name in ("fg", "muted"))
    assert all(contrast(colours[name], ground) >= 3 for name in ("1", "2", "3"))


def test_a_picture_has_no_variables_left():
    svg = f'<path fill="{theme.colour("1")}"/>'

    assert theme.literal_colours(svg, "light") == f'<path fill="{theme.LIGHT["1"]}"/>'
    assert theme.literal_colours(svg, "dark") == f'<path fill="{theme.DARK["1"]}"/>'
