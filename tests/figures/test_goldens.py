"""Charts are what they were, until somebody says that they are meant to change."""

import pytest

from tests.figures import goldens


@pytest.mark.parametrize(
    ("name", "variant", "table"), list(goldens.charts()), ids=lambda value: str(value)[:40]
)
def test_the_chart_is_the_golden_one(name, variant, table):
    golden = goldens.FOLDER / goldens.file(name, variant)

    assert goldens.text(name, variant, table) == golden.read_text("utf-8"), (
        "if this is meant: python -m tests.figures.goldens, and read the difference"
    )


def test_no_golden_is_left_over():
    expected = {goldens.file(name, variant) for name, variant, _ in goldens.charts()}

    assert {path.name for path in goldens.FOLDER.iterdir()} == expected
