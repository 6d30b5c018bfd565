"""Which results a result is measured from: the names of its measurement's parameters."""

from __future__ import annotations

from collections.abc import Iterable

from site_builder.core import signatures
from site_builder.core.errors import BuildError, Problem, nearest
from site_builder.core.project import Project
from site_builder.results.recipe import ResultId


def inputs_of(project: Project, id: ResultId) -> list[ResultId]:
    """The results that a measurement reads; checks that the measurement and its variant exist.

    They are named by its parameters: `attribution__log_prob` is the result "attribution log-prob".
    """
    known = project.measurements()
    if id.analysis not in known:
        cure = nearest(id.analysis, known)
        raise BuildError([Problem("analyses", f'no measurement "{id.analysis}"', cure)])
    path = known[id.analysis]
    signature = signatures.signature(project.root, path, "run")
    if id.variant not in signature.variants:
        what = f'{id.analysis} has no variant "{id.variant}"'
        cure = nearest(id.variant, filter(None, signature.variants))
        raise BuildError([Problem(project.named(path), what, cure)])
    named = (parameter.partition("__") for parameter in signature.inputs)
    return [ResultId(id.study, name, variant.replace("_", "-")) for name, _, variant in named]


def with_inputs(project: Project, ids: Iterable[ResultId]) -> list[ResultId]:
    """`ids` and all that they read, inputs first, each once.

    Raises `BuildError` on unknown names and on measurements that need each other.
    """
    ordered: dict[ResultId, None] = {}
    open_ids: list[ResultId] = []

    def visit(id: ResultId) -> None:
        if id in ordered:
            return
        if id in open_ids:
            circle = " → ".join(str(i) for i in (*open_ids[open_ids.index(id) :], id))
            raise BuildError(
                [Problem(f"analyses/{id.analysis}.py", f"a circle: {circle}", "cut it")]
            )
        open_ids.append(id)
        for input_id in inputs_of(project, id):
            visit(input_id)
        open_ids.pop()
        ordered[id] = None

    for id in ids:
        visit(id)
    return list(ordered)
