"""Labels of footnotes and links: each file has its own, defined once."""

import re

import pytest

from tests.site_builder.conftest import Show, write

BIB = "@misc{ada,\n  author = {Lovelace, Ada},\n  title = {Notes},\n  year = {1843},\n  url = {https://example.org},\n}\n"


def told(show: Show) -> list[str]:
    return [one.removeprefix("content/sections/20-probe.md:") for one in show.problems]


def test_two_sections_use_one_label_for_notes_of_their_own(show: Show) -> None:
    one = "## Probe\n\nOne[^a].\n\n[^a]: The first note.\n\n    Its second paragraph.\n"
    html = show(one, behind="## Behind\n\nTwo[^a], again[^a].\n\n[^a]: The second note.\n")

    assert show.problems == []
    ends = dict(re.findall(r'<li id="([^"]+)">\s*<p>(The \w+ note)', html))
    marks = re.findall(r'(One|Two|again)<sup[^>]*><a class="footnote-ref" href="#([^"]+)"', html)
    assert [(word, ends[end]) for word, end in marks] == [
        ("One", "The first note"),
        ("Two", "The second note"),
        ("again", "The second note"),
    ]
    assert "Its second paragraph." in html


def test_a_footnote_that_nothing_refers_to_is_told(show: Show) -> None:
    show("## Probe\n\nOne[^a].\n\n[^a]: A note.\n\n[^b]: Another one.\n")
    assert told(show) == [
        '7: nothing refers to the footnote "[^b]"; put [^b] where it belongs, or take it out'
    ]


FORMS = ["[text][src]", "[text] [Src]", "[src][]", "[src]", "![text][src]", "[a [b] c][src]"]


@pytest.mark.parametrize("form", FORMS)
def test_two_sections_use_one_label_for_links_of_their_own(show: Show, form: str) -> None:
    text = "## {0}\n\nSee {1}.\n\n[src]: https://{0}.example.org 'A title'\n"
    html = show(text.format("Probe", form), behind=text.format("Behind", form))

    assert show.problems == []
    first, second = html.split('id="sec-behind"')
    assert re.findall(r'(?:href|src)="(https:[^"]+)"', first) == ["https://Probe.example.org"]
    assert re.findall(r'(?:href|src)="(https:[^"]+)"', second) == ["https://Behind.example.org"]
    assert "src]" not in html


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A[^nope].", '3: no footnote "[^nope]"; write [^nope]: … in this file'),
        ("[a][nope]", '3: no link "[nope]"; write [nope]: https://… in this file, or \\[ for a bracket'),
        ("[nope][]", '3: no link "[nope]"; write [nope]: https://… in this file, or \\[ for a bracket'),
        ("A[^a].\n\n[^a]: 1\n\n[^a]: 2", '7: "[^a]" is defined twice; keep one, or give it another label'),
        ("[x][a]\n\n[a]: u\n[A]: v", '6: "[a]" is defined twice; keep one, or give it another label'),
        ("[see << ref: 21-behind >>](x.png)", "3: a ref is a link, and cannot stand in another's text; put it behind the link"),
        ("[see << cite: ada >>][a]\n\n[a]: x.png", "3: a cite is a link, and cannot stand in another's text; put it behind the link"),
    ],
)  # fmt: skip
def test_labels_that_lead_nowhere_or_twice_are_told(show: Show, shelves, text, message) -> None:
    write(shelves.content / "references.bib", BIB)
    show(f"## Probe\n\n{text}\n")
    assert told(show) == [message]


@pytest.mark.parametrize(
    "text",
    [
        "`[^a]` and `[a][b]`\n\n```\n[^b] [c][d]\n[e]: f\n[e]: f\n```\n",
        "$A[i][j]$ and $[^\\circ C]$, \\[^x], [0, 1] and [x].\n",
        "<!-- [^a] [b][c] -->\n",
        "- [ ] to do\n- [x] done\n",
        "A table:\n\n| a | b |\n|---|---|\n| [^a] | [b] |\n\n[^a]: One.\n[b]: https://example.org\n",
        "!!! note\n    Inside[^a].\n\n    [^a]: One.\n",
    ],
)
def test_what_is_no_label_is_left_alone(show: Show, text: str) -> None:
    html = show(f"## Probe\n\n{text}\n")
    assert told(show) == []
    assert "20-probe:" not in re.sub(r'(href|id)="[^"]*"', "", html)


@pytest.mark.parametrize(
    "text",
    [
        "<figure>\n<img src='x.png'>\n\n<figcaption>See {}.</figcaption>\n</figure>",
        "<table><tr>\n<td>See {}.</td>\n</tr></table>",
        "<div>\n\nSee {}.\n\n</div>",
        '<div markdown="1">\n\nSee {}.\n\n</div>',
        '<figure markdown="1">\n<figcaption>See {}.</figcaption>\n</figure>',
        "A <span>see {}</span>.",
    ],
)
def test_references_and_citations_in_html_are_links(show: Show, shelves, text: str) -> None:
    write(shelves.content / "references.bib", BIB)
    directives = "<< ref: 21-behind >> and << cite: ada >>"
    html = show(f"## Probe\n\n{text.format(directives)}\n")
    assert told(show) == []
    links = re.findall(r'<a class="post-(\w+)" href="([^"]+)"[^>]*>([^<]+)</a>', html)
    assert links == [("ref", "#sec-behind", "Section 21"), ("cite", "#ref-ada", "[1]")]
