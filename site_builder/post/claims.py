"""What the prose claims: each statement defined once, in content/claims/, tested on a result.

    [second-run-is-faster]
    says = "The second run takes less time than the first."
    result = "timings"
    row = {run = 2}
    other = {run = 1, size = 64}
    show = "seconds"
    holds = "high < other.low"
    reported = "what was reported elsewhere, if anything"
    reported_for = "where; at the head of the file for all of its claims"
    written = "before"

`row` picks one row, as `value` does; `every = ["k"]` lets these columns be anything, and the claim
then holds if it does in each row; a list of values stands for any of them. `other` is a second row
of the same result, like the first but for what it names; if it names all that may be anything, it
is one row for all. `holds` compares `estimate`, `low` and `high` (of the column that `show` names),
any other column, and the same of the other row: `other.low`. `inside` names a column of lists,
whose entries are then the rows, with the columns of the row that they stand in. `format` and `unit`
are optional. `<< claim: ID >>` marks the sentence, `<< claim: ID show=estimate >>`
prints its number (`interval`, any column, or `other.COLUMN`).

`paired = ["author", "text"]` lets both rows be many, one per unit: these columns tell the units
apart, and the first of them alone the groups, within which units may resemble each other. Then
`estimate` is the mean difference of `show`, row less other, over the units that both have; `low`
and `high` are a jackknife's that leaves out one group at a time; `n` counts units, `groups` groups,
and fewer than five have no interval. `of_row` and `of_other` are the means of either side over the
same units. `over = [...]` is all this without `other`: the mean over one row's units, the share
where they are true or false.

`within = 0.5`, in the place of `holds`, claims that nothing larger is there: two one-sided tests at
5 % put the estimate, or its difference from the other row's, nearer to `around` (0 unless it says
so) than that. A column `groups` of the result may tell how many groups an interval rests on; where
it is missing p values take them to be five, and `within` takes the 95 % interval for the 90 % one,
as it does where that is not symmetric: both are stricter.

A bound belongs to the column that is shown. A number without an interval needs a reason,
`no_interval = "a count"`. `written = "before"`, also at the head of the file, says that a claim was
there before its data; otherwise it is "after".

`study = "NAME"`, also at the head of the file, tests a claim on the results of that study, not on
the post's own. `predicted = 0.7` and `size = [0.5, 0.9]` make a prediction of it, which has to be
written before: the number that was expected, and between which two an estimate counts as replicated
in size. The same row of the post's own study stands beside it, of the result that `first` names if
that is called otherwise.

`everywhere = true`, also at the head of the file, says that the statement names nothing that one
model alone has: it is tested on every study whose file says what its model is `called`, and
`<< claim: ID show=models >>` prints where it holds, with `study=NAME` its number there. Places that
differ from model to model are named by their share: `layer = "80%"` is the value nearest to that
share of the column's largest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from site_builder.core import toml
from site_builder.core.errors import BuildError, Problem
from site_builder.core.files import listed
from site_builder.core.project import Project
from site_builder.post import claim_form

ALL, PREDICTIONS = "page: claims", "page: predictions"
"""The parts of pages that tell of all claims, and of what was predicted."""

_BOUND = re.compile(r"(low|high)\b")  # of an interval, in a test: "low", "other.high"


@dataclass(frozen=True)
class Claim:
    """One statement and the test that it has to pass; `row` and `other` are texts, as in prose."""

    id: str
    where: str
    says: str
    analysis: str
    variant: str
    holds: str = ""
    row: dict[str, list[str]] = field(default_factory=dict)
    other: dict[str, list[str]] = field(default_factory=dict)
    every: list[str] = field(default_factory=list)
    inside: str = ""
    show: str = "estimate"
    format: str = ""
    unit: str = ""
    reported: str = ""
    reported_for: str = ""
    paired: list[str] = field(default_factory=list)
    over: list[str] = field(default_factory=list)
    within: float | None = None
    around: float = 0.0
    no_interval: str = ""
    written: str = claim_form.AFTER
    study: str = ""
    first: str = ""
    predicted: float | None = None
    size: list[float] = field(default_factory=list)
    everywhere: bool = False

    @property
    def result(self) -> str:
        """Analysis and variant, as a directive names them."""
        return f"{self.analysis} {self.variant}".strip()

    @property
    def is_prediction(self) -> bool:
        """Whether it says what number is expected of another study."""
        return self.predicted is not None

    @property
    def at_first(self) -> Claim:
        """A prediction as it is read off the post's own study."""
        analysis, _, variant = (self.first or self.result).partition(" ")
        return replace(self, analysis=analysis, variant=variant, study="")

    @property
    def file(self) -> str:
        """The file that it stands in, whose claims are one family of tests."""
        return self.where.rpartition(":")[0]

    @property
    def unit_columns(self) -> list[str]:
        """The columns that tell units apart; none where a row is a number of its own."""
        return self.paired or self.over

    @property
    def test(self) -> str:
        """What is tested, in words."""
        if self.within is None:
            return self.holds
        return f"within ±{self.within:g}" + (f" of {self.around:g}" if self.around else "")

    @property
    def is_of_sample(self) -> bool:
        """Whether its test asks for no bound of an interval: it may then hold by chance."""
        return self.within is None and not _BOUND.search(self.holds)


def load(project: Project) -> tuple[dict[str, Claim], list[Problem]]:
    """Every claim by its id, in the order of the files, and what is wrong with them."""

    def make() -> tuple[list[list[dict[str, Any]]], list[Path]]:
        folder = project.content / "claims"
        files = listed(folder, ".toml")
        claims, problems = _load(project, files)
        return [[*map(vars, claims.values())], [*map(vars, problems)]], [folder, *files]

    claims, problems = project.memory.read("claims", make)
    return {one["id"]: Claim(**one) for one in claims}, [Problem(**one) for one in problems]


def _load(project: Project, files: Iterable[Path]) -> tuple[dict[str, Claim], list[Problem]]:
    claims: dict[str, Claim] = {}
    problems: list[Problem] = []
    for path in files:
        named = project.named(path)
        try:
            text, tree = toml.read(path, named)
        except BuildError as error:
            problems += error.problems
            continue
        lines = {
            heading[1]: number
            for number, line in enumerate(text.splitlines(), start=1)
            if (heading := re.match(r'\[\s*"?([^\]"]+?)"?\s*\]', line))
        }
        shared = {
            key: tree.pop(key)
            for key in claim_form.OF_FILE
            if isinstance(tree.get(key), str | bool)
        }
        for name, body in tree.items():
            body = _whole(body, shared)
            where = f"{named}:{lines.get(name, 1)}"
            wrong = claim_form.wrong_with(name, body)
            if name in claims:
                wrong.append((f'claim "{name}" stands twice', f"see {claims[name].where}"))
            problems += [Problem(where, what, cure) for what, cure in wrong]
            if not wrong:
                claims[name] = _read(name, where, body)
    return claims, problems


def _whole(body: Any, shared: dict[str, str | bool]) -> Any:
    """An entry with what the head of its file says for all."""
    if not isinstance(body, dict):
        return body
    kept = {
        key: text for key, text in shared.items() if key != claim_form.FOR or "reported" in body
    }
    return kept | body


def _read(name: str, where: str, body: dict[str, Any]) -> Claim:
    analysis, _, variant = body["result"].partition(" ")
    row, other = (_texts(body.get(key, {})) for key in ("row", "other"))
    rest = {key: body[key] for key in body.keys() - {"result", "row", "other"}}
    rest |= {key: float(rest[key]) for key in claim_form.NUMBERS if key in rest}
    if "size" in rest:
        rest["size"] = [*map(float, rest["size"])]
    return Claim(name, where, analysis=analysis, variant=variant, row=row, other=other, **rest)


def _texts(row: dict[str, Any]) -> dict[str, list[str]]:
    """What a row is picked by, as texts: lists stand for any of their values."""
    return {
        name: [
            str(one).lower() if isinstance(one, bool) else str(one)
            for one in claim_form.listed(value)
        ]
        for name, value in row.items()
    }
