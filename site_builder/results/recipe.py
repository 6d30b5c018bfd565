"""A result's name, and the recipe that says what it was made from.

A recipe stands in its result's file, which may come from anybody: its seal tells an edit, not who
made it. So each field is held against its type when it is read, and so is all that is in it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

from site_builder.core import digests
from site_builder.results import recipe_fields

if TYPE_CHECKING:
    import pyarrow as pa


FORMAT = 3
"""Of recipes; another one's are not read."""

MOST_BYTES = 2_000_000
"""Of a recipe's text."""


@dataclass(frozen=True, order=True)
class ResultId:
    """A result's name: study, analysis, variant ("" when the analysis has but one)."""

    study: str
    analysis: str
    variant: str = ""

    def __str__(self) -> str:
        return f"{self.analysis} {self.variant}".strip()

    def input(self, name: str) -> ResultId:
        """A result of the same study, from its name as a recipe's inputs have it."""
        analysis, _, variant = name.partition(" ")
        return ResultId(self.study, analysis, variant)


@dataclass(frozen=True)
class Recipe:
    """What a result was made from (keyed) and made with (told).

    meaning: the digest of its code, "" for what was recorded elsewhere; code: file → digest of its
    part, which tells what changed and does not count by itself. settings: dotted key of the study's
    file → value. weights: name → digest. inputs: result ("base", "numbers small") → content digest.
    files: raw file below the project → digest.
    labels: what the measurement says of its own table.
    accepted: restamps by hand, each with date, what was waved through, and the author's word on it.
    """

    study: str
    analysis: str
    variant: str
    meaning: str
    code: dict[str, str]
    settings: dict[str, Any]
    weights: dict[str, str]
    inputs: dict[str, str]
    labels: dict[str, Any]
    made_with: dict[str, Any]
    made_at: str
    seconds: float
    content: str = ""
    accepted: list[dict[str, Any]] = field(default_factory=list)
    format: int = FORMAT
    files: dict[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The digest of all that counts."""
        weights = self.weights | self.files
        return digests.digest([self.meaning, self.settings, weights, self.inputs])


@dataclass(frozen=True)
class Result:
    """A table and where it came from."""

    id: ResultId
    table: pa.Table
    recipe: Recipe


def sealed(recipe: Recipe) -> bytes:
    """A recipe as it stands in a file: JSON, with the digest of all the rest."""
    body = asdict(recipe)
    return json.dumps(
        body | {"seal": digests.digest(body)}, ensure_ascii=False, default=str
    ).encode(errors="replace")


def parsed(text: bytes) -> tuple[dict[str, Any], list[str]]:
    """The fields of a recipe from its text, and all that is wrong with them.

    What is wrong is said in words that follow "cannot be used:".
    """
    if len(text) > MOST_BYTES:
        return {}, [f"its recipe is longer than {MOST_BYTES / 1e6:.0f} MB"]
    try:
        body = dict(json.loads(text))
        seal = body.pop("seal", None)
        Recipe(**body)
    except (ValueError, TypeError, RecursionError):
        return {}, ["it has no recipe of ours"]
    if body.get("format") != FORMAT:
        return {}, ["its recipe is of another version"]
    if recipe_fields.is_deep(body):
        return {}, ["its recipe has lists in lists in lists, too deep"]
    if not recipe_fields.encodes(body):
        return {}, ["its recipe has half a character"]
    if seal != digests.digest(body):
        return {}, ["its recipe was edited"]
    wrong = []
    for one in fields(Recipe):
        is_right, kind = recipe_fields.KINDS[one.name]
        if one.name in body and not is_right(body[one.name]):
            wrong.append(f"`{one.name}` of its recipe is no {kind}")
    return body, wrong
