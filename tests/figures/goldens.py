"""The charts whose Vega-Lite is kept in `golden/`, to be read and compared.

After a change that is meant, look at what it does: `python -m tests.figures.goldens`, then
`git diff tests/figures/golden`. Run it by hand; nothing else does.
"""

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from tests.figures import feature_tables, layer_choice_tables, path_tables, sae_tables, tables

FOLDER = Path(__file__).parent / "golden"


def charts() -> Iterator[tuple[str, str, pa.Table]]:
    """Yield drawing, variant and a table small enough for its chart to be read."""
    for variant in ("items", "tokens-per-item", "blanks", "repeats"):
        yield "list_statistics", variant, tables.list_statistics(variant, topics=1, most=3, runs=4)
    for variant in ("short-clean", "long-corrupted-break", "compare", "swap"):
        yield "entropy", variant, tables.entropy(variant, topics=1, samples=2, longest=2)
    yield "logit_difference", "mean", tables.logit_difference(last=2)
    yield "logit_difference", "example", tables.logit_difference_example(topics=1, items=1)
    for variant in ("end-hyphen", "by-temperature"):
        yield "logit_lens", variant, tables.logit_lens(variant, layers=2, items=2, topics=1)
    for variant in ("resid", "z"):
        yield "patching", variant, tables.patching(variant, layers=1, heads=2, roles=2, topics=1)
    table = tables.attribution_patching("residual", layers=1, roles=2, topics=1)
    yield "attribution_patching", "residual", table
    small = feature_tables.feature_activation(cards=1, topics=1, samples=1, items=1)
    yield "feature_activation", "", small
    yield "feature_presence", "", feature_tables.feature_presence(features=2, topics=2)
    yield "feature_overlap", "topics", feature_tables.feature_overlap(topics=2)
    yield "feature_clusters", "", feature_tables.feature_clusters(features=2, lists=3)
    table = sae_tables.attribution(layers=1, top=1, roles=2, checked=1)
    yield "attribution", "logit-difference", table
    table = sae_tables.attribution("cross-layer", layers=2, top=1, checked=3)
    yield "attribution", "cross-layer", table
    yield "ablation", "by-topic", sae_tables.ablation("by-topic", layers=1, topics=2)
    yield "ablation", "survival", sae_tables.ablation("survival", layers=1, most=3)
    yield "layer_choice", "", layer_choice_tables.layer_choice(layers=2, budgets=1)
    short = {"early": ("2.3",), "middle": ("13.7",), "late": ("19.4",)}
    yield "path_patching", "", path_tables.path_patching(short, relays=1)
    yield "feature_baselines", "", path_tables.feature_baselines(("28/1147",))
    yield "feature_tests", "", sae_tables.feature_tests(layers=1, count=2)


def text(name: str, variant: str, table: pa.Table) -> str:
    """Return a drawing's panels as readable JSON, without the theme they all share."""
    drawing = importlib.import_module(f"site_builder.figures.{name}").draw(table, variant=variant)
    specs = [panel.to_dict() for panel in drawing.body]
    for spec in specs:
        spec.pop("config"), spec.pop("$schema")
    return laid_out(specs) + "\n"


def file(name: str, variant: str) -> str:
    """Return the name of a chart's golden file."""
    return "-".join(filter(None, (name, variant))) + ".json"


def laid_out(value: Any, indent: str = "") -> str:
    """Return JSON with short values on one line, so that a data row is a line."""
    line = json.dumps(value, ensure_ascii=False)
    if len(indent + line) <= 100 or not isinstance(value, dict | list | tuple):
        return line
    inner = indent + "  "
    if isinstance(value, list | tuple):
        parts = [inner + laid_out(entry, inner) for entry in value]
        return "[\n" + ",\n".join(parts) + f"\n{indent}]"
    parts = [f"{inner}{json.dumps(key)}: {laid_out(entry, inner)}" for key, entry in value.items()]
    return "{\n" + ",\n".join(parts) + f"\n{indent}}}"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, variant, table in charts():
        path = FOLDER / file(name, variant)
        path.write_text(text(name, variant, table), "utf-8")
        print(path)
