"""Predictions: claims that say a number of another study before it is there, and their page."""

import json
import math
import re
from dataclasses import replace

import pyarrow as pa
import pytest
from click.testing import CliRunner

from site_builder.commands.main import main
from site_builder.core.project import Project
from site_builder.post.claims import Claim, load
from site_builder.post.post import Post
from site_builder.post.verdicts.verdict import Verdict
from site_builder.render.pages.predictions import Prediction
from site_builder.results.recipe import ResultId
from site_builder.results.store import Store
from site_builder.site.build import build
from tests.site_builder.conftest import put, write
from tests.site_builder.test_build import built

HEAD = 'written = "before"\nstudy = "other"\n'
WHOLE = """
[second-is-large]
says = "The second number is above two."
result = "numbers small"
row = {x = 2}
holds = "low > 2"
predicted = 2.5
size = [2, 3]
"""


def prediction(first: tuple, found: tuple, *, holds: str = "low > 0", **keys) -> Prediction:
    body = {"predicted": 4.0, "size": [2.0, 5.0]} | keys
    claim = Claim("it", "x.toml:1", "It is.", "numbers", "", holds, **body)
    verdicts = [Verdict(True, *ends) for ends in (first, found)]
    return Prediction(claim, *verdicts)


def test_a_place_is_told_in_ranges_from_what_was_predicted() -> None:
    one = prediction((4, 3, 5), (3, 2, 4))
    assert [one.place(x) for x in (4, 3, 2, 0, 4.5, 5, 6)] == [0, -0.5, -1, -2, 0.5, 1, 2]
    assert math.isnan(one.place(None))
    assert one.in_size
    assert one.ratio == 0.75


def test_what_is_predicted_below_nothing_is_larger_further_down() -> None:
    one = prediction((-4, -5, -3), (-6, -7, -5), holds="high < 0", predicted=-4, size=[-5, -3])
    assert [one.place(x) for x in (-3, -4, -5, -6)] == [-1, 0, 1, 2]
    assert one.in_size is False
    assert one.ratio == 1.5


def test_a_ratio_is_compared_by_its_logarithm() -> None:
    """A quarter, and a half: half of the effect of four times as seldom."""
    keys = {"holds": "high < 1", "predicted": 0.25, "size": [0.125, 0.5]}
    one = prediction((0.25, 0.1, 0.6), (0.5, 0.3, 0.8), **keys)
    assert one.ratio == pytest.approx(0.5)
    assert one.place(0.5) == pytest.approx(-1)
    assert one.place(0.125) == pytest.approx(1)
    assert one.place(0.0) == math.inf
    bound = prediction((0.25, 0.1, 0.6), (0.5, 0.3, 0.8), **keys | {"holds": "high < 1.5"})
    assert bound.ratio == pytest.approx(2)


@pytest.mark.parametrize(
    ("first", "found"), [((4, -1, 9), (3, 2, 4)), ((4, None, None), (3, 2, 4)), ((4, 3, 5), ())]
)
def test_no_ratio_to_what_could_not_be_told_from_nothing(first, found) -> None:
    one = prediction(first, found or (None, None, None))
    assert one.ratio is None
    assert one.in_size is (None if not found else True)


@pytest.mark.parametrize(
    ("cut", "instead", "said"),
    [
        ("size = [2, 3]\n", "", "`predicted`, and no `size`; add size = …"),
        ("predicted = 2.5\n", "", "`size`, and no `predicted`; add predicted = …"),
        ('study = "other"\n', "", "`predicted`, and no `study`; add study = …"),
        ("[2, 3]", "[3, 4]", "`size` does not hold `predicted`; write the two ends around it"),
        ("[2, 3]", "[2]", "`size` does not hold `predicted`"),
        ("[2, 3]", '["2", "3"]', "`size` is not a list"),
        ("= 2.5", '= "2.5"', "`predicted` is not a number"),
        ('written = "before"\n', "", '`predicted`, and not written before; write written = "bef'),
    ],
)
def test_what_is_no_prediction_is_told(shelves: Project, cut, instead, said) -> None:
    text = HEAD + WHOLE
    assert cut in text
    write(shelves.content / "claims" / "x.toml", text.replace(cut, instead))
    problems = [str(one) for one in load(shelves)[1]]
    assert len(problems) == 1
    assert f": {said}" in problems[0]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("", 'unknown study "other"; there is: toy'),
        ('first = "numbre small"\n', 'no measurement "numbre"; did you mean "numbers"?'),
        ('first = "numbers smal"\n', '"numbers" has no variant "smal"; did you mean "small"?'),
    ],
)
def test_a_study_or_a_result_that_is_not_there_is_told(shelves: Project, more, said) -> None:
    write(shelves.content / "claims" / "x.toml", HEAD + WHOLE + more)
    if more:
        other(shelves)
    post = Post(shelves)
    post.collect()
    told = [str(one).partition(": ") for one in post.problems if "claims" in str(one)]
    assert [one[2] for one in told] == [said]


def other(project: Project) -> None:
    toy = project.analyses / "studies" / "toy.toml"
    text = toy.read_text("utf-8").replace("A toy", "Another & <b>")
    toy.with_name("other.toml").write_text(text, "utf-8")


@pytest.fixture
def predicting(project: Project) -> Project:
    """A claim of the post, three predictions for another study, and a page of each kind."""
    other(project)
    third = WHOLE.replace("second-is-large", "third-is-small").replace("x = 2", "x = 3")
    third = third.replace("low > 2", "high < 0").replace("= 2.5", "= -3.75")
    third = third.replace("[2, 3]", "[-4, -3]").replace("The second number is above two", "So <i>")
    missing = WHOLE.replace("second-is-large", "unknown").replace("numbers small", "totals")
    missing += 'first = "numbers small"\n'
    write(project.content / "claims" / "1.toml", HEAD + WHOLE + third + missing)
    own = WHOLE.partition("predicted")[0].replace("second-is-large", "own")
    write(project.content / "claims" / "2.toml", own)
    section = project.content / "sections" / "01-numbers.md"
    text = "\nIt is. << claim: own >> It will be. << claim: second-is-large >>\n"
    section.write_text(section.read_text("utf-8") + text, "utf-8")
    pages = {
        "claims": "<< page: claims count >>\n\n<< page: claims >>",
        "later": "\n\n".join(
            f"<< page: {v} >>" for v in ("predictions count", "predictions figure", "predictions")
        ),
    }
    for name, body in pages.items():
        write(project.content / f"{name}.md", f"# {name}\n\n{body}\n")
    table = pa.table(
        {
            "x": [1, 2, 3],
            "estimate": [1.0, 2.25, -1.5],
            "low": [0.5, 1.5, -2.5],
            "high": [1.5, 3.0, -0.5],
            "n": [7, 7, 7],
        }
    )
    put(Store(project), ResultId("other", "numbers", "small"), table)
    return project


def read(project: Project, page: str) -> str:
    return (project.site / page / "index.html").read_text("utf-8")


@pytest.mark.builds
def test_predictions_stand_beside_what_the_post_has_and_what_was_found(predicting: Project) -> None:
    notes = built(predicting).notes
    assert not [note for note in notes if "no sentence makes the claim" in note]
    page = read(predicting, "later")

    count = page[page.index("Of 3 predictions ") :].partition("</p>")[0]
    for told in (
        "1 held",
        "1 did not hold",
        "1 are not measured yet",
        "Of the 2 that are measured",
    ):
        assert told in count
    assert "1 came out in the size that was predicted" in count
    assert "the median effect found is 0.65 times the first one (2 predictions)" in count

    def row(name: str) -> str:
        return page[page.index(f'<tr id="{name}">') :].partition("</tr>")[0]

    fails, holds, unknown = map(row, ("second-is-large", "third-is-small", "unknown"))
    assert "2.5 (2 to 3), n = 11" in fails
    assert "2.25 (1.5 to 3), n = 7" in fails
    assert "<code>low &gt; 2</code>; 2.5, 2 to 3" in fails
    assert ">does not hold</b>, in size, × 0.90" in fails
    assert "So &lt;i&gt;." in holds
    assert ">holds</b>, not in size, × 0.40" in holds
    assert ">not measured</b></td>" in unknown
    assert "2.5 (2 to 3)" in unknown
    drawn = page[page.index("post-forecast") :].partition("</figure>")[0]
    assert drawn.count("<circle") == 2
    assert drawn.count('fill="none"') == 1
    assert "style=" not in drawn


@pytest.mark.builds
def test_predictions_do_not_stand_among_the_claims_of_the_post(predicting: Project) -> None:
    built(predicting)
    claims, index = read(predicting, "claims"), (predicting.site / "index.html").read_text("utf-8")

    assert 'id="own"' in claims
    assert 'id="second-is-large"' not in claims
    assert "Of 1 claims" in claims
    assert '3 predictions for another study stand <a href="../later/">' in claims
    assert 'href="claims/#own"' in index
    assert 'href="later/#second-is-large"' in index
    rows = {row["id"]: row for row in json.loads((predicting.site / "claims.json").read_bytes())}
    assert rows["second-is-large"]["study"] == "other"
    assert (rows["second-is-large"]["predicted"], rows["second-is-large"]["size"]) == (2.5, [2, 3])
    assert rows["own"]["predicted"] is None
    assert (rows["own"]["holds"], rows["second-is-large"]["holds"]) == (False, False)


@pytest.mark.builds
def test_a_study_of_which_claims_speak_is_not_offered_in_every_figure(predicting: Project) -> None:
    built(predicting)
    assert "post-study" not in (predicting.site / "index.html").read_text("utf-8")


@pytest.mark.builds
def test_without_a_page_of_their_own_predictions_stand_among_claims(predicting: Project) -> None:
    (predicting.content / "later.md").unlink()
    notes = build(predicting, say=lambda _line: None).notes
    page = read(predicting, "claims")

    assert 'id="second-is-large"' in page
    assert "Another &amp; &lt;b&gt;" in page
    assert "Of 4 claims" in page
    assert [note for note in notes if "no sentence makes the claim" in note]


@pytest.mark.builds
def test_what_predictions_are_read_off_is_told_like_any_result(
    predicting: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An edit of the other study makes it stale; what is not measured is no fault of the build.

    Of two studies of one model the first is the place where its weights are told.
    """
    store = Store(predicting)
    for name in ("toy", "other"):
        result = store.load(ResultId(name, "numbers", "small"))
        store.save(result.id, result.table, replace(result.recipe, weights={"model": "5" * 64}))
    write(predicting.content / "whence.md", "# Whence\n\n<< page: provenance results >>\n")
    study = predicting.analyses / "studies" / "other.toml"
    study.write_text(study.read_text("utf-8").replace("top_p = 0.9", "top_p = 0.5"), "utf-8")
    built(predicting)
    assert "other/numbers/small.parquet" in read(predicting, "whence")
    places = re.findall(r'id="(model-[^"]+)"', read(predicting, "whence"))
    assert places == ["model-555555555555"]
    assert read(predicting, "later").count('<b class="post-is-stale">stale</b>') == 2

    monkeypatch.chdir(predicting.root)
    result = CliRunner().invoke(main, ["status", "--json"], catch_exceptions=False)
    states = {(row["study"], row["directive"]): row["state"] for row in json.loads(result.stdout)}
    assert states["other", "claim: third-is-small"] == "stale"
    assert states["other", "claim: unknown"] == "missing"
    assert states["toy", "claim: own"] == "fresh"
