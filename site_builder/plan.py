"""What a run would do: its measurements in order, which are done, and what the rest will cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from site_builder.errors import BuildError
from site_builder.runner import inputs_of, with_inputs
from site_builder.store import Recipe, ResultId, Store


@dataclass(frozen=True)
class Shard:
    """One measurement of a run.

    state is "done" or "to do"; seconds is what it took when it was measured last, of this study or
    of another one (then `like` names that); None if it never was.
    """

    id: ResultId
    state: str
    inputs: list[str]
    seconds: float | None
    like: str


def plan(store: Store, ids: Iterable[ResultId], wanted: Callable[[ResultId], bool]) -> list[Shard]:
    """The measurements of a run, inputs first; what reads what will be measured is to be, too."""
    shards: list[Shard] = []
    open_: set[ResultId] = set()
    for id in with_inputs(store.project, ids):
        inputs = inputs_of(store.project, id)
        if wanted(id) or open_.intersection(inputs):
            open_.add(id)
        seconds, like = _cost(store, id)
        state = "to do" if id in open_ else "done"
        shards.append(Shard(id, state, [*map(str, inputs)], seconds, like))
    return shards


def lines(shards: list[Shard]) -> list[str]:
    """The plan for a person; times are those of the machines that measured."""
    told = []
    for shard in shards:
        cost = "" if shard.seconds is None else f"{shard.seconds:,.0f} s"
        cost += f" for {shard.like}" if shard.like else ""
        after = f"  after {', '.join(shard.inputs)}" if shard.inputs else ""
        told.append(f"{shard.state:<6} {shard.id!s:<36} {cost or 'never measured':<16}{after}")
    left = [shard for shard in shards if shard.state == "to do"]
    known = [shard.seconds for shard in left if shard.seconds is not None]
    unknown = len(left) - len(known)
    total = f"{len(left)} of {len(shards)} to do"
    if left:
        total += f", about {sum(known):,.0f} s one after the other"
        total += f", and {unknown} of unknown cost" if unknown else ""
    return [*told, total]


def _cost(store: Store, id: ResultId) -> tuple[float | None, str]:
    own = _recipe(store, id)
    if own:
        return own.seconds, ""
    for study in store.project.studies():
        other = _recipe(store, ResultId(study, id.analysis, id.variant))
        if other:
            return other.seconds, study
    return None, ""


def _recipe(store: Store, id: ResultId) -> Recipe | None:
    try:
        return store.recipe(id)
    except BuildError:
        return None
