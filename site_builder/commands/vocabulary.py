"""What directives can say in this project, for an editor that checks and completes as one types.

    {"format": 1,
     "study": "small-model",
     "kinds": {
       "figure": {
         "form": "NAME [VARIANT] [option=value]",
         "alone": true,                    stands on a line of its own
         "several": false,                 takes several names (of these only `cite`)
         "names": {
           "heights": {
             "variants": ["mean", "median"],   "" is none; one of these has to stand there
             "options": {
               "town": {"type": "str", "default": "Ulm", "values": ["Ulm", "Jena"]},
               …},
             "open": false}}}}}            true: options that are not listed may be right, too

Every kind is there. An option's `default` is left out where there is none, its `values` where they
are not known; the default is always right. They are those that a drawing writes out, else those of
the column of that name in the results on the shelf, of all studies. Where a drawing has an option
`feature`, a last word PLACE/NUMBER is that option in short. A `ref` names NAME [VARIANT] of what
stands in the post, a feature's card by PLACE/NUMBER, sections by their files, and equations. The
names of a `term` are in small letters; it may be written with others, and with an s for several.
"""

from __future__ import annotations

import ast
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from site_builder.core import signatures
from site_builder.core.errors import BuildError, Problem
from site_builder.core.project import Project
from site_builder.core.signatures import Signature
from site_builder.core.syntax import parse
from site_builder.post.claims import Claim
from site_builder.post.kinds.names import Names, Option, option, takes
from site_builder.post.kinds.table import KINDS
from site_builder.post.post import Post
from site_builder.render import models
from site_builder.render.figures import Fragments
from site_builder.results.recipe import ResultId

FORMAT = 1
MOST_VALUES = 200
"""Values that are listed of an option; one that takes more, such as a token, takes anything."""


class Vocabulary:
    """Reads the shelves; `problems` says what cannot be read, the rest is there all the same."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.problems: list[Problem] = []
        self.post = Post(project)
        self.post.collect()
        self.studies = {"study": option("str", sorted(project.studies()))}
        self._fragments = Fragments(self.post)
        self._results: dict[str, list[ResultId]] = {}
        for id in self.post.store.results():
            self._results.setdefault(id.analysis, []).append(id)

    def everything(self) -> dict[str, Any]:
        """Everything, in the shape that the module's docstring tells."""
        kinds = {
            name: {
                "form": kind.form,
                "alone": kind.is_block,
                "several": kind.several,
                "names": kind.names(self),
            }
            for name, kind in KINDS.items()
        }
        return {"format": FORMAT, "study": self.post.study, "kinds": kinds}

    def drawn(self) -> Names:
        """Measurements that have a drawing, with its options."""
        return self._drawn

    @cached_property
    def _drawn(self) -> Names:
        names: Names = {}
        drawings = self.project.drawings()
        for name, path in self.project.measurements().items():
            if name in drawings:
                run = self.signature(self.project.root, path, "run")
                draw = self.signature(self.project.root, drawings[name], "draw")
                if run and draw:
                    variants = filter(draw.takes, run.variants)
                    names[name] = takes(
                        variants,
                        self._options(name, draw) | self.studies | {"panels": option("str")},
                    )
        return names

    def _options(self, name: str, draw: Signature) -> dict[str, Option]:
        written = _choices(self.project.drawings()[name], self.project)
        options = {}
        for key, type_name in draw.options.items():
            known = ["true", "false"] if type_name == "bool" else written.get(key)
            if known is None:
                known = self._column(name, "name" if key == "feature" else key, type_name)
            options[key] = option(type_name, known)
            if key in draw.defaults:
                options[key]["default"] = draw.defaults[key]
        return options

    def shown(self, claim: Claim) -> list[str] | None:
        """What a claim can print; None where that is not known."""
        with suppress(BuildError):
            found = self._fragments.verdict(claim, claim.study or self.post.study).shown
            return sorted({*found, models.SHOW} if claim.everywhere else found) or None
        return None

    def signature(self, root: Path, path: Path, function: str) -> Signature | None:
        """What a module says of itself; None, and a problem, if it cannot be read."""
        try:
            return signatures.signature(root, path, function)
        except BuildError as error:
            self.problems += [one for one in error.problems if one not in self.problems]
            return None

    def columns(self, analysis: str) -> list[str]:
        """The columns of all its results, in their order."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        columns: dict[str, None] = {}
        for id in self._results.get(analysis, []):
            with suppress(pa.ArrowException, OSError):
                columns |= dict.fromkeys(pq.read_schema(self.post.store.path(id)).names)
        return [*columns]

    def _column(self, analysis: str, column: str, type_name: str) -> list[str] | None:
        """What a column says in all its results; None if that is not known, or too much."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        fits = {"str": pa.types.is_string, "int": pa.types.is_integer}.get(type_name)
        values: dict[str, None] = {}
        for id in self._results.get(analysis, []):
            path = self.post.store.path(id)
            with suppress(pa.ArrowException, OSError, KeyError):
                if fits and fits(pq.read_schema(path).field(column).type):
                    table = pq.read_table(path, columns=[column], partitioning=None)
                    there = table[column].drop_null().unique().to_pylist()
                    values |= dict.fromkeys(map(str, there))
        return [*values] if 0 < len(values) <= MOST_VALUES else None


def _choices(path: Path, project: Project) -> dict[str, list[str]]:
    """Options whose values a drawing writes out: `theme.choose(align, ["end", "start"], …)`."""
    choices: dict[str, list[str]] = {}
    functions = [
        node
        for node in parse(path, project.named(path)).body
        if isinstance(node, ast.FunctionDef) and node.name == "draw"
    ]
    for node in ast.walk(functions[0]):
        match node:
            case ast.Call(
                func=ast.Attribute(attr="choose"),
                args=[ast.Name(id=option), ast.List() | ast.Tuple() as listed, *_],
            ):
                with suppress(ValueError):
                    choices[option] = [str(value) for value in ast.literal_eval(listed)]
    return choices
