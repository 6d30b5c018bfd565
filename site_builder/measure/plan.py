"""What a run would do: its measurements in order, which are done, and what the rest will cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from site_builder.core.errors import BuildError
from site_builder.measure.checkpoints import Ledger
from site_builder.results.graph import inputs_of, with_inputs
from site_builder.results.recipe import Recipe, ResultId
from site_builder.results.store import Store


@dataclass(frozen=True)
class Step:
    """One measurement of a run.

    state is "done" or "to do"; seconds is what it took when it was measured last, of this study or
    of another one (then `like` names that); None if it never was. It is made in so many shards, of
    which some are made already; None if that is not known, or it is made as a whole.
    """

    id: ResultId
    state: str
    inputs: list[str]
    seconds: float | None
    like: str
    shards: int | None
    made: int


def plan(store: Store, ids: Iterable[ResultId], is_due: Callable[[ResultId], bool]) -> list[Step]:
    """The measurements of a run, inputs first; what reads what will be measured is to be, too."""
    steps: list[Step] = []
    open_: set[ResultId] = set()
    for id in with_inputs(store.project, ids):
        inputs = inputs_of(store.project, id)
        if is_due(id) or open_.intersection(inputs):
            open_.add(id)
        last, like = _last(store, id)
        shards = last.made_with.get("shards") if last else None
        state, made = ("to do", 0) if id in open_ else ("done", shards or 0)
        if id in open_ and not open_.intersection(inputs):
            made, begun = _made(store, id, inputs)
            shards = max(shards or 0, begun) or None
        names = [*map(str, inputs)]
        seconds = last.seconds if last else None
        steps.append(Step(id, state, names, seconds, like, shards, made))
    return steps


def lines(steps: list[Step]) -> list[str]:
    """The plan for a person; times are those of the machines that measured."""
    rows = []
    for step in steps:
        cost = "" if step.seconds is None else f"{step.seconds:,.0f} s"
        cost += f" for {step.like}" if step.like else ""
        after = f"  after {', '.join(step.inputs)}" if step.inputs else ""
        shards = f"{step.made} of {step.shards} shards" if step.shards else ""
        what = f"{step.state:<6} {step.id!s:<30} {cost or 'never measured':<16} {shards:<17}{after}"
        rows.append(what.rstrip())
    left = [step for step in steps if step.state == "to do"]
    known = [step.seconds for step in left if step.seconds is not None]
    unknown = len(left) - len(known)
    total = f"{len(left)} of {len(steps)} to do"
    if left:
        total += f", about {sum(known):,.0f} s one after the other"
        total += f", and {unknown} of unknown cost" if unknown else ""
    return [*rows, total]


def _made(store: Store, id: ResultId, inputs: list[ResultId]) -> tuple[int, int]:
    """The shards that a run made before it was ended, and how many there are as far as it came."""
    try:
        contents = {str(i): store.content(i) for i in inputs}
    except BuildError:  # an input is not there, so nothing was made of it
        return 0, 0
    loops = Ledger.of(store, id, store.current.code(id.analysis), contents).loops.values()
    return sum(len(done) for _, done in loops), sum(of for of, _ in loops)


def _last(store: Store, id: ResultId) -> tuple[Recipe | None, str]:
    """The recipe of the last time, and whose it is if it is another study's."""
    own = _recipe(store, id)
    if own:
        return own, ""
    for study in store.project.studies():
        other = _recipe(store, ResultId(study, id.analysis, id.variant))
        if other:
            return other, study
    return None, ""


def _recipe(store: Store, id: ResultId) -> Recipe | None:
    try:
        return store.recipe(id)
    except BuildError:
        return None
