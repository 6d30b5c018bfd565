"""What the host is made to publish, whatever mkdocs.yml and the folders say."""

import json
import re
from pathlib import Path

import pytest

from site_builder.core.errors import BuildError
from site_builder.core.project import Project
from site_builder.site.build import build
from tests.site_builder.conftest import write

DRAFT = "---\ndraft: true\n---\n"


def silent(_line: str) -> None:
    pass


def config(project: Project, before: str, after: str) -> None:
    path = project.root / "mkdocs.yml"
    text = path.read_text("utf-8")
    assert before in text
    path.write_text(text.replace(before, after), "utf-8")


def published(project: Project) -> dict[str, str]:
    """Everything in the site that is text."""
    endings = (".html", ".json", ".xml", ".txt")
    return {
        path.relative_to(project.site).as_posix(): path.read_text("utf-8")
        for path in project.site.rglob("*")
        if path.suffix in endings and path.is_file()
    }


@pytest.mark.builds
def test_a_draft_is_nowhere_until_it_is_asked_for(project: Project) -> None:
    write(project.content / "sections" / "02-new.md", f"{DRAFT}## Unheard section\n\nOf it.\n")
    write(project.content / "about.md", f"{DRAFT}# Unheard page\n")
    index = project.content / "index.md"
    index.write_text(index.read_text("utf-8") + "\n<< section: 02-new >>\n", "utf-8")

    build(project, say=silent, strict=True)
    assert [name for name, text in published(project).items() if "nheard" in text] == []
    assert not (project.site / "about").exists()

    assert not build(Project(project.root), say=silent, drafts=True).unchanged
    found = [name for name, text in published(project).items() if "nheard" in text]
    assert {"index.html", "about/index.html", "search/search_index.json", "feed.xml"} <= {*found}

    assert not build(Project(project.root), say=silent).unchanged
    assert not (project.site / "about").exists()


@pytest.mark.builds
def test_a_link_to_a_draft_leads_nowhere(project: Project) -> None:
    write(project.content / "about.md", f"{DRAFT}# About\n")
    write(project.content / "more.md", "# More\n\n[it](about.md)\n")
    with pytest.raises(BuildError) as raised:
        build(project, say=silent)
    assert str(raised.value) == (
        'content/more.md:3: the link "about.md" leads nowhere; no such page or file'
    )


@pytest.mark.builds
def test_what_a_tool_left_beside_a_page_is_not_published(project: Project) -> None:
    for name in (
        "index.md~",
        "index.md.orig",
        "#index.md#",
        "._index.md",
        ".ipynb_checkpoints/a.md",
    ):
        write(project.content / name, "# Secret\n")
    (project.content / ".#index.md").symlink_to("nowhere")
    build(project, say=silent)

    names = {path.name for path in project.site.rglob("*")}
    assert not {"index.md~", "index.md.orig", "#index.md#"} & names
    assert not [name for name, text in published(project).items() if "Secret" in text]


@pytest.mark.builds
def test_pages_that_are_no_folders_lead_to_each_other(project: Project) -> None:
    config(project, "use_directory_urls: true", "use_directory_urls: false")
    write(
        project.content / "deep" / "more.md",
        "# More\n\nSee << ref: totals >>, [all](../about.md#about).\n",
    )
    write(
        project.content / "about.md",
        "# About\n\n<< page: claims >>\n\n<div>See << ref: totals >>.</div>\n",
    )
    write(
        project.content / "claims" / "a.toml",
        '[some]\nsays = "Some."\nresult = "totals"\nrow = {x = 1}\nshow = "estimate"\nholds = "estimate > 0"\n',
    )
    write(project.content / "claims.md", "# Claims\n\n<< page: claims >>\n")
    section = project.content / "sections" / "01-numbers.md"
    section.write_text(
        section.read_text("utf-8")
        + "\nSo. << claim: some >> [More](../deep/more.md)\n".replace("../", ""),
        "utf-8",
    )
    build(project, say=silent, strict=True)

    deep = (project.site / "deep" / "more.html").read_text("utf-8")
    assert re.search(r'href="\.\./(index\.html)?#totals">Figure 2', deep)
    assert 'href="../about.html#about"' in deep
    for name, text in published(project).items():
        if not name.endswith(".html") or name == "404.html":
            continue
        folder = (project.site / name).parent
        for link in re.findall(
            r'(?:href|src|data-\w+)="((?!https?:|data:|mailto:)[^"#?]*\.[a-z0-9]+)', text
        ):
            assert (folder / link).is_file(), (name, link)
        for link in re.findall(r'<a [^>]*href="((?!https?:|mailto:)[^"#?]+)', text):
            end = folder / link
            assert end.is_file() or (end / "index.html").is_file(), (name, link)


@pytest.mark.builds
@pytest.mark.parametrize("name", ["navigation.instant", "navigation.instant.prefetch"])
def test_a_feature_that_would_leave_charts_dead_is_refused(project: Project, name: str) -> None:
    config(project, "features: [toc.follow,", f"features: [{name},")
    with pytest.raises(BuildError) as raised:
        build(project, say=silent)
    lines = (project.root / "mkdocs.yml").read_text("utf-8").splitlines()
    line = next(n for n, text in enumerate(lines, 1) if name in text)
    assert str(raised.value) == (
        f"mkdocs.yml:{line}: {name} swaps pages without running their scripts: charts would be dead;"
        " remove it from theme: features"
    )


@pytest.mark.builds
@pytest.mark.parametrize("search", ["  - search\n", "  - search: {pipeline: [trimmer, stemmer]}\n"])
def test_no_search_cuts_letters_off(project: Project, search: str) -> None:
    text = (project.root / "mkdocs.yml").read_text("utf-8")
    text = re.sub(r"  - search:\n(      .*\n)+", lambda _: search, text)
    (project.root / "mkdocs.yml").write_text(text, "utf-8")
    build(project, say=silent)
    index = json.loads((project.site / "search" / "search_index.json").read_text("utf-8"))

    assert "trimmer" not in index["config"]["pipeline"]
    words = re.split(index["config"]["separator"], 'of (θ), "über" Łukasz; «Émile»')
    assert {"θ", "über", "Łukasz", "Émile"} <= {*words}


def test_the_repository_s_own_configuration_cuts_no_letters() -> None:
    assert "trimmer" not in (Path(__file__).parents[2] / "mkdocs.yml").read_text("utf-8")


@pytest.mark.builds
def test_the_feed_names_the_day_and_the_authors_of_the_first_page(project: Project) -> None:
    index = project.content / "index.md"
    text = index.read_text("utf-8")
    said = "title: A < B\ndate: 2026-03-31\nauthors: [Ada Lovelace, Łukasz & Co]\n"
    said += "description: 'They say \"hi\" & x<y'\n"
    index.write_text(text.replace("title: A toy\n", said), "utf-8")
    build(project, say=silent, strict=True)
    feed = (project.site / "feed.xml").read_text("utf-8")

    assert feed.count("<published>2026-03-31T00:00:00Z</published>") == 1
    entry = feed.partition("<entry>")[2]
    assert re.findall("<name>([^<]+)</name>", entry) == ["Ada Lovelace", "Łukasz &amp; Co"]

    head = (project.site / "index.html").read_text("utf-8").partition("</head>")[0]
    assert '<meta name="description" content="They say &#34;hi&#34; &amp; x&lt;y">' in head
    assert '<meta property="og:title" content="A &lt; B">' in head
    assert re.findall('"citation_author" content="([^"]+)"', head) == [
        "Ada Lovelace",
        "Łukasz &amp; Co",
    ]
    assert '"citation_publication_date" content="2026/03/31"' in head
    (article,) = re.findall('<script type="application/ld.json">(.*?)</script>', head)
    assert [one["name"] for one in json.loads(article)["author"]] == ["Ada Lovelace", "Łukasz & Co"]
