"""The glossary: terms defined once in Markdown, and directives that lead there from the prose."""

import json
import re
from html import unescape

import pytest

from site_builder.commands.vocabulary import Vocabulary
from site_builder.core.errors import BuildError
from site_builder.core.project import Project
from site_builder.post.glossary import definitions
from site_builder.post.post import Post
from site_builder.site.build import build

from .conftest import Show, write

PAGE = """
# Glossary

half-life
time to one half
:   After so long, *half* of it is left: $\\ln 2$ over the << term: decay rate >>.

decay rate
:   What goes in a unit of time.

    Per unit that is there.

SAE (wide)

:   Loose, with its term as a paragraph.
"""


@pytest.fixture
def defining(shelves: Project) -> Project:
    write(shelves.content / "glossary.md", PAGE)
    return shelves


def links(html: str) -> list[tuple[str, ...]]:
    return re.findall(r'<a class="post-term" href="([^"]*)"( id="[^"]*")?>(.*?)</a>', html)


@pytest.mark.usefixtures("defining")
@pytest.mark.parametrize(
    ("written", "anchor", "shown"),
    [
        ("half-life", "half-life", "half-life"),
        ("Half-life", "half-life", "Half-life"),
        ("Half-lifes", "half-life", "Half-lifes"),
        ("time to one half", "time-to-one-half", "time to one half"),
        ("SAE (wide)", "sae-wide", "SAE (wide)"),
        ('decay rate as="how fast *it* [goes]"', "decay-rate", "how fast *it* [goes]"),
        ("decay rate as=speed", "decay-rate", "speed"),
    ],
)
def test_a_term_leads_to_its_definition(show: Show, written: str, anchor: str, shown: str) -> None:
    html = show(f"## Probe\n\nIts << term: {written} >> is short.\n")

    assert show.problems == []
    (link,) = links(html)
    assert (link[0], link[1]) == (f"glossary.md#term-{anchor}", f' id="used-{anchor}"')
    assert unescape(link[2]) == shown


@pytest.mark.usefixtures("defining")
def test_only_the_first_use_in_the_post_is_a_place(show: Show) -> None:
    term = "<< term: decay rate >>"
    html = show(f"## Probe\n\nA {term}.\n\nA {term}.\n", behind=f"## Behind\n\nA {term}.\n")

    assert [id for _, id, _ in links(html)] == [' id="used-decay-rate"', "", ""]


@pytest.mark.usefixtures("defining")
def test_a_term_in_raw_html_is_a_link_of_html(show: Show) -> None:
    html = show("## Probe\n\n<div>\nA << term: half-life as='x' >>\n</div>\n".replace("'", '"'))

    assert links(html) == [] or links(html)[0][2] == "x"
    assert (
        '<a class="post-term" href="./glossary/#term-half-life" id="used-half-life">x</a>' in html
    )


@pytest.mark.usefixtures("defining")
@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("<< term: half-live >>", 'unknown term "half-live"; did you mean "half-life"?'),
        ("<< term: x size=3 >>", 'unknown option "size" of term "x"; there is: as'),
        ("[a << term: decay rate >>](b.md)", "a term is a link, and cannot stand in another's"),
        ("<< term: >>", 'cannot read << term: >>; write << term: TERM [as="WORDING"] >>'),
    ],
)
def test_what_is_wrong_with_a_term_is_told_at_its_line(show: Show, written: str, said: str) -> None:
    show(f"## Probe\n\nIt is {written}.\n")

    assert any(
        one.startswith("content/sections/20-probe.md:3: ") and said in one for one in show.problems
    ), show.problems


def test_without_a_glossary_it_is_told_where_one_would_be(show: Show) -> None:
    show("## Probe\n\nIts << term: half-life >>.\n")

    assert show.problems == [
        'content/sections/20-probe.md:3: unknown term "half-life"; define it in content/glossary.md'
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a\n:   One.\n\nA\n:   Two.\n", 'g.md:4: term "A" is defined twice; see g.md:1'),
        ("a-b\n:   One.\n\na b\n:   Two.\n", 'g.md:4: term "a b" is defined twice; see g.md:1'),
        ("%%\n:   One.\n", 'g.md:1: "%%" is no term; write it in letters'),
        ("# Glossary\n\nText.\n", "g.md: the glossary defines no term; write a term on a line"),
        ("```\na\n:   One.\n```\n", "g.md: the glossary defines no term"),
    ],
)
def test_what_is_wrong_with_the_page_is_told(text: str, said: str) -> None:
    (problem,) = definitions.of(text, "g.md")[1]

    assert str(problem).startswith(said)


def test_terms_are_those_that_the_host_finds_at_their_lines() -> None:
    text = (
        "# G\n\nIntro: none.\n\none\n two \n:   A definition\ngoes on\n\n    with a paragraph.\n"
        "\n:   A second one.\n\nthree\n\n:   Loose.\n\n> four\n> :   Quoted.\n\n- five\n\n    six\n    :   In a list.\n"
    )
    terms, problems = definitions.of(text, "g.md")

    assert problems == []
    assert [(one.name, one.where) for one in terms] == [
        ("one", "g.md:5"),
        ("two", "g.md:6"),
        ("three", "g.md:14"),
        ("four", "g.md:18"),
        ("six", "g.md:23"),
    ]


def test_a_host_that_reads_no_definitions_is_told(defining: Project) -> None:
    config = defining.root / "mkdocs.yml"
    config.write_text(config.read_text("utf-8").replace("  - def_list\n", ""), "utf-8")
    post = Post(Project(defining.root))
    post.collect()

    assert (
        "mkdocs.yml: no extension reads the glossary's definitions; add - def_list to "
        "markdown_extensions"
    ) in [*map(str, post.problems)]


def test_terms_are_listed_for_editors(defining: Project) -> None:
    kind = Vocabulary(defining).everything()["kinds"]["term"]

    assert (kind["form"], kind["alone"]) == ('TERM [as="WORDING"]', False)
    assert [*kind["names"]] == ["half-life", "time to one half", "decay rate", "sae (wide)"]
    assert json.dumps(kind["names"]["decay rate"]["options"]) == '{"as": {"type": "str"}}'


@pytest.mark.builds
def test_the_page_has_all_terms_and_leads_to_where_each_is_used_first(project: Project) -> None:
    write(project.content / "glossary.md", PAGE)
    section = project.content / "sections" / "01-numbers.md"
    more = "\nThe << term: Decay rate >> is high; so is the << term: time to one half as=time >>.\n"
    section.write_text(section.read_text("utf-8") + more, "utf-8")
    write(
        project.content / "zebra.md",
        "# A zebra\n\n## Its page {#p}\n\nAn << term: SAE (wide) >>.\n",
    )
    assert build(project, say=lambda _line: None, strict=True).notes == []
    page = (project.site / "glossary" / "index.html").read_text("utf-8")
    index = (project.site / "index.html").read_text("utf-8")
    found = (project.site / "search" / "search_index.json").read_text("utf-8")

    for piece in (
        '<dt id="term-half-life">half-life</dt>\n<dt id="term-time-to-one-half">',
        'one half <a class="post-first" href="../#used-time-to-one-half">first used in Section 1</a></dt>',
        '<a class="post-term" href="#term-decay-rate">decay rate</a>',
        '<dt id="term-decay-rate">decay rate <a class="post-first" href="../#used-decay-rate">',
        '<dt id="term-sae-wide">SAE (wide) <a class="post-first" href="../zebra/#used-sae-wide">'
        "first used in Its page</a></dt>",
    ):
        assert piece in page.replace("'", "&#39;")
    assert '<a class="post-term" href="glossary/#term-decay-rate" id="used-decay-rate">' in index
    assert "The Decay rate is high; so is the time." in found


@pytest.mark.builds
def test_an_unknown_term_fails_the_build(project: Project) -> None:
    write(project.content / "glossary.md", PAGE + "\nMore on << term: nothing >>.\n")
    with pytest.raises(
        BuildError, match=r'glossary\.md:\d+: unknown term "nothing"; there is: SAE'
    ):
        build(project, say=lambda _line: None)
