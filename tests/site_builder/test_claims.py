"""Claims: read from files a person can read, tested on tables by hand, told where they fail."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from site_builder.commands.main import main
from site_builder.core.errors import BuildError
from site_builder.core.project import Project
from site_builder.post.claims import Claim, load
from site_builder.post.verdicts.verdict import Verdict, verdict
from site_builder.render.claim_words import numbers
from site_builder.results.recipe import ResultId
from site_builder.results.store import Store
from site_builder.site.build import build, preview

from .conftest import put, write

TABLE = pa.table(
    {
        "word": ["short", "long", "short", "long"],
        "k": [1, 1, 2, 2],
        "estimate": [2.0, -1.0, 3.0, -0.25],
        "low": [1.5, -2.0, 2.5, -1.0],
        "high": [2.5, -0.5, 3.5, 0.5],
        "change": [0.5, 0.25, None, 0.125],
        "change_low": [0.25, 0.0, None, 0.0],
        "change_high": [0.75, 0.5, None, 0.25],
        "held_out": [True, False, True, False],
        "n": [8, 9, 10, 11],
    }
)


def claim(project: Project, **keys: object) -> object:
    body = {"says": "It is so.", "result": "numbers small", **keys}
    lines = [f"{key} = {_toml(value)}" for key, value in body.items()]
    write(project.content / "claims" / "01-numbers.toml", "[it]\n" + "\n".join(lines) + "\n")
    claims, problems = load(project)
    if problems:
        raise BuildError(problems)
    return claims["it"]


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k} = {_toml(v)}" for k, v in value.items()) + "}"
    return json.dumps(value)


SHORT, LONG = {"word": "short", "k": 1}, {"word": "long"}


@pytest.mark.parametrize(
    ("holds", "keys", "expected"),
    [
        ("low > 0", {"row": SHORT}, True),
        ("low > 2", {"row": SHORT}, False),
        ("low > other.high", {"row": SHORT, "other": LONG}, True),
        ("other.low > high", {"row": SHORT, "other": LONG}, False),
        ("1 < low < high <= 2.5", {"row": SHORT}, True),
        ("estimate - other.estimate >= 3", {"row": SHORT, "other": LONG}, True),
        ("estimate / 2 > 1 or n == 8", {"row": SHORT}, "cannot read the test"),
        ("abs(other.estimate) < 2 and n > 7", {"row": SHORT, "other": LONG}, True),
        ("low > 0", {"row": SHORT, "show": "change"}, True),
        ("low > 0", {"row": {"word": "short", "k": 2}, "show": "change"}, None),
        ("low > 0", {"row": {"word": "short"}, "every": ["k"]}, True),
        ("high < 0", {"row": {"word": "long"}, "every": ["k"]}, False),
        ("high < 0", {"row": {"word": "long", "k": [1]}}, True),
        ("low > other.high", {"row": {"word": "short"}, "other": LONG, "every": ["k"]}, True),
        (
            "low > other.high",
            {"row": {"word": "short"}, "other": {**LONG, "k": 2}, "every": ["k"]},
            True,
        ),
        ("low > other.low", {"row": {"word": "short"}, "other": {"k": 2}, "every": ["k"]}, False),
        (
            "low > other.high",
            {"row": {"word": "short", "k": [1, 2]}, "other": {**LONG, "k": 1}},
            True,
        ),
        ("low > 0", {"row": {"word": "short"}, "other": {"k": 3}, "every": ["k"]}, "0 rows match"),
        ("low > 0", {"row": {"held_out": True, "k": 2}}, True),
        ("low > 0", {"row": {"word": "short"}}, "2 rows match; choose by k"),
        ("low > 0", {"row": {"word": "shrt"}}, "0 rows match"),
        ("low > 0", {"row": {"wrd": "short"}}, 'no column "wrd"; did you mean "word"?'),
        ("lw > 0", {"row": SHORT}, 'no column "lw" to test; did you mean "low"?'),
        ("low > 'a'", {"row": SHORT}, "cannot read the test"),
        ("__import__('os') > 0", {"row": SHORT}, "cannot read the test"),
        ("low.__class__ > 0", {"row": SHORT}, "cannot read the test"),
        ("low >", {"row": SHORT}, "cannot read the test"),
    ],
)
def test_a_claim_compares_what_it_says_it_compares(shelves, holds, keys, expected):
    if isinstance(expected, str):
        with pytest.raises(BuildError, match=expected.replace("?", r"\?")):
            verdict(claim(shelves, holds=holds, **keys), TABLE)
    else:
        assert verdict(claim(shelves, holds=holds, **keys), TABLE).holds is expected


ON = 'content/claims/01-numbers.toml:1: claim "it" on numbers small: '


@pytest.mark.parametrize(
    ("holds", "keys", "said"),
    [
        ("low > 0", {"row": {"wrd": "short"}}, 'no column "wrd"; did you mean "word"?'),
        ("low > 0", {"row": SHORT, "every": ["kk"]}, 'no column "kk"; did you mean "k"?'),
        ("low > 0", {"row": SHORT, "show": "chang"}, 'no column "chang"; did you mean "change"?'),
        (
            "low > 0",
            {"row": SHORT, "other": {"wrd": "long"}},
            'no column "wrd"; did you mean "word"?',
        ),
        ("lw > hgh", {"row": SHORT}, 'no column "hgh" to test; did you mean "high"?'),
        (
            "low > other.lw",
            {"row": SHORT, "other": LONG},
            'no column "other.lw" to test; did you mean "other.low"?',
        ),
        (
            "low > other.low",
            {"row": SHORT},
            'no column "other.low" to test; there is: change, change_high, change_low, estimate, '
            "held_out, high, k, low, n, word",
        ),
        (
            "low > 0",
            {"row": {"word": "short"}},
            "2 rows match; choose by k, estimate, low, high, change, change_low, change_high, n",
        ),
        (
            "low > 0",
            {"row": {"word": "short", "k": 3}},
            '0 rows match; k is never "3": there is: 1, 2',
        ),
        (
            "low > other.low",
            {"row": {"k": [1, 2]}, "every": ["word", "n"], "other": {"word": "long", "k": 1}},
            '"k" may be anything, but one value in the other row; '
            "let `other` name all of: k, n, word, or none",
        ),
        (
            "low > other.low",
            {"row": {"word": "short"}, "every": ["n"], "other": {"word": "long"}},
            "no row has its other row; let both have the same `every`",
        ),
        (
            "low / (estimate - estimate) > 0 and n > 1",
            {"row": SHORT},
            "its test divides by zero: estimate = 2, low = 1.5, n = 8; multiply instead",
        ),
        (
            "low > 0",
            {"row": SHORT, "inside": "cells"},
            'no lists of rows in "cells"; there is none yet',
        ),
    ],
)
def test_what_is_not_clear_about_a_row_is_told_whole(shelves, holds, keys, said):
    with pytest.raises(BuildError) as raised:
        verdict(claim(shelves, holds=holds, **keys), TABLE)
    assert str(raised.value) == ON + said


def test_a_verdict_by_hand(shelves):
    found = verdict(
        claim(shelves, holds="low > other.high", row=SHORT, other=LONG, format=".1f"), TABLE
    )
    mine = {
        "word": "short",
        "k": "1",
        "estimate": "2.0",
        "low": "1.5",
        "high": "2.5",
        "change": "0.5",
        "change_low": "0.2",
        "change_high": "0.8",
        "held_out": "True",
        "n": "8",
        "interval": "1.5 to 2.5",
    }
    theirs = {
        "word": "long",
        "k": "1",
        "estimate": "−1.0",
        "low": "−2.0",
        "high": "−0.5",
        "change": "0.2",
        "change_low": "0.0",
        "change_high": "0.5",
        "held_out": "False",
        "n": "9",
        "interval": "−2.0 to −0.5",
    }
    shown = mine | {f"other.{name}": text for name, text in theirs.items()}
    assert replace(found, bare=[], no_p="", test="", tested=[]) == Verdict(
        True, 2.0, 1.5, 2.5, n=8, rows=1, failing=0, shown=shown
    )


def test_a_column_shown_has_bounds_of_its_own(shelves):
    found = verdict(claim(shelves, holds="low > 0.2", row=SHORT, show="change"), TABLE)
    assert (found.holds, found.estimate, found.low, found.high) == (True, 0.5, 0.25, 0.75)
    assert found.shown["interval"] == "0.25 to 0.75"
    assert found.shown["estimate"] == "0.5"
    of_change = claim(shelves, holds="estimate < 1 and high < 1", row=SHORT, show="change")
    assert verdict(of_change, TABLE).holds is True
    found = verdict(claim(shelves, holds="n > 0", row=SHORT, show="n"), TABLE)
    assert (found.estimate, found.low, found.high, found.n) == (8.0, None, None, 8)
    assert "interval" not in found.shown


def test_what_was_not_measured_holds_neither_way(shelves):
    """One row that fails decides; else one that is missing leaves it open."""
    table = pa.table(
        {
            "k": [1, 2, 3],
            "estimate": [0.5, float("nan"), None],
            "m": [1.0, 2.0, 3.0],
            "flag": [True, True, True],
            "many": [[1], [2], [3]],
        }
    )
    every = {"every": ["k"]}

    def judged(holds: str, **keys: object) -> Verdict:
        return verdict(claim(shelves, holds=holds, **keys), table)

    assert judged("estimate > 0", **every).holds is None
    assert judged("estimate > 1", **every).holds is False
    assert judged("estimate > 1", **every).failing == 1
    assert judged("estimate > 0", **every).estimate is None  # what is missing is shown first
    assert judged("m > 0", **every).holds is True
    assert judged("flag > 0", row={"k": 1}).holds is None
    one = judged("estimate > 1", row={"k": 2})
    assert (one.holds, one.estimate, one.n) == (None, None, None)
    assert one.shown == {"k": "2", "estimate": "not measured", "m": "2", "flag": "True"}


def test_a_number_of_rows_that_is_none_is_not_told(shelves):
    table = pa.table({"estimate": [1.0], "n": ["many"]})
    assert verdict(claim(shelves, holds="estimate > 0"), table).n is None


def test_a_row_is_compared_with_its_own_other_row(shelves):
    """k stays free: that of 1 is compared with that of 1; one without another is left out."""
    table = pa.table({"w": ["a", "a", "b"], "k": [1, 2, 1], "estimate": [1.0, 9.0, 0.0]})
    found = verdict(
        claim(
            shelves,
            holds="estimate > other.estimate",
            row={"w": "a"},
            other={"w": "b"},
            every=["k"],
        ),
        table,
    )
    assert (found.holds, found.rows, found.estimate) == (True, 1, 1.0)


def test_entries_keep_their_own_columns(shelves):
    """A column of both is that of the entry."""
    table = pa.table(
        {
            "name": ["a", "b"],
            "n": [5, 6],
            "cells": [[{"k": 1, "estimate": 2.0, "n": 50}], [{"k": 1, "estimate": 3.0, "n": 60}]],
        }
    )
    found = verdict(
        claim(shelves, holds="estimate > 2", inside="cells", row={"name": "b", "k": 1}), table
    )
    assert (found.holds, found.estimate, found.n) == (True, 3.0, 60)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (
            {"show": "k", "holds": "low > 0"},
            '"k" has no interval: "low" is that of "estimate"; '
            'show "estimate", or test "k" without a bound',
        ),
        (
            {"show": "k", "holds": "k < other.high", "other": LONG},
            '"k" has no interval: "other.high" is that of "estimate"; '
            'show "estimate", or test "k" without a bound',
        ),
        (
            {"holds": "change_low > 0"},
            'the interval of "change" is tested, and "estimate" is shown; write show = "change"',
        ),
        (
            {"holds": "other.change_high < 1", "show": "n", "other": LONG},
            'the interval of "change" is tested, and "n" is shown; write show = "change"',
        ),
    ],
)
def test_bounds_of_another_column_say_nothing_of_the_one_that_is_shown(shelves, keys, said):
    with pytest.raises(BuildError) as raised:
        verdict(claim(shelves, row=SHORT, **keys), TABLE)
    assert str(raised.value) == ON + said


def test_bounds_of_two_columns_may_be_compared_if_one_is_shown(shelves):
    both = claim(shelves, row=SHORT, show="change", holds="low > 0 and change_low < estimate_")
    table = TABLE.append_column("estimate_", pa.array([1.0] * 4))
    found = verdict(both, table)
    assert (found.holds, found.estimate) == (True, 0.5)


def test_numbers_without_an_interval_are_named_but_for_n_and_what_picks_the_row(shelves):
    found = verdict(claim(shelves, row={"word": "short"}, every=["k"], holds="low > 0"), TABLE)
    assert found.bare == []
    sized = TABLE.append_column("size", pa.array([1, 2, 3, 4]))
    found = verdict(claim(shelves, row=SHORT, other=LONG, holds="low > 0"), sized)
    assert found.bare == ["size", "other.size"]
    found = verdict(claim(shelves, row=SHORT, show="size", holds="size > 0"), sized)
    assert found.bare == ["estimate", "size"]
    empty = claim(shelves, row={"word": "short", "k": 2}, show="change", holds="low > 0")
    measured = TABLE.set_column(5, "change", pa.array([1.0] * 4))
    assert verdict(empty, measured).bare == ["estimate", "change"]


@pytest.mark.parametrize(
    ("test", "shown"),
    [
        ({"holds": "low > -9"}, -1.0),  # asks for much: the smallest
        ({"holds": "estimate > -9"}, -1.0),
        ({"holds": "high < 9"}, -0.25),  # asks for little: the largest
        ({"holds": "-9 < low"}, -0.25),  # of another shape: nearest to zero
        ({"holds": "low > -9 and high < 9"}, -0.25),
        ({"holds": "n > 0"}, -0.25),
        ({"within": 9.0}, -1.0),  # farthest off
        ({"within": 9.0, "around": -2.0}, -0.25),
    ],
)
def test_a_claim_of_every_row_shows_the_one_that_speaks_most_against_it(shelves, test, shown):
    every = claim(shelves, **test, row={"word": "long"}, every=["k"])

    assert verdict(every, TABLE).estimate == shown


def test_a_claim_of_every_row_counts_those_that_fail(shelves):
    every = claim(shelves, holds="high < 0", row={"word": "long"}, every=["k"], format=".2f")
    found = verdict(every, TABLE)

    assert (found.estimate, found.low, found.high, found.n) == (-0.25, -1.0, 0.5, 11)
    assert (found.rows, found.failing) == (2, 1)
    assert found.shown["estimate"] == "−0.25"
    assert found.shown["interval"] == "−1.00 to 0.50"


def test_another_row_names_all_that_may_be_anything_or_none_of_it(shelves):
    keys = {"row": {"k": [1, 2]}, "every": ["word"], "holds": "estimate <= other.estimate"}

    assert verdict(claim(shelves, **keys, other={"word": "short", "k": 2}), TABLE).rows == 4
    with pytest.raises(BuildError, match='"k" may be anything, but one value in the other row'):
        verdict(claim(shelves, **keys, other={"k": 1}), TABLE)


def test_a_claim_looks_inside_a_list(shelves):
    """Entries stand beside the row that holds them, and a row without any has none."""
    entries = [{"role": "end", "clean": 3.0, "clean_low": 2.5, "clean_high": 3.5}]
    cards = pa.table(
        {
            "name": ["a", "b", "c"],
            "n": [8, 9, 10],
            "by_role": [[{**entries[0], "role": "break", "clean_low": 0.5}, *entries], entries, []],
            "other": [[1], [], [2, 3]],
        }
    )
    row = {"name": "a", "role": "end"}
    inside = {"inside": "by_role", "show": "clean", "row": row}
    found = verdict(claim(shelves, holds="low > 2", **inside), cards)

    assert (found.holds, found.low, found.high, found.n) == (True, 2.5, 3.5, 8)
    weaker = inside | {"row": {"name": "a"}, "every": ["role"]}
    assert verdict(claim(shelves, holds="low > 2", **weaker), cards).failing == 1
    with pytest.raises(BuildError, match='no lists of rows in "by_rol"; did you mean "by_role"'):
        verdict(claim(shelves, holds="low > 2", **inside | {"inside": "by_rol"}), cards)
    for name in ("n", "other"):
        with pytest.raises(BuildError, match=f'no lists of rows in "{name}"'):
            verdict(claim(shelves, holds="low > 2", **inside | {"inside": name}), cards)


NO_TEST = '[a]\nsays = "x"\nresult = "n"\n'
WHOLE = '[a]\nsays = "x"\nresult = "n"\nholds = "low > 0"\n'
KEYS = "around, every, everywhere, first, format, holds, inside, "


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ('a = "b"', 1, '"a" is not a claim; write [an-id] and its keys below'),
        ('[A-b]\nsays = "x"', 3, '"A-b" is not a claim; write [an-id] and its keys below'),
        (
            '[a]\nsays = "x"\nresult = "numbers small"',
            3,
            'claim "a" has no `holds`; add holds = …',
        ),
        (
            '[a]\nsays = 1\nresult = "n"\nholds = "low > 0"',
            3,
            "`says` is not a text; see site_builder/post/claims.py",
        ),
        (WHOLE + "row = 1", 3, "`row` is not a table; see site_builder/post/claims.py"),
        (WHOLE + "other = [1]", 3, "`other` is not a table; see site_builder/post/claims.py"),
        (WHOLE + 'every = "k"', 3, "`every` is not a list; see site_builder/post/claims.py"),
        (WHOLE + "rwo = {}", 3, 'unknown key "rwo"; did you mean "row"?'),
        (WHOLE + 'colour = "tiny"', 3, f'unknown key "colour"; there is: {KEYS}'),
        (WHOLE + 'format = "zz"', 3, 'format "zz" does not fit; write ".1f" or ".0%"'),
        (WHOLE + 'format = "d"', 3, 'format "d" does not fit; write ".1f" or ".0%"'),
        (
            WHOLE + 'format = "999999999"',
            3,
            'format "999999999" does not fit; write ".1f" or ".0%"',
        ),
        (
            WHOLE + "row = {x = []}",
            3,
            "`row`: x is no value; write a text, a number, or a list of some",
        ),
        (
            WHOLE + "other = {x = [[1]]}",
            3,
            "`other`: x is no value; write a text, a number, or a list of some",
        ),
        (
            WHOLE + "other = {x = {y = 1}}",
            3,
            "`other`: x is no value; write a text, a number, or a list of some",
        ),
        (
            WHOLE + 'reported = "x"',
            3,
            '`reported`, and not for what; add reported_for = "…", or at the file\'s head',
        ),
        (
            "reported_for = 1\n" + WHOLE,
            1,
            '"reported_for" is not a claim; write [an-id] and its keys below',
        ),
        (WHOLE + "within = 1", 3, "`holds` and `within`; keep one test, and make the other"),
        (NO_TEST + "within = 0", 3, "`within` is 0; write a margin above 0"),
        (NO_TEST + "within = nan", 3, "`within` is not a number; see site_builder/post/claims.py"),
        (NO_TEST + "within = true", 3, "`within` is not a number; see site_builder/post/claims.py"),
        (NO_TEST + "within = 1e300", 3, "`within` is not a number; see"),
        (NO_TEST, 3, 'claim "a" has no `holds`; add holds = …'),
        (WHOLE + "around = 1", 3, "`around`, and no `within`; add within = …"),
        (WHOLE + "paired = []", 3, '`paired` names no column; write such as paired = ["author"'),
        (WHOLE + 'paired = ["k"]', 3, "`paired`, and no other row; add other = {…}, or write"),
        (WHOLE + "over = [1]", 3, "`over` is not a list of columns; write such as"),
        (
            WHOLE + 'over = ["k"]\nother = {k = 1}',
            3,
            "`over`, and another row; write `paired` for differences, or leave `other` out",
        ),
        (
            WHOLE + 'over = ["k"]\npaired = ["k"]\nother = {k = 1}',
            3,
            "`paired` and `over`; keep `paired` for differences, `over` for a mean",
        ),
        (
            WHOLE + 'over = ["k"]\nevery = ["k"]',
            3,
            '`over` and `every` both name "k"; keep it in one of them',
        ),
        (WHOLE + 'no_interval = " "', 3, "`no_interval` has 0 characters; say why in 1 to 120"),
        (WHOLE + f'no_interval = "{"x" * 121}"', 3, "`no_interval` has 121 characters; say why"),
        (WHOLE + 'written = "now"', 3, '`written` is "now"; write "before" its data, or "after"'),
        ('written = "soon"\n' + WHOLE, 4, '`written` is "soon"; write "before" its data, or'),
        (WHOLE + "every = [1]", 3, '`every` is not a list of columns; write such as ["k"]'),
        (
            WHOLE.replace("low > 0", "low"),
            3,
            'cannot read the test "low"; compare columns and numbers, such as "low > 0"',
        ),
        ("# first\n" + WHOLE + "[ b ]", 8, 'claim "b" has no `says`; add says = …'),
        ('x = 1\n["c"]', 4, 'claim "c" has no `says`; add says = …'),
    ],
)
def test_a_file_that_is_no_list_of_claims_is_told_by_line(shelves, text, line, said):
    write(shelves.content / "claims" / "x.toml", "# of numbers\n#\n" + text)
    problems = [str(problem) for problem in load(shelves)[1]]

    told = f"content/claims/x.toml:{line}: {said}"
    assert any(problem.startswith(told) for problem in problems), problems


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (b"# one\n[a", 2),
        (b"a = 1\nb = 2\na = 3\n\n", 3),
        (b"a = 1\nb = [\n\n", 3),
        (b"#\n#\xff\n", 2),
    ],
    ids=["cut", "twice", "open", "bytes"],
)
def test_what_is_no_toml_is_told_by_its_line_and_the_rest_is_read(shelves, text, line):
    write(shelves.content / "claims" / "2.toml", WHOLE)
    (shelves.content / "claims" / "1.toml").write_bytes(text)
    claims, (problem,) = load(shelves)

    assert problem.where == f"content/claims/1.toml:{line}"
    assert problem.what.startswith("not TOML: ")
    assert problem.cure == "mend it"
    assert list(claims) == ["a"]


def test_a_claim_keeps_what_its_file_says(shelves):
    """Values become texts, as a directive would write them; a file's order is kept."""
    write(
        shelves.content / "claims" / "02.toml",
        """
        [later]
        says = "It is."
        result = "base"
        holds = "estimate > 0"
        row = {t = 0.8, b = [true, false], n = 3, w = "A"}
        other = {t = 1}
        every = ["k"]
        inside = "cells"
        show = "clean"
        format = ".1f"
        unit = "nats"
        reported = "once"
        reported_for = "another model"
        paired = ["who", "what"]
        no_interval = "a count"
        written = "before"

        [last]
        says = "It is not."
        result = "base"
        within = 1
        around = 2
        over = ["who"]
        """,
    )
    write(shelves.content / "claims" / "01.toml", WHOLE.replace('"n"', '"numbers small"'))
    claims, problems = load(shelves)
    assert problems == []
    assert list(claims.values()) == [
        Claim("a", "content/claims/01.toml:1", "x", "numbers", "small", "low > 0"),
        Claim(
            "later",
            "content/claims/02.toml:1",
            "It is.",
            "base",
            "",
            "estimate > 0",
            row={"t": ["0.8"], "b": ["true", "false"], "n": ["3"], "w": ["A"]},
            other={"t": ["1"]},
            every=["k"],
            inside="cells",
            show="clean",
            format=".1f",
            unit="nats",
            reported="once",
            reported_for="another model",
            paired=["who", "what"],
            no_interval="a count",
            written="before",
        ),
        Claim(
            "last",
            "content/claims/02.toml:18",
            "It is not.",
            "base",
            "",
            over=["who"],
            within=1.0,
            around=2.0,
        ),
    ]
    assert [claim.result for claim in claims.values()] == ["numbers small", "base", "base"]
    assert [claim.is_of_sample for claim in claims.values()] == [False, True, False]
    assert [claim.test for claim in claims.values()] == [
        "low > 0",
        "estimate > 0",
        "within ±1 of 2",
    ]


def test_the_head_of_a_file_says_when_its_claims_were_written(shelves):
    own = '[b]\nwritten = "after"\n' + WHOLE.partition("\n")[2]
    write(shelves.content / "claims" / "x.toml", 'written = "before"\n' + WHOLE + own)
    claims, problems = load(shelves)
    assert problems == []
    assert [one.written for one in claims.values()] == ["before", "after"]


def test_a_claim_stands_once(shelves):
    for name in ("01", "02"):
        write(shelves.content / "claims" / f"{name}.toml", "# Claims\n" + WHOLE)
    claims, problems = load(shelves)
    assert list(claims) == ["a"]
    assert [str(problem) for problem in problems] == [
        'content/claims/02.toml:2: claim "a" stands twice; see content/claims/01.toml:2'
    ]


@pytest.mark.parametrize(
    "holds", ["1", "estimate", "1 < 2", "low > 0 or high", "low >", "abs(1 < low)"]
)
def test_what_cannot_fail_is_no_test(shelves, holds):
    write(shelves.content / "claims" / "x.toml", WHOLE.replace("low > 0", holds))
    (problem,) = load(shelves)[1]

    assert f'cannot read the test "{holds}"; compare columns and numbers' in str(problem)


def test_a_test_may_divide_but_not_by_zero(shelves):
    def thin_table(low, estimate, high):
        return pa.table({"x": [1], "estimate": [estimate], "low": [low], "high": [high]})

    thin = claim(shelves, holds="estimate / (high - low) > 2", row={"x": 1})

    assert verdict(thin, thin_table(0.9, 1.0, 1.1)).holds
    with pytest.raises(BuildError, match="divides by zero: estimate = 1, high = 1, low = 1; mul"):
        verdict(thin, thin_table(1.0, 1.0, 1.0))


@given(st.text(max_size=60))
def test_no_test_runs_anything_else(expression):
    import ast

    from site_builder.post.expression import names, reckon

    try:
        tree = ast.parse(expression, mode="eval").body
        assert isinstance(reckon(tree, dict.fromkeys(names(tree), 1.0)), bool | int | float)
    except (SyntaxError, ValueError, LookupError, ZeroDivisionError, OverflowError):
        pass


@pytest.fixture
def claiming(project: Project) -> Project:
    """A post with a claim that holds, in two places."""
    write(
        project.content / "claims" / "01-numbers.toml",
        """
        reported_for = "a larger orchard"

        [second-above-two]
        says = "The second number is at least two."
        result = "numbers small"
        row = {x = 2}
        holds = "low >= 2"
        format = ".1f"
        unit = "apples"
        reported = "about three"
        """,
    )
    section = project.content / "sections" / "01-numbers.md"
    text = "\nIt is << claim: second-above-two show=estimate >>. << claim: second-above-two >>\n"
    section.write_text(section.read_text("utf-8") + text, "utf-8")
    write(
        project.content / "claims.md",
        "# Claims\n\n<< page: claims count >>\n\n<< page: claims >>\n",
    )
    return project


def silent(_line: str) -> None:
    pass


def index(project: Project) -> str:
    return (project.site / "index.html").read_text("utf-8")


def spoil(project: Project) -> None:
    """The same measurement with another outcome."""
    table = Store(project).load(ResultId("toy", "numbers", "small")).table
    low = pa.array([1.0, 1.0, -4.0])
    put(Store(project), ResultId("toy", "numbers", "small"), table.set_column(2, "low", low))


@pytest.mark.builds
def test_the_search_reads_numbers_and_no_signs(claiming: Project) -> None:
    build(claiming, say=silent)
    index_ = (claiming.site / "search" / "search_index.json").read_text("utf-8")
    (text,) = (e["text"] for e in json.loads(index_)["docs"] if "It is 2.5." in e["text"])
    assert "✓" not in text
    assert "second above two" not in text
    assert "said-" not in text
    assert "post-value" not in text


@pytest.mark.builds
def test_the_feed_has_numbers_and_no_signs(claiming: Project) -> None:
    build(claiming, say=silent)
    feed = (claiming.site / "feed.xml").read_text("utf-8")

    assert "It is" in feed
    assert "✓" not in feed
    assert "second above two" not in feed


@pytest.mark.builds
def test_a_claim_is_marked_in_the_prose_and_told_on_its_page(claiming):
    built = build(claiming, say=silent)
    page = (claiming.site / "claims" / "index.html").read_text("utf-8")

    assert built.notes == []
    assert 'href="claims/#second-above-two"' in index(claiming)
    assert 'aria-label="1 claim: holds">✓</button>' in index(claiming)
    assert 'id="said-second-above-two"' in index(claiming)
    assert ">2.5</span>" in index(claiming)
    for text in (
        "The second number is at least two.",
        "2.5 apples (2.0 to 3.0), n\u00a0=\u00a011",
        'Said in <a href="../#said-second-above-two">',
        "about three",
        'href="../#sec-numbers"',
        'href="../#numbers-small"',
    ):
        assert text in page
    (row,) = json.loads((claiming.site / "claims.json").read_bytes())
    shown, touching = row.pop("shown"), pytest.approx(0.05)
    assert (shown["estimate"], shown["interval"]) == ("2.5", "2.0 to 3.0")
    assert row == {"id": "second-above-two", "says": "The second number is at least two.",
                   "study": "toy", "result": "numbers small", "row": {"x": ["2"]}, "other": {},
                   "every": [], "test": "low >= 2", "holds": True, "in_sample": False, "rows": 1,
                   "failing": 0, "unit": "apples", "estimate": 2.5, "low": 2.0, "high": 3.0, "n": 11,
                   "reported": "about three", "reported_for": "a larger orchard", "paired": [], "over": [],
                   "written": "after", "predicted": None, "size": None, "groups": None, "no_interval": None, "margin": None,
                   "margin_by": None, "p": touching, "no_p": None, "holm": touching,
                   "benjamini_hochberg": touching, "repeats": None, "is_certain": False,
                   "everywhere": False, "models": []}  # fmt: skip


def test_the_head_of_a_file_says_for_what_its_claims_were_reported(shelves):
    own = '[b]\nreported_for = "a third"\n' + WHOLE.partition("\n")[2] + 'reported = "x"\n'
    text = 'reported_for = "another model"\n' + WHOLE + 'reported = "x"\n' + own
    write(shelves.content / "claims" / "x.toml", text)
    claims, problems = load(shelves)

    assert problems == []
    assert [one.reported_for for one in claims.values()] == ["another model", "a third"]


@pytest.mark.builds
def test_what_was_reported_stands_beside_the_claims_with_its_source(claiming):
    write(claiming.content / "reported.md", "# Reported\n\n<< page: claims reported >>\n")
    build(claiming, say=silent)
    page = claiming.site / "reported" / "index.html"
    assert "reported for a larger orchard</th>" in page.read_text("utf-8")
    path = claiming.content / "claims" / "01-numbers.toml"
    other = '[b]\nreported_for = "a lawn"\nreported = "none"\n'
    body = 'says = "It is."\nresult = "numbers small"\nrow = {x = 1}\nholds = "low > 0"\n'
    path.write_text(f"{path.read_text('utf-8')}\n{other}{body}", "utf-8")
    section = claiming.content / "sections" / "01-numbers.md"
    section.write_text(f"{section.read_text('utf-8')}\nSo. << claim: b >>\n", "utf-8")
    build(claiming, say=silent)
    text = page.read_text("utf-8")
    assert "reported</th>" in text
    assert "a larger orchard: about three</td>" in text
    assert "a lawn: none</td>" in text


@pytest.mark.builds
def test_a_claim_of_what_was_not_measured_is_marked_so(claiming):
    id = ResultId("toy", "numbers", "small")
    table = Store(claiming).load(id).table
    nothing = pa.array([1.0, None, -4.0])
    put(Store(claiming), id, table.set_column(2, "low", nothing))
    build(claiming, say=silent)

    assert ">? not measured</b></button>" in index(claiming)


@pytest.mark.builds
def test_a_claim_that_compares_no_interval_is_marked_apart(claiming):
    path = claiming.content / "claims" / "01-numbers.toml"
    path.write_text(path.read_text("utf-8").replace("low >= 2", "estimate >= 2"), "utf-8")
    build(claiming, say=silent)
    page = (claiming.site / "claims" / "index.html").read_text("utf-8")

    assert ">(✓)</b></button>" in index(claiming)
    assert 'aria-label="1 claim: holds in the sample"' in index(claiming)
    assert "1 of those that hold compare numbers of the sample alone" in page


def test_the_other_row_has_its_own_n(shelves):
    both = claim(shelves, holds="low > other.high", row=SHORT, other=LONG)

    assert (
        numbers(both, verdict(both, TABLE)) == "2 (1.5 to 2.5) against −1 (−2 to −0.5), n = 8 and 9"
    )


@pytest.mark.builds
def test_a_preview_tells_a_claim_that_cannot_be_tested_where_it_stands(claiming, tmp_path):
    path = claiming.content / "claims" / "01-numbers.toml"
    path.write_text(path.read_text("utf-8").replace("x = 2", "x = 9"), "utf-8")
    seen = preview(claiming, tmp_path / "preview")

    said = 'x is never "9": there is: 1, 2, 3'
    assert any(said in note for note in seen.notes)
    assert said.replace('"', "&#34;") in (tmp_path / "preview" / "index.html").read_text("utf-8")


def with_groups(project: Project) -> None:
    """The same measurement, which says how many groups it rests on."""
    id = ResultId("toy", "numbers", "small")
    table = Store(project).load(id).table
    put(Store(project), id, table.append_column("groups", pa.array([9, 9, 9])))


MORE = """
[first-below-seven]
says = "The first number is below seven."
result = "numbers small"
row = {x = 1}
holds = "high < 7"
written = "before"

[first-below-seven-again]
says = "And again."
result = "numbers small"
row = {x = 1}
holds = "7 > high"

[first-near-zero]
says = "The first number is near zero."
result = "numbers small"
row = {x = 1}
within = 0.25

[many]
says = "There are many."
result = "numbers small"
row = {x = 1}
show = "n"
holds = "n >= 0"
no_interval = "a count"
"""


@pytest.mark.builds
def test_what_a_reviewer_asks_stands_beside_each_claim(claiming, monkeypatch):
    """Numbers that survive, that repeat, that cannot fail, that have no interval, that came first."""
    with_groups(claiming)
    path = claiming.content / "claims" / "01-numbers.toml"
    path.write_text(path.read_text("utf-8") + MORE, "utf-8")
    section = claiming.content / "sections" / "01-numbers.md"
    names = ("first-below-seven", "first-below-seven-again", "first-near-zero", "many")
    marks = " ".join(f"So. << claim: {name} >>" for name in names)
    section.write_text(f"{section.read_text('utf-8')}\n{marks}\n", "utf-8")
    build(claiming, say=silent)
    monkeypatch.chdir(claiming.root)
    told = CliRunner().invoke(main, ["claims"]).output
    page = (claiming.site / "claims" / "index.html").read_text("utf-8")

    assert "    survives: Holm and Benjamini–Hochberg among 4 of its file, p < 0.0001" in told
    assert "    twice: all that it tests is tested by first-below-seven\n" in told
    assert "    by construction: it holds whatever the data are" in told
    assert "    no interval: a count" in told
    assert "    written: before its data" in told
    assert "[does not hold] first-near-zero" in told
    assert "smallest margin that holds, by the 90 % interval: ±" in told
    assert told.endswith("1 written before their data, 4 after\n")
    assert '<a href="#first-below-seven">first-below-seven</a></li>' in page
    assert "Written before their data: <b>1</b>; after looking at them: 4." in page
    assert re.search(r"Of the 4 whose test gives a p value, \d survive Holm and \d survive", page)
    for word, text in (
        ("survives", "Holm and Benjamini–Hochberg among 4 of its file"),
        ("by construction", "it holds whatever the data are"),
        ("no interval", "a count"),
        ("written", "before its data"),
    ):
        assert re.search(rf'">{word}</b> {text}', page)
    assert "<code>within ±0.25</code>" in page
    rows = {row["id"]: row for row in json.loads((claiming.site / "claims.json").read_bytes())}
    assert rows["first-below-seven-again"]["repeats"] == "first-below-seven"
    assert rows["many"]["is_certain"] is True
    assert rows["first-near-zero"]["margin"] > 0.25


@pytest.mark.builds
@pytest.mark.parametrize(
    ("test", "line", "said"),
    [
        (
            'show = "x"\nholds = "x > 1"',
            "<< claim: second >>",
            'claims/01-numbers.toml:3: claim "second" shows "estimate", which has no interval; '
            'say why, such as no_interval = "a count"',
        ),
        (
            'holds = "low >= 2"',
            "<< claim: second show=size >>",
            'claims/01-numbers.toml:3: claim "second" shows "size", which has no interval',
        ),
        (
            'show = "size"\nholds = "size > 1"\nno_interval = "a size"',
            "<< claim: second show=low >>",
            '01-numbers.md:11: "size", which claim "second" shows, has no "low"; show a column',
        ),
    ],
)
def test_a_number_without_an_interval_needs_a_reason(claiming, test, line, said):
    id = ResultId("toy", "numbers", "small")
    table = Store(claiming).load(id).table
    put(Store(claiming), id, table.append_column("size", pa.array([7, 8, 9])))
    path = claiming.content / "claims" / "01-numbers.toml"
    head = 'says = "It is."\nresult = "numbers small"\nrow = {n = 11}\n'
    path.write_text(f"#\n#\n[second]\n{head}{test}\n", "utf-8")
    section = claiming.content / "sections" / "01-numbers.md"
    text = re.sub(
        "<< claim: second-above-two.*?>>", "<< claim: second >>", section.read_text("utf-8")
    )
    section.write_text(text.replace(" << claim: second >>. ", " so. ") + f"\n{line}\n", "utf-8")
    with pytest.raises(BuildError) as raised:
        build(claiming, say=silent)

    assert said in str(raised.value)


@pytest.mark.builds
def test_a_claim_that_stops_holding_is_seen_at_once(claiming, monkeypatch):
    build(claiming, say=silent)
    spoil(claiming)
    (note,) = build(claiming, run="never", say=silent).notes

    assert note.startswith(
        'content/sections/01-numbers.md:9: claim "second-above-two" does not hold'
    )
    assert "✗ does not hold</b></button>" in index(claiming)
    assert "Not everything below holds on A toy" in index(claiming)
    with pytest.raises(BuildError, match="does not hold"):
        build(claiming, strict=True, say=silent)
    assert "✗ does not hold</b></button>" in index(claiming)
    monkeypatch.chdir(claiming.root)
    told = CliRunner().invoke(main, ["claims"])
    assert "[does not hold] second-above-two" in told.output
    assert told.exit_code == 0
    page = (claiming.site / "claims" / "index.html").read_text("utf-8")
    assert re.search(r'id="second-above-two".*?does not hold', page, re.DOTALL)
    assert CliRunner().invoke(main, ["claims", "--strict"]).exit_code == 1
    (row,) = json.loads(CliRunner().invoke(main, ["claims", "--json"]).stdout)
    assert row["holds"] is False


@pytest.mark.builds
def test_a_claim_that_only_prints_numbers_is_told_once_a_section_when_it_fails(claiming):
    section = claiming.content / "sections" / "01-numbers.md"
    text = section.read_text("utf-8").replace(" << claim: second-above-two >>", "")
    more = "\nFrom << claim: second-above-two show=low >> up.\n"
    section.write_text(text + more, "utf-8")
    spoil(claiming)
    (note,) = build(claiming, run="never", say=silent).notes

    assert note.startswith(
        'content/sections/01-numbers.md:9: claim "second-above-two" does not hold'
    )
    assert index(claiming).count("✗ does not hold</b></button>") == 2


def test_claims_are_listed_with_their_numbers_and_what_was_reported(claiming, monkeypatch):
    monkeypatch.chdir(claiming.root)
    told = CliRunner().invoke(main, ["claims"]).output.splitlines()

    assert told == [
        "[holds] second-above-two: The second number is at least two.",
        "    2.5 apples (2.0 to 3.0), n = 11; tested: low >= 2",
        "    survives: neither Holm nor Benjamini–Hochberg among 1 of its file, p ≤ 0.05",
        "    reported for a larger orchard: about three",
        "1 holds, 0 does not hold, 0 not measured",
        "1 have a p value: 0 survive Holm, 0 survive Benjamini–Hochberg, each in the family of its file",
        "0 written before their data, 1 after",
    ]


@pytest.mark.builds
@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "<< claim: second-above >>",
            'unknown claim "second-above"; did you mean "second-above-two"?',
        ),
        ("<< claim: second-above-two show=lw >>", 'has no "lw" to show; did you mean "low"?'),
        (
            "<< claim: second-above-two size=3 >>",
            'unknown option "size" of claim "second-above-two"',
        ),
    ],
)
def test_a_wrong_mark_is_told_by_line(claiming, line, said):
    section = claiming.content / "sections" / "01-numbers.md"
    section.write_text(section.read_text("utf-8") + f"\n{line}\n", "utf-8")
    with pytest.raises(BuildError) as raised:
        build(claiming, say=silent)

    assert said in str(raised.value)
    assert "01-numbers.md:11:" in str(raised.value)


@pytest.mark.builds
def test_a_claim_nobody_makes_is_a_note(claiming):
    section = claiming.content / "sections" / "01-numbers.md"
    text = section.read_text("utf-8").replace("<< claim: second-above-two >>", "")
    section.write_text(text.replace("<< claim: second-above-two show=estimate >>", ""), "utf-8")

    assert any("no sentence makes the claim" in note for note in build(claiming, say=silent).notes)


def test_the_claims_of_this_repository_are_whole():
    """Each claim of the post is tested, and what the page says of it is no stub."""
    project = Project(Path(__file__).resolve().parents[2])
    claims, problems = load(project)

    assert problems == []
    assert all(
        claim.says.endswith(".") and len(claim.says.split()) > 4 for claim in claims.values()
    )
