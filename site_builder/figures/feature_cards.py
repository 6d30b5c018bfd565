"""What stands on a feature card: one row of the result `feature`, in words, shades and pictures."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa

from site_builder.charts import marks, sparklines, theme
from site_builder.charts.drawing import DrawingError
from site_builder.figures import roles

Row = dict[str, Any]

COLUMNS = (
    *("name", "site", "layer", "feature", "width", "rank", "norm"),
    *("dashboard", "attributed", "attributed_low", "attributed_high"),
    *("measured", "measured_low", "measured_high", "band_low", "band_high", "band_n", "effect_n"),
    *("decision", "by_role", "by_item", "firing", "examples", "top_logits", "bottom_logits"),
    "nearest",
)
SHADES = 5
"""Steps of a token's shade: a value has the first one above it, as a share of the strongest."""

FEWEST_TOPICS = 5
"""An interval over fewer topics than this is not drawn."""

STRIP = 104
"""Width in pixels of the strip of effects; all cards share its scale."""

RUNS = ("clean", "corrupted")
KINDS = {
    "top": "strongest",
    "middle": "middle",
    "low": "weak",
    "near miss": "near miss",
    "zero": "silent",
}
USED_IN = {
    "attribution-logit-difference": "Attribution to features",
    "feature-activation": "Activation over a list",
    "feature-presence": "Presence by topic",
    "feature-clusters": "Features and lists, clustered",
}
"""Blocks of the post that show card features, by their id in the page."""

# Control characters, and those that turn the direction of what follows them.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufffe\uffff]")


def rows(table: pa.Table) -> list[Row]:
    """Return one record a card, in the table's order.

    Raises:
        DrawingError: if a column is missing.
    """
    return theme.rows(table, *COLUMNS, digits=theme.EXACT)


def pick(records: Sequence[Row], name: str) -> Row:
    """Return the record of the feature `name`.

    Raises:
        DrawingError: naming the nearest ones, if it has no card.
    """
    known = {row["name"]: row for row in records}
    if name not in known:
        close = sorted(known, key=lambda other: _apart(name, other))[:3]
        cure = f"the nearest are {', '.join(close)}" if close else "there is none yet"
        raise DrawingError(f'feature "{name}" has no card', cure)
    return known[name]


def _apart(name: str, other: str) -> tuple[bool, float]:
    """How far two names are apart: by index within an autoencoder, else by spelling."""
    (where, _, index), (there, _, number) = name.rpartition("/"), other.rpartition("/")
    if where == there and index.isdecimal():
        return False, abs(int(index) - int(number))
    return True, -difflib.SequenceMatcher(None, name, other).ratio()


def anchor(name: str) -> str:
    """Return the id of a card in the gallery: "f-26-1201"."""
    return "f-" + re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def place(row: Row) -> str:
    """Return where a feature's autoencoder stands, as its name begins: "26" or "z-14"."""
    return str(row["name"]).rpartition("/")[0]


def scale(records: Sequence[Row]) -> sparklines.Scale:
    """Return the scale of effects that all cards share."""
    names = ("attributed", "measured", "measured_low", "measured_high", "band_low", "band_high")
    values = [row[name] for row in records for name in names]
    return sparklines.Scale.over(values, 6, STRIP)


def head(row: Row, effects: sparklines.Scale) -> Row:
    """Return what a card shows while it is closed, but for its label."""
    measured = sparklines.Estimate(row["measured"], row["measured_low"], row["measured_high"])
    band = row["band_low"], row["band_high"]
    tokens = [topic["tokens"] for topic in row["firing"] or () if topic["tokens"] is not None]
    return {
        "name": row["name"],
        "anchor": anchor(row["name"]),
        "place": place(row),
        "attributed": row["attributed"],
        "measured": row["measured"],
        "decision": row["decision"],
        "firing": sum(tokens) / len(tokens) if tokens else None,
        "strip": sparklines.effects(row["attributed"], measured, band, effects),
    }


def details(row: Row) -> Row:
    """Return what a card shows when it is open."""
    most = max((one["activation"] or 0 for one in _tokens(row)), default=0) or 1
    return {
        **row,
        "anchor": anchor(row["name"]),
        "place": place(row),
        "measured_said": _said(row, "measured"),
        "attributed_said": _said(row, "attributed"),
        "band_said": None
        if row["band_low"] is None
        else f"{sparklines.number(row['band_low'])} to {sparklines.number(row['band_high'])}",
        "roles": _pair_picture(
            [
                _without_interval(one) if one["n"] < FEWEST_TOPICS else one
                for one in row["by_role"] or ()
            ],
            *(sparklines.rows, role, "Mean activation by role"),
        ),
        "items": _pair_picture(
            [one for one in row["by_item"] or () if one["n"] >= marks.FEWEST],
            *(sparklines.curves, lambda one: one["k"], "Mean activation by item"),
        ),
        "fewest": f"{marks.FEWEST} lists",
        "topics": _topics(row["firing"]),
        "examples": [_example(one, most) for one in row["examples"] or ()],
        "promoted": _logits(row["top_logits"]),
        "demoted": _logits(row["bottom_logits"]),
        "dashboard": row["dashboard"] if _is_public(row["dashboard"]) else None,
        "nearest": [
            {**one, "anchor": anchor(one["name"]) if one["is_card"] else ""}
            for one in row["nearest"] or ()
        ],
    }


def role(one: Row) -> str:
    """Return a role as words; what stands before the length word is one."""
    return "text before" if one["role"] == "start" else roles.role(one["role"], one["k_end"])


def clean(text: str) -> str:
    """Return text without characters that cannot be seen; breaks become signs."""
    return _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", text.replace("\n", "⏎").replace("\t", "⇥"))


def token(text: str) -> str:
    """Return a token as it can be seen, a blank before a word included."""
    shown = clean(theme.visible(text))
    return f"␣{shown[1:]}" if shown.startswith(" ") else shown


def shade(activation: float | None, most: float) -> int:
    """Return the step of a token's shade: 0 where the feature is silent, else 1 to `SHADES`."""
    if not activation or activation <= 0:
        return 0
    return min(SHADES, 1 + int(SHADES * activation / most))


def _tokens(row: Row) -> list[Row]:
    return [one for example in row["examples"] or () for one in example["tokens"]]


def _example(one: Row, most: float) -> Row:
    meant = one["position"] - one["start"]
    return {
        **one,
        "said": KINDS.get(one["kind"], one["kind"]),
        "tokens": [
            {
                "text": token(each["text"]),
                "shade": shade(each["activation"], most),
                "activation": each["activation"],
                "meant": number == meant,
            }
            for number, each in enumerate(one["tokens"])
        ],
    }


def _logits(records: Sequence[Row] | None) -> list[Row]:
    return [{**one, "text": token(one["text"])} for one in records or ()]


def _is_public(address: str | None) -> bool:
    """Whether a link can lead there: nothing in a table is trusted to be an address."""
    return bool(address and re.fullmatch(r"https://[\w./-]+", address))


def _said(row: Row, name: str) -> str:
    return sparklines.said(sparklines.Estimate(row[name], row[f"{name}_low"], row[f"{name}_high"]))


def _without_interval(one: Row) -> Row:
    return {**one, **{f"{run}{end}": None for run in RUNS for end in ("_low", "_high")}}


def _pair_picture(
    records: Sequence[Row],
    picture: Callable[..., Any],
    name: Callable[[Row], Any],
    title: str,
) -> Any:
    """Clean against corrupted, one of either a record; nothing where there is no record."""
    if not records:
        return ""
    estimates = [
        (
            name(one),
            *(sparklines.Estimate(one[run], one[f"{run}_low"], one[f"{run}_high"]) for run in RUNS),
        )
        for one in records
    ]
    told = "; ".join(
        f"{key}: {sparklines.number(one.value)} and {sparklines.number(other.value)}"
        for key, one, other in estimates
    )
    return picture(estimates, f"{title}, clean and corrupted. {told}")


def _topics(firing: Sequence[Row] | None) -> Any:
    if not firing:
        return ""
    named = [
        (one["topic"], one["tokens"] or 0.0, one["lists"] or 0.0, bool(one["held_out"]))
        for one in firing
    ]
    told = "; ".join(f"{name} {tokens:.1%}, {lists:.0%}" for name, tokens, lists, _ in named)
    title = f"Share of tokens and of lists on which it fires. {told}"
    return sparklines.bars(named, ("tokens", "lists"), title)
