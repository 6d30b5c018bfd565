"""Several lists a topic, each cut where the model decided to end it.

`paired_lists` has one list a topic, which is right for means over topics; what differs from list to
list needs more. A list is cut and paired with the other prompt in the same way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from analyses.instruments.lists import WrittenList
from analyses.instruments.paired_lists import NEAR, PairedList, deciding_places
from analyses.instruments.pairs import pair
from analyses.instruments.roles import Token
from analyses.lab.runtime.lab import Lab

BRIEF = 60  # tokens of a list, where there is a choice


def decided_lists(
    lab: Lab, lists: Sequence[WrittenList], counts: Mapping[str, int]
) -> list[PairedList]:
    """Up to `counts[template]` lists a topic that ended by themselves and are well-formed.

    At the study's temperature, with three items or more: the first by sample number of those of at
    most `BRIEF` tokens, then of the others. In the order of the templates, topics and samples.
    """
    study, chosen = lab.study, []
    at = getattr(study.decision, study.decision.primary).at
    for template, count in counts.items():
        group = (template, study.sampling.temperature)
        for topic in study.topics.names:
            fit = (
                one
                for one in lists
                if one.group == group
                and one.key["topic"] == topic
                and one.roles.reason == ""
                and len(one.items) >= NEAR
                and len(one.items) in deciding_places(one.roles.tokens, at)
            )
            order = sorted(fit, key=lambda x: (len(x.token_ids) > BRIEF, x.key["sample"]))
            taken = sorted(order[:count], key=lambda x: x.key["sample"])
            chosen += [decided(lab, one) for one in taken]
    return chosen


def decided_of(
    lab: Lab, lists: Sequence[WrittenList], keys: Sequence[tuple[str, str, int]]
) -> list[PairedList]:
    """The lists of these templates, topics and samples, at the study's temperature."""
    usual = lab.study.sampling.temperature
    known = {
        (one.key["template"], one.key["topic"], one.key["sample"]): one
        for one in lists
        if one.key["temperature"] == usual
    }
    return [decided(lab, known[key]) for key in keys]


def decided(lab: Lab, one: WrittenList) -> PairedList:
    """A list that ended, up to its deciding token, under its own prompt and the other one."""
    study = lab.study
    template, topic, items = one.key["template"], one.key["topic"], len(one.items)
    clean, corrupted = pair(lab.model, study.prompt, study.prompt.templates, template, topic)
    at = getattr(study.decision, study.decision.primary).at
    stop = deciding_places(one.roles.tokens, at)[items]
    answer = tuple(one.token_ids[:stop])
    return PairedList(
        template=template,
        wording="length",
        topic=topic,
        held_out=one.key["held_out"],
        sample=one.key["sample"],
        items=items,
        clean=(*clean.ids, *answer),
        corrupted=(*corrupted.ids, *answer),
        pieces=(*clean.pieces, *one.pieces[1 : stop + 1]),
        tokens=(*(Token(role) for role in clean.roles[:-1]), *one.roles.tokens[: stop + 1]),
    )
