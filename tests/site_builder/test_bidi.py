"""Text that turns the direction of writing turns nothing beside it."""

import pytest

from site_builder.render.bidi import isolated

RLO, RLI = "\u202e", "\u2067"


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        (f"<p>a {RLO}b</p><p>c</p>", f"<p><bdi>a {RLO}b</bdi></p><p>c</p>"),
        (f"{RLI}a<b>c</b>", f"<bdi>{RLI}a</bdi><b>c</b>"),
        (f'<i title="{RLO}">a</i>', f'<i title="{RLO}">a</i>'),
        (f"<svg><text>{RLO}a</text></svg>{RLO}", f"<svg><text>{RLO}a</text></svg><bdi>{RLO}</bdi>"),
        (
            f"<option>{RLO}</option><em>{RLO}</em>",
            f"<option>{RLO}</option><em><bdi>{RLO}</bdi></em>",
        ),
        (f"<!-- {RLO} --><script>'{RLO}'</script>", f"<!-- {RLO} --><script>'{RLO}'</script>"),
        ("<p>שלום ordinary</p>", "<p>שלום ordinary</p>"),
    ],
)
def test_a_turn_ends_with_its_text(html, expected):
    assert isolated(html) == expected
