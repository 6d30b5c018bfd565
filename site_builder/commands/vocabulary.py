"""What directives can say in this project, for an editor that checks and completes as one types.

    {"format": 1,
     "study": "smollm2-135m-instruct",
     "kinds": {
       "figure": {
         "form": "NAME [VARIANT] [option=value]",
         "alone": true,                    stands on a line of its own
         "several": false,                 takes several names (of these only `cite`)
         "names": {
           "logit_difference": {
             "variants": ["mean", "example"],   "" is none; one of these has to stand there
             "options": {
               "template": {"type": "str", "default": "short", "values": ["short", "long"]},
               …},
             "open": false}}}}}            true: options that are not listed may be right, too

Every kind is there. An option's `default` is left out where there is none, its `values` where they
are not known; the default is always right. They are those that a drawing writes out, else those of
the column of that name in the results on the shelf, of all studies. Where a drawing has an option
`feature`, a last word LAYER/INDEX is that option in short. A `ref` names NAME [VARIANT] of what
stands in the post, a feature's card by LAYER/INDEX, and sections by their files.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from site_builder.core.errors import BuildError, Problem
from site_builder.core.files import below
from site_builder.core.project import Project
from site_builder.core.signatures import Signature, signature
from site_builder.core.syntax import parse
from site_builder.post.directives import BLOCKS, KINDS, form
from site_builder.post.post import Post
from site_builder.render.figures import Fragments
from site_builder.results.recipe import ResultId

Option = dict[str, Any]
Names = dict[str, dict[str, Any]]

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
        self._study = {"study": _option("str", sorted(project.studies()))}
        self._results: dict[str, list[ResultId]] = {}
        for id in self.post.store.results():
            self._results.setdefault(id.analysis, []).append(id)

    def everything(self) -> dict[str, Any]:
        """Everything, in the shape that the module's docstring tells."""
        drawn = self._drawn()
        names: dict[str, Names] = dict.fromkeys(("figure", "table", "tokens"), drawn)
        names |= {
            "feature": self._features(drawn),
            "value": self._values(),
            "claim": self._claims(),
            "page": self._pages(),
            "section": _plain(p.stem for p in below(self.project.content / "sections", ".md")),
            "ref": self._targets(),
            "cite": _plain(self.post.references.works),
        }
        kinds = {
            kind: {
                "form": form(kind),
                "alone": kind in BLOCKS,
                "several": kind == "cite",
                "names": names[kind],
            }
            for kind in KINDS
        }
        return {"format": FORMAT, "study": self.post.study, "kinds": kinds}

    def _drawn(self) -> Names:
        """Measurements that have a drawing, with its options."""
        found: Names = {}
        drawings = self.project.drawings()
        for name, path in self.project.measurements().items():
            if name in drawings:
                run = self._signature(self.project.root, path, "run")
                draw = self._signature(self.project.root, drawings[name], "draw")
                if run and draw:
                    variants = filter(draw.takes, run.variants)
                    found[name] = _name(variants, self._options(name, draw) | self._study)
        return found

    def _options(self, name: str, draw: Signature) -> dict[str, Option]:
        written = _choices(self.project.drawings()[name], self.project)
        found = {}
        for option, kind in draw.options.items():
            known = ["true", "false"] if kind == "bool" else written.get(option)
            if known is None:
                known = self._column(name, "name" if option == "feature" else option, kind)
            found[option] = _option(kind, known)
            if option in draw.defaults:
                found[option]["default"] = draw.defaults[option]
        return found

    def _features(self, drawn: Names) -> Names:
        """Features that have a card."""
        taken = dict(drawn.get("feature", {}).get("options", {}))
        cards = taken.pop("feature", {}).get("values", [])
        return {card: _name([""], taken) for card in cards}

    def _values(self) -> Names:
        """Every measurement, with the columns that pick a row and those that can be shown."""
        found: Names = {}
        for name, path in self.project.measurements().items():
            if run := self._signature(self.project.root, path, "run"):
                columns = self._columns(name)
                shown = [*columns]
                shown += [f"{of}-interval" for of in columns if f"{of}_low" in columns]
                shown += ["interval"] * ("low" in columns)
                options = {
                    "show": _option("str", shown or None) | {"default": "estimate"},
                    "format": _option("str"),
                    **self._study,
                }
                options |= {column: _option("str") for column in columns if column not in options}
                found[name] = _name(run.variants, options, open=not columns)
        return found

    def _claims(self) -> Names:
        """Every claim, with what its sentence may print."""
        fragments, found = Fragments(self.post), {}
        for name, claim in self.post.claims.items():
            shown: list[str] | None = None
            with suppress(BuildError):
                shown = sorted(fragments.verdict(claim, self.post.study).shown) or None
            found[name] = _name([""], {"show": _option("str", shown)})
        return found

    def _pages(self) -> Names:
        found: Names = {}
        for name, path in self.project.page_parts().items():
            if render := self._signature(self.project.engine, path, "render"):
                found[name] = _name(render.variants, {})
        return found

    def _targets(self) -> Names:
        """What a `ref` can name: blocks of the post, and sections that a page shows."""
        variants: dict[str, list[str]] = {stem: [""] for stem in self.post.references.sections}
        for use in self.post.blocks():
            name, _, variant = use.directive.named.partition(" ")
            if variant not in variants.setdefault(name, []):
                variants[name].append(variant)
        return {name: _name(of, {}) for name, of in variants.items()}

    def _signature(self, root: Path, path: Path, function: str) -> Signature | None:
        try:
            return signature(root, path, function)
        except BuildError as error:
            self.problems += [one for one in error.problems if one not in self.problems]
            return None

    def _columns(self, analysis: str) -> list[str]:
        """The columns of all its results, in their order."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        found: dict[str, None] = {}
        for id in self._results.get(analysis, []):
            with suppress(pa.ArrowException, OSError):
                found |= dict.fromkeys(pq.read_schema(self.post.store.path(id)).names)
        return [*found]

    def _column(self, analysis: str, column: str, kind: str) -> list[str] | None:
        """What a column says in all its results; None if that is not known, or too much."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        fits = {"str": pa.types.is_string, "int": pa.types.is_integer}.get(kind)
        found: dict[str, None] = {}
        for id in self._results.get(analysis, []):
            path = self.post.store.path(id)
            with suppress(pa.ArrowException, OSError, KeyError):
                if fits and fits(pq.read_schema(path).field(column).type):
                    table = pq.read_table(path, columns=[column], partitioning=None)
                    there = table[column].drop_null().unique().to_pylist()
                    found |= dict.fromkeys(map(str, there))
        return [*found] if 0 < len(found) <= MOST_VALUES else None


def _option(kind: str, known: list[str] | None = None) -> Option:
    return {"type": kind} | ({} if known is None else {"values": known})


def _name(
    variants: Iterable[str], options: dict[str, Option], *, open: bool = False
) -> dict[str, Any]:
    return {"variants": list(variants), "options": options, "open": open}


def _plain(names: Iterable[str]) -> Names:
    return {name: _name([""], {}) for name in sorted(names)}


def _choices(path: Path, project: Project) -> dict[str, list[str]]:
    """Options whose values a drawing writes out: `theme.choose(align, ["end", "start"], …)`."""
    found: dict[str, list[str]] = {}
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
                    found[option] = [str(value) for value in ast.literal_eval(listed)]
    return found
