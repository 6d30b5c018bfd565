"""The lab on the tiny study, opened once, and on the embedded one where weights are needed."""

import os
from pathlib import Path

import pytest

from analyses.lab.runtime.lab import Lab, prepare_process

ROOT = Path(__file__).parents[2]
prepare_process()
os.environ.pop("LIST_STUDY_MODEL", None)  # the tests say themselves which model they mean


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "weights: needs the embedded study's weights (fetched once)")


@pytest.fixture(scope="session")
def tiny() -> Lab:
    return Lab.open("tiny", root=ROOT, quiet=True)


@pytest.fixture(scope="session")
def smollm2() -> Lab:
    return Lab.open("smollm2-135m-instruct", root=ROOT, quiet=True)
