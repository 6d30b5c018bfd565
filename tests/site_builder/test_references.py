"""Numbers of sections, references to figures, citations, mathematics, links: right or refused."""

import pytest

from site_builder.errors import BuildError
from site_builder.publish import build, preview

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


def test_a_section_has_the_number_of_its_file_and_is_referred_to_by_its_name(project):
    write(project.content / "sections" / "02-5-more.md", "## More\n\nText.\n")
    index = project.content / "index.md"
    index.write_text(index.read_text("utf-8") + "\n<< section: 02-5-more >>\n", "utf-8")
    add(project, "See << ref: 02-5-more >> and << ref: numbers small >>.")
    html = page(project)

    assert 'id="sec-more">2.5 More<' in html
    assert '<a class="post-ref" href="#sec-more">Section 2.5</a>' in html
    assert '<a class="post-ref" href="#numbers-small">Figure 1</a>' in html


def test_a_figure_is_referred_to_from_another_page(project):
    write(project.content / "more.md", "# More\n\nSee << ref: totals >>.\n")

    assert '<a class="post-ref" href="../#totals">Figure 2</a>' in page(project, "more")


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


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("  year   = {1843},\n", "", 'content/references.bib:1: "ada" has no year'),
        ("https://example.org/notes", "notes.html", '"notes.html" is no https address'),
        ("}},", "}", "content/references.bib:"),
    ],
)
def test_a_bibliography_that_is_not_whole_is_told(project, old, new, said):
    write(project.content / "references.bib", BIB.replace(old, new))
    add(project, "<< cite: ada >>")
    with pytest.raises(BuildError) as raised:
        build(project, say=silent)

    assert said in str(raised.value)


def test_what_nothing_cites_is_a_note(project):
    write(project.content / "references.bib", BIB)

    assert any('nothing cites "ada"' in note for note in build(project, say=silent).notes)


def test_formulas_are_set_without_a_script(project):
    add(project, "So $H = -\\sum p \\ln p$.\n\n$$\\frac{a}{b}$$\n\nIt costs $5 or $6, `$x$`.")
    html = page(project)

    assert html.count("<math ") == 2
    assert 'display="block"' in html
    assert "<mfrac>" in html
    assert "$5 or $6" in html
    assert "<code>$x$</code>" in html


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
