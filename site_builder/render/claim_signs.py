"""The sign behind a paragraph: how many claims its sentences make, and whether all of them hold.

Wherever a claim is made the prose has a mark: of a claim alone one without text, else the number
that it prints. `Signs.folded` gathers the marks of one paragraph, list item, cell or caption into
one sign at its end, a button that opens the list of its claims, each a link to its test. It works
on HTML, where a paragraph is what the host has made of it, and what was written as HTML is one too.
"""

from __future__ import annotations

import html
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from markupsafe import Markup

from site_builder.post.claims import ALL, PREDICTIONS, Claim
from site_builder.post.kinds.claim import PLACE
from site_builder.post.post import Post
from site_builder.post.uses import Use
from site_builder.post.verdicts.verdict import Verdict
from site_builder.render.bidi import isolated
from site_builder.render.claim_words import SIGNS, signed, summary, worded

_BLOCKS = (
    "address|article|aside|blockquote|caption|center|dd|details|div|dl|dt|fieldset|figcaption"
    "|figure|footer|form|h[1-6]|header|hr|legend|li|main|nav|ol|p|pre|section|summary|table|tbody"
    "|td|tfoot|th|thead|tr|ul"
)
_BLOCK = re.compile(rf"</?(?:{_BLOCKS})(?![\w-])", re.IGNORECASE)
_MARK = re.compile(
    rf"<span(?P<number> class=\"post-value\")?(?P<id> id=\"{PLACE}[a-z0-9_-]+(?P<count>\.\d+)?\")"
    r"[^<>]*? data-claim=\"(?P<name>[a-z0-9_-]+)\"(?P<stale> data-stale=\"yes\")?"
    r"(?(number)|></span>)"
)
_LOUD = {"(✓)": "sampled", "?": "unmeasured", "✗": "fails"}
"""What is not all that one could wish, and how it looks."""


def mark(use: Use) -> Markup:
    """What stands where a claim is made and no number printed."""
    stale = ' data-stale="yes"' if use.state == "stale" else ""
    return Markup(f'<span id="{use.place}" data-claim="{use.directive.name}"{stale}></span>')


class Signs:
    """Signs for the claims of a post, whose verdicts are those of `judged`."""

    def __init__(self, post: Post, judged: Mapping[str, Verdict]) -> None:
        self.post = post
        self.judged = judged

    def folded(self, text: str, page: Path, *, plain: bool = False) -> str:
        """A page's HTML, or a piece of it, with a sign at the end of each paragraph that has marks.

        Of each claim of a paragraph the first mark stays as a place that links lead to. Where the
        host leads links from the file to the page by itself they are left to it: `plain`. What is
        in no paragraph, such as a heading's name for the contents, gets no sign.
        """
        paragraphs: dict[int, dict[str, re.Match[str]]] = {}
        edits: list[tuple[int, int, str]] = []
        for found in _MARK.finditer(text):
            if found["name"] not in self.judged:
                continue
            block = _BLOCK.search(text, found.end())
            marks = paragraphs.setdefault(block.start(), {}) if block else {}
            is_kept = block is not None and marks.setdefault(found["name"], found) is found
            if not found["number"]:
                kept = f"<a{found['id']}></a>" if is_kept else ""
                edits.append((_trimmed(text, found.start()), found.end(), kept))
            elif not is_kept:
                edits.append((*found.span("id"), ""))
        for end, marks in paragraphs.items():
            at = _trimmed(text, end)
            edits.append((at, at, self._sign(marks, page, plain=plain)))
        pieces, last = [], 0
        for start, end, instead in sorted(edits, key=lambda edit: edit[:2]):
            pieces += [text[last:start], instead]
            last = end
        return "".join([*pieces, text[last:]])

    def home(self, claim: Claim) -> Path | None:
        """The page that shows a claim among all, or among predictions, if there is one."""
        apart = self.post.page_with(PREDICTIONS) if claim.is_prediction else None
        return apart or self.post.page_with(ALL)

    def _sign(self, marks: Mapping[str, re.Match[str]], page: Path, *, plain: bool) -> str:
        """The button, and the list that it opens."""
        shown, label = " · ".join(self._counts([*marks])), self._label([*marks])
        if any(found["stale"] for found in marks.values()):
            label, shown = (
                f"{label}; stale",
                f'{shown} <b class="post-verdict-unmeasured">stale</b>',
            )
        # The list is called after its first claim, in short: a page has more than a hundred.
        first = next(iter(marks.values()))
        id = f"c{[*self.post.claims].index(first['name'])}{first['count'] or ''}"
        entries = " ".join(self._entry(name, page, plain=plain) for name in marks)
        named = f'popovertarget="{id}" aria-label="{label}"'
        return (
            f'\N{NO-BREAK SPACE}<button class="post-sign" {named}>{shown}</button>'
            f'<span popover id="{id}">{entries}</span>'
        )

    def _label(self, names: Sequence[str]) -> str:
        """The sign in words: "1 claim: holds", "3 claims: 2 hold, 1 does not hold"."""
        words = Counter(worded(self.post.claims[name], self.judged[name]) for name in names)
        if len(names) == 1:
            return f"1 claim: {next(iter(words))}"
        told = (
            f"{'all' if len(words) == 1 else count} {_of_several(word) if count > 1 else word}"
            for word, count in words.items()
        )
        return f"{len(names)} claims: {', '.join(told)}"

    def _counts(self, names: Sequence[str]) -> Iterator[str]:
        """Every sign with the number of claims that have it; one alone with a word for it."""
        known = [(self.post.claims[name], self.judged[name]) for name in names]
        for sign in (SIGNS[True], *_LOUD):
            of = [one for one in known if signed(*one) == sign]
            if not of:
                continue
            word = worded(*of[0]) if not of[0][1].holds else ""
            text = f"{sign} {len(of)}" if len(known) > 1 else f"{sign} {word}".strip()
            loud = _LOUD.get(sign)
            yield f'<b class="post-verdict-{loud}">{text}</b>' if loud else text

    def _entry(self, name: str, page: Path, *, plain: bool) -> str:
        """A claim in the list: the link to its test; itself, where no page has its test."""
        claim, verdict = self.post.claims[name], self.judged[name]
        home = self.home(claim)
        sign = signed(claim, verdict)
        if home is None:
            text = html.escape(f"{claim.says} {summary(claim, verdict)}")
            return f"<small>{sign} {isolated(text)}</small>"
        if page == home:
            way = ""
        elif plain:
            way = Path(os.path.relpath(home, page.parent)).as_posix()
        else:
            way = self.post.way(page, home).removeprefix("./")
        return f'<a href="{way}#{name}">{sign} {re.sub("[-_]", " ", name)}</a>'


def _trimmed(text: str, end: int) -> int:
    """Where a text ends but for blanks, before a place in it."""
    while end and text[end - 1].isspace():
        end -= 1
    return end


def _of_several(word: str) -> str:
    """A verdict's words, of several claims."""
    return word.replace("does not", "do not").replace("holds", "hold")
