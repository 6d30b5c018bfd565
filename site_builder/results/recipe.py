"""A result's name, and the recipe that says what it was made from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from site_builder.core import digests

if TYPE_CHECKING:
    import pyarrow as pa


FORMAT = 3
"""Of recipes; another one's are not read."""


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
