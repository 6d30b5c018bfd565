"""A kind of directive is a row and a module: one that was never heard of is read, shown, listed."""

from pathlib import Path

import pytest
from markdown import Markdown
from markupsafe import Markup

from site_builder.commands.vocabulary import Vocabulary
from site_builder.core.errors import BuildError, Problem
from site_builder.core.project import Project
from site_builder.post.directive import Directive
from site_builder.post.directives import scan
from site_builder.post.kinds import validation, words
from site_builder.post.kinds.kind import Kind, Listing, Reading, Showing
from site_builder.post.kinds.names import Names, plain
from site_builder.post.kinds.table import KINDS
from site_builder.post.post import Post
from site_builder.post.uses import Link, Part, Use
from site_builder.results.recipe import ResultId
from site_builder.site.build import build, preview
from site_builder.site.extension import makeExtension

from .conftest import write


def take(post: Reading, directive: Directive, page: Path) -> Use | list[Problem]:
    wrong = validation.measured(post.project, directive, post.study)
    if wrong:
        return wrong
    return Use(directive, page, ResultId(post.study, directive.name, directive.variant))


def names(listing: Listing) -> Names:
    return plain(listing.post.project.measurements())


def span(blocks: Showing, use: Use) -> Markup:
    return Markup(f'<span class="state">{use.id} is {use.state}</span>')


def note(post: Reading, directive: Directive, page: Path) -> Link | list[Problem]:
    return validation.no_options(directive) or Link(directive, page)


def strong(blocks: Showing, link: Link) -> str:
    return f"**{link.directive.name}**"


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """`state` is HTML of a result; `loud`, a block, is Markdown of nothing but its words."""
    monkeypatch.setitem(KINDS, "state", Kind("NAME [VARIANT]", take, names, span))
    loud = Kind("WORD", note, lambda _listing: plain(["help"]), strong, words.one, alone=True)
    monkeypatch.setitem(KINDS, "loud", loud)


def section(project: Project, text: str) -> None:
    write(project.content / "sections" / "01-numbers.md", f"## Numbers\n\n{text}\n")


@pytest.mark.builds
@pytest.mark.usefixtures("made_up")
def test_a_kind_that_was_added_to_the_table_is_built(project: Project) -> None:
    section(
        project, "Of it: << state: numbers small >>.\n\n<< loud: help >>\n\n<< figure: totals >>"
    )
    build(project, say=lambda _line: None)
    page = (project.site / "index.html").read_text("utf-8")

    assert '<p>Of it: <span class="state">numbers small is fresh</span>.</p>' in page
    assert "<p><strong>help</strong></p>" in page


@pytest.mark.builds
def test_a_part_of_a_made_up_kind_is_html_or_markdown_and_tells_what_it_raises(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def part(post: Reading, directive: Directive, page: Path) -> Part:
        return Part(directive, page)

    def many(blocks: Showing, part: Part) -> str:
        times = int(part.directive.options["times"])
        return "\n".join(f"- *{part.directive.name}*" for _ in range(times))

    monkeypatch.setitem(KINDS, "list", Kind("WORD", part, lambda _: {}, many, alone=True))
    section(project, "<< list: a times=1 >>\n\n!!! note\n    << list: b times=2 >>\n\n"
                     "<< list: a times=3 >>\n\n<< list: c times=no >>")  # fmt: skip
    site = project.cache / "preview.1"
    told = preview(project, site).notes
    page = (site / "index.html").read_text("utf-8")
    note = page[page.index('<div class="admonition note">') :]

    assert page.count("<li><em>a</em></li>") == 4
    assert note[: note.index("</div>")].count("<li><em>b</em></li>") == 2
    (line,) = (line for line in told if "ValueError" in line)
    assert line.startswith('content/sections/01-numbers.md:10: "list: c" raised ValueError')
    assert line.partition("; see ")[2].startswith(__file__)
    assert "raised ValueError" in page


@pytest.mark.usefixtures("made_up")
def test_a_kind_that_was_added_to_the_table_is_checked_and_listed(shelves: Project) -> None:
    section(shelves, "A << state: nubers small >>, << stat: x >>, << state numbers >>.\n\n"
                     "Not << loud: help >> here.\n\n<< loud: help by=me >>")  # fmt: skip
    post = Post(shelves)
    post.collect()

    assert [str(problem).partition(":")[2] for problem in sorted(post.problems)] == [
        '3: no colon in << state numbers >>; write << state: numbers >>',
        '3: unknown kind "stat"; did you mean "state"?',
        '3: unknown state "nubers"; did you mean "numbers"?',
        "5: a loud stands on a line of its own; put blank lines around it",
        '7: unknown option "by" of loud "help"; a loud takes none',
    ]  # fmt: skip
    kinds = Vocabulary(shelves).everything()["kinds"]
    assert (kinds["loud"]["form"], kinds["loud"]["alone"]) == ("WORD", True)
    assert [*kinds["state"]["names"]] == ["base", "numbers", "totals"]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("<< ref: totals by=name >>", 'unknown option "by" of ref "totals"; there is: feature'),
        ("<< cite: ada page=3 >>", 'unknown option "page" of cite "ada"; a cite takes none'),
        ("<< claim: x size=3 >>", 'unknown claim "x"; there is none yet'),
    ],
)
def test_an_option_that_a_kind_does_not_take_is_refused(
    shelves: Project, written: str, said: str
) -> None:
    section(shelves, f"So {written}.\n\n<< figure: totals >>")
    post = Post(shelves)
    post.collect()

    assert [str(problem) for problem in post.problems if "01-numbers.md:3" in problem.where] == [
        f"content/sections/01-numbers.md:3: {said}"
    ]


def test_a_section_takes_no_options(shelves: Project) -> None:
    index = shelves.content / "index.md"
    index.write_text(index.read_text("utf-8").replace("01-numbers", "01-numbers open=yes"), "utf-8")
    post = Post(shelves)
    post.collect()

    assert list(map(str, post.problems)) == [
        'content/index.md:6: unknown option "open" of section "01-numbers"; a section takes none'
    ]


@pytest.mark.builds
def test_a_directive_behind_a_tab_stands_where_it_was_read(project: Project) -> None:
    """The host makes four blanks of a tab: the column is another one than that of the file."""
    index = project.content / "index.md"
    first, second = "<<\tvalue: numbers small x=1 >>", "<< value: numbers small x=2 >>"
    index.write_text(index.read_text("utf-8") + f"\nA\tb {first} and\t{second} end.\n", "utf-8")
    build(project, say=lambda _line: None)
    page = (project.site / "index.html").read_text("utf-8")
    start = page.index("<p>A ")
    sentence = page[start : page.index("</p>", start)]

    assert "post-problem" not in sentence
    assert [part.partition("</span>")[0].partition(">")[2] for part in
            sentence.split('<span class="post-value"')[1:]] == ["1.25", "2.5"]  # fmt: skip
    assert sentence.endswith(" end.")


@pytest.mark.parametrize(
    "given",
    [
        "# A toy\n\n<< section:  01-numbers >>\n",
        "# A toy\n\n",
        "# A toy\n\n\n<< section: 01-numbers >>\nMore.\n",
        "# A toy\n\n<< section: 01-numbers >> << figure: totals >>\n",
    ],
    ids=["another line", "none", "another place", "one more"],
)
def test_a_page_that_a_host_changed_is_refused_at_its_line(shelves: Project, given: str) -> None:
    post = Post(shelves)
    post.collect()
    page = shelves.content / "index.md"
    assert "SHOWN" in post.fill(
        page, lambda _shown: "SHOWN", "# A toy\n\n<< section: 01-numbers >>"
    )
    with pytest.raises(BuildError, match=r"content/index\.md(:6)?: the host hands on another text"):
        post.fill(page, lambda _shown: "SHOWN", given)


@pytest.mark.builds
def test_a_section_that_is_no_text_is_told_where_it_would_stand(project: Project) -> None:
    (project.content / "sections" / "01-numbers.md").write_bytes(b"## Numbers\n\n\xff\n")
    site = project.cache / "preview.1"
    told = preview(project, site).notes
    page = (site / "index.html").read_text("utf-8")

    assert "content/sections/01-numbers.md: not UTF-8; save it as UTF-8" in told
    assert "<strong>not UTF-8</strong>; save it as UTF-8" in page


def test_every_kind_reads_its_own_form() -> None:
    written = {
        "figure": "a b c=d", "table": "a", "tokens": "a b", "feature": "26/1201", "page": "a b",
        "section": "01-a", "value": "a b=c", "claim": "a", "ref": "a b", "cite": "a b c",
        "term": "A b-c",
    }  # fmt: skip
    assert written.keys() == KINDS.keys()
    for kind, text in written.items():
        (directive,), problems = scan(f"<< {kind}: {text} >>", "f")
        assert (directive.kind, problems) == (kind, [])


def test_a_page_is_known_by_its_text_behind_its_front_matter(shelves: Project) -> None:
    content = shelves.content
    write(content / "more.md", "---\ntitle: More\n---\n# More\n\nA\tb.\n")
    write(content / "whole.md", "Before.\n# More\n\nA\tb.\n")
    write(content / "none.md", "---\ntitle: Nothing\n---\n")
    post = Post(shelves)
    post.collect()

    def given(text: str) -> str:
        found = post.page_of(text)
        return found.name if found else ""

    assert given("# More\n\nA   b.\n\n") == given("# More\n\nA\tb.") == "more.md"
    assert given("---\ntitle: More\n---\n# More\n\nA   b.") == "more.md"
    assert given("Before.\n# More\n\nA   b.") == "whole.md"
    assert given("# More\n\nA b.") == ""


def test_the_extension_alone_fills_a_page_with_tabs_and_leaves_an_empty_one(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(project.content / "more.md", "# More\n\nA\tb << value: numbers small x=1 >>.\n")
    monkeypatch.chdir(project.root)
    extension = makeExtension()
    text = (project.content / "more.md").read_text("utf-8")

    assert ">1.25</span>." in Markdown(extensions=[extension]).convert(text)
    assert Markdown(extensions=[extension]).convert("\n") == ""


@pytest.mark.builds
def test_a_directive_in_the_front_matter_is_refused(project: Project) -> None:
    index = project.content / "index.md"
    text = index.read_text("utf-8").replace("A toy\n---", '"<< value: numbers small x=1 >>"\n---')
    index.write_text(text, "utf-8")
    with pytest.raises(BuildError) as raised:
        build(project, say=lambda _line: None)

    assert str(raised.value) == (
        "content/index.md:2: a directive cannot stand in the front matter; put it in the text"
    )
