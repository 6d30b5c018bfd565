"""One directive of the prose, as it was read."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Directive:
    """One directive: what it asks for, and where it stands.

    `line` is 0-based within the text scanned; `start` and `end` are columns of its raw line.
    """

    kind: str
    name: str
    variant: str
    options: dict[str, str] = field(hash=False)
    where: str
    line: int = 0
    start: int = 0
    end: int = 0

    @property
    def named(self) -> str:
        """What it asks for, as a `ref` names it: "entropy compare", "26/1201"."""
        if self.name == "feature" and "feature" in self.options:
            return self.options["feature"]
        return " ".join(filter(None, (self.name, self.variant, self.options.get("feature"))))

    def __str__(self) -> str:
        """What was written, without options; "feature: 26/1201" names the drawing of its kind."""
        if self.name == self.kind and self.name in self.options:
            return f"{self.kind}: {self.options[self.name]}"
        return " ".join(f"{self.kind}: {self.name} {self.variant}".split())
