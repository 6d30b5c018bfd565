"""Feature cards: one in the prose with all it holds, or all of them as a gallery.

The gallery has every card's head in the page and its details in a file of its own, which the page's
script puts in when the card is opened; without a script the head links to that file. What comes
from the model is text: templates escape it.
"""

from __future__ import annotations

import pyarrow as pa

from site_builder.charts import sparklines, theme
from site_builder.charts.drawing import BASE, Drawing
from site_builder.figures import feature_cards, feature_labels

LINKS = {"used_in": feature_cards.USED_IN, "number": sparklines.number}


def draw(table: pa.Table, *, variant: str = "", feature: str = "") -> Drawing:
    """Draw the card of one feature, or all cards.

    Args:
        table: One row a card.
        variant: There is one, "".
        feature: Name of the feature, LAYER/INDEX; all of them if empty.
    """
    theme.choose(variant, [""], "variant")
    records = feature_cards.rows(table)
    return _card(records, feature) if feature else _gallery(records)


def _card(records: list[feature_cards.Row], name: str) -> Drawing:
    row = feature_cards.pick(records, name)
    head = feature_cards.head(row, feature_cards.scale(records))
    held_out = f"{row['effect_n']} held-out topic{'' if row['effect_n'] == 1 else 's'}"
    return Drawing(
        theme.markup(
            "feature.html.j2",
            head={**head, "label": feature_labels.label(row, feature_labels.common(records))},
            card=feature_cards.details(row),
            root=BASE,
            own="this card among all",
            **LINKS,
        ),
        f"Feature {name}: what it is active on, what it writes, and what the decision to end "
        f"loses when it is taken out, in logits, on {held_out}.",
        "A card with the feature's label and effects; its mean activation by role and by item, "
        "clean against corrupted; how often it fires by topic; examples with every token's value; "
        "the tokens that it promotes and demotes by the direct path, in logits per unit of "
        "activation before the norm's scale; and its nearest directions.",
    )


def _gallery(records: list[feature_cards.Row]) -> Drawing:
    effects, common = feature_cards.scale(records), feature_labels.common(records)
    places = list(dict.fromkeys(map(feature_cards.place, records)))
    # Those that do most stand first; in the table they stand by layer.
    order = sorted(range(len(records)), key=lambda at: -abs(records[at]["measured"] or 0))
    records = [records[at] for at in order]
    heads = [
        {
            **feature_cards.head(row, effects),
            "label": feature_labels.label(row, common),
            "order": at,
        }
        for row, at in zip(records, order, strict=True)
    ]
    names = [f"{head['anchor']}.htm" for head in heads]
    return Drawing(
        theme.markup(
            "features.html.j2",
            cards=[
                {**head, "file": theme.FILES + name}
                for head, name in zip(heads, names, strict=True)
            ],
            places=places,
            number=sparklines.number,
        ),
        "All feature cards: for each autoencoder the features that move the decision to end a list "
        "most on the topics that are not held out. Effects are in logits, on held-out topics.",
        "A list of cards that open, those with the largest measured effect first. Each is named by "
        "layer and index and says where the feature is active, on which tokens in which text, and "
        "what it promotes; its effect by gradient and as measured, and by the direct path, "
        "which is per unit of activation, before the norm's scale.",
        {
            name: theme.markup(
                "feature_file.html.j2",
                head=head,
                card=feature_cards.details(row),
                root="..",
                own="link to this card",
                **LINKS,
            ).encode()
            for row, head, name in zip(records, heads, names, strict=True)
        },
    )
