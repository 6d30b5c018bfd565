"""Whether a directive and a claim name what is on the shelves, before anything is loaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

from site_builder.core.errors import BuildError, Problem, nearest
from site_builder.core.project import Project
from site_builder.core.signatures import Signature, signature
from site_builder.post.claims import Claim
from site_builder.post.directives import Directive
from site_builder.post.uses import Use
from site_builder.post.values import RESERVED

_TYPES: dict[str, Callable[[str], object]] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": lambda text: {"true": True, "false": False}[text],
}
_TOLD = {
    "int": ("a whole number", "3"),
    "float": ("a number", "0.5"),
    "bool": ("true or false", "true"),
}


def shelves(project: Project, directive: Directive, study: str) -> list[Problem]:
    """What is wrong with a directive that shows a result: its study, name, variant or options."""
    study = directive.options.get("study", study)
    found: list[Problem] = []

    def wrong(what: str, cure: str) -> None:
        found.append(Problem(directive.where, what, cure))

    known, drawings = project.measurements(), project.drawings()
    if study not in project.studies():
        wrong(f'unknown study "{study}"', nearest(study, project.studies()))
    is_value = directive.kind == "value"
    names = known if is_value else {name: known[name] for name in known if name in drawings}
    if directive.name in known.keys() - names.keys():
        drawing = project.named(project.figures / f"{directive.name}.py")
        wrong(f'"{directive.name}" is measured but not drawn', f"write {drawing}")
        return found
    if directive.name not in names:
        wrong(f'unknown {directive.kind} "{directive.name}"', nearest(directive.name, names))
        return found
    try:
        found += _variant(project, directive.where, directive.name, directive.variant)
        if not is_value:
            _options(project, directive, wrong)
        elif set(directive.options) <= set(RESERVED) - {"show"}:
            wrong("a value needs to know which row", "add column=value, such as template=short")
    except BuildError as error:
        found += error.problems
    return found


def mark(directive: Directive, known: Mapping[str, Claim]) -> list[Problem]:
    """What is wrong with a `claim` directive."""
    if directive.name not in known:
        what, cure = f'unknown claim "{directive.name}"', nearest(directive.name, known)
        return [Problem(directive.where, what, cure)]
    unknown = sorted(directive.options.keys() - {"show"})
    told = [(f'unknown option "{name}" of a claim', "there is: show") for name in unknown]
    return [Problem(directive.where, what, cure) for what, cure in told]


def claims(project: Project, known: Mapping[str, Claim]) -> list[Problem]:
    """Claims whose result nothing measures."""
    measured = project.measurements()
    found: list[Problem] = []
    for claim in known.values():
        if claim.analysis in measured:
            try:
                found += _variant(project, claim.where, claim.analysis, claim.variant)
            except BuildError as error:
                found += error.problems
        else:
            what, cure = f'no measurement "{claim.analysis}"', nearest(claim.analysis, measured)
            found.append(Problem(claim.where, what, cure))
    return found


def part(project: Project, directive: Directive) -> list[Problem]:
    """What is wrong with a `page` directive: its name, its part, an option."""
    known = project.page_parts()
    name, variant = directive.name, directive.variant
    if name not in known:
        what, cure = f'unknown page "{name}"', nearest(name, known)
        return [Problem(directive.where, what, cure)]
    try:
        parts = _signature(project, project.engine, known[name], "render").variants
    except BuildError as error:
        return list(error.problems)
    found = []
    if variant not in parts:
        what = f'page "{name}" has no part "{variant or "(none)"}"'
        found.append(Problem(directive.where, what, nearest(variant, filter(None, parts))))
    for option in directive.options:
        what = f'unknown option "{option}" of page "{name}"'
        found.append(Problem(directive.where, what, "a page takes none"))
    return found


def options(project: Project, use: Use) -> dict[str, object]:
    """A use's options in the types that its drawing declares."""
    path = project.drawings()[use.id.analysis]
    taken = _signature(project, project.root, path, "draw").options
    given = use.directive.options
    return {k: _TYPES.get(taken[k], str)(v) for k, v in given.items() if k != "study"}


def _signature(project: Project, root: Path, path: Path, function: str) -> Signature:
    """What a function takes, read from its file once as long as that stays as it is."""
    about = f"signature {path} {function}"
    read = project.memory.read(about, lambda: (asdict(signature(root, path, function)), [path]))
    return Signature(**read)


def _variant(project: Project, where: str, analysis: str, variant: str) -> list[Problem]:
    variants = _signature(project, project.root, project.measurements()[analysis], "run").variants
    if variant in variants:
        return []
    what = f'"{analysis}" has no variant "{variant or "(none)"}"'
    return [Problem(where, what, nearest(variant, filter(None, variants)))]


def _options(project: Project, directive: Directive, wrong: Callable[[str, str], None]) -> None:
    draw = _signature(project, project.root, project.drawings()[directive.name], "draw")
    if not draw.takes(directive.variant):
        what = f'"{directive.name} {directive.variant or "(none)"}" is measured but not drawn'
        wrong(what, nearest(directive.variant, draw.variants))
    taken = draw.options
    for name, value in directive.options.items():
        if name == "study":
            continue
        if name not in taken:
            what = f'unknown option "{name}" of {directive.kind} "{directive.name}"'
            wrong(what, nearest(name, (*taken, "study")))
        elif not _converts(value, taken[name]):
            what, example = _TOLD[taken[name]]
            wrong(f'option {name}="{value}" is not {what}', f"write {name}={example}")


def _converts(value: str, kind: str) -> bool:
    try:
        _TYPES.get(kind, str)(value)
    except (ValueError, KeyError):
        return False
    return True
