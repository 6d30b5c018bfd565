"""Whether a directive and a claim name what is on the shelves, before anything is loaded."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

from site_builder.core import signatures
from site_builder.core.errors import BuildError, Problem, nearest
from site_builder.core.project import Project
from site_builder.core.signatures import Signature
from site_builder.post.claims import Claim
from site_builder.post.directive import Directive
from site_builder.post.uses import Use

RESERVED = ("study", "panels")
"""Options that every drawing takes: which study it shows, which panels stand open."""

_PANELS = re.compile(r"[1-9]\d?( [1-9]\d?)*")

_TYPES: dict[str, Callable[[str], object]] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": lambda text: {"true": True, "false": False}[text],
}
_EXAMPLES = {
    "int": ("a whole number", "3"),
    "float": ("a number", "0.5"),
    "bool": ("true or false", "true"),
}


def measured(project: Project, directive: Directive, study: str) -> list[Problem]:
    """What is wrong with a directive's study, name or variant, if it shows a result as it is."""
    known = project.measurements()
    wrong = _study(project, directive, study)
    if directive.name not in known:
        return [*wrong, _unknown(directive, known)]
    return wrong + _variant(project, directive.where, directive.name, directive.variant)


def drawn(project: Project, directive: Directive, study: str) -> list[Problem]:
    """The same, and what is wrong with its options, if it shows a drawing of a result."""
    known, drawings = project.measurements(), project.drawings()
    wrong = _study(project, directive, study)
    if directive.name in known.keys() - drawings.keys():
        what = f'"{directive.name}" is measured but not drawn'
        drawing = project.named(project.figures / f"{directive.name}.py")
        return [*wrong, Problem(directive.where, what, f"write {drawing}")]
    if directive.name not in known:
        return [*wrong, _unknown(directive, known.keys() & drawings.keys())]
    wrong += _variant(project, directive.where, directive.name, directive.variant)
    try:
        return [*wrong, *_options(project, directive)]
    except BuildError as error:
        return [*wrong, *error.problems]


def no_options(directive: Directive, *but: str) -> list[Problem]:
    """What is wrong with the options of a directive whose kind takes none, `but` these."""
    cure = f"there is: {', '.join(but)}" if but else f"a {directive.kind} takes none"
    unknown = sorted(directive.options.keys() - {*but})
    of = f'{directive.kind} "{directive.name}"'
    return [Problem(directive.where, f'unknown option "{one}" of {of}', cure) for one in unknown]


def claims(project: Project, known: Mapping[str, Claim]) -> list[Problem]:
    """Claims whose result nothing measures, or whose study is none."""
    measurements, studies = project.measurements(), project.studies()
    wrong: list[Problem] = []
    for claim in known.values():
        for one in (claim, claim.at_first) if claim.first else (claim,):
            if one.analysis in measurements:
                wrong += _variant(project, one.where, one.analysis, one.variant)
            else:
                what, cure = f'no measurement "{one.analysis}"', nearest(one.analysis, measurements)
                wrong.append(Problem(one.where, what, cure))
        if claim.study and claim.study not in studies:
            what, cure = f'unknown study "{claim.study}"', nearest(claim.study, studies)
            wrong.append(Problem(claim.where, what, cure))
    return wrong


def options(project: Project, use: Use) -> dict[str, object]:
    """A use's options in the types that its drawing declares."""
    path = project.drawings()[use.id.analysis]
    taken = signature(project, project.root, path, "draw").options
    given = use.directive.options
    return {k: _TYPES.get(taken[k], str)(v) for k, v in given.items() if k not in RESERVED}


def leading(use: Use) -> tuple[int, ...]:
    """The panels of a figure that stand open, by number; none where all do."""
    return tuple(map(int, use.directive.options.get("panels", "").split()))


def signature(project: Project, root: Path, path: Path, function: str) -> Signature:
    """What a function takes, read from its file once as long as that stays as it is."""
    about = f"signature {path} {function}"
    read = project.memory.read(
        about, lambda: (asdict(signatures.signature(root, path, function)), [path])
    )
    return Signature(**read)


def _study(project: Project, directive: Directive, study: str) -> list[Problem]:
    study, known = directive.options.get("study", study), project.studies()
    what = f'unknown study "{study}"'
    return [] if study in known else [Problem(directive.where, what, nearest(study, known))]


def _unknown(directive: Directive, known: Iterable[str]) -> Problem:
    what = f'unknown {directive.kind} "{directive.name}"'
    return Problem(directive.where, what, nearest(directive.name, known))


def _variant(project: Project, where: str, analysis: str, variant: str) -> list[Problem]:
    """What is wrong with the variant of a measurement, or what keeps it from being known."""
    try:
        path = project.measurements()[analysis]
        variants = signature(project, project.root, path, "run").variants
    except BuildError as error:
        return list(error.problems)
    if variant in variants:
        return []
    what = f'"{analysis}" has no variant "{variant or "(none)"}"'
    return [Problem(where, what, nearest(variant, filter(None, variants)))]


def _options(project: Project, directive: Directive) -> Iterator[Problem]:
    """What is wrong with the options of a drawing, and whether it draws this variant."""
    name, variant, where = directive.name, directive.variant, directive.where
    draw = signature(project, project.root, project.drawings()[name], "draw")
    if not draw.takes(variant):
        what = f'"{name} {variant or "(none)"}" is measured but not drawn'
        yield Problem(where, what, nearest(variant, draw.variants))
    taken = draw.options
    for option, value in directive.options.items():
        if option == "study":
            continue
        if option == "panels":
            if not _PANELS.fullmatch(value) or len(set(value.split())) < len(value.split()):
                what = f'option panels="{value}" is not numbers of panels, each once'
                yield Problem(where, what, 'write panels="1 3"')
        elif option not in taken:
            what = f'unknown option "{option}" of {directive.kind} "{name}"'
            yield Problem(where, what, nearest(option, (*taken, *RESERVED)))
        elif not _converts(value, taken[option]):
            type_name, example = _EXAMPLES[taken[option]]
            what = f'option {option}="{value}" is not {type_name}'
            yield Problem(where, what, f"write {option}={example}")


def _converts(value: str, type_name: str) -> bool:
    try:
        _TYPES.get(type_name, str)(value)
    except (ValueError, KeyError):
        return False
    return True
