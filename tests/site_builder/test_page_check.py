"""What a built page refers to is there, and its policy lets it through, or its line is told."""

from pathlib import Path

import pytest
from PIL import Image

from site_builder.core.errors import BuildError
from site_builder.core.project import Project
from site_builder.site.build import build, preview
from site_builder.site.page_check import Reference, references
from site_builder.site.policy.csp import allows
from tests.site_builder.conftest import write

SECTION = "content/sections/01-numbers.md"


def silent(_line: str) -> None:
    pass


def add(project: Project, text: str) -> int:
    """Add to the section; returns the line at which the text begins."""
    path = project.root / SECTION
    before = path.read_text("utf-8") + "\n"
    path.write_text(f"{before}{text}\n", "utf-8")
    return before.count("\n") + 1


FAULTS = [
    ("![a](https://example.org/a.png)", 'the img "https://example.org/a.png" is blocked by the page\'s policy; copy it into content/'),
    ('<img src="//example.org/b.png">', 'the img "//example.org/b.png" is blocked by the page\'s policy; copy it into content/'),
    ('<img srcset="https://example.org/c.png 2x" src="here.png">', 'the img "https://example.org/c.png" is blocked by the page\'s policy; copy it into content/'),
    ('<video src="https://example.org/d.mp4"></video>', 'the video "https://example.org/d.mp4" is blocked by the page\'s policy; copy it into content/'),
    ('<audio><source src="https://example.org/e.mp3"></audio>', 'the source "https://example.org/e.mp3" is blocked by the page\'s policy; copy it into content/'),
    ('<iframe src="https://example.org/f"></iframe>', 'the iframe "https://example.org/f" is blocked by the page\'s policy; link to it'),
    ('<iframe src="here.png"></iframe>', 'the iframe "here.png" is blocked by the page\'s policy; link to it'),
    ('<object data="here.png"></object>', 'the object "here.png" is blocked by the page\'s policy; link to it'),
    ('<script src="https://example.org/g.js"></script>', 'the script "https://example.org/g.js" is blocked by the page\'s policy; copy it into content/'),
    ('A <span style="color: red">word</span>', "the style of this span is blocked by the page's policy; give it a class instead"),
    ("Another word{ .x }\n{ style='color: blue' }", "the style of this p is blocked by the page's policy; give it a class instead"),
    ('<img src="nope.png">', 'the link "nope.png" leads nowhere; no such page or file'),
    ('<video src="nope.mp4" poster="no.png"></video>', 'the link "nope.mp4" leads nowhere; no such page or file'),
    ('<a href="nowhere.md">x</a>', 'the link "nowhere.md" leads nowhere; no such page or file'),
    ("<div><p><a\nhref='#gone'>x</a></p></div>", 'the link "#gone" leads nowhere; there is: '),
    ("[x](javascript:alert%281%29)", 'the link "javascript:alert%281%29" leads nowhere; write a whole https address'),
    ("[x][y]\n\n[y]: away.md", 'the link "away.md" leads nowhere; no such page or file'),
    ("### One {#twin}\n\n### Two {#twin}", 'the id "twin" stands twice on the page; rename one'),
    ('[x](here.png "<< ref: totals >>")', "<< ref: totals >> is published as it stands; put it in the text"),
]  # fmt: skip


@pytest.mark.builds
def test_all_that_a_built_page_cannot_show_is_told_at_its_line(project: Project) -> None:
    Image.new("RGB", (1, 1)).save(project.content / "here.png")
    lines = [add(project, text) for text, _ in FAULTS]
    with pytest.raises(BuildError) as raised:
        build(project, say=silent)

    told = [str(one) for one in raised.value.problems]
    for line, (text, said) in zip(lines, FAULTS, strict=True):
        found = [one.partition(": ") for one in told if f": {said}" in one]
        assert found, (text, told)
        where, _, number = found[0][0].rpartition(":")
        assert where == SECTION
        assert int(number) - line in range(text.count("\n") + 1), text
    # The poster; the second heading of one name; a script's address, as code and as a link.
    assert len(told) == len(FAULTS) + 3


@pytest.mark.builds
def test_what_is_there_and_allowed_is_not_told(project: Project) -> None:
    Image.new("RGB", (1, 1)).save(project.content / "here.png")
    (project.content / "film.mp4").write_bytes(b"film")
    write(
        project.content / "deep" / "more.md",
        '# More\n\n[home](../index.md#sec-numbers), <img src="../../here.png">\n',
    )
    for text in (
        '![a](here.png) <img src="here.png"> <img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">',
        '<video src="film.mp4" controls></video>',
        '[deep](deep/more.md), <a href="deep/more/#more">raw</a>, <a href="#sec-numbers">up</a>',
        '`<img src="gone.png" style="x">` and <!-- <img src="gone.png"> --> it',
        '```html\n<a href="gone.md" id="sec-numbers"><< ref: gone >></a>\n```',
        "A note.[^1]\n\n[^1]: [There](https://example.org/a?b#c).",
        "[mail](mailto:a@example.org) [down](here.png?x=1#y)",
    ):
        add(project, text)
    build(project, say=silent, strict=True)
    site = (project.site / "index.html").read_text("utf-8")
    assert "media-src 'self'" in site


@pytest.mark.builds
def test_columns_are_aligned_by_class(project: Project) -> None:
    add(project, "| a | b | c |\n|:--|:-:|--:|\n| 1 | 2 | 3 |")
    build(project, say=silent, strict=True)
    site = (project.site / "index.html").read_text("utf-8")
    row = '<td class="post-left">1</td>\n<td class="post-center">2</td>\n<td class="post-right">3</td>'
    assert row in site
    assert "text-align:" not in site.partition("<article")[2].partition("</article>")[0]
    (sheet,) = project.site.glob("assets/post.*.css")
    assert "td).post-right" in sheet.read_text("utf-8")


@pytest.mark.builds
def test_a_preview_tells_them_and_shows_the_page(project: Project, tmp_path: Path) -> None:
    line = add(project, '<img src="nope.png">')
    _, notes, _ = preview(project, tmp_path / "shown")
    assert f'{SECTION}:{line}: the link "nope.png" leads nowhere; no such page or file' in notes
    assert (tmp_path / "shown" / "index.html").is_file()


def test_references_are_read_from_any_form_of_a_tag() -> None:
    text = "<IMG alt='>' SRC = x.png><a\n href='y?a=1&amp;b=2'>z</a><p style=a>1 < 2 > 0</p><style>a</style>"
    assert [*references(text)] == [
        Reference("img", "x.png", "img-src"),
        Reference("a", "y?a=1&b=2", ""),
        Reference("p", "a", "style-src"),
        Reference("style", "<style>", "style-src"),
    ]
    assert [*references("<!-- <img src=x> --><a" + " x" * 100_000)] == []


def test_what_the_policy_lets_through() -> None:
    assert allows("img-src", "x.png")
    assert allows("img-src", "data:image/png;base64,AA")
    assert not allows("img-src", "https://example.org/x.png")
    assert not allows("frame-src", "x.html")
    assert not allows("object-src", "x.pdf")
    assert allows("media-src", "x.mp4")
