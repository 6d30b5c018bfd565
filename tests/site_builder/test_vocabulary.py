"""What directives can say: all that the post says is in the list, and nothing that is misspelt."""

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from click.testing import CliRunner

from site_builder.commands.main import main
from site_builder.commands.vocabulary import Vocabulary
from site_builder.core.project import Project
from site_builder.post.directive import Directive
from site_builder.post.directives import scan
from site_builder.post.kinds import validation
from site_builder.post.kinds.table import KINDS
from tests.site_builder.conftest import REPO, write


@cache
def ours() -> dict[str, Any]:
    """The list for the post, as an editor reads it."""
    return json.loads(json.dumps(Vocabulary(Project(REPO)).everything()))


def used() -> Iterator[Directive]:
    for path in sorted((REPO / "content").rglob("*.md")):
        directives, problems = scan(path.read_text("utf-8"), path.name)
        assert problems == []
        yield from directives


def wrong(said: dict[str, Any], directive: Directive) -> str:
    """What an editor marks in a directive, with nothing but the list: "" if it is well."""
    kind = said["kinds"].get(directive.kind)
    if kind is None:
        return "kind"
    options, name, variant = dict(directive.options), directive.name, directive.variant
    if kind["several"]:
        return "" if set(name.split()) <= kind["names"].keys() else "name"
    if directive.kind == "ref":
        name, _, variant = directive.named.partition(" ")
        options = {}
    elif directive.kind == "feature":
        name = options.pop("feature")
    elif directive.kind == "term":
        name = name.lower()
        name = name if name in kind["names"] else name.removesuffix("s")
    takes = kind["names"].get(name)
    if takes is None:
        return "name"
    if variant not in takes["variants"]:
        return "variant"
    for option, value in options.items():
        if option not in takes["options"]:
            if not takes["open"]:
                return "option"
            continue
        known = takes["options"][option]
        if value not in known.get("values", [value]) and value != str(known.get("default")):
            return "value"
    return ""


def misspelt(directive: Directive) -> Iterator[tuple[str, Directive]]:
    """The directive with one of its words spelt wrong, and which."""
    yield "kind", replace(directive, kind=directive.kind + "x")
    if directive.name != "feature":
        yield "name", replace(directive, name=directive.name + "x")
    if directive.variant:
        yield "variant", replace(directive, variant=directive.variant + "x")
    for option, value in directive.options.items():
        others = {k: v for k, v in directive.options.items() if k != option}
        yield "option", replace(directive, options=others | {option + "x": value})
        takes = ours()["kinds"][directive.kind]["names"].get(directive.name, {})
        if takes.get("options", {}).get(option, {}).get("values"):
            yield "value", replace(directive, options=others | {option: value + "x"})


def test_all_that_the_post_says_is_in_the_list() -> None:
    found = list(used())
    assert {directive.kind for directive in found} == set(KINDS)
    assert [d for d in found if wrong(ours(), d)] == []


def test_a_misspelt_word_is_not() -> None:
    seen = set()
    for directive in used():
        for what, spoilt in misspelt(directive):
            if spoilt.kind in ("ref", "feature") and what == "option":
                continue  # there the option is the name
            assert wrong(ours(), spoilt), (what, str(spoilt), spoilt.options)
            seen.add((directive.kind, what))
    assert {("figure", "value"), ("figure", "option"), ("value", "option")} <= seen
    assert {("claim", "value"), ("cite", "name"), ("page", "variant"), ("ref", "variant")} <= seen


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("<< feature: 28/1148 >>", "name"),
        ("<< ref: 28/1148 >>", "name"),
        ("<< figure: feature_activation 28/1148 >>", "value"),
        ('<< figure: feature_activation 28/1147 topic="Types of Flower" >>', "value"),
        ("<< table: ablation by-layer topics=held_out >>", "value"),
        ("<< figure: list_samples >>", "name"),
        ("<< value: list_samples new_tokens=3 >>", ""),
        ("<< value: dataset show=ended-share template=long >>", "value"),
        ("<< value: dataset show=interval template=long >>", ""),
        ("<< figure: entropy >>", "variant"),
        ("<< figure: ending study=tiny topic=Fruits sample=-1 >>", ""),
    ],
)
def test_a_single_line(line: str, what: str) -> None:
    ((directive,), problems) = scan(line, "f")
    assert problems == []
    assert wrong(ours(), directive) == what


def test_the_build_has_nothing_against_what_is_listed() -> None:
    project = Project(REPO)
    for kind in ("figure", "value"):
        for name, takes in ours()["kinds"][kind]["names"].items():
            for variant in takes["variants"]:
                options = {} if kind == "figure" else {"n": "1"}
                for option, known in takes["options"].items():
                    if kind == "figure" and known.get("values"):
                        options[option] = known["values"][-1]
                directive = Directive(kind, name, variant, options, "f:1")
                check = validation.drawn if kind == "figure" else validation.measured
                assert check(project, directive, project.study) == []


def test_every_option_tells_its_type_and_what_is_known_of_it(project: Project) -> None:
    drawing = project.figures / "numbers.py"
    text = drawing.read_text("utf-8")
    options = "size: int = 3, loud: bool = False, by: str, x: int = 1, align: str = 'end'"
    text = text.replace("size: int = 3", options)
    text = text.replace(
        '    theme.need(table, "x"',
        '    theme.choose(align, ["end", "start"], "align")\n    theme.need(table, "x"',
    )
    drawing.write_text(text, "utf-8")
    kinds = Vocabulary(project).everything()["kinds"]
    assert kinds["figure"]["names"]["numbers"] == {
        "variants": ["small", "large"],
        "options": {
            "size": {"type": "int", "default": 3},
            "loud": {"type": "bool", "default": False, "values": ["true", "false"]},
            "by": {"type": "str"},
            "x": {"type": "int", "default": 1, "values": ["1", "2", "3"]},
            "align": {"type": "str", "default": "end", "values": ["end", "start"]},
            "panels": {"type": "str"},
            "study": {"type": "str", "values": ["toy"]},
        },
        "open": False,
    }
    assert "base" not in kinds["figure"]["names"]
    shown = kinds["value"]["names"]["base"]["options"]["show"]
    assert shown["values"] == ["x", "estimate", "low", "high", "n", "interval"]


def test_without_a_result_any_column_may_be_right(project: Project) -> None:
    (project.data / "toy" / "base.parquet").unlink()
    takes = Vocabulary(project).everything()["kinds"]["value"]["names"]["base"]
    assert (takes["open"], takes["options"].keys()) == (True, {"show", "format", "study"})
    assert "values" not in takes["options"]["show"]


def run(project: Project, monkeypatch: pytest.MonkeyPatch, *words: str) -> Any:
    monkeypatch.chdir(project.root)
    return CliRunner().invoke(main, ["directives", *words], catch_exceptions=False)


def test_machines_get_one_object(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    write(project.content / "references.bib", BIB)
    told = run(project, monkeypatch, "--json")
    said = json.loads(told.stdout)
    assert (told.exit_code, told.stderr) == (0, "")
    assert (said["format"], said["study"], [*said["kinds"]]) == (1, "toy", [*KINDS])
    for kind in said["kinds"].values():
        assert kind.keys() == {"form", "alone", "several", "names"}
        for takes in kind["names"].values():
            assert takes.keys() == {"variants", "options", "open"}
            for option in takes["options"].values():
                assert {"type"} <= option.keys() <= {"type", "default", "values"}
    assert [*said["kinds"]["cite"]["names"]] == ["someone"]
    assert [*said["kinds"]["section"]["names"]] == ["01-numbers"]
    assert said["kinds"]["ref"]["names"]["numbers"]["variants"] == ["small"]


def test_people_get_a_short_list(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = run(project, monkeypatch).stdout.splitlines()
    assert lines[:3] == [
        "figure, table, tokens: NAME [VARIANT] [option=value]",
        "  numbers small, large [size=int] [panels=str]",
        "  totals [size=int] [panels=str]",
    ]
    assert "  provenance summary, figures, graph, results, cite" in lines
    assert max(map(len, lines)) < 100


def test_what_cannot_be_read_is_told_and_the_rest_is_there(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project.analyses / "numbers.py").write_text("def run(lab:\n")
    write(project.content / "sections" / "01-numbers.md", "## Numbers\n\n<< figur: totals >>\n")
    told = run(project, monkeypatch, "--json")
    assert told.exit_code == 1
    (line,) = told.stderr.splitlines()
    assert line.startswith("analyses/numbers.py:1: ")
    kinds = json.loads(told.stdout)["kinds"]
    assert [*kinds["figure"]["names"]] == ["totals"]
    assert [*kinds["value"]["names"]] == ["base", "totals"]


BIB = """
    @misc{someone,
      author = {Someone},
      title = {Something},
      year = {2024},
      url = {https://example.org/}
    }
    """
