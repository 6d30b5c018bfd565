"""Claims on other models: where they hold, in the prose, on the page of claims, in the terminal."""

import json
import re

import pyarrow as pa
import pytest
from click.testing import CliRunner

from site_builder.commands.main import main
from site_builder.core.errors import BuildError
from site_builder.core.project import Project
from site_builder.results.recipe import ResultId
from site_builder.results.store import Store
from tests.site_builder.conftest import put, write
from tests.site_builder.test_build import built

CLAIM = """
[{name}]
{everywhere}says = "The number is {word} & more."
result = "numbers small"
row = {{x = "100%"}}
holds = "{test}"
"""
TESTS = {"both": "low > 0", "here": "low > 3", "there": "high < 3", "neither": "high < -9"}


def study(project: Project, name: str, title: str, called: str = "") -> None:
    """A study like the post's own, with a model that is called so."""
    toy = project.analyses / "studies" / "toy.toml"
    text = toy.read_text("utf-8").replace("A toy", title)
    toy.with_name(f"{name}.toml").write_text(
        (f'called = "{called}"\n' if called else "") + text, "utf-8"
    )


def measured(project: Project, name: str, estimate: float) -> None:
    """Two rows of numbers, of which the second has x = 2; the first is below all."""
    table = pa.table(
        {
            "x": [1, 2],
            "estimate": [-20.0, estimate],
            "low": [-21.0, estimate - 0.5],
            "high": [-19.0, estimate + 0.5],
            "n": [7, 7],
        }
    )
    put(Store(project), ResultId(name, "numbers", "small"), table)


@pytest.fixture
def models(project: Project) -> Project:
    """The post's study at 5, one at 1; one that is not measured and one that no name is given."""
    study(project, "other", "Another one", "Other <2B>")
    study(project, "third", "The third one", "Third")
    study(project, "unnamed", "One without a name")
    measured(project, "toy", 5.0)
    measured(project, "other", 1.0)
    measured(project, "unnamed", 1.0)
    claims = [
        CLAIM.format(name=name, everywhere="everywhere = true\n", word=name, test=test)
        for name, test in TESTS.items()
    ]
    claims.append(CLAIM.format(name="own", everywhere="", word="own", test="low > 3"))
    claims[0] += 'reported = "About five."\nreported_for = "A larger one"\n'
    write(project.content / "claims" / "1.toml", "".join(claims))
    section = project.content / "sections" / "01-numbers.md"
    said = "\n\n".join(f"{name}: << claim: {name} show=models >>." for name in TESTS)
    section.write_text(f"{section.read_text('utf-8')}\n{said}\n", "utf-8")
    pages = "# Claims\n\n<< page: models >>\n\n<< page: claims >>\n"
    write(project.content / "claims.md", pages)
    return project


def text(project: Project, page: str) -> str:
    return (project.site / page).read_text("utf-8")


def said(project: Project) -> dict[str, str]:
    """What the prose prints of each claim."""
    found = re.findall(r'id="said-(\w+)"[^>]*>([^<]+)<', text(project, "index.html"))
    return dict(found)


@pytest.mark.builds
def test_the_prose_says_where_a_claim_holds(models: Project) -> None:
    built(models)
    assert said(models) == {
        "both": "in both models",
        "here": "in A toy, not in Other &lt;2B&gt;",
        "there": "in Other &lt;2B&gt;, not in A toy",
        "neither": "in neither model",
    }


@pytest.mark.builds
def test_the_prose_changes_when_a_model_is_added(models: Project) -> None:
    built(models)
    measured(models, "third", 9.0)
    built(models)
    found = said(models)

    assert found["both"] == "in all 3 models"
    assert found["here"] == "in A toy and Third, not in Other &lt;2B&gt;"
    assert found["neither"] == "in none of 3 models"


@pytest.mark.builds
def test_one_model_alone_is_said_to_be(models: Project) -> None:
    Store(models).path(ResultId("other", "numbers", "small")).unlink()
    built(models)
    found = said(models)

    assert found["both"] == "in A toy, tested in no other model"
    assert found["neither"] == "not in A toy, tested in no other model"
    assert "post-matrix" not in text(models, "claims/index.html")
    assert "No statement was tested on more than one model." in text(models, "claims/index.html")


@pytest.mark.builds
def test_the_matrix_has_a_column_a_model_and_estimates_on_one_scale(models: Project) -> None:
    built(models)
    page = text(models, "claims/index.html")
    matrix = page[page.index('<table class="post-table post-matrix">') :].partition("</table>")[0]
    rows = matrix.split("<tr")[2:]

    assert re.findall(r'<th scope="col">([^<]+)<', matrix) == [
        "claim", "A toy", "Other &lt;2B&gt;", "Third", "estimates", "reported for A larger one",
    ]  # fmt: skip
    assert len(rows) == len(TESTS)  # the claim of one study alone is none of them
    assert (
        "4 statements were tested on more than one model: "
        "1 hold in all, 1 in A toy alone, 1 in none, 1 in some<" in page
    )
    for row, (name, (own, other)) in zip(
        rows,
        {"both": "✓✓", "here": "✓✗", "there": "✗✓", "neither": "✗✗"}.items(),
        strict=True,
    ):
        assert f'href="../claims/#{name}"' in row or f'href="./#{name}"' in row
        assert re.findall(r">([✓✗?]) ", row) == [own, other, "?"]
        # From 0, which is always there, at 4 %, to 5.5 at 96 %.
        assert re.findall(r'<circle[^>]* cx="([\d.]+)%"', row) == ["87.64", "20.73"]
    assert ">About five.</td>" in rows[0]
    assert "style=" not in matrix


@pytest.mark.builds
def test_the_list_of_claims_tells_other_models_of_claims_about_any(models: Project) -> None:
    built(models)
    page = text(models, "claims/index.html")

    def tests(name: str) -> list[str]:
        article = page[page.index(f'id="{name}"') :].partition("</article>")[0]
        return re.findall(r"</b> on ([^<:]+)", article)

    assert tests("both") == ["A toy", "Another one", "The third one"]
    assert tests("own") == ["A toy"]
    rows = {row["id"]: row for row in json.loads((models.site / "claims.json").read_bytes())}
    assert rows["here"]["models"] == [
        {"study": "other", "called": "Other <2B>", "holds": False, "estimate": 1.0, "low": 0.5,
         "high": 1.5, "n": 7},
        {"study": "third", "called": "Third", "holds": None, "estimate": None, "low": None,
         "high": None, "n": None},
    ]  # fmt: skip
    assert rows["own"]["models"] == []


def test_the_command_tells_other_models(models: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(models.root)
    told = CliRunner().invoke(main, ["claims"], catch_exceptions=False).stdout

    assert told.count("    in Other <2B>: holds, 1 (0.5 to 1.5), n = 7\n") == 2
    assert told.count("    in Other <2B>: does not hold, 1 (0.5 to 1.5), n = 7\n") == 2
    assert told.count("    in Third: not measured\n") == len(TESTS)


@pytest.mark.builds
def test_a_claim_of_one_study_cannot_say_where_it_holds(models: Project) -> None:
    section = models.content / "sections" / "01-numbers.md"
    section.write_text(section.read_text("utf-8") + "\n<< claim: own show=models >>\n", "utf-8")
    with pytest.raises(BuildError) as raised:
        built(models)
    (said,) = map(str, raised.value.problems)
    assert (
        'claim "own" is tested on one study, and has no "models" to show; show a column, or' in said
    )
    assert "everywhere = true in content/claims/1.toml:" in said


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ('everywhere = "yes"\n', "`everywhere` is not true or false; see"),
        ('everywhere = true\nstudy = "other"\n', "`everywhere`, and `study`; keep one"),
    ],
)
def test_what_everywhere_cannot_be_is_told(models: Project, keys: str, said: str) -> None:
    text = CLAIM.format(name="x", everywhere=keys, word="x", test="low > 0")
    write(models.content / "claims" / "2.toml", text)
    with pytest.raises(BuildError) as raised:
        built(models)
    assert any(said in str(one) for one in raised.value.problems)


@pytest.mark.builds
def test_a_study_that_claims_speak_of_is_offered_if_its_file_says_so(models: Project) -> None:
    """Else it is shown beside its own sentences alone."""
    claim = CLAIM.format(name="of-other", everywhere='study = "other"\n', word="it", test="low > 0")
    write(models.content / "claims" / "2.toml", claim)
    (models.analyses / "studies" / "unnamed.toml").unlink()
    built(models)
    assert 'value="other"' not in text(models, "index.html")

    file = models.analyses / "studies" / "other.toml"
    file.write_text("offered = true\n" + file.read_text("utf-8"), "utf-8")
    built(models)
    assert 'value="other"' in text(models, "index.html")


@pytest.mark.builds
def test_the_prose_prints_a_number_of_another_model_that_no_sign_counts(models: Project) -> None:
    section = models.content / "sections" / "01-numbers.md"
    before = section.read_text("utf-8").replace("show=models", "show=estimate study=other")
    section.write_text(before, "utf-8")
    built(models)
    index = text(models, "index.html")

    assert said(models) == dict.fromkeys(TESTS, "1")
    assert 'title="1 (0.5 to 1.5), n = 7; tested: low &gt; 3"' in index
    assert "post-sign" not in index
    assert "Not everything below holds" not in index


@pytest.mark.builds
@pytest.mark.parametrize(
    ("directive", "told"),
    [
        (
            "own show=estimate study=other",
            'claim "own" is tested on one study, and not on "other"; w',
        ),
        (
            "both study=other",
            "is marked by the verdict on the post's own study; add show=…, or leave",
        ),
        ("both show=estimate study=othre", 'no study "othre"; did you mean "other"?'),
        ("both show=estimat study=other", 'claim "both" has no "estimat" to show; did you mean'),
    ],
)
def test_what_cannot_be_printed_of_another_model_is_told(
    models: Project, directive: str, told: str
) -> None:
    section = models.content / "sections" / "01-numbers.md"
    section.write_text(section.read_text("utf-8") + f"\nIt is << claim: {directive} >>.\n", "utf-8")
    with pytest.raises(BuildError) as raised:
        built(models)
    assert any(told in str(one) for one in raised.value.problems)
