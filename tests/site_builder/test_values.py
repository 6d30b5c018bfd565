"""Numbers in the prose: the right row, the right format, and an interval only where it belongs."""

import pyarrow as pa
import pytest

from site_builder.core.errors import BuildError
from site_builder.post.directive import Directive
from site_builder.post.values import Value, read

TABLE = pa.table(
    {
        "template": ["short", "long", "long"],
        "temperature": [0.8, 0.8, 1.3],
        "held_out": [True, False, False],
        "lists": [230, 230, 115],
        "estimate": [-0.6134, 0.25, None],
        "low": [-0.76, 0.2, None],
        "high": [-0.45, 0.3, None],
        "n": [159, 63, 0],
        "share": [-0.5, 0.9, 0.1],
        "change": [1.5, 2.0, 0.0],
        "change_low": [1.0, 1.5, None],
        "change_high": [2.0, 2.5, None],
    }
)


def value(**options: str) -> Value:
    return read(TABLE, Directive("value", "t", "", options, "f:1"))


@pytest.mark.parametrize(
    ("options", "text", "title"),
    [
        ({"template": "short"}, "−0.613", "95 % interval −0.76 to −0.45, n = 159"),
        ({"template": "short", "format": ".1f"}, "−0.6", "95 % interval −0.8 to −0.5, n = 159"),
        ({"held_out": "true", "show": "lists"}, "230", ""),
        ({"template": "long", "temperature": "0.8", "format": ".0%"}, "25%", "95 % interval 20% to 30%, n = 63"),
        ({"template": "short", "show": "interval"}, "−0.76 to −0.45", "95 % interval −0.76 to −0.45, n = 159"),
        ({"template": "long", "temperature": "1.3"}, "not measured", "n = 0"),
        ({"template": "short", "show": "template"}, "short", ""),
        ({"template": "short", "show": "share", "format": ".0f"}, "0", ""),
        ({"low": "null", "show": "lists"}, "115", ""),
        ({"template": "short", "show": "share"}, "−0.5", ""),  # not what the interval is about
        ({"template": "short", "show": "change"}, "1.5", "95 % interval 1 to 2, n = 159"),
        ({"template": "short", "show": "change-interval"}, "1 to 2", "95 % interval 1 to 2, n = 159"),
    ],
)  # fmt: skip
def test_a_value(options: dict[str, str], text: str, title: str) -> None:
    assert value(**options) == Value(text, title)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"template": "shrot"}, 'template is never "shrot": did you mean "short"?'),
        ({"template": "long"}, "2 rows match; choose by temperature, lists, estimate"),
        ({"templat": "long"}, 'has no column "templat"; did you mean "template"?'),
        ({"template": "short", "temperature": "1.3"}, "0 rows match; no row has all of these"),
        ({"template": "short", "show": "share-interval"}, 'has no column "share_low"'),
        ({"template": "short", "format": "%%"}, 'format "%%" does not fit'),
    ],
)
def test_what_is_not_one_value(options: dict[str, str], message: str) -> None:
    with pytest.raises(BuildError) as caught:
        value(**options)
    (problem,) = caught.value.problems
    assert message in str(problem)
