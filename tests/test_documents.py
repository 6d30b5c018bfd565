"""What the documents show works as shown: commands, options, examples, figures told in passing."""

import importlib.util
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from site_builder.commands.main import main
from site_builder.core.project import Project
from site_builder.post import claim_form, claims
from site_builder.post.directives import scan
from site_builder.post.kinds.table import KINDS
from site_builder.results.recipe import ResultId
from site_builder.results.store import Store
from tests.site_builder.test_vocabulary import ours, wrong
from tests.test_pages_workflow import accepted

REPO = Path(__file__).parents[1]
README, OPERATIONS, SECURITY, CONTRIBUTING = (
    (REPO / f"{name}.md").read_text("utf-8")
    for name in ("README", "OPERATIONS", "SECURITY", "CONTRIBUTING")
)
EMBEDDED = "smollm2-135m-instruct"
# The measurements whose loops `analyses/lab/runtime/shards.py` names.
SHARING = ("list_samples", "token_scores", "patching", "attribution_patching", "logit_lens",
           "layer_choice", "ablation_samples", "path_patching")  # fmt: skip


def blocks(text: str, kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def commands(tool: str) -> Iterator[list[str]]:
    """The words behind a tool's name, wherever a document runs it."""
    for text in (README, OPERATIONS, SECURITY, CONTRIBUTING):
        for block in blocks(text, "sh"):
            for line in block.replace("\\\n", " ").splitlines():
                words = shlex.split(line, comments=True)
                if tool in words:
                    behind = words[words.index(tool) + 1 :]
                    yield behind[: behind.index("|")] if "|" in behind else behind


@pytest.mark.parametrize("words", [*commands("build-site")], ids=" ".join)
def test_a_command_of_the_documents_is_one_of_ours(words: list[str]) -> None:
    assert accepted(words)


def test_a_module_that_the_documents_run_is_there() -> None:
    run = [words[1] for words in commands("python") if words[0] == "-m"]
    assert len(run) > 5
    assert [name for name in run if importlib.util.find_spec(name) is None] == []


def rows(text: str, head: str) -> list[list[str]]:
    """The cells of the table under a head line."""
    _, _, below = text.partition(f"\n{head}\n")
    assert below, head
    lines = below.split("\n\n")[0].splitlines()[1:]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def test_the_table_of_commands_has_them_all_and_their_options_are_theirs() -> None:
    table = README.partition("| command | what it does |")[2].split("\n\n")[0]
    seen = set()
    for line in table.splitlines()[2:]:
        named, _, told = line.strip("| ").partition("` | ")
        command: click.Command = main
        for word in shlex.split(named.strip("`"))[1:]:
            if isinstance(command, click.Group):
                command = command.commands[word]
        seen.add(named.split()[1] if " " in named else "")
        known = {name for parameter in command.params for name in parameter.opts}
        assert {*re.findall(r"--[\w-]+", f"{named} {told}")} <= known, named
    assert seen == {"", *main.commands}


def test_a_kind_in_the_table_of_kinds_can_be_written_and_none_is_left_out() -> None:
    kinds = rows(README, "| kind | what it becomes |")
    told = [name for cells in kinds for name in re.findall(r"`(\w+)`", cells[0])]
    assert sorted(told) == sorted(KINDS)


def test_the_lines_of_the_example_say_what_can_be_said() -> None:
    for text in blocks(README, "markdown"):
        directives, problems = scan(text, "README.md")
        assert problems == []
        assert len(directives) > 5
        assert [str(one) for one in directives if wrong(ours(), one)] == []


def test_the_example_of_a_claim_is_one_of_the_post() -> None:
    (text,) = blocks(README, "toml")
    ((name, claim),) = tomllib.loads(text).items()
    files = (REPO / "content" / "claims").glob("*.toml")
    made = {key: value for file in files for key, value in tomllib.loads(file.read_text()).items()}
    assert made[name] | claim == made[name]


def test_every_study_is_told_and_the_embedded_one_is_built() -> None:
    project = Project(REPO)
    told = [study.strip("`") for study, _ in rows(README, "| study | what it is |")]
    assert sorted(told) == sorted(project.studies())
    assert project.study == EMBEDDED


def test_no_result_is_of_gemma_2() -> None:
    studies = {id.study for id in Store(Project(REPO)).results()}
    assert studies <= {EMBEDDED, f"{EMBEDDED}-replication", "gemma-3-270m"}


def test_what_the_embedded_study_took_is_what_its_recipes_say() -> None:
    store = Store(Project(REPO))
    recipes = {str(id): store.recipe(id) for id in store.results() if id.study == EMBEDDED}
    seconds = sum(recipe.seconds for recipe in recipes.values())
    lists = store.load(ResultId(EMBEDDED, "list_samples")).table
    text = " ".join(OPERATIONS.split())
    assert f"The embedded study took {seconds:,.0f} s in all on two cores" in text
    assert f"{sum(lists['new_tokens'].to_pylist()):,} tokens were sampled in {len(lists):,}" in text
    (speed,) = re.findall(r"\((\d+) billion operations a second", text)
    assert f"at most {seconds * float(speed) * 1e9 / 1e14:.1f} × 10¹⁴ operations" in text
    shared = sum(one.seconds for one in recipes.values() if one.analysis in SHARING)
    assert f"shared loops take {shared:,.0f} of the {seconds:,.0f} s of the embedded study" in text
    whole = [one for one in recipes.values() if one.analysis not in SHARING]
    longest = max(whole, key=lambda recipe: recipe.seconds)
    assert f"made as a whole, `{longest.analysis}`, takes {longest.seconds:.0f} s" in text


def test_the_files_that_the_documents_name_are_there() -> None:
    """Those that are part of the project, and not written by a command."""
    text = README + OPERATIONS + SECURITY
    named = re.findall(r"`((?:site_builder|analyses|tests|content|\.github)/[\w./-]+)`", text)
    named += re.findall(r"\]\(([\w./-]+)\)", text)
    assert len(named) > 10
    assert [name for name in named if not (REPO / name).exists()] == []


def test_code_is_under_mit_and_the_page_says_what_text_is_under() -> None:
    assert (REPO / "LICENSE").read_text("utf-8").startswith("MIT License")
    told = (REPO / "mkdocs.yml").read_text("utf-8")
    assert "copyright: Text and figures under CC BY 4.0, code under the MIT licence." in told


def test_the_head_of_the_claims_module_tells_every_key() -> None:
    told = claims.__doc__ or ""
    written = re.findall(r"`(\w+)`|^ +(\w+) =|`(\w+) = ", told, re.MULTILINE)
    assert {*claim_form.KNOWN} <= {word for words in written for word in words}
