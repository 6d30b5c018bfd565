"""The list that benchmarks ask the model about."""

from __future__ import annotations

from analyses.lab.runtime.lab import Lab

ITEMS = ("Apple", "Banana", "Cherry", "Mango", "Orange", "Pear")


def answer(lab: Lab) -> list[int]:
    """A list of fruits after the prefilled hyphen, cut where it could end, as token ids."""
    prompt, primary = lab.study.prompt, getattr(lab.study.decision, lab.study.decision.primary)
    lines = f"\n{prompt.prefill} ".join(ITEMS)
    after = prompt.line_break if primary.at == "break" else ""
    ids: list[int] = lab.model.tokenizer.encode(f" {lines}{after}", add_special_tokens=False)
    return ids
