"""Feature cards and the drawings about features: true to their table, whatever it says."""

import importlib
import re

import pyarrow as pa
import pytest

from analyses.feature_overlap import PERMUTATIONS
from site_builder.charts import render, sparklines
from site_builder.charts.drawing import DrawingError
from site_builder.figures import feature, feature_activation, feature_cards, feature_labels
from tests.figures import feature_tables
from tests.figures.test_escaping import ODD, read

CARDS = feature_tables.feature(12)
DRAWINGS = {
    "feature": ("", "by_role"),
    "feature_activation": ("", "tokens"),
    "feature_presence": ("", "order"),
    "feature_overlap": ("topics", "null_low"),
    "feature_clusters": ("", "across"),
}
every_drawing = pytest.mark.parametrize("name", DRAWINGS)


def draw(name, table, **options):
    return importlib.import_module(f"site_builder.figures.{name}").draw(table, **options)


@every_drawing
def test_a_table_made_by_hand_has_the_columns_of_the_measured_one(name):
    made = getattr(feature_tables, name)().schema
    measured = pa.schema(importlib.import_module(f"analyses.{name}").SCHEMA)

    assert {field.name: field.type for field in made} == {
        field.name: field.type for field in measured
    }


@every_drawing
def test_a_drawing_says_what_it_shows(name):
    drawing = draw(name, getattr(feature_tables, name)(), variant=DRAWINGS[name][0])

    assert drawing.caption.endswith(".")
    assert len(drawing.description) > 40


@every_drawing
def test_a_missing_column_is_named(name):
    variant, used = DRAWINGS[name]
    table = getattr(feature_tables, name)().drop_columns([used])

    with pytest.raises(DrawingError, match=f"no column '{used}'"):
        draw(name, table, variant=variant)


@every_drawing
def test_an_unknown_variant_is_refused(name):
    with pytest.raises(DrawingError, match="nonsense"):
        draw(name, getattr(feature_tables, name)(), variant="nonsense")


@pytest.mark.parametrize("name", ["feature", "feature_activation"])
def test_a_feature_without_a_card_is_told_with_the_nearest_ones(name):
    table = getattr(feature_tables, name)(12)
    with pytest.raises(DrawingError) as refusal:
        draw(name, table, feature="26/90")

    assert refusal.value.what == 'feature "26/90" has no card'
    assert refusal.value.cure.startswith("the nearest are 26/100, 26/63")
    with pytest.raises(DrawingError, match=r"nearest are 26/"):
        draw(name, table, feature="26-63")


@pytest.mark.parametrize("odd", [*ODD, "\x02base\x03\x02files\x03", "\x00\x1b[31m\x9f\u202e"])
def test_text_on_a_card_is_text(odd):
    table = feature_tables.feature(12, odd=odd)
    gallery, card = (feature.draw(table, feature=name) for name in ("", "26/63"))
    shown = feature_cards.clean(odd)

    for drawing in (gallery, card):
        rendered = render.render(drawing, "feature", "0" * 16)
        pieces = [rendered.html, rendered.inline]
        pieces += [content.decode() for content in rendered.files.values()]
        for piece in pieces:
            tags = read(piece)
            assert shown in tags.text
            assert not {"script", "img", "iframe"} & set(tags.found)
    assert not re.search("[\x00-\x01\x04-\x08\x0b-\x1f\x7f-\x9f\u202e]", str(card.body))


def test_the_gallery_has_a_head_and_a_file_a_card_and_one_card_has_all_in_the_page():
    gallery = feature.draw(CARDS)
    rows = sorted(CARDS.to_pylist(), key=lambda row: -abs(row["measured"]))
    names = [row["name"] for row in rows]

    assert re.findall(r'<details class="card" id="([^"]+)"', gallery.body) == [
        f"f-{name.replace('/', '-')}" for name in names
    ]
    assert set(gallery.files) == {f"f-{name.replace('/', '-')}.htm" for name in names}
    assert "card-body" not in gallery.body
    card = feature.draw(CARDS, feature=names[3])
    assert not card.files
    assert card.body.count("card-example") == 9
    assert "style=" not in gallery.body + card.body + "".join(
        map(bytes.decode, gallery.files.values())
    )


def test_a_card_tells_its_table_s_numbers():
    (row,) = CARDS.slice(3, 1).to_pylist()
    card = str(feature.draw(CARDS, feature=row["name"]).body)

    for name in ("attributed", "measured"):
        ends = [f"{row[name + end]:.2f}".replace("-", "−") for end in ("", "_low", "_high")]
        assert f"{ends[0]} ({ends[1]} to {ends[2]})" in card
    assert "−0.03 to 0.05" in card
    assert card.count("◆ deciding") == 2
    assert "City Names †" in card
    assert "near miss, pre-activation −0.70" in card
    assert "range of 20 features of this autoencoder that were not chosen" in card
    decision = f"{row['decision']:.2f}".replace("-", "−")
    assert f"direct path, per unit of activation</dt><dd>{decision}, before the norm’s" in card
    assert "decision" not in read(card).text


def few(name: str, n: int) -> str:
    """A card whose first row of `name` rests on n lists or topics."""
    rows = CARDS.to_pylist()
    rows[3][name][0]["n"] = n
    return str(feature.draw(pa.Table.from_pylist(rows, CARDS.schema), feature=rows[3]["name"]).body)


def test_a_point_of_few_lists_and_an_interval_of_few_topics_are_not_drawn():
    whole = re.compile(r"by item, clean and corrupted. (\d+): ")
    row = re.compile(r"<title>text before[^/]*</title>(.*?)</g>")

    assert [whole.search(few("by_item", n))[1] for n in (10, 9)] == ["1", "2"]
    assert [row.search(few("by_role", n))[1].count("<path") for n in (5, 4)] == [2, 0]
    assert [row.search(few("by_role", n))[1].count("<circle") for n in (5, 4)] == [1, 1]


def test_a_token_s_shade_rises_with_its_value_and_its_value_is_text():
    card = str(feature.draw(CARDS, feature="26/63").body)
    found = re.findall(
        r'tok(?: shade-(\d))?[^>]*title="([\d.]+)">[^<]*(?:<i> ([\d.]+) </i>)?', card
    )
    by_value = sorted((float(value), int(shade or 0), told) for shade, value, told in found)

    shades = [shade for _, shade, _ in by_value]
    assert shades == sorted(shades)
    assert {0, 1, feature_cards.SHADES} <= set(shades)
    assert all(bool(told) == bool(shade) for _, shade, told in by_value)


@pytest.mark.parametrize(
    ("activation", "step"), [(None, 0), (0.0, 0), (-1.0, 0), (1e-9, 1), (1.0, 3), (2.0, 5)]
)
def test_shades_are_steps_of_the_strongest(activation, step):
    assert feature_cards.shade(activation, 2.0) == step


def test_only_public_addresses_become_links():
    rows = CARDS.to_pylist()
    rows[0]["dashboard"] = "https://www.neuronpedia.org/gemma-2-2b/26-gemmascope-res-16k/1201"
    rows[1]["dashboard"] = "javascript:alert(1)"
    table = pa.Table.from_pylist(rows, schema=CARDS.schema)

    assert rows[0]["dashboard"] in feature.draw(table, feature=rows[0]["name"]).body
    assert "javascript" not in feature.draw(table, feature=rows[1]["name"]).body


def test_what_was_not_measured_is_not_drawn():
    rows = CARDS.to_pylist()
    empty = {"by_role": [], "by_item": None, "firing": [], "examples": [], "nearest": [],
             "measured": None, "measured_low": None, "measured_high": None, "attributed_low": None,
             "attributed_high": None, "band_low": None, "band_high": None, "band_n": 0}  # fmt: skip
    rows[0] |= empty
    table = pa.Table.from_pylist(rows, schema=CARDS.schema)
    card = str(feature.draw(table, feature=rows[0]["name"]).body)

    assert "measured –" in card
    assert "none was active there" in card
    assert card.count('<circle class="measured"') == 0
    assert 'class="band"' not in card
    assert feature.draw(table).files


def test_a_scale_has_zero_and_both_ends():
    scale = sparklines.Scale.over([None, 2.0, -1.0], 10, 40)

    assert [scale.at(value) for value in (-1.0, 0.0, 2.0)] == [10, 20, 40]
    assert scale.at(99) == 40
    assert sparklines.Scale.over([], 0, 1).at(0) == 0


def test_a_list_shows_what_the_feature_did_at_each_token():
    table = feature_tables.feature_activation(cards=12, topics=3, samples=1, items=2)
    drawing = feature_activation.draw(table, feature="12/86", topic="Animals")
    shown = drawing.choices.options[drawing.choices.chosen]
    wanted = {
        row["condition"]: dict(zip(row["positions"], row["activations"], strict=True))
        for row in table.to_pylist()
        if (row["part"], row["name"], row["topic"]) == ("activation", "12/86", "Animals")
        and row["template"] == "short"
    }

    assert drawing.choices.chosen == ("short", "Animals", "0")
    assert [row["token"][:4] for row in shown] == [f"{n:04d}" for n in range(2, 2 + len(shown))]
    assert "the one of its topic where the clean activations add up to most" in drawing.caption
    assert "at most 1 list a topic" in drawing.caption
    for run in ("clean", "corrupted"):
        assert sum(map(bool, wanted[run].values())) > 2
        for row in shown:
            expected = wanted[run].get(int(row["token"][:4]), 0.0)
            assert row[run] == pytest.approx(expected, rel=5e-3)
    assert shown[-1]["role"] == "deciding token"


def test_the_list_shown_first_is_that_of_the_largest_total():
    table = feature_tables.feature_activation(cards=12, topics=4, samples=3)
    drawing = feature_activation.draw(table, feature="12/86")
    choices = drawing.choices
    totals = {
        key: sum(row["clean"] for row in rows)
        for key, rows in choices.options.items()
        if key[0] == "short"
    }

    assert totals[choices.chosen] == max(totals.values()) > min(totals.values())
    assert "at most 3 lists a topic" in drawing.caption


@pytest.mark.parametrize(
    ("p", "said"),
    [
        (1 / (PERMUTATIONS + 1), "one-sided p ≤ 0.0005"),
        (2 / (PERMUTATIONS + 1), "one-sided p = 0.001"),
        (0.25, "one-sided p = 0.25"),
        (None, "not tested"),
    ],
)
def test_a_chance_at_its_floor_is_at_most_that(p, said):
    table = feature_tables.feature_overlap(topics=2)
    place = table.column_names.index("p")
    values = pa.array([None] * (len(table) - 1) + [p], pa.float32())
    drawing = draw("feature_overlap", table.set_column(place, "p", values), variant="topics")

    assert f"({said})" in drawing.caption


def test_each_branch_of_a_tree_joins_its_cells_or_branches():
    table = feature_tables.feature_clusters(features=4, lists=6)
    (chart,) = draw("feature_clusters", table).body
    branches = next(rows for rows in chart.to_dict()["datasets"].values() if "branch" in rows[0])
    links = [row for row in table.to_pylist() if row["part"] == "link"]
    leaves = [row for row in branches if -0.5 in (row["left"], row["top"])]

    assert len(branches) == 4 * len(links)
    assert max(max(row["left"], row["top"]) for row in branches) == 5
    assert min(row["top"] for row in branches) >= -0.5 - 0.16 * 4
    assert len(leaves) == 6 + 4


def test_a_label_says_where_a_feature_is_active_on_what_and_what_it_promotes():
    """Its strongest texts are one and the same twice; of its promoted tokens one is everybody's."""
    words = [{"text": text, "role": "item", "activation": 0.0} for text in ("a", " b", " c", "\n")]
    example = {"kind": "top", "position": 12, "start": 10, "tokens": words}
    row = {
        "by_role": [{"role": "topic", "clean": 0.5}, {"role": "break", "clean": 2.0}],
        "examples": [example, example, {**example, "position": 13}, {**example, "kind": "low"}],
        "top_logits": [{"text": text} for text in (" all", "x", "\n", "y")],
    }
    told = feature_labels.label(row, frozenset({" all"}))

    assert told == {
        "place": "line breaks",
        "contexts": [("a␣b", "␣c"), ("a␣b␣c", "⏎")],
        "writes": ["x", "⏎", "y"],
    }
    silent = {"by_role": [{"role": "topic", "clean": 0.0}], "examples": None, "top_logits": None}
    assert feature_labels.label(silent, frozenset()) == {
        "place": "", "contexts": [], "writes": [],
    }  # fmt: skip


def test_a_token_that_many_features_promote_tells_none_of_them():
    rows = [
        {"top_logits": [{"text": "all"}, {"text": "few" if number < 2 else f"{number}"}]}
        for number in range(40)
    ]
    assert feature_labels.common(rows) == {"all"}


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [
        (0, 233.41, ["0", "100", "200"]),
        (-0.5, 0.31, ["−0.4", "−0.2", "0", "0.2"]),
        (-3, 17, ["0", "10"]),
        (0, 0.012, ["0", "0.005", "0.010"]),
        (0, 1, ["0", "0.5", "1.0"]),
    ],
)
def test_ticks_are_round_and_zero_is_one(low, high, told):
    found = sparklines.ticks(low, high)

    assert [text for _, text in found] == told
    assert all(low <= value <= high for value, _ in found)


def test_an_upright_share_stands_on_a_scale_of_powers_of_ten():
    """From a thousandth to a tenth are two equal steps of 36 pixels."""
    one = sparklines.Estimate(0.01, 0.001, 0.1)
    drawn = str(sparklines.upright(one, 0.1, (0.001, 0.1)))

    assert re.findall(r">([\d.]+ %)<", drawn) == ["0.1 %", "1 %", "10 %"]
    assert 'cy="42"' in drawn
    assert 'class="measured" stroke="#888" d="M69 78L69 6"' in drawn
    assert 'class="level" stroke="#888" d="M34 6L104 6"' in drawn
