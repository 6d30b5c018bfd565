"""One sign a paragraph: what it counts, what it opens, what is left of the text around it."""

import re
from html import unescape

import pytest

from site_builder.core.project import Project
from site_builder.results.recipe import ResultId
from site_builder.results.store import Store

from .conftest import Show, put, write

# Of the toy's numbers 1.25 (1 to 1.5), 2.5 (2 to 3) and −3.75 (−4 to −3).
CLAIMS = """
[first-above-zero]
says = "The first number is above zero."
result = "numbers small"
row = {x = 1}
holds = "low > 0"

[second-above-two]
says = "The second number is two & more."
result = "numbers small"
row = {x = 2}
holds = "low >= 2"

[third-in-the-sample]
says = "The third number is below zero here."
result = "numbers small"
row = {x = 3}
holds = "estimate < 0"

[third-above-zero]
says = "The third number is above zero."
result = "numbers small"
row = {x = 3}
holds = "low > 0"

[large-above-zero]
says = "The first large number is above zero."
result = "numbers large"
row = {x = 1}
holds = "low > 0"
"""
SIGN = re.compile(
    r'\xa0<button class="post-sign" popovertarget="(?P<of>[^"]+)" aria-label="(?P<label>[^"]+)">'
    r'(?P<shown>.*?)</button><span popover id="(?P=of)">(?P<list>.*?)</span>'
)


@pytest.fixture
def claiming(shelves: Project) -> Project:
    write(shelves.content / "claims" / "01-numbers.toml", CLAIMS)
    write(shelves.content / "claims.md", "# Claims\n\n<< page: claims >>\n")
    return shelves


def signs(html: str) -> list[str]:
    """What is seen of each sign, in the order of the page."""
    return [re.sub("<[^>]+>", "", found["shown"]) for found in SIGN.finditer(html)]


def prose(html: str, tag: str = "p") -> list[str]:
    """The text of each paragraph without its sign."""
    inner = re.findall(rf"<{tag}>(.*?)</{tag}>", SIGN.sub("", html), re.DOTALL)
    return [unescape(re.sub("<[^>]+>", "", one)) for one in inner]


@pytest.mark.usefixtures("claiming")
@pytest.mark.parametrize(
    ("written", "read", "seen"),
    [
        ("It is. << claim: first-above-zero >>", "It is.", ["✓"]),
        ("It is << claim: first-above-zero show=estimate >>.", "It is 1.25.", ["✓"]),
        (
            "It is << claim: first-above-zero show=estimate >>. << claim: first-above-zero >>",
            "It is 1.25.",
            ["✓"],
        ),
        (
            "From << claim: first-above-zero show=low >>\nto << claim: first-above-zero show=high >>.",
            "From 1\nto 1.5.",
            ["✓"],
        ),
        (
            "One. << claim: first-above-zero >> Two.\n<< claim: second-above-two >> Three.",
            "One. Two. Three.",
            ["✓ 2"],
        ),
        ("*One << claim: first-above-zero >>*, two.", "One, two.", ["✓"]),
        ("No. << claim: third-above-zero >>", "No.", ["✗ does not hold"]),
        ("Here. << claim: third-in-the-sample >>", "Here.", ["(✓)"]),
        ("Who knows. << claim: large-above-zero >>", "Who knows.", ["? not measured"]),
    ],
)
def test_a_paragraph_has_one_sign_behind_its_text(
    show: Show, written: str, read: str, seen: list[str]
) -> None:
    html = show(f"## Probe\n\n{written}\n\nNothing here.\n")

    assert signs(html) == seen
    assert prose(html)[:2] == [read, "Nothing here."]
    assert "data-claim" not in re.sub(r'<span class="post-value".*?>', "", html)


@pytest.mark.usefixtures("claiming")
def test_what_does_not_hold_stands_out_of_what_does(show: Show) -> None:
    every = ("first-above-zero", "third-above-zero", "second-above-two", "large-above-zero",
             "third-in-the-sample")  # fmt: skip
    html = show("## Probe\n\nAll. " + " ".join(f"<< claim: {name} >>" for name in every) + "\n")
    (sign,) = SIGN.finditer(html)

    assert signs(html) == ["✓ 2 · (✓) 1 · ? 1 · ✗ 1"]
    assert sign["label"] == (
        "5 claims: 2 hold, 1 does not hold, 1 not measured, 1 holds in the sample"
    )
    assert re.findall(r'<b class="post-verdict-(\w+)">(.*?)</b>', sign["shown"]) == [
        ("sampled", "(✓) 1"), ("unmeasured", "? 1"), ("fails", "✗ 1"),
    ]  # fmt: skip
    assert re.findall(r'<a href="claims/#([\w-]+)">(.*?)</a>', sign["list"]) == [
        ("first-above-zero", "✓ first above zero"),
        ("third-above-zero", "✗ third above zero"),
        ("second-above-two", "✓ second above two"),
        ("large-above-zero", "? large above zero"),
        ("third-in-the-sample", "(✓) third in the sample"),
    ]


@pytest.mark.usefixtures("claiming")
def test_items_cells_notes_and_captions_have_signs_of_their_own(show: Show) -> None:
    first, second = "<< claim: first-above-zero >>", "<< claim: second-above-two show=estimate >>"
    html = show(
        f"## Probe\n\n- One {first}\n    - inner {second}\n- two\n\n"
        f"| a | b |\n|---|---|\n| {first} it | {second} |\n\n"
        f'!!! note "N"\n    A note. {first}\n\n'
        f"<figure><figcaption>Seen: {second}, {first} so.</figcaption></figure>\n\n"
        f"A sentence[^n].\n\n[^n]: {second} apples.\n"
    )

    assert signs(html) == ["✓", "✓", "✓", "✓", "✓", "✓ 2", "✓"]
    without = SIGN.sub("§", html)
    for piece in (
        "<li>One<a ", "inner <span ", "</span>§</td>", "note.<a ", "so.§</figcaption>",
    ):  # fmt: skip
        assert piece in without


@pytest.mark.usefixtures("claiming")
def test_every_place_and_every_list_has_an_id_of_its_own(show: Show) -> None:
    line = "It is << claim: first-above-zero show=estimate >>. << claim: first-above-zero >>\n\n"
    html = show(f"## Probe\n\n{line}{line}", behind=f"## Behind\n\n{line}")

    ids = re.findall(r' id="((?:said-|c\d)[^"]*)"', html)
    assert len(ids) == len(set(ids)) == 6
    assert ids[:2] == ["said-first-above-zero", "c0"]


@pytest.mark.usefixtures("claiming")
def test_the_page_of_claims_leads_back_to_the_first_sentence_of_each_section(show: Show) -> None:
    line = "It is << claim: first-above-zero show=estimate >>. << claim: first-above-zero >>\n\n"
    html = show(f"## Probe\n\n{line}{line}", behind=f"## Behind\n\n{line}")
    blocks = show.blocks
    (part,) = (one for one in blocks.post.parts.values() if str(one.directive) == "page: claims")
    page = str(blocks.part(part))

    back = re.findall(r'href="[^"]*#(said-first-above-zero[^"]*)">', page)
    assert len(back) == 2
    assert all(html.count(f' id="{place}"') == 1 for place in back)
    assert html.index(back[0]) < html.index("Behind") < html.index(f' id="{back[1]}"')


@pytest.mark.usefixtures("claiming")
def test_a_heading_is_listed_without_a_sign(show: Show) -> None:
    show("## Probe\n\n### Above zero << claim: first-above-zero >>\n\nText.\n")
    blocks, page = show.blocks, show.blocks.post.project.content / "index.md"
    mark = '<span id="said-first-above-zero" data-claim="first-above-zero"></span>'

    assert blocks.signed(f"Above zero {mark}", page) == "Above zero"


def test_where_no_page_has_the_claims_the_list_says_all_of_them(
    shelves: Project, show: Show
) -> None:
    write(shelves.content / "claims" / "01-numbers.toml", CLAIMS)
    html = show("## Probe\n\nIt is. << claim: second-above-two >>\n")
    (sign,) = SIGN.finditer(html)

    assert sign["list"] == (
        "<small>✓ The second number is two &amp; more. 2.5 (2 to 3), n = 11; "
        "tested: low &gt;= 2</small>"
    )


@pytest.mark.usefixtures("claiming")
def test_a_host_that_leads_links_by_itself_gets_those_of_files(show: Show) -> None:
    show("## Probe\n\nIt is. << claim: first-above-zero >>\n")
    blocks, content = show.blocks, show.blocks.post.project.content
    mark = '<p><span id="said-first-above-zero" data-claim="first-above-zero"></span></p>'
    for page, way in (
        ("index.md", "claims.md"),
        ("deep/one.md", "../claims.md"),
        ("claims.md", ""),
    ):
        folded = blocks.verdicts.signs.folded(mark, content / page, plain=True)
        assert f'<a href="{way}#first-above-zero">' in folded


@pytest.mark.usefixtures("claiming")
def test_what_only_looks_like_a_mark_is_left_alone(show: Show) -> None:
    html = show('## Probe\n\nIt <span id="said-x" data-claim="unheard-of"></span> is.\n')

    assert '<span id="said-x" data-claim="unheard-of"></span> is.' in html
    assert signs(html) == []


def test_a_sign_says_that_its_result_is_stale(claiming: Project, show: Show) -> None:
    put(Store(claiming), ResultId("toy", "numbers", "small"))
    path = claiming.root / "analyses" / "numbers.py"
    path.write_text(path.read_text("utf-8").replace("double(3)", "double(4)"), "utf-8")
    html = show("## Probe\n\nIt is. << claim: first-above-zero >>\n")
    (sign,) = SIGN.finditer(html)

    assert signs(html) == ["✓ stale"]
    assert sign["label"] == "1 claim: holds; stale"
