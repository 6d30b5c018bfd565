"""What came from what: study files, weights and results, each behind its inputs.

Rows stand in layers by depth: a result one below the deepest of its inputs. A source that others
use has a lane, which runs from its own row to the last row that uses it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count

from site_builder.results import differences
from site_builder.results.recipe import Recipe, ResultId
from site_builder.results.store import Store

FURTHER = "further weights"
"""What is in folders that a study's settings name, such as parts that were trained on its model."""


@dataclass(frozen=True)
class Origin:
    """One thing that others come from, or that comes from others.

    kind is "study", "model", "weights" or "result"; depth counts from 0, where nothing is
    above it; inputs are keys of others.
    """

    key: str
    name: str
    kind: str
    depth: int
    inputs: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """An origin in its place, and what its lanes do there.

    own is its lane, if it has one; joined are the lanes of its inputs; above and below are the
    lanes that come in from the row before and go on to the next.
    """

    origin: Origin
    own: int | None
    joined: tuple[int, ...]
    above: tuple[int, ...]
    below: tuple[int, ...]

    @property
    def first(self) -> int | None:
        """The leftmost lane that the row's own line begins at."""
        return min((*self.joined, *(() if self.own is None else (self.own,))), default=None)


def results(store: Store, ids: Iterable[ResultId]) -> dict[ResultId, Recipe]:
    """The recipes of `ids` and of all that they were made from and is still there, inputs first.

    Raises `BuildError` when one cannot be read.
    """
    recipes: dict[ResultId, Recipe] = {}

    def visit(id: ResultId) -> None:
        if id not in recipes:
            recipe = store.recipe(id)
            for input_id in map(id.input, recipe.inputs):
                if store.path(input_id).is_file():
                    visit(input_id)
            recipes[id] = recipe

    for id in sorted(ids):
        visit(id)
    return recipes


def key(id: ResultId) -> str:
    """What an origin is called that is a result: `entropy-swap`, an id fit for a page."""
    return "-".join(filter(None, ("of", id.study, id.analysis, id.variant))).replace("_", "-")


def origins(recipes: dict[ResultId, Recipe]) -> list[Origin]:
    """Every result and what is above it, sorted by depth, then by what they share."""
    several = len({id.study for id in recipes}) > 1
    depths: dict[str, int] = {}
    origins: dict[str, Origin] = {}

    def add(key: str, name: str, kind: str, inputs: Iterable[str]) -> str:
        if key not in origins:
            above = tuple(dict.fromkeys(inputs))
            depths[key] = 1 + max((depths[name] for name in above), default=-1)
            origins[key] = Origin(key, name, kind, depths[key], above)
        return key

    for id, recipe in recipes.items():
        above = (
            [add(f"study-{id.study}", f"study {id.study}", "study", ())] if recipe.settings else []
        )
        models, files = differences.weights(recipe.weights)
        if models:  # which may lie in many files: one origin, which leads to the first of them
            (name, digest), *others = models.items()
            name += f" and {len(others)} more files" if others else ""
            above.append(add(f"model-{digest[:12]}", name, "model", ()))
        if files:
            above.append(add(f"weights-{id.study}", FURTHER, "weights", above))
        above += [key(i) for name in recipe.inputs if (i := id.input(name)) in recipes]
        add(key(id), f"{id} · {id.study}" if several else str(id), "result", above)
    return sorted(origins.values(), key=lambda one: (one.depth, _shared(one), one.kind, one.name))


def _shared(one: Origin) -> tuple[str, ...]:
    """The results that it comes from: those from the same ones stand together."""
    return tuple(sorted(name for name in one.inputs if name.startswith("of-")))


def rows(ordered: list[Origin]) -> list[Row]:
    """Give every origin that others use the first free lane, and every row its lines."""
    last = {name: place for place, one in enumerate(ordered) for name in one.inputs}
    lanes: dict[str, int] = {}
    busy: dict[int, int] = {}  # lane → the last row that uses it
    rows: list[Row] = []
    for place, one in enumerate(ordered):
        above = tuple(sorted(lane for lane, until in busy.items() if until >= place))
        own = None
        if one.key in last:
            own = next(lane for lane in count() if busy.get(lane, -1) < place)
            lanes[one.key] = own
            busy[own] = last[one.key]
        joined = tuple(sorted(lanes[name] for name in one.inputs))
        below = tuple(sorted(lane for lane, until in busy.items() if until > place))
        rows.append(Row(one, own, joined, above, below))
    return rows
