"""Numbers of sections, references to figures, citations, mathematics, links: right or refused."""

import re
from pathlib import Path

import pytest

from site_builder.core.errors import BuildError
from site_builder.post.directive import Directive
from site_builder.post.directives import scan
from site_builder.post.kinds.table import KINDS
from site_builder.post.post import Post
from site_builder.post.references import Section, attribute
from site_builder.post.sections.labels import Put
from site_builder.post.sections.text import look, normalised
from site_builder.post.uses import Link
from site_builder.site.build import build, preview

from .conftest import write

BIB = r"""
@misc{ada,
  author = {Lovelace, Ada},
  title  = {{Notes <i> on *two* Erd{\H o}s {\'a} `x`}},
  year   = {1843},
  url    = {https://example.org/notes},
}
"""


def silent(_line):
    pass


def add(project, text):
    section = project.content / "sections" / "01-numbers.md"
    section.write_text(section.read_text("utf-8") + f"\n{text}\n", "utf-8")


def page(project, name=""):
    build(project, say=silent)
    return (project.site / name / "index.html").read_text("utf-8")


@pytest.mark.builds
def test_a_section_has_the_number_of_its_file_and_is_referred_to_by_its_name(project):
    write(project.content / "sections" / "02-5-more.md", "## More\n\nText.\n")
    index = project.content / "index.md"
    index.write_text(index.read_text("utf-8") + "\n<< section: 02-5-more >>\n", "utf-8")
    add(project, "See << ref: 02-5-more >> and << ref: numbers small >>.")
    html = page(project)

    assert 'id="sec-more">2.5 More<' in html
    assert '<a class="post-ref" href="#sec-more">Section 2.5</a>' in html
    assert '<a class="post-ref" href="#numbers-small">Figure 1</a>' in html


@pytest.mark.builds
def test_a_figure_is_referred_to_from_another_page(project):
    write(project.content / "more.md", "# More\n\nSee << ref: totals >>.\n")

    assert '<a class="post-ref" href="../#totals">Figure 2</a>' in page(project, "more")


@pytest.mark.builds
def test_a_citation_leads_to_the_work_and_its_text_is_escaped(project):
    write(project.content / "references.bib", BIB)
    write(project.content / "more.md", "# More\n\n<< page: references >>\n")
    index = project.content / "index.md"
    index.write_text(index.read_text("utf-8") + "\n<< page: references >>\n", "utf-8")
    (project.content / "more.md").unlink()
    add(project, "As said. << cite: ada >>")
    html = page(project)

    assert 'href="#ref-ada"' in html
    assert (
        'title="Lovelace, 1843: Notes &#60;i&#62; on &#42;two&#42; Erdős á &#96;x&#96;">[1]</a>'
        in html
    )
    assert '<li id="ref-ada" value="1">' in html
    assert 'href="https://example.org/notes"' in html
    assert "<i>" not in html[html.index('id="ref-ada"') :][:600].replace("<em>", "")


@pytest.mark.builds
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<< ref: nubers small >>", 'nothing on the page is called "nubers small"; did you mean'),
        ("<< cite: bob >>", 'no work "bob" in content/references.bib'),
        ("[there](#nowhere)", 'the link "#nowhere" leads nowhere'),
        ("[there](features.md)", 'the link "features.md" leads nowhere'),
        ("[there](http://example.org)", 'the link "http://example.org" leads nowhere'),
        ("[there](https://nothing)", 'the link "https://nothing" leads nowhere'),
        ("![there](no.png)", 'the link "no.png" leads nowhere'),
        ("!!! note\n    [there](nowhere.md)", 'the link "nowhere.md" leads nowhere'),
        ("There.[^1]\n[^1]: [there](gone.md)", 'the link "gone.md" leads nowhere'),
        (r"So $\frac$ it is.", r"cannot set $\frac$"),
        (r"So $\nosuch{a}$ it is.", r"\nosuch is no command"),
    ],
)
def test_what_leads_nowhere_fails_the_build_with_its_line(project, text, said):
    add(project, text)
    with pytest.raises(BuildError) as raised:
        build(project, say=silent)

    (problem,) = raised.value.problems
    assert said in str(problem)
    line = 9 + text.count("\n")  # what is wrong stands in the last one
    assert problem.where == f"content/sections/01-numbers.md:{line}"


@pytest.mark.builds
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("  year   = {1843},\n", "", 'content/references.bib:1: "ada" has no year'),
        ("https://example.org/notes", "notes.html", 'has the url "notes.html", which is no web'),
        ("}},", "}", "content/references.bib:"),
    ],
)
def test_a_bibliography_that_is_not_whole_is_told(project, old, new, said):
    write(project.content / "references.bib", BIB.replace(old, new))
    add(project, "<< cite: ada >>")
    with pytest.raises(BuildError) as raised:
        build(project, say=silent)

    assert said in str(raised.value)


@pytest.mark.builds
def test_what_nothing_cites_is_a_note(project):
    write(project.content / "references.bib", BIB)

    assert any('nothing cites "ada"' in note for note in build(project, say=silent).notes)


@pytest.mark.builds
def test_formulas_are_set_without_a_script(project):
    add(project, "So $H = -\\sum p \\ln p$.\n\n$$\\frac{a}{b}$$\n\nIt costs $5 or $6, `$x$`.")
    html = page(project)

    assert html.count("<math") == 2
    assert 'display="block"' in html
    assert "<mfrac>" in html
    assert "$5 or $6" in html
    assert "<code>$x$</code>" in html


@pytest.mark.builds
def test_in_a_preview_a_sentence_keeps_its_words_around_what_leads_nowhere(project):
    """A message of its own paragraph would cut the sentence in two."""
    add(project, "See << ref: nothing >> and << cite: nobody >> for more.")
    site = project.cache / "preview.1"
    preview(project, site)
    text = (site / "index.html").read_text("utf-8")
    start = text.index("<p>See ")
    sentence = text[start : text.index("</p>", start)]
    assert sentence.endswith(" for more.")
    assert sentence.count('<span class="post-problem"') == 2
    assert "<div" not in sentence


PAGE = Path("/post/content/index.md")


@pytest.fixture
def post(shelves):
    """Nothing is drawn of it."""
    return Post(shelves)


@pytest.mark.parametrize(
    ("stem", "number", "anchor", "called"),
    [
        ("03-5-entropy", "3.5", "sec-entropy", "Section 3.5"),
        ("10-why-not", "10", "sec-why-not", "Section 10"),
        ("appendix", "", "sec-appendix", "Of More"),
        ("04", "", "sec-04", "Of More"),
    ],
)
def test_a_section_is_called_by_its_number_or_by_its_title(stem, number, anchor, called):
    section = Section(stem, PAGE, "Of More")
    assert (section.number, section.anchor, section.called) == (number, anchor, called)


@pytest.mark.parametrize(
    ("text", "title", "id"),
    [
        ("## Of More\n\n## Less\n", "Of More", ""),
        ("Before.\n##\tOf  More ##  \n", "Of  More", ""),
        ("## Of More {#all .wide}\n", "Of More", "all"),
        ("# Of a page\n### Too deep\n##Glued\n", "03-more", ""),
    ],
)
def test_the_title_of_a_section_is_its_first_heading_of_two(post, text, title, id):
    heading = look(normalised(text), "03-more").heading
    post.references.section(Path("/post/content/sections/03-more.md"), PAGE, heading)
    assert post.references.sections == {
        "03-more": Section("03-more", PAGE, title, id),
    }


@pytest.mark.parametrize(
    ("stem", "puts"),
    [
        ("03-more", [Put(1, 3, 3, "3 "), Put(1, 10, 13, " { #sec-more }")]),
        ("appendix", [Put(1, 10, 13, " { #sec-appendix }")]),
    ],
)
def test_only_the_first_heading_of_a_section_gets_its_number(stem, puts):
    assert look("Before.\n## Of More ##\n## Less", stem).puts == puts


def test_a_directive_stands_in_the_section_of_its_file(post):
    references = post.references
    references.section(Path("/post/content/sections/03-more.md"), PAGE, None)

    def of(where: str) -> Section | None:
        return references.of(Directive("value", "a", "", {}, where))

    assert of("content/sections/03-more.md:7") == references.sections["03-more"]
    assert of("content/sections/04-less.md:7") is None
    assert of("content/03-more.md:7") is None  # a page of the same name


def seen(post: Post, text: str) -> list[Directive]:
    """The references of a text, seen in the order of reading."""
    directives, problems = scan(text, "content/x.md")
    assert problems == []
    for directive in directives:
        asked = KINDS[directive.kind].take(post, directive, PAGE)
        assert isinstance(asked, Link)
    return directives


TWO = BIB + BIB.replace("{ada,", "{bob,").replace("Lovelace, Ada", "Babbage, Charles")


def test_works_are_counted_in_the_order_of_reading_and_those_left_over_are_told(post):
    write(post.project.content / "references.bib", TWO + BIB.replace("{ada,", "{cy,"))
    both, again = seen(post, "<< cite: bob ada >> and\n<< cite: bob >>")
    references = post.references

    assert references.cited == {"bob": 1, "ada": 2}
    assert [str(one) for one in references.uncited()] == [
        'content/references.bib:15: nothing cites "cy"; write << cite: cy >> or remove it'
    ]
    title = "1843: Notes &#60;i&#62; on &#42;two&#42; Erdős á &#96;x&#96;"
    marks = [
        rf'[\[1\]](#ref-bob){{ .post-cite title="Babbage, {title}" }}',
        rf'[\[2\]](#ref-ada){{ .post-cite title="Lovelace, {title}" }}',
    ]
    home = post.project.content / "index.md"
    assert references.citation(both, home) == "".join(marks)
    assert references.citation(again, home) == marks[0]
    assert references.citation(again, post.project.content / "a" / "more.md") == marks[0].replace(
        "#ref", "../index.md#ref"
    )


def test_a_work_that_is_not_there_is_told_where_it_is_cited(post):
    write(post.project.content / "references.bib", BIB)
    (none,) = seen(post, "Text.\n\n<< cite: ad ada >>")

    assert [str(one) for one in post.references.check()] == [
        'content/x.md:3: no work "ad" in content/references.bib; did you mean "ada"?'
    ]
    assert post.references.citation(none, PAGE) == ""
    assert post.references.cited == {"ada": 1}


def test_without_a_bibliography_every_citation_is_told_and_of_a_broken_one_only_itself(shelves):
    post = Post(shelves)
    seen(post, "<< cite: ada >>")
    (problem,) = post.references.check()
    assert str(problem).startswith('content/x.md:1: no work "ada" in content/references.bib; there')

    write(shelves.content / "references.bib", BIB.replace("  year   = {1843},\n", ""))
    post = Post(shelves)
    seen(post, "<< cite: ada >> and\n<< cite: bob >>")
    lost, unknown = post.references.check()
    assert str(lost) == 'content/references.bib:1: "ada" has no year; add it'
    assert str(unknown).startswith('content/x.md:2: no work "bob" in content/references.bib')


def test_a_name_leads_to_its_figure_or_section_from_any_page(project):
    post = Post(project)
    content = project.content
    write(content / "sections" / "02-5-more.md", "## More\n\n<< figure: numbers small >>\n")
    index = content / "index.md"
    index.write_text(index.read_text("utf-8") + "\n<< section: 02-5-more >>\n", "utf-8")
    post.collect()
    section, figure, dead = seen(post, "<< ref: 02-5-more >>\n<< ref: totals >>\n<< ref: total >>")
    link = post.references.reference

    assert link(section, index) == "[Section 2.5](#sec-more){ .post-ref }"
    assert link(figure, content / "deep" / "more.md") == (
        "[Figure 2](../index.md#totals){ .post-ref }"
    )
    assert link(dead, index) == ""
    assert [str(one) for one in post.references.check()] == [
        'content/x.md:3: nothing on the page is called "total"; did you mean "totals"?'
    ]


def test_a_section_is_offered_where_a_name_is_nearly_its_own(post):
    post.references.section(Path("/post/content/sections/03-more.md"), PAGE, None)
    seen(post, "<< ref: 03-mor >>")
    (problem,) = post.references.check()
    assert problem.cure == 'did you mean "03-more"?'


def test_text_of_an_attribute_is_no_markdown_and_ends_no_attribute():
    assert attribute('a "b" {c}\n d') == "a b c d"
    assert attribute("*_`[]\\$<>") == "&#42;&#95;&#96;&#91;&#93;&#92;&#36;&#60;&#62;"


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ("<< cite: ada p. 3 >>", ["1, p. 3"]),
        ("<< cite: ada pp. 3–5, 7 bob >>", ["1, pp. 3–5, 7", "2"]),
        ("<< cite: bob Theorem 2.1 ada §3 >>", ["1, Theorem 2.1", "2, §3"]),
        ("<< cite: ada ch. iv, p. 7 and 9 >>", ["1, ch. iv, p. 7 and 9"]),
        ("<< cite: ada Appendix A >>", ["1, Appendix A"]),
        ("<< cite: ada *p.* bob >>", None),
        ("<< cite: ada ada >>", None),
        ('<< cite: ada at="p. 3" >>', None),
        ("<< cite: note n DBLP:conf/x/Y Doe_2020.a+b >>", ["1", "2", "3", "4"]),
    ],
)
def test_a_citation_says_where_in_the_work(post, text, marks):
    keys = ("ada", "bob", "note", "n", "DBLP:conf/x/Y", "Doe_2020.a+b")
    write(
        post.project.content / "references.bib",
        "".join(BIB.replace("{ada,", f"{{{key},") for key in keys),
    )
    directives, problems = scan(text, "content/x.md")
    if marks is None:
        for one in directives:
            post.references.cite(one)
        assert [*problems, *post.references.check()]
        return
    (directive,) = directives
    post.references.cite(directive)
    assert post.references.check() == []
    link = post.references.citation(directive, post.project.content / "index.md")
    assert re.findall(r"\[\\\[(.*?)\\\]\]", link) == marks
    assert len(re.findall(r"\(#ref-[\w.-]+\)", link)) == len(marks)


@pytest.mark.builds
def test_a_title_with_a_formula_is_set_in_the_list_and_plain_in_its_title(project):
    title = "Sorting in $O(n^2)$, 50% of \\textit{it}"
    write(
        project.content / "references.bib",
        BIB.replace("{{Notes <i> on *two* Erd{\\H o}s {\\'a} `x`}}", f"{{{title}}}"),
    )
    index = project.content / "index.md"
    index.write_text(index.read_text("utf-8") + "\n<< page: references >>\n", "utf-8")
    add(project, "As said. << cite: ada p. 3 >>")
    html = page(project)
    assert ">[1, p. 3]</a>" in html
    assert 'title="Lovelace, 1843: Sorting in O(n^2), 50% of it"' in html
    work = html[html.index('<li id="ref-ada"') :].partition("</li>")[0]
    assert "<msup>" in work
    assert "50% of <em>it</em>" in work
