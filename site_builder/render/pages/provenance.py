"""Where every figure and number came from: `<< page: provenance results >>`.

The same, for machines, is in `provenance.json`; tables and recipes are files of the site.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from site_builder.charts.drawing import BASE
from site_builder.core import digests
from site_builder.post.kinds import claim
from site_builder.results import differences, lineage
from site_builder.results.reasons import sentences

if TYPE_CHECKING:
    from site_builder.post.uses import Use
    from site_builder.render.blocks import Blocks
    from site_builder.results.recipe import Recipe, ResultId

VARIANTS = ("summary", "figures", "graph", "results", "cite")

STEP, HEIGHT = 9, 24
"""Of the graph, in pixels: from lane to lane, and of a row."""

LONGEST = 160
"""Characters shown of a setting; the recipe has all of it."""


def render(blocks: Blocks, *, variant: str) -> Markup:
    """Draw one part of the page."""
    values = {
        "summary": _summary,
        "figures": _figures,
        "graph": _graph,
        "results": _results,
        "cite": _cite,
    }[variant](blocks)
    return blocks.frame.markup(f"provenance/{variant}.html.j2", **values)


def _prints(use: Use) -> bool:
    """Whether a number of the prose stands there: no block, and no sign of a claim."""
    return not use.slug and not (_is_claim(use) and "show" not in use.directive.options)


def _is_claim(use: Use) -> bool:
    return use.directive.kind == claim.NAME


def _summary(blocks: Blocks) -> dict[str, Any]:
    store, recipes = blocks.post.store, _recipes(blocks)
    made = sorted(recipe.made_at[:10] for recipe in recipes.values())
    return {
        "figures": len(blocks.figures()),
        "values": sum(_prints(use) for use in blocks.post.uses.values()),
        "claims": len(blocks.post.claims),
        "results": len(recipes),
        "first": made[0] if made else "",
        "last": made[-1] if made else "",
        "hours": sum(recipe.seconds for recipe in recipes.values()) / 3600,
        "megabytes": sum(store.path(id).stat().st_size for id in recipes) / 1e6,
        "stale": sum(bool(store.why_stale(id)) for id in recipes),
        "url": blocks.publish("provenance.json", lambda: _json(_everything(blocks))),
    }


def _figures(blocks: Blocks) -> dict[str, Any]:
    rows = []
    for use, fragment in blocks.figures():
        files = {"CSV": fragment.file(".csv"), "Vega-Lite": fragment.file(".vl.json")}
        row = {
            "use": use,
            "link": _place(blocks, use),
            "caption": fragment.caption.partition(". ")[0].rstrip("."),
            "origin": lineage.key(use.id),
            "made": blocks.post.store.recipe(use.id).made_at[:10],
            "files": {
                kind: f"{BASE}/figures/{name}"
                for kind, name in files.items()
                if name and not blocks.plain
            },
        }
        rows.append(row)
    return {"rows": rows}


def _graph(blocks: Blocks) -> dict[str, Any]:
    """A graph for each study, the post's own first: side by side they would be too wide."""
    post, recipes = blocks.post, _recipes(blocks)
    studies = sorted({id.study for id in recipes}, key=lambda study: (study != post.study, study))
    graphs = []
    for study in studies:
        rows = lineage.rows(lineage.origins({i: r for i, r in recipes.items() if i.study == study}))
        layers: dict[int, list[lineage.Row]] = {}
        for row in rows:
            layers.setdefault(row.origin.depth, []).append(row)
        graphs.append(
            {
                "title": post.project.settings(study).get("title", study),
                "layers": layers,
                "names": {row.origin.key: row.origin.name for row in rows},
                "lanes": 1 + max((lane for row in rows for lane in row.below), default=0),
            }
        )
    return {"graphs": graphs, "step": STEP, "height": HEIGHT}


def _results(blocks: Blocks) -> dict[str, Any]:
    recipes = _recipes(blocks)
    studies = dict.fromkeys(id.study for id in recipes)
    uses: dict[ResultId, list[Use]] = {id: [] for id in recipes}
    for use in blocks.uses():
        uses[use.id].append(use)
    return {
        "own": blocks.post.study,
        "studies": [_study(blocks, study, recipes) for study in studies],
        "results": [_result(blocks, id, recipes, uses[id]) for id in sorted(recipes)],
    }


def _study(blocks: Blocks, study: str, recipes: dict[ResultId, Recipe]) -> dict[str, Any]:
    """A study's file, and the digests of all weights that its results were measured with."""
    project = blocks.post.project
    path = project.studies()[study]
    of_study = (recipe.weights for id, recipe in recipes.items() if id.study == study)
    models, further = differences.weights({k: v for one in of_study for k, v in one.items()})
    return {
        "name": study,
        "title": project.settings(study).get("title", study),
        "file": project.named(path),
        "digest": digests.sha256_file(path),
        "url": blocks.publish(f"data/{study}/study.toml", path.read_bytes),
        "models": models,
        "further": further,
    }


def _result(
    blocks: Blocks, id: ResultId, recipes: dict[ResultId, Recipe], uses: list[Use]
) -> dict[str, Any]:
    store, recipe = blocks.post.store, recipes[id]
    path = store.path(id)
    module = f"analyses/{id.analysis}.py"
    models, further = differences.weights(recipe.weights)
    facts = _facts(blocks, id, recipe)
    return facts | {
        "id": id,
        "origin": lineage.key(id),
        "shown": {f"{use.noun} {use.number}": _place(blocks, use) for use in uses if use.slug},
        "values": sum(not use.slug and not _is_claim(use) for use in uses),
        "claims": sum(map(_is_claim, uses)),
        "module": module,
        "module_digest": recipe.code.get(module, ""),
        "helpers": len(recipe.code.keys() - {module}),
        "code_digest": recipe.meaning,
        "inputs": {
            name: lineage.key(i) if (i := id.input(name)) in recipes else ""
            for name in recipe.inputs
        },
        "settings": dict(_settings(recipe.settings)),
        "models": models,
        "files": recipe.files,
        "further": further,
        "further_digest": digests.digest(further),
        "libraries": {k: v for k, v in recipe.made_with.items() if k not in ("device", "machine")},
        "kilobytes": path.stat().st_size / 1e3,
        "url": blocks.publish(facts["file"], path.read_bytes),
        "recipe_url": blocks.publish(
            facts["file"].replace(".parquet", ".recipe.json"), lambda: _json(facts)
        ),
    }


def _cite(blocks: Blocks) -> dict[str, Any]:
    config, recipes = blocks.post.project.config, _recipes(blocks)
    contents = {f"{id.study} {id}": recipe.content for id, recipe in recipes.items()}
    return {
        "title": config.get("site_name", ""),
        "author": config.get("site_author", ""),
        "date": blocks.post.newest()[:10],
        "digest": digests.digest(contents)[:12],
        "url": blocks.post.project.site_url,
    }


def _recipes(blocks: Blocks) -> dict[ResultId, Recipe]:
    return lineage.results(blocks.post.store, {use.id for use in blocks.uses()})


def _place(blocks: Blocks, use: Use) -> str:
    return f"{BASE}/{blocks.post.url(use.page)}#{use.slug}"


def _settings(settings: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Settings as the study's file has them; a table whose parts are told is left out."""
    for name, value in settings.items():
        if isinstance(value, dict) and any(other.startswith(f"{name}.") for other in settings):
            continue
        text = json.dumps(differences.plain(value), ensure_ascii=False)
        yield name, text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _facts(blocks: Blocks, id: ResultId, recipe: Recipe) -> dict[str, Any]:
    """A result as a machine is told of it."""
    store = blocks.post.store
    reasons = store.why_stale(id)
    return {
        "file": store.path(id).relative_to(store.project.root).as_posix(),
        "state": "stale" if reasons else "fresh",
        "reasons": sentences(reasons),
        "command": store.command(id),
        "key": recipe.key,
    } | vars(recipe)


def _everything(blocks: Blocks) -> dict[str, Any]:
    post = blocks.post
    figures = [
        {
            "id": use.slug,
            "name": f"{use.noun} {use.number}",
            "caption": fragment.caption,
            "url": f"{post.url(use.page)}#{use.slug}",
            "directive": str(use.directive),
            "where": use.directive.where,
            "result": post.store.path(use.id).relative_to(post.project.root).as_posix(),
            "files": [f"figures/{name}" for name in fragment.files],
        }
        for use, fragment in blocks.figures()
    ]
    return {
        "title": post.project.config.get("site_name", ""),
        "url": post.project.site_url,
        "study": post.study,
        "figures": figures,
        "results": [_facts(blocks, id, recipe) for id, recipe in _recipes(blocks).items()],
    }


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1, default=str).encode()
