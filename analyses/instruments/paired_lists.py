"""A list under two prompts that differ in their length word: what patching compares.

The list is kept token by token and cut where the model decides whether it goes on, after the last
item, so that the answer is the next token. Its positions are grouped by role: what the model reads
after the length word (`length`, `prompt`, `topic`, `turn`), the list's beginning (`earlier`), the
tokens of the last three items by item number from the end, and the `deciding` token itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analyses.instruments.lists import WrittenList
from analyses.instruments.pairs import pair
from analyses.instruments.roles import Token
from analyses.lab.runtime.lab import Lab

NEAR = 3  # items at the end that have columns of their own
FEW_TOPICS = {"q": 8, "pattern": 8}  # patched for so many of the shortest lists only
MOST = 48  # tokens of a list, where there is a choice: a sweep's cost grows with their square
IN_PROMPT = ("length", "prompt", "topic", "turn")
IN_ITEM = ("hyphen", "item", "blank", "break")
Role = tuple[str, int | None]  # role, and item number from the end
AXIS: tuple[Role, ...] = (
    *((role, None) for role in (*IN_PROMPT, "earlier")),
    *((role, k_end) for k_end in range(-NEAR, 0) for role in IN_ITEM),
    ("deciding", -1),
)


@dataclass(frozen=True)
class PairedList:
    """One list, cut at the deciding token, under the prompt it was sampled with and the other.

    Attributes:
        wording: `length` (the templates) or `emphatic` (the paraphrase).
        clean, corrupted: token ids, equal in number; clean asks for the template's length.
        pieces: the clean tokens' texts.
        tokens: roles of all positions.
        items: items of the list.
    """

    template: str
    wording: str
    topic: str
    held_out: bool
    sample: int
    items: int
    clean: tuple[int, ...]
    corrupted: tuple[int, ...]
    pieces: tuple[str, ...]
    tokens: tuple[Token, ...]

    @property
    def first(self) -> int:
        """The first position at which the prompts differ."""
        both = zip(self.clean, self.corrupted, strict=True)
        return next(i for i, (a, b) in enumerate(both) if a != b)

    def roles(self) -> dict[Role, tuple[int, ...]]:
        """Positions by role, in the order of `AXIS`; none from before the first difference."""
        found: dict[Role, list[int]] = {}
        for position in range(self.first, len(self.tokens)):
            found.setdefault(self.role(position), []).append(position)
        return {role: tuple(found[role]) for role in AXIS if role in found}

    def role(self, position: int) -> Role:
        """The role of one position."""
        token = self.tokens[position]
        if position == len(self.tokens) - 1:
            return ("deciding", -1)
        if token.k is None:
            return (token.role, None)
        if token.k_end is None or token.k_end < -NEAR:
            return ("earlier", None)
        return (token.role, token.k_end)


def deciding_places(tokens: Sequence[Token], at: str) -> dict[int, int]:
    """Where a list could have ended: item number -> index into its tokens.

    Args:
        tokens: roles of a list's tokens, from the prefilled hyphen on.
        at: `item-last` (the last token of an item) or `break` (the line break after it).
    """
    if at == "break":
        return {token.k: i for i, token in enumerate(tokens) if token.role == "break" and token.k}
    return {
        token.k: i
        for i, token in enumerate(tokens)
        if token.role == "item" and token.part in ("last", "only") and token.k
    }


def paired_lists(
    lab: Lab, lists: Sequence[WrittenList], template: str, wording: str
) -> list[PairedList]:
    """One list a topic, in the study's order, that ended by itself and is well-formed.

    Of `template` at the study's temperature, with three items or more: the middle one by tokens of
    those that have at most `MOST`, or else the shortest. Topics without such a list are left out.
    """
    study = lab.study
    usual, primary = study.sampling.temperature, getattr(study.decision, study.decision.primary)
    wordings = study.prompt.templates if wording == "length" else study.prompt.emphatic
    chosen = []
    for topic in study.topics.names:
        ended = sorted(
            (
                one
                for one in lists
                if one.group == (template, usual)
                and one.key["topic"] == topic
                and one.roles.reason == ""
                and len(one.items) >= NEAR
                and len(one.items) in deciding_places(one.roles.tokens, primary.at)
            ),
            key=lambda one: (len(one.token_ids), one.key["sample"]),
        )
        if not ended:
            continue
        brief = [one for one in ended if len(one.token_ids) <= MOST] or ended[:1]
        one = brief[(len(brief) - 1) // 2]
        items, sample = len(one.items), one.key["sample"]
        clean, corrupted = pair(lab.model, study.prompt, wordings, template, topic)
        stop = deciding_places(one.roles.tokens, primary.at)[items]
        answer = tuple(one.token_ids[:stop])
        roles = [Token(role) for role in clean.roles[:-1]]
        chosen.append(
            PairedList(
                template=template,
                wording=wording,
                topic=topic,
                held_out=one.key["held_out"],
                sample=sample,
                items=items,
                clean=(*clean.ids, *answer),
                corrupted=(*corrupted.ids, *answer),
                pieces=(*clean.pieces, *one.pieces[1 : stop + 1]),
                tokens=(*roles, *one.roles.tokens[: stop + 1]),
            )
        )
    return chosen


def shortest(pairs: Sequence[PairedList], count: int) -> list[PairedList]:
    """The pairs of the fewest tokens, in the study's order."""
    chosen = sorted(pairs, key=lambda one: len(one.clean))[:count]
    return [one for one in pairs if one in chosen]
