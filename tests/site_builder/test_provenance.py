"""The provenance page: nothing is left out, every link leads somewhere, the graph is what recipes say."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag

import pytest
from hypothesis import given
from hypothesis import strategies as st

from site_builder.core.project import Project
from site_builder.post.post import Post
from site_builder.render.pages import provenance
from site_builder.results import lineage
from site_builder.results.recipe import Recipe, ResultId
from site_builder.results.store import Store
from site_builder.site.build import build
from tests.site_builder.conftest import REPO, put, write

PARTS = ("summary", "figures", "graph", "results", "cite")


@pytest.fixture
def toy(project: Project) -> Project:
    """The toy post with a provenance page."""
    lines = "\n\n".join(f"<< page: provenance {part} >>" for part in PARTS)
    write(project.content / "provenance.md", f"# Provenance\n\n{lines}\n")
    return project


def built(project: Project) -> str:
    build(project, run="never", say=lambda _line: None)
    return page(project)


def page(project: Project) -> str:
    return (project.site / "provenance" / "index.html").read_text("utf-8")


class Tags(HTMLParser):
    """Ids and links of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.ids += [given["id"] or ""] if "id" in given else []
        self.links += [given["href"] or ""] if "href" in given else []


def test_machines_are_told_what_the_recipes_say(toy: Project) -> None:
    built(toy)
    store = Store(toy)
    told = json.loads((toy.site / "provenance.json").read_bytes())
    assert {one["file"] for one in told["results"]} == {
        "data/toy/base.parquet",  # no directive names it: it is an input of totals
        "data/toy/numbers/small.parquet",
        "data/toy/totals.parquet",
    }
    for one in told["results"]:
        recipe = store.recipe(ResultId(one["study"], one["analysis"], one["variant"]))
        assert one | {"key": recipe.key, "content": recipe.content, "code": recipe.code} == one
        assert json.loads((toy.site / one["file"]).with_suffix(".recipe.json").read_bytes()) == one
        assert (toy.site / one["file"]).read_bytes() == (toy.root / one["file"]).read_bytes()
    assert [(one["name"], one["url"], one["result"]) for one in told["figures"]] == [
        ("Figure 1", "#numbers-small", "data/toy/numbers/small.parquet"),
        ("Figure 2", "#totals", "data/toy/totals.parquet"),
    ]


def dead(site: Path) -> list[str]:
    """Links between the pages and files of a site that lead nowhere."""
    pages = {path: Tags(path.read_text("utf-8")) for path in site.rglob("index.html")}
    found = []
    for path, tags in pages.items():
        for link in tags.links:
            name, anchor = urldefrag(link)
            if re.match(r"[a-z]+:", name):
                continue
            target = (path.parent / unquote(name)).resolve() if name else path
            target = target / "index.html" if target.is_dir() else target
            if not target.is_file() or (anchor and anchor not in pages[target].ids):
                found.append(f"{path.relative_to(site)}: {link}")
    return found


def test_every_link_leads_somewhere(toy: Project) -> None:
    text = built(toy)
    assert 'href="../#numbers-small"' in text
    assert 'href="../data/toy/totals.parquet"' in text
    assert 'href="./provenance/#of-toy-totals"' in (toy.site / "index.html").read_text("utf-8")
    assert dead(toy.site) == []


def test_a_stale_result_is_marked(toy: Project) -> None:
    assert "stale</b>" not in built(toy)
    module = toy.analyses / "base.py"
    module.write_text(module.read_text("utf-8").replace("return None", "return 1"), "utf-8")
    text = built(toy)
    assert "analyses/base.py changed" in text
    assert "its input base is stale" in text
    assert text.count("stale</b>") == 4  # 2 stale in the summary, figure 2, base, totals


def test_what_was_recorded_elsewhere_names_its_file_and_no_code(toy: Project) -> None:
    store, base = Store(toy), ResultId("toy", "base")
    found = store.load(base)
    told = {"recorded": "lists.parquet", "sha256": "ab12" * 16}
    store.save(base, found.table, replace(found.recipe, meaning="", code={}, made_with=told))
    text = built(toy)
    entry = text[text.index(f'id="{lineage.key(base)}"') :]
    entry = entry[: entry.index("</dl>")]
    assert "recorded elsewhere</dt><dd>lists.parquet, " in entry
    assert "analyses/base.py" not in entry
    assert "build-site run base" not in entry
    assert store.why_stale(base) == []


def test_a_result_of_another_study_that_a_figure_can_show_is_told(toy: Project) -> None:
    study = toy.analyses / "studies" / "toy.toml"
    study.with_name("other.toml").write_text(study.read_text("utf-8"), "utf-8")
    put(Store(toy), ResultId("other", "numbers", "small"))
    text = built(toy)
    assert {"of-toy-numbers-small", "of-other-numbers-small"} <= set(Tags(text).ids)
    assert text.count("numbers small · other") == 1  # one by one; it has a graph of its own
    (shown,) = toy.site.glob("figures/numbers-small.other.*.htm")
    assert "/provenance/#of-other-numbers-small" in shown.read_text("utf-8")
    assert (toy.site / "data" / "other" / "numbers" / "small.parquet").is_file()


def test_an_input_that_is_gone_is_told_and_fails_nothing(toy: Project) -> None:
    Store(toy).path(ResultId("toy", "base")).unlink()
    text = built(toy)
    assert "base, which is gone" in text
    assert "its input base is gone" in text
    assert dead(toy.site) == []


def test_text_of_a_recipe_is_text(toy: Project) -> None:
    store, id = Store(toy), ResultId("toy", "numbers", "small")
    result = store.load(id)
    labels = result.recipe.labels | {"note": "</dd><script>alert(1)</script>"}
    store.save(id, result.table, replace(result.recipe, labels=labels))
    text = built(toy)
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)" in text


def test_the_theme_s_successor_shows_it_without_files(toy: Project) -> None:
    rows = re.findall(r'<dl class="post-recipe" id="([^"]+)"', built(toy))
    assert rows == ["study-toy", "of-toy-base", "of-toy-numbers-small", "of-toy-totals"]
    subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--clean"],
        cwd=toy.root,
        check=True,
        capture_output=True,
        timeout=120,
    )
    assert re.findall(r'<dl class="post-recipe" id="([^"]+)"', page(toy)) == rows
    assert dead(toy.site) == []


# The graph.


def recipe(id: ResultId, inputs: list[str], weights: dict[str, str]) -> Recipe:
    given: dict[str, Any] = {name: {} for name in ("code", "labels", "made_with")}
    return Recipe(
        id.study, id.analysis, id.variant, meaning="", settings={"seed": 1}, weights=weights,
        inputs=dict.fromkeys(inputs, "0"), made_at="", seconds=0.0, **given,
    )  # fmt: skip


@st.composite
def shelves(draw: st.DrawFn) -> dict[ResultId, Recipe]:
    """Results of which each may read any that were measured before it."""
    found: dict[ResultId, Recipe] = {}
    for number in range(draw(st.integers(1, 12))):
        id = ResultId("toy", f"a{number}")
        inputs = (
            draw(st.lists(st.sampled_from([str(i) for i in found]), unique=True)) if found else []
        )
        weights = draw(
            st.sampled_from([{}, {"model.gguf": "1"}, {"model.gguf": "1", "saes/6": "2"}])
        )
        found[id] = recipe(id, inputs, weights)
    return found


@given(shelves())
def test_lanes_join_what_recipes_join_and_nothing_else(shelf: dict[ResultId, Recipe]) -> None:
    rows = lineage.rows(lineage.origins(shelf))
    place = {row.origin.key: number for number, row in enumerate(rows)}
    assert {lineage.key(id) for id in shelf} <= place.keys()
    for id, of_id in shelf.items():
        inputs = rows[place[lineage.key(id)]].origin.inputs
        assert {lineage.key(id.input(name)) for name in of_id.inputs} <= set(inputs)
    for number, row in enumerate(rows):
        assert len(row.joined) == len(set(row.joined)) == len(row.origin.inputs)
        for key in row.origin.inputs:
            start, lane = place[key], rows[place[key]].own
            assert lane in row.joined
            assert rows[start].origin.depth < row.origin.depth
            for between in rows[start + 1 : number]:
                assert lane in between.above
                assert lane in between.below
                assert lane != between.own
            assert lane in rows[start].below
            assert lane in row.above


def test_the_graphs_of_the_post_reach_down_to_study_and_weights() -> None:
    post = Post(Project(REPO))
    post.collect()
    predicted = [use for use in post.predicted() if use.state != "missing"]
    recipes = lineage.results(post.store, {use.id for use in (*post.uses.values(), *predicted)})
    studies = {id.study for id in recipes}
    assert len(studies) == 3
    for study in studies:
        own = {id: recipe for id, recipe in recipes.items() if id.study == study}
        ordered = lineage.origins(own)
        assert [one.kind for one in ordered if not one.inputs] == ["model", "study"]
        assert sum(one.kind == "result" for one in ordered) == len(own)
        lanes = 1 + max(row.own or 0 for row in lineage.rows(ordered))
        assert lanes * provenance.STEP < 180  # pixels: a phone shows no more beside the names
