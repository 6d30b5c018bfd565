"""Drawings of patches: words for roles, shares of one difference, lists to pick, linked cells."""

import importlib
import json

import pyarrow as pa
import pytest

from analyses.instruments.paired_lists import AXIS
from site_builder.charts import heatmap, render
from site_builder.charts.drawing import PICKED, DrawingError
from site_builder.figures import roles
from tests.figures import tables

PATCHING = ("resid", "attn-out", "mlp-out", "q", "k", "v", "z", "pattern")
CASES = [
    *[("patching", variant, tables.patching(variant, layers=3, heads=2)) for variant in PATCHING],
    *[
        ("attribution_patching", variant, tables.attribution_patching(variant, layers=3, heads=2))
        for variant in ("heads", "residual")
    ],
]
every_variant = pytest.mark.parametrize(
    ("name", "variant", "table"), CASES, ids=[f"{name} {variant}" for name, variant, _ in CASES]
)


def draw(name, variant, table):
    return importlib.import_module(f"site_builder.figures.{name}").draw(table, variant=variant)


def without(table: pa.Table, **equal: object) -> pa.Table:
    rows = [
        row for row in table.to_pylist() if any(row[name] != value for name, value in equal.items())
    ]
    return pa.Table.from_pylist(rows, schema=table.schema)


def rows_of(panel) -> list[dict]:
    spec = panel.to_dict()
    return spec["data"].get("values") or spec["datasets"][spec["data"]["name"]]


def test_roles_are_those_of_the_measurement_in_its_order():
    assert tuple(roles.role(*one) for one in AXIS) == roles.ROLES


@pytest.mark.parametrize("k_end", [-4, -30, None])
def test_items_before_the_last_three_are_one_role(k_end):
    assert roles.role("item", k_end) == "earlier items"


@every_variant
def test_it_stands_in_the_page_with_its_choices(name, variant, table):
    drawing = draw(name, variant, table)
    rendered = render.render(drawing, name, "0" * 16)

    assert drawing.choices.chosen in drawing.choices.options
    assert rendered.html.count("<select") == len(drawing.choices.names)


@every_variant
def test_cells_can_be_pointed_at(name, variant, table):
    """What the page's script sets has to be there, and what it reads."""
    for panel in draw(name, variant, table).body:
        spec = panel.to_dict()
        if spec.get("mark", {}).get("type") == "rect":
            values = {one["name"]: one.get("value") for one in spec["params"]}
            assert values.items() >= {"at_role": "", "at_layer": ""}.items()
            assert all("role" in row or "layer" in row for row in rows_of(panel))


@pytest.mark.parametrize("variant", ["resid", "z"])
def test_noising_is_drawn_as_the_share_that_is_lost(variant):
    table = tables.patching(variant, layers=2, heads=1)
    part = "role" if variant == "resid" else "head"
    left = next(
        row for row in table.to_pylist() if (row["part"], row["direction"]) == (part, "noising")
    )
    lost = rows_of(draw("patching", variant, table).body[1])[0]

    for name, end in (("estimate", "estimate"), ("low", "high"), ("high", "low")):
        assert lost[name] == pytest.approx(1 - left[end], abs=0.002)


def test_a_list_is_read_token_by_token():
    choices = draw("patching", "resid", tables.patching("resid", layers=2)).choices
    tokens = choices.options["short", "Countries", "denoising"]

    assert choices.chosen == ("short", "Countries", "denoising")  # its prompts differ most
    assert [row["token"][4:] for row in tokens] == ["␣short", "␣a", "⏎"]
    assert [row["role"] for row in tokens] == ["length word", "item −1", "deciding token"]
    assert [len(row["share"]) for row in tokens] == [3, 3, 3]
    assert {row["span"] for row in tokens} == {4.0}
    assert {row["span"] for row in choices.options["short", "Countries", "noising"]} == {-4.0}


def test_a_menu_with_one_entry_is_left_out():
    drawing = draw("patching", "z", without(CASES[6][2], part="token", direction="noising"))

    assert drawing.choices.names == ("length word", "topic")


@pytest.mark.parametrize("odd", ["</script><script>alert(1)</script>", "\x00", "{{ 7 * 7 }}"])
def test_tokens_are_text(odd):
    drawing = draw("patching", "resid", tables.patching("resid", layers=1, odd=odd))
    rendered = render.render(drawing, "x", "0" * 16)

    assert "<script" not in rendered.html
    assert all(json.loads(content) for name, content in rendered.files.items() if "json" in name)


@every_variant
def test_a_missing_part_is_named(name, variant, table):
    needed = {"patching": ("role", "token"), "attribution_patching": ("check", "mean")}[name]
    for part in needed:
        with pytest.raises(DrawingError, match=f"part {part}"):
            draw(name, variant, without(table, part=part))


@pytest.mark.parametrize("variant", PATCHING)
def test_only_the_first_kind_of_pair_has_to_be_there(variant):
    table = without(without(CASES[PATCHING.index(variant)][2], topics="held-out"), template="long")
    drawing = draw("patching", variant, without(table, direction="noising"))

    assert render.render(drawing, "x", "0" * 16).interactive


@every_variant
def test_what_has_no_interval_is_drawn_without(name, variant, table):
    nothing = pa.nulls(len(table), pa.float64())
    for side in ("low", "high"):
        table = table.set_column(table.column_names.index(side), side, nothing)

    assert render.render(draw(name, variant, table), "x", "0" * 16).interactive


@pytest.mark.parametrize(
    ("values", "end"),
    [([0.01], 0.02), ([0.2, -0.3], 0.3), ([7.0], 1.0), ([0.04] * 60 + [0.9], 0.05)],
)
def test_a_scale_ends_at_a_round_share_beyond_which_little_lies(values, end):
    assert heatmap.end_of_scale(values) == end


def test_the_legend_says_that_a_scale_goes_on():
    color = heatmap.colour("share", "share", 0.3).to_dict()

    assert color["scale"]["clamp"] is True
    assert "≥" in color["legend"]["labelExpr"]


def test_each_site_has_colours_of_its_own_strength():
    drawing = draw("attribution_patching", "residual", CASES[-1][2])
    ends = {site: rows[0]["end"] for site, rows in drawing.choices.options.items()}
    largest = {
        site: max(value for row in rows for value in row["measured"])
        for site, rows in drawing.choices.options.items()
    }

    assert all(end in heatmap.ENDS for end in ends.values())
    assert all(largest[site] <= end for site, end in ends.items())


def test_estimate_and_measurement_share_their_cells():
    drawing = draw("attribution_patching", "heads", CASES[-2][2])
    specs = [panel.to_dict() for panel in drawing.body]
    picked = [spec for spec in specs if spec.get("data", {}).get("name") == PICKED]

    assert len(picked) == 5
    cells = [spec["layer"][0]["encoding"]["color"] for spec in picked[:4]]  # signs lie over them
    assert [colour["field"] for colour in cells] == [
        "estimate", "measured", "estimate", "measured",
    ]  # fmt: skip
    assert cells[0]["scale"] == cells[1]["scale"]
