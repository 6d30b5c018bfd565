"""Every result of the tiny study, measured once, and lists made by hand."""

import importlib
import inspect
from collections.abc import Callable, Mapping

import pyarrow as pa
import pytest

from analyses import list_samples
from analyses.lab.core.table import table_of
from analyses.lab.runtime.lab import Lab
from tests.lab.conftest import pytest_configure, smollm2, tiny

__all__ = ["measure", "pytest_configure", "shelf", "smollm2", "tiny"]


def measure(lab: Lab, name: str, variant: str, shelf: Mapping[str, pa.Table]) -> pa.Table:
    """Run a measurement with the results it names as its inputs."""
    module = importlib.import_module(f"analyses.{name}")
    inputs = [
        shelf[parameter.name]
        for parameter in list(inspect.signature(module.run).parameters.values())[1:]
        if parameter.kind is not inspect.Parameter.KEYWORD_ONLY
    ]
    return module.run(lab, *inputs, **({"variant": variant} if variant else {}))


@pytest.fixture(scope="session")
def shelf(tiny: Lab) -> dict[str, pa.Table]:
    """The tiny study's results without a variant."""
    found: dict[str, pa.Table] = {}
    for name in ("list_samples", "list_statistics", "token_scores"):
        found[name] = measure(tiny, name, "", found)
    return found


@pytest.fixture
def written() -> Callable[..., pa.Table]:
    """`list_samples` from token strings; a list ends if its last token is `<end>`."""

    def table(*lists: tuple[str, float, str, str]) -> pa.Table:
        rows = []
        for sample, (template, temperature, topic, text) in enumerate(lists):
            tokens = text.split("|")
            rows.append(
                {
                    "template": template, "temperature": temperature, "topic": topic,
                    "held_out": topic == "Animals", "sample": sample, "tokens": tokens,
                    "token_ids": list(range(len(tokens))), "text": "-" + "".join(tokens),
                    "new_tokens": len(tokens), "ended": tokens[-1] == "<end>",
                }
            )  # fmt: skip
        return table_of(rows, list_samples.SCHEMA)

    return table
