"""Every claim of the post: what it says, whether it holds and by what numbers, where it is made."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from markupsafe import Markup

from site_builder.charts.drawing import BASE
from site_builder.post.claim_form import BEFORE
from site_builder.post.kinds import claim as claim_kind
from site_builder.post.post import Post
from site_builder.post.uses import Use
from site_builder.post.verdicts.families import CORRECTIONS
from site_builder.post.verdicts.verdict import Verdict
from site_builder.render.blocks import Blocks
from site_builder.render.claim_words import SHAPES, WORDS, outcome, remarks
from site_builder.results.recipe import ResultId

VARIANTS = ("", "count", "reported")

HEAD = "In short"
"""What the sentences of the first page's own file stand under."""


def render(blocks: Blocks, *, variant: str = "") -> Markup:
    """List the claims by section; `count`: how many hold, `reported`: beside what others did."""
    verdicts, known = blocks.verdicts, blocks.post.claims
    claims = {name: one for name, one in known.items() if not verdicts.is_apart(one)}
    if variant == "count":
        found = {name: one for name, one in verdicts.of.items() if name in claims}
        outcomes = [verdict.holds for verdict in found.values()]
        in_sample = sum(claims[name].is_of_sample for name, one in found.items() if one.holds)
        counts = [(word, SHAPES[state], outcomes.count(state)) for state, word in WORDS.items()]
        adjusted = [one for name, one in verdicts.adjusted().items() if name in claims]
        surviving = Counter(correction for one in adjusted for correction in one.survives)
        return blocks.frame.markup(
            "claims_count.html.j2",
            counts=counts,
            total=len(outcomes),
            in_sample=in_sample,
            before=sum(claim.written == BEFORE for claim in claims.values()),
            apart=len(known) - len(claims),
            page=_page_of_predictions(blocks),
            tests=len(adjusted),
            surviving=[(name, surviving[name]) for name in CORRECTIONS],
        )
    if variant == "reported":
        reported = [name for name, claim in claims.items() if claim.reported]
        rows = [*map(_rows(blocks), reported)]
        sources = dict.fromkeys(row["claim"].reported_for for row in rows)
        page = f"{BASE}/{blocks.post.url(blocks.post.project.content / 'claims.md')}"
        return blocks.frame.markup(
            "claims_reported.html.j2", rows=rows, sources=[*sources], page=page
        )
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in map(_rows(blocks), claims):
        groups.setdefault(row["section"], []).append(row)
    groups = dict(sorted(groups.items(), key=lambda group: group[1][0]["order"]))
    link = blocks.publish("claims.json", blocks.verdicts.json)
    return blocks.frame.markup("claims.html.j2", groups=groups, link=link)


def _page_of_predictions(blocks: Blocks) -> str:
    """The link to it; "" where there is none."""
    apart = filter(blocks.verdicts.is_apart, blocks.post.claims.values())
    page = next(map(blocks.verdicts.signs.home, apart), None)
    return f"{BASE}/{blocks.post.url(page)}" if page else ""


def _rows(blocks: Blocks) -> Callable[[str], dict[str, Any]]:
    """What makes a claim's row: the first figure of a result, all sentences of a claim."""
    figures = {use.id: use for use in reversed(blocks.post.uses.values()) if use.slug}
    sentences: dict[str, list[Use]] = {}
    for use in blocks.post.uses.values():
        if use.directive.kind == claim_kind.NAME:
            sentences.setdefault(use.directive.name, []).append(use)
    adjusted, repeats = blocks.verdicts.adjusted(), blocks.verdicts.repeats()

    def row(name: str) -> dict[str, Any]:
        claim, verdict = blocks.post.claims[name], blocks.verdicts.of.get(name, Verdict(None))
        return _row(blocks, name, figures, sentences.get(name, [])) | {
            "remarks": remarks(claim, verdict, adjusted.get(name)),
            "survives": adjusted[name].survives if name in adjusted else [],
            "repeats": repeats.get(name, ""),
        }

    return row


def _row(
    blocks: Blocks, name: str, figures: Mapping[ResultId, Use], made: Sequence[Use]
) -> dict[str, Any]:
    post, claim = blocks.post, blocks.post.claims[name]
    own = claim.study or post.study
    id = ResultId(own, claim.analysis, claim.variant)
    figure = figures.get(id)
    places = [_place(post, use) for use in made]
    sentences: dict[str, str] = {}
    for use, place in zip(made, places, strict=True):
        sentences.setdefault(place.called, f"{place.page}#{use.place}")
    others = blocks.verdicts.models.others(claim)
    tested = [
        {"study": blocks.frame.title(study), **outcome(claim, verdict)}
        for study, verdict in (
            (own, blocks.fragments.verdict(claim, own)),
            *((model.study, other) for model, other in others.items()),
        )
    ]
    return {
        "claim": claim,
        "row": {column: _any_of(texts) for column, texts in claim.row.items()},
        "other": {column: _any_of(texts) for column, texts in claim.other.items()},
        "tested": tested,
        "section": places[0].heading
        if places
        else blocks.frame.title(own)
        if claim.study
        else HEAD,
        "order": places[0].order if places else ([math.inf] if claim.study else [], ""),
        "show": "" if claim.show == "estimate" else claim.show,
        "units": " and ".join(claim.unit_columns),
        "place": places[0].link if places and places[0].heading != HEAD else "",
        "sentences": sentences,
        "figure": f"{figure.noun} {figure.number}" if figure else "",
        "figure_link": f"{BASE}/{post.url(figure.page)}#{figure.slug}" if figure else "",
        "result": str(id),
        "command": post.store.command(id),
    }


class Place(NamedTuple):
    """Where sentences stand: a section, or what a page says outside of its sections.

    `order` is the post's: the head of the first page, sections by number, then pages.
    """

    called: str
    heading: str
    page: str
    link: str
    order: tuple[list[float], str]


def _place(post: Post, use: Use) -> Place:
    """Where in the site a sentence stands, as far as there are anchors."""
    page = f"{BASE}/{post.url(use.page)}"
    section = post.references.of(use.directive)
    if section is None:
        if use.page == post.project.content / "index.md":
            return Place(HEAD, HEAD, page, page, ([], ""))
        title = post.title(use.page)
        return Place(title, title, page, page, ([math.inf], post.url(use.page)))
    heading = f"{section.called}: {section.title}" if section.number else section.title
    number = [*map(float, section.number.split("."))] if section.number else [math.inf]
    return Place(section.called, heading, page, f"{page}#{section.anchor}", (number, section.title))


def _any_of(texts: list[str]) -> str:
    """Values in words; whole numbers without a gap as a range."""
    if len(texts) > 2 and all(text.isdecimal() for text in texts):
        numbers = sorted(map(int, texts))
        if numbers == list(range(numbers[0], numbers[-1] + 1)):
            return f"{numbers[0]} to {numbers[-1]}"
    return " or ".join(texts)
