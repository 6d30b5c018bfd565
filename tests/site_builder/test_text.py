"""A section's text gets what a page's text gets, whatever it says; nobody sees a difference."""

import re

import pytest

from site_builder.core.errors import BuildError
from site_builder.core.project import Project
from site_builder.post.post import Post
from site_builder.post.sections.text import Front, front, normalised, text_of
from site_builder.render.blocks import Blocks
from site_builder.render.figures import Fragments
from tests.site_builder.conftest import Show, write

BLANKS = {
    "a blank line that holds spaces": ("Text:\n  \n- one\n   \n- two\n", "Text:\n\n- one\n\n- two\n"),
    "a tab in a note": ("!!! note\n\tInside.\n\n\tMore.\n", "!!! note\n    Inside.\n\n    More.\n"),
    "a tab in a list": ("- a\n\t- b\n", "- a\n    - b\n"),
    "a table": ("Text\n \n| a\t| b |\n|---|---|\n| 1 |\t2 |\n  \nText\n", "Text\n\n| a   | b |\n|---|---|\n| 1 | 2 |\n\nText\n"),
    "a formula": ("Text\n\t\n$$\nx\n$$\n  \nText\n", "Text\n\n$$\nx\n$$\n\nText\n"),
    "a fence": ("Text\n\t\n```\na\tb\n```\n", "Text\n\n```\na   b\n```\n"),
    "marks of a stash": ("Text \2with\3 marks\n", "Text with marks\n"),
    "a footnote": ("A[^a]\n  \n[^a]: One.\n\n\tTwo.\n", "A[^a]\n\n[^a]: One.\n\n    Two.\n"),
}  # fmt: skip


@pytest.mark.parametrize("case", BLANKS)
def test_blanks_are_read_in_a_section_as_in_a_page(show: Show, case: str) -> None:
    odd, usual = BLANKS[case]
    assert show(f"## Probe\n\n{odd}") == show(f"## Probe\n\n{usual}")
    assert show.problems == []


def test_columns_stay_true_behind_a_tab_and_marks_of_a_stash(show: Show) -> None:
    html = show("## Probe\n\n- a\n\t- \2b\tis << value: numbers small x=1 format=.1f >>.\n")
    assert re.search(r"b +is <span[^>]*>1\.2</span>\.", html)
    show("## Probe\n\n\tis << value: numbers smal x=1 >>.\n")
    assert show.problems == [
        'content/sections/20-probe.md:3: "numbers" has no variant "smal"; did you mean "small"?'
    ]


@pytest.mark.parametrize(
    "blank", ["\u00a0", "\u202f", "\u2009", "\u200b ", "\u200b", "\ufeff", "\t"]
)
def test_blanks_that_look_like_one_are_one_in_a_directive(show: Show, blank: str) -> None:
    form = f"<<{blank}value:{blank}numbers small{blank} x=1 format=.1f{blank}>>"
    assert ">1.2</span>" in show(f"## Probe\n\nIt is {form}.\n")
    assert show.problems == []


def test_blanks_of_the_authors_own_stay_outside_of_directives() -> None:
    text = 'A\u00a0b << figure: a caption="1\u00a0m" >> c\u200bd\n'
    assert normalised(text) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("```python\nx\n", '2: code (```) is not closed; close it: ```'),
        ("> ~~~~\n> x\n", "2: code (~~~~) is not closed; close it: ~~~~"),
        ('<div class="x">\n\nText\n', "2: <div> is not closed; close it: </div>"),
        ('<details markdown="1">\nText\n', "2: <details> is not closed; close it: </details>"),
        ("<!-- hidden\n", "2: a comment (<!--) is not closed; close it: -->"),
        ("Some <b>bold\n", "2: <b> is not closed; close it: </b>"),
        ("<p>\nText\n", "2: <p> is not closed; close it: </p>"),
        ("<script>\nlet x = '<b>';\n", "2: <script> is not closed; close it: </script>"),
        ("Text\n\n</div>\n", "4: </div> closes nothing; remove it, or open it before"),
    ],
)  # fmt: skip
def test_what_a_section_leaves_open_is_told_at_its_line_and_stays_in_it(
    show: Show, text: str, message: str
) -> None:
    html = show(f"## Probe\n{text}")
    assert show.problems == [f"content/sections/20-probe.md:{message}"]
    assert '<h2 id="sec-behind">21 Behind' in html
    assert "Text <em>behind</em>." in html.split('id="sec-behind"')[1]


@pytest.mark.parametrize(
    "text",
    [
        "```html\n<div>\n<!--\n```\n",
        "Write `<div>` and `<!--`, a \\<b>, 1 < 2 and << 3.\n",
        "<table><tr><td>1<td>2</table>\n",
        "<br> <img src='x.png'> <hr/>\n",
        "<!-- <div> -->\n",
        "<script>\nif (a < b) { '<div>' }\n</script>\n",
        "<https://example.org> [^a]\n\n[^a]: `</div>`\n",
    ],
)
def test_what_is_closed_or_literal_is_not_told(show: Show, text: str) -> None:
    show(f"## Probe\n\n{text}")
    assert show.problems == []


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("\ufeff## Title\n", "20 Title"),
        ("## Title ##\n", "20 Title"),
        ("```\n## not this\n```\n\n## Title\n", "20 Title"),
        ("## The set {1, 2}\n", "20 The set {1, 2}"),
        ("## What is {x}?\n", "20 What is {x}?"),
        ("## What is {x}\n", "20 What is {x}"),
        ("## A `{x}` and {y}\n", "20 A {x} and {y}"),
        ("## Title { .wide }\n", "20 Title"),
    ],
)  # fmt: skip
def test_a_section_is_numbered_and_keeps_its_braces(show: Show, text: str, title: str) -> None:
    html = show(f"{text}\nSee << ref: 20-probe >>.\n")
    assert show.problems == []
    heading = re.search(
        r'<h2[^>]* id="sec-probe"[^>]*>(.*?)</h2>|<h2 id="sec-probe"[^>]*>(.*?)</h2>', html
    )
    assert heading
    assert re.sub(r"<[^>]+>|¶|&para;", "", heading[1] or heading[2]) == title
    assert 'href="#sec-probe"' in html


def test_an_id_of_the_authors_own_is_the_sections(show: Show) -> None:
    html = show(
        "## Title {#myid .wide}\n\nSee << ref: 20-probe >>, [it](#myid).\n\n### Set {a, b}\n"
    )
    assert '<h2 class="wide" id="myid">20 Title' in html
    assert '<a class="post-ref" href="#myid">Section 20</a>' in html
    assert ">Set {a, b}<" in html


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Title\n-----\n", '1: a section\'s heading is no "Title" with a line below it; write ## Title'),
        ("# Title\n\n## Sub\n", '1: a section\'s heading is no "# Title"; write ## Title'),
        ("### Title\n", '1: a section\'s heading is no "### Title"; write ## Title'),
        (" ## Title\n", '1: a section\'s heading is no "## Title"; write ## Title'),
        ("##Title\n", '1: a section\'s heading is no "##Title"; write ## Title'),
        ("```\n## Title\n```\n", "1: this section has no heading; begin it with ## Title"),
    ],
)  # fmt: skip
def test_a_heading_that_would_get_no_number_is_told(show: Show, text: str, message: str) -> None:
    show(text)
    assert show.problems == [f"content/sections/20-probe.md:{message}"]


def test_front_matter_is_no_text_and_lines_stay_true(shelves: Project) -> None:
    path = shelves.content / "sections" / "01-numbers.md"
    write(path, "---\ndraft: true\ndate: 2026-03-31\nauthors: Ada\ntitle: 7\n---\n## Numbers\n")
    assert text_of(path) == "\n\n\n\n\n\n## Numbers\n"
    assert front(shelves, path) == (Front(True, "2026-03-31", ("Ada",), "7"), [])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("---\ntitle: [x\n---\n## T\n", "3: the front matter is not YAML (expected ',' or ']', but got '<stream end>'); mend it"),
        ("---\ntitle: x\n\n## T\n", "1: the front matter has no end; close it with a line ---"),
        ("---\n- a\n---\n## T\n", "1: the front matter is no list of key: value; write title: …"),
        ("---\ndraft: maybe\n---\n## T\n", '2: draft is not true or false but "maybe"; write draft: true'),
        ("---\ntitle: x\ndate: soon\n---\n## T\n", '3: date is no day but "soon"; write date: 2026-03-31'),
        ("---\nDraft: true\n---\n## T\n", "2: Draft says nothing here; write draft: …"),
        ("---\ntitle: x\nauthor: Ann\n---\n## T\n", "3: author says nothing here; write authors: …"),
        ("---\nauthors: 3\n---\n## T\n", "2: authors is no list of names; write authors: [Ada Lovelace]"),
        ("Note: all.\n\n## T\n", "1: the first line is taken for front matter, and left out; put it between lines of ---, or begin with another word"),
    ],
)  # fmt: skip
def test_broken_front_matter_is_told(shelves: Project, text: str, message: str) -> None:
    path = shelves.content / "about.md"
    path.write_text(text, "utf-8")
    _, problems = front(shelves, path)
    assert [str(one) for one in problems] == [f"content/about.md:{message}"]


def test_a_draft_is_left_out_until_it_is_asked_for(shelves: Project) -> None:
    write(shelves.content / "sections" / "01-numbers.md", "## Numbers\n")
    write(shelves.content / "sections" / "02-new.md", "---\ndraft: true\n---\n## New\n")
    write(shelves.content / "about.md", "---\ndraft: true\n---\n# About\n")
    write(
        shelves.content / "index.md",
        "# A toy\n\n<< section: 01-numbers >>\n\n<< section: 02-new >>\n",
    )

    def of(drafts: bool) -> tuple[list[str], list[str]]:
        post = Post(Project(shelves.root), drafts=drafts)
        post.collect()
        assert post.problems == []
        assert post.unused() == []
        return [page.name for page in post.pages()], [*post.references.sections]

    assert of(False) == (["index.md"], ["01-numbers"])
    assert of(True) == (["index.md", "about.md"], ["01-numbers", "02-new"])


def test_a_first_page_that_is_a_draft_is_told(shelves: Project) -> None:
    path = shelves.content / "index.md"
    path.write_text("---\ndraft: true\n---\n# Post\n", "utf-8")
    (problem,) = front(shelves, path)[1]
    assert str(problem) == (
        "content/index.md:2: the first page is a draft: there would be no post; take that out"
    )


def test_a_directive_in_indented_code_is_told(show: Show) -> None:
    show("## Probe\n\nText\n\n    << value: numbers small x=1 >>\n\n    $x$ is code\n")
    assert [f"{one.where}: {one.what}" for one in show.blocks.problems] == [
        "content/sections/20-probe.md:5: a directive stands in indented code"
    ]


def test_what_is_a_draft_by_a_wrong_word_alone_is_told(shelves: Project) -> None:
    write(shelves.content / "sections" / "01-numbers.md", "---\ndraft: maybe\n---\n## Numbers\n")
    write(shelves.content / "about.md", "---\ndraft: 1\n---\n# About\n")
    post = Post(shelves)
    post.collect()
    assert [str(one) for one in post.problems] == [
        'content/about.md:2: draft is not true or false but "1"; write draft: true',
        'content/sections/01-numbers.md:2: draft is not true or false but "maybe"; '
        "write draft: true",
    ]


def test_a_page_that_cannot_be_published_for_its_front_matter_stops_the_build(
    shelves: Project,
) -> None:
    write(shelves.content / "about.md", "---\ntitle: [x\n---\n# About\n")
    post = Post(shelves)
    post.collect()
    with pytest.raises(BuildError, match="front matter is not YAML"):
        Blocks(post, Fragments(post)).draw()
