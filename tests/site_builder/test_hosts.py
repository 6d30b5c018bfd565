"""Other hosts than MkDocs build the same page from the same files.

ProperDocs continues MkDocs 1 and takes its plugins; Zensical is the theme's successor and takes only
the Markdown extension, so that figures stand in the page in one piece, without files beside it.
"""

import posixpath
import re
import subprocess
import sys

import pytest

from site_builder.core.project import Project
from site_builder.site.build import build
from tests.site_builder.conftest import write

pytestmark = pytest.mark.builds

BIB = "@misc{ada,\n  author = {Lovelace, Ada},\n  title = {Notes},\n  year = {1843},\n  url = {https://example.org},\n}\n"
CLAIM = """
[second-is-two]
says = "The second number is at least two."
result = "numbers small"
row = {x = 2}
holds = "low >= 2"
"""
HOSTS = {
    "mkdocs": ["mkdocs", "build", "-q", "--clean"],
    "properdocs": ["properdocs", "build", "-q", "--clean", "-f", "mkdocs.yml"],
    "zensical": ["zensical", "build", "--clean"],
}


@pytest.fixture
def rich(project: Project) -> Project:
    """All that links, in a section and on a page below the first one."""
    write(project.content / "references.bib", BIB)
    write(
        project.content / "sections" / "02-more.md",
        """
        ## More {1, 2}

        See << ref: 01-numbers >>, << ref: totals >>, << cite: ada >>, [about](about.md#about),
        [there][src] and a note.[^a]
        - one
        \t- two

        | a | b |
        |--:|:-:|
        | 1 | 2 |

        <figure><figcaption>As << ref: numbers small >> says.</figcaption></figure>

        [^a]: The second note, with $x^2$.
        It is << claim: second-is-two show=estimate >>. << claim: second-is-two >> The
        << term: Middle number as="middle one" >> is.

        [src]: https://example.org/more
        """,
    )
    write(project.content / "claims" / "02-more.toml", CLAIM)
    write(project.content / "claims.md", "# Claims\n\n<< page: claims >>\n")
    write(project.content / "glossary.md", "# Terms\n\nmiddle number\n:   The second one.\n")
    with (project.content / "sections" / "01-numbers.md").open("a", encoding="utf-8") as file:
        file.write(
            "\nA note[^a] and [there][src].\n\n[^a]: The first.\n[src]: https://example.org/numbers\n"
        )
    index = project.content / "index.md"
    with index.open("a", encoding="utf-8") as file:
        file.write("\n<< section: 02-more >>\n\n<< page: references >>\n")
    write(
        project.content / "about.md",
        "# About\n\nBack to << ref: 02-more >>, [all](index.md#sec-numbers).\n",
    )
    return project


def hosted(project: Project, host: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *HOSTS[host]],
        cwd=project.root,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def shown(project: Project, page: str) -> dict[str, object]:
    """What a reader gets of a page: its figures, its links as they lead, its words."""
    html = (project.site / page / "index.html").read_text("utf-8")
    article = html.partition("<article")[2].partition("</article>")[0]
    prose = re.sub(r"<figure [^>]*\bid=.*?</figure>", "", article, flags=re.DOTALL)
    links = re.findall(r'<a\b[^>]*?\shref="([^"]+)"', prose)
    return {
        "figures": re.findall(r'<figure [^>]*\bid="([^"]+)"', article),
        "links": [_end(page, link) for link in links],
        "ids": re.findall(r'<(?:h\d|li|dt|span|a)\b[^>]*?\sid="((?!__)[^"]+)"', prose),
        "opened": re.findall(r'popovertarget="([^"]+)"', prose),
        "aligned": re.findall(r'<td class="(post-\w+)"', prose),
        "lists": prose.count("<ul>"),
        "formulas": prose.count("<math"),
        "words": re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", prose))
        .split("More {1, 2}")[-1]
        .split(),
    }


def _end(page: str, link: str) -> str:
    """Where a link leads, from the site's root."""
    if "://" in link:
        return link
    address, _, anchor = link.partition("#")
    way = posixpath.normpath(posixpath.join(page, address)) if address else page
    return f"{'' if way == '.' else way}#{anchor}"


@pytest.mark.parametrize("host", HOSTS)
def test_a_host_builds_the_same_page(rich: Project, host: str) -> None:
    build(rich, say=lambda _line: None, strict=True)
    ours = {page: shown(rich, page) for page in ("", "about", "glossary")}
    assert ours[""]["figures"] == ["numbers-small", "totals"]
    assert ours[""]["aligned"] == ["post-right", "post-center"]
    assert ours[""]["opened"] == ["c0"]
    assert {"claims#second-is-two", "glossary#term-middle-number"} <= {*ours[""]["links"]}
    assert ours["glossary"]["links"][-1:] == ["#used-middle-number"]
    assert {"#sec-numbers", "#totals", "#numbers-small", "#ref-ada", "about#about"} <= {
        *ours[""]["links"]
    }
    assert ours["about"]["links"][-2:] == ["#sec-more", "#sec-numbers"]
    assert len({link for link in ours[""]["links"] if link.startswith("#fn:")}) == 2

    hosted(rich, host)
    assert {page: shown(rich, page) for page in ours} == ours


@pytest.mark.parametrize("host", HOSTS)
def test_no_host_publishes_a_draft(rich: Project, host: str) -> None:
    """Zensical cannot leave a page out, and so is refused it."""
    write(rich.content / "secret.md", "---\ndraft: true\n---\n# Secret\n\nUnheard of.\n")
    if host == "zensical":
        with pytest.raises(AssertionError, match=r"content/secret\.md: this host publishes drafts"):
            hosted(rich, host)
    else:
        hosted(rich, host)
        assert not (rich.site / "secret").exists()
