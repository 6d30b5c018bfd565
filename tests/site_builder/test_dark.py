"""The dark rules of style sheets, for readers whose scripts do not run."""

import re

from site_builder.site import dark
from tests.site_builder.conftest import REPO

SHEET = """
@charset "utf-8";
/* [data-md-color-scheme="slate"] { color: red } */
a { color: blue }
@media screen { [data-md-color-scheme="slate"] { --x: 1; --y: url(a;b) } b { color: red } }
.z, [data-md-color-scheme=slate] .z { display: none }
@media print { [data-md-color-scheme="slate"] { --x: 2 } }
@media (width < 10em) { @media screen { [data-md-color-scheme="slate"] i { color: green } } }
"""


def test_only_what_names_the_dark_scheme_is_taken_and_nothing_of_print() -> None:
    rules = [" ".join(rule.split()) for rule in dark.sheet([SHEET, "c { d: e }"]).split("\n")]
    default = "[data-md-color-scheme=default]"
    assert rules == [
        f"@media screen {{ {default} {{ --x: 1; --y: url(a;b) }} }}",
        f".z, {default} .z {{ display: none }}",
        f"@media (width < 10em) {{ @media screen {{ {default} i {{ color: green }} }} }}",
    ]


def test_every_dark_colour_of_the_page_is_there() -> None:
    sheets = [path.read_text("utf-8") for path in sorted((REPO / "assets").glob("*.css"))]
    taken = dark.sheet(sheets)
    assert "--md-default-bg-color: #15181c" in taken
    assert len(re.findall("slate", "".join(sheets))) > 5
    assert "slate" not in taken
