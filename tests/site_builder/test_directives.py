"""The grammar: read from Markdown that a person can read, and safe from any other."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from site_builder.directives import Directive, scan

CASES = Path(__file__).parent / "directives.md"


def cases() -> list[tuple[str, str, str]]:
    """The fixture's cases: a title, Markdown, and what it should be read as."""
    found = []
    for block in CASES.read_text("utf-8").split("\n=====\n")[1:]:
        head, _, expected = block.partition("\n-----\n")
        title, _, source = head.strip("\n").partition("\n.\n")
        found.append((title, source, expected.strip("\n")))
    return found


def told(directive: Directive) -> str:
    options = "".join(f" {k}={v!r}" for k, v in directive.options.items())
    return f"{directive.where.removeprefix('f:')} {directive}{options}"


@pytest.mark.parametrize(
    ("title", "source", "expected"), cases(), ids=[case[0] for case in cases()]
)
def test_reads_as_expected(title: str, source: str, expected: str) -> None:
    directives, problems = scan(source, "f")
    lines = [told(d) for d in directives] + [f"! {p}" for p in problems]
    assert "\n".join(lines) == expected, title


WORDS = st.sampled_from(
    ["<<", ">>", "figure", ":", "value", "table", "entropy", "short", "a=b", '"', "`", "```", "\n",
     "\n\n", " ", "    ", "> ", "- ", "# ", "<!--", "-->", "<div>", "</div>", "<pre>", "\\", "\r",
     "\0", "\t", "[a]: ", "![", "](", ")", "é", "𝄞", "===", "|"]
)  # fmt: skip


@given(st.one_of(st.text(max_size=200), st.lists(WORDS, max_size=40).map("".join)))
@example("<<value:\n>>")
@example("> <<figure: a>>\n<<")
@example("![<< figure: a >>](b)")
def test_no_input_crashes_and_every_place_is_true(text: str) -> None:
    directives, problems = scan(text, "f.md")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd").split("\n")
    for directive in directives:
        assert directive.where == f"f.md:{directive.line + 1}"
        source = lines[directive.line][directive.start : directive.end]
        assert source.startswith("<<")
        assert source.endswith(">>")
        assert directive.name in source
    for problem in problems:
        assert "\n" not in str(problem)


@given(
    st.lists(
        st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="`~\r\n\0")),
        max_size=6,
    ),
    st.sampled_from(["```", "~~~", "````"]),
)
def test_fenced_code_is_left_alone(lines: list[str], fence: str) -> None:
    body = "\n".join([*lines, "<< figure: entropy short-clean >>"])
    assert scan(f"{fence}\n{body}\n{fence}\n", "f.md") == ([], [])


@given(st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="`\r\n\0\\")))
def test_inline_code_is_left_alone(text: str) -> None:
    line = f"x ``{text}<< value: entropy compare show=n >> `` y"
    assert scan(line, "f.md") == ([], [])


NAMES = st.from_regex(r"\A[a-z0-9][a-z0-9_-]{0,8}\Z")
VALUES = st.text(st.characters(blacklist_categories=["Cs", "Cc", "Zl", "Zp"],
                               blacklist_characters='"'), max_size=12)  # fmt: skip


@given(
    st.sampled_from(["figure", "table", "tokens"]),
    NAMES,
    st.one_of(st.just(""), NAMES),
    st.dictionaries(st.from_regex(r"\A[a-z_][a-z0-9_]{0,5}\Z"), VALUES, max_size=3),
)
def test_what_is_written_is_read(
    kind: str, name: str, variant: str, options: dict[str, str]
) -> None:
    written = " ".join([f"{kind}: {name}", variant, *(f'{k}="{v}"' for k, v in options.items())])
    (directive,), problems = scan(f"before\n\n<< {written} >>\n", "f.md")
    assert problems == []
    assert (directive.kind, directive.name, directive.variant) == (kind, name, variant)
    assert directive.options == options
    assert directive.where == "f.md:3"
