"""What others are told of the post: feed, head, card, search engines, a page that is not there."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import feedparser
import pyarrow as pa
import pytest

from site_builder.core.cache import Memory
from site_builder.core.errors import BuildError
from site_builder.core.project import Project
from site_builder.results.recipe import ResultId
from site_builder.results.store import Store
from site_builder.site import feed
from site_builder.site.build import build
from tests.site_builder.conftest import put

URL = "https://lists.example/post/"


@pytest.fixture(params=[URL, ""], ids=["published", "nowhere"])
def base(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where the site is published, as the environment says."""
    monkeypatch.delenv("SITE_URL", raising=False)
    if request.param:
        monkeypatch.setenv("SITE_URL", request.param.rstrip("/"))
    return str(request.param)


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITE_URL", URL)


def built(project: Project) -> Path:
    build(Project(project.root), run="never", say=lambda _line: None)
    return project.site


class Head(HTMLParser):
    """Metadata of a page: by name or property, and links by rel."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.meta: dict[str, str] = {}
        self.links: dict[str, str] = {}
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "meta":
            self.meta[given.get("property") or given.get("name", "")] = given.get("content", "")
        if tag == "link":
            self.links[given["rel"]] = given["href"]


def test_a_reader_gets_the_whole_post_from_the_feed(project: Project, base: str) -> None:
    site = built(project)
    feed = feedparser.parse((site / "feed.xml").read_bytes())
    assert (feed.bozo, feed.version) == (False, "atom10")
    (entry,) = feed.entries
    store = Store(project)
    shown = ResultId("toy", "numbers", "small"), ResultId("toy", "totals")
    assert entry.updated == max(store.recipe(id).made_at for id in shown)
    assert entry.link == (base or "./")
    assert re.match(base or "urn:uuid:", entry.id)
    (content,) = entry.content
    assert re.search(r"The first is <span[^>]*>1\.2</span>", content.value)
    assert content.value.count("</a> Some numbers.") == 2
    pictures = re.findall(r'<img[^>]* src="([^"]+)"|<img src="([^"]+)"', content.value)
    assert len(pictures) == 2
    for url in map("".join, pictures):
        assert url.startswith(f"{base or './'}figures/")
        picture = (site / url.removeprefix(base)).read_bytes()
        ElementTree.fromstring(picture)
        assert b"var(" not in picture
    assert not re.search(r"<(form|script|style|svg|button)|\bdata-|class=", content.value)


@pytest.mark.parametrize("width", [1, 7, 40, 1000])
def test_the_feed_of_a_page_in_pieces_is_that_of_the_whole_page(tmp_path: Path, width: int) -> None:
    page = (
        '<p class="a">One &amp; two<br><a href="x#y">three</a></p><form><p>gone</p></form>\n'
        "<figure><svg><g></g></svg><img src=a.png></figure><!-- a note --><p>&lt;p&gt; five</p>"
    )
    entry = feed.Entry("t", "s", ("a",), "r", "2026-01-01T00:00:00+00:00", [page])
    whole = feed.files(entry, "https://example.org/", Memory(tmp_path / "none"))
    pieces = [page[start : start + width] for start in range(0, len(page), width)]
    cut = replace(entry, content=pieces)
    memory = Memory(tmp_path / "memory")
    assert feed.files(cut, "https://example.org/", memory) == whole
    assert feed.files(cut, "https://example.org/", memory) == whole  # remembered


def test_text_of_results_is_text_in_the_feed(project: Project, published: None) -> None:
    odd = '</content><script>alert("x")</script> & \x02 <b>'
    table = pa.table({"x": [1], "estimate": [1.0], "item": [odd], "low": [1.0], "high": [1.0]})
    put(Store(project), ResultId("toy", "numbers", "small"), table)
    section = project.content / "sections" / "01-numbers.md"
    section.write_text("## Items\n\nItem << value: numbers small x=1 show=item >>.\n", "utf-8")
    site = built(project)
    (entry,) = feedparser.parse((site / "feed.xml").read_bytes(), sanitize_html=False).entries
    assert "&lt;script&gt;alert" in entry.content[0].value
    assert "<script" not in entry.content[0].value


def test_addresses_are_absolute_where_there_is_one(project: Project, base: str) -> None:
    head = Head(built(project) / "index.html")
    absolute = {head.links.get("canonical"), head.meta.get("og:url")}
    assert absolute == ({base} if base else {None})
    assert ("og:image" in head.meta) == bool(base)
    assert head.meta["citation_publication_date"].count("/") == 2
    assert head.links["alternate"] == "feed.xml"
    robots = (project.site / "robots.txt").read_text("utf-8")
    assert (f"Sitemap: {base}sitemap.xml" in robots) == bool(base)
    assert ("<loc>" in (project.site / "sitemap.xml").read_text("utf-8")) == bool(base)


def test_another_address_is_another_build(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SITE_URL", raising=False)
    built(project)
    monkeypatch.setenv("SITE_URL", URL)
    assert Head(built(project) / "index.html").links["canonical"] == URL


def test_the_card_is_a_picture_of_the_size_that_is_told(project: Project, published: None) -> None:
    site = built(project)
    head = Head(site / "index.html")
    png = (site / head.meta["og:image"].removeprefix(URL)).read_bytes()
    size = int.from_bytes(png[16:20]), int.from_bytes(png[20:24])
    assert png.startswith(b"\x89PNG")
    assert size == (1200, 630)
    assert size == (int(head.meta["og:image:width"]), int(head.meta["og:image:height"]))


def test_what_a_post_draws_on_its_card_follows_its_results(project: Project) -> None:
    def card() -> bytes:
        (picture,) = (built(project) / "assets").glob("card.*.png")
        return picture.read_bytes()

    plain = card()
    drawing = project.templates / "card" / "picture.svg.j2"
    circle = '<circle cx="900" cy="300" r="{{ 20 * row["estimate"] }}"/>'
    drawing.write_text(
        '{% for row in rows("numbers", "small") %}' + circle + "{% endfor %}", "utf-8"
    )
    drawn = card()
    assert drawn != plain
    table = pa.table({"x": [1], "estimate": [9.0], "low": [8.0], "high": [9.5]})
    put(Store(project), ResultId("toy", "numbers", "small"), table)
    assert card() not in (plain, drawn)
    drawing.unlink()
    assert card() == plain


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ('"numbesr"', 'no measurement "numbesr"; did you mean "numbers"?'),
        ('"numbers", "smal"', 'numbers has no variant "smal"; did you mean "small"?'),
    ],
)
def test_a_card_of_what_nothing_measures_is_refused(
    project: Project, asked: str, said: str
) -> None:
    drawing = project.templates / "card" / "picture.svg.j2"
    drawing.write_text("{{ rows(" + asked + ") }}", "utf-8")
    with pytest.raises(BuildError) as refused:
        built(project)
    assert str(refused.value) == f"templates/card/picture.svg.j2: {said}"


def test_a_result_of_the_card_that_is_not_measured_has_no_rows(project: Project) -> None:
    drawing = project.templates / "card" / "picture.svg.j2"
    drawing.write_text('{% for row in rows("numbers", "large") %}{{ 1 // 0 }}{% endfor %}', "utf-8")
    assert [*(built(project) / "assets").glob("card.*.png")]


def test_machines_read_what_kind_of_work_it_is(project: Project, published: None) -> None:
    config = project.root / "mkdocs.yml"
    name = 'A "toy" </script> & more'
    text = re.sub("site_name: .*", lambda _: f"site_name: '{name}'", config.read_text("utf-8"))
    config.write_text(text, "utf-8")
    page = (built(project) / "index.html").read_text("utf-8")
    (data,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    article = json.loads(data)
    assert article["@type"] == "ScholarlyArticle"
    assert article["headline"] == name
    assert article["url"] == URL
    assert Head(project.site / "index.html").meta["citation_title"] == name


def test_a_page_that_is_not_there_leads_to_those_that_are(
    project: Project, published: None
) -> None:
    (project.content / "more.md").write_text("# More\n", "utf-8")
    lost = (built(project) / "404.html").read_text("utf-8")
    assert '<a href="/post/more/">More</a>' in lost
    assert lost.count("<h1>") == 1
