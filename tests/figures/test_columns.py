"""Panels in columns: which stand open, in which order, and what is folded."""

import re

import pytest

from site_builder.charts.columns import Placed, laid_out
from site_builder.charts.drawing import DrawingError

PANELS = [Placed(letter, height, f"{letter} & co") for letter, height in zip("abcd", (1, 1, 2, 4), strict=True)]  # fmt: skip


def columns(html: str) -> list[str]:
    """The letters of each column."""
    parts = html.split('<div class="post-column">')[1:]
    return ["".join(re.findall(r'"post-panel"[^>]*>(.)', part)) for part in parts]


def test_columns_are_as_equal_in_height_as_they_can_be() -> None:
    assert columns(laid_out(PANELS, "")) == ["abc", "d"]
    assert columns(laid_out(PANELS[:1], "")) == ["a"]
    assert "data-panel" not in laid_out(PANELS, "")
    assert "<details" not in laid_out(PANELS, "", leading=(1, 2, 3, 4))


def test_leading_panels_stand_open_in_their_order_and_the_others_are_folded_with_their_titles() -> (
    None
):
    html = laid_out(PANELS, "menus", ' data-vega="x"', followers=(3,), leading=(3, 1))
    shown, folded = html.split('<details class="post-rest">')

    assert shown.startswith('<div class="post-chart post-columns" data-vega="x">')
    assert columns(shown) == ["c", "a"]
    assert columns(folded) == ["b", "d"]
    assert "<summary>2 more panels <small>b &amp; co; d &amp; co</small></summary>" in folded
    assert '<div class="post-panel" data-panel="3" data-follows>c</div>' in shown
    assert "1 more panel <" in laid_out(PANELS[:2], "", leading=(2,))


def test_a_panel_that_is_not_there_is_told() -> None:
    with pytest.raises(
        DrawingError, match=r"no panel 5: the drawing has 4; write panels=\"1 2 3 4\""
    ):
        laid_out(PANELS, "", leading=(1, 5))
