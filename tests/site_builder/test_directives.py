"""The grammar: read from Markdown that a person can read, and safe from any other."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from site_builder.post.directive import Directive
from site_builder.post.directives import scan
from site_builder.post.kinds.table import KINDS

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


@pytest.mark.parametrize(
    ("text", "line", "start", "written"),
    [
        ("See << value: a b >>.", 0, 4, "<< value: a b >>"),
        ("é\n\n> - Of <<value: a>>", 2, 7, "<<value: a>>"),
        ("- a\n  b << value: a >>", 1, 4, "<< value: a >>"),
        ("<div>\nx << value: a >></div>", 1, 2, "<< value: a >>"),
        ("<div>1 << 2, << value: a >>", 0, 13, "<< value: a >>"),
        ("<p>\n<b>\n<< figure: a >>\n</p>", 2, 0, "<< figure: a >>"),
    ],
    ids=["sentence", "quoted list", "lazy line", "html", "html with a shift", "html block"],
)
def test_a_place_is_that_of_the_raw_line(text: str, line: int, start: int, written: str) -> None:
    (directive,), problems = scan(text, "content/x.md", 5)
    assert problems == []
    assert directive.where == f"content/x.md:{5 + line}"
    assert (directive.line, directive.start, directive.end) == (line, start, start + len(written))
    assert text.split("\n")[line][directive.start : directive.end] == written


def test_two_directives_of_a_line_have_two_places() -> None:
    for text in ("<< value: a >> << value: b >>", "<div><< value: a >> << value: b >></div>"):
        directives, problems = scan(text, "f")
        assert problems == []
        assert [text[one.start : one.end] for one in directives] == [
            "<< value: a >>",
            "<< value: b >>",
        ]


@pytest.mark.parametrize(
    ("written", "named", "told"),
    [
        ("<< figure: entropy compare >>", "entropy compare", "figure: entropy compare"),
        ("<< figure: entropy >>", "entropy", "figure: entropy"),
        ("<< feature: 26/1201 >>", "26/1201", "feature: 26/1201"),
        ("<< figure: act 26/1201 >>", "act 26/1201", "figure: act"),
        ("<< figure: act b 26/1201 >>", "act b 26/1201", "figure: act b"),
        ("<< ref: 26/1201 >>", "26/1201", "ref: feature"),
        ("<< cite: a b c >>", "a b c", "cite: a b c"),
    ],
)
def test_how_a_directive_is_called(written: str, named: str, told: str) -> None:
    (directive,), problems = scan(written, "f")
    assert problems == []
    assert (directive.named, str(directive)) == (named, told)


@pytest.mark.parametrize(
    ("kind", "most", "said"),
    [
        ("figure", 2, "NAME [VARIANT] [option=value]"),
        ("table", 2, "NAME [VARIANT] [option=value]"),
        ("tokens", 2, "NAME [VARIANT] [option=value]"),
        ("page", 2, "NAME [PART]"),
        ("section", 1, "FILE"),
        ("value", 2, "NAME [VARIANT] column=value"),
        ("claim", 1, "ID [show=COLUMN]"),
        ("ref", 2, "NAME [VARIANT]"),
        ("cite", 20, "KEY [p. 3] [KEY …]"),
    ],
)
def test_each_kind_takes_so_many_words(kind: str, most: int, said: str) -> None:
    assert KINDS[kind].form == said
    words = " ".join(f"w{number}" for number in range(most))
    (directive,), problems = scan(f"<< {kind}: {words} >>", "f")
    assert (directive.kind, problems) == (kind, [])
    source = f"<< {kind}: {words} more >>"
    directives, (problem,) = scan(source, "f")
    assert directives == []
    assert problem.where == "f:1"
    assert problem.what.startswith("cannot read << ")
    # Keys are as others wrote them; all other names are of this project.
    case = "" if kind == "cite" else " in lower case"
    assert problem.cure == f"write << {kind}: {said} >>{case}"
    assert KINDS["feature"].form == "PLACE/NUMBER [option=value]"


@pytest.mark.parametrize(
    ("length", "shown"),
    [(60, "<< figure: " + "a" * 49), (61, "<< figure: " + "a" * 46 + "…")],
)
def test_a_long_source_is_shown_from_its_start(length: int, shown: str) -> None:
    _, (problem,) = scan("<< figure: " + "a" * (length - 11), "f")
    assert problem.what == f"unclosed directive {shown}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("< value: a  b >", "one < in < value: a b >; write << value: a b >>"),
        ("<< nothing here: a >>", None),
        ("<<value a: b>>", "no colon in <<value a: b>>; write << value: a: b >>"),
        ("<< value   a >>", "no colon in << value a >>; write << value: a >>"),
        ("<< valu: a >>", 'unknown kind "valu"; did you mean "value"?'),
        ("<< value: a x= >>", "cannot read = in << value: a x= >>; "
                              'write << value: NAME [VARIANT] [option="value"] >>'),
        ('<< value: a x="1"" >>',
         'unclosed directive << value: a x="1"" >>; close it with >> on its line'),
        ('<< value: a ="1" b >>', 'cannot read ="1" b in << value: a ="1" b >>; '
                                  'write << value: NAME [VARIANT] [option="value"] >>'),
        ("<< value: A >>", "cannot read << value: A >>; "
                           "write << value: NAME [VARIANT] column=value >> in lower case"),
        ("<< value: a\\b >>", "cannot read << value: a\\b >>; "
                              "write << value: NAME [VARIANT] column=value >> in lower case"),
        ("<< value: 26/1201 >>", "cannot read << value: 26/1201 >>; "
                                 "write << value: NAME [VARIANT] column=value >> in lower case"),
        ("<< figure: a 26/12 feature=3/4 >>", 'option "feature" stands twice; keep one'),
        ("![<< value: a >>](b.png)",
         "a directive cannot stand inside an image or a tag; put it in the text"),
        ("<value: a>", "one < in <value: a>; write << value: a >>"),
        ("<<value:=a>>", "cannot read =a in <<value:=a>>; "
                         'write << value: NAME [VARIANT] [option="value"] >>'),
        ("X << figure: a >>", "a figure stands on a line of its own; put blank lines around it"),
        ("<< figure: a >> b", "a figure stands on a line of its own; put blank lines around it"),
        ("> - \t<< figure: a >>",
         "a figure stands on a line of its own; put blank lines around it"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_cure(text: str, said: str | None) -> None:
    _, problems = scan(f"Before.\n\n{text}", "f", 11)
    assert [str(problem) for problem in problems] == ([f"f:13: {said}"] if said else [])


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("", {}),
        ('x=""', {"x": ""}),
        ('x="1" y=2', {"x": "1", "y": "2"}),
        ('y="a >> b"  x=1 ', {"y": "a >> b", "x": "1"}),
        ('y="a: b" x=c:d', {"y": "a: b", "x": "c:d"}),
        ('y="<< value: b >>"', {"y": "<< value: b >>"}),
    ],
)
def test_options_are_read_quoted_and_bare(text: str, options: dict[str, str]) -> None:
    for around in ("{}", "See *{}*.", "<div>\n{}\n</div>"):
        (directive,), problems = scan(around.format(f"<< value: a {text}>>"), "f")
        assert problems == []
        assert directive.options == options


def test_a_feature_stands_before_other_options() -> None:
    (directive,), _ = scan("<< figure: a size=3 26/1201 >>", "f")
    assert list(directive.options.items()) == [("feature", "26/1201"), ("size", "3")]
    assert (directive.name, directive.variant) == ("a", "")


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n"])
def test_lines_end_as_any_system_ends_them(end: str) -> None:
    (one, other), problems = scan(f"<< value: a >>{end}b{end}\0<< value: c >>", "f")
    assert problems == []
    assert (one.where, other.where, other.start) == ("f:1", "f:3", 1)


def test_a_sound_directive_after_a_broken_one_is_read() -> None:
    directives, problems = scan("<< valu: a >> << value: a >>\n\n<< value: b >>", "f")
    assert [one.name for one in directives] == ["a", "b"]
    assert len(problems) == 1
    directives, problems = scan("![<< value: a >>](b.png)\n<< value: a >>\n\n<< value: b >>", "f")
    assert [one.name for one in directives] == ["a", "b"]
    assert len(problems) == 1


def test_each_hidden_directive_is_told_at_its_own_line() -> None:
    for hidden in ("![<< value: a >>](b.png)", '<b title="<< value: a >>">'):
        _, problems = scan(f"{hidden} x\ntext\n{hidden} and {hidden}\n", "f")
        assert [problem.where for problem in problems] == ["f:1", "f:3", "f:3"]


@pytest.mark.parametrize(
    "html",
    [
        '<p title="<< value: a x=1 >>">x</p>',
        "<div data-x='<< claim: one >>'>\na</div>",
        '<div\n  id="<< ref: one >>">x</div>',
    ],
)
def test_a_directive_in_an_attribute_is_told(html: str) -> None:
    directives, problems = scan(f"{html}\n\n<< figure: a >>\n", "f")
    assert [one.kind for one in directives] == ["figure"]
    assert [one.what for one in problems] == ["a directive cannot stand inside an image or a tag"]


@pytest.mark.parametrize("tag", ["pre", "script", "style", "textarea", "PRE", "Script"])
def test_html_that_is_shown_or_run_as_it_is_is_left_alone(tag: str) -> None:
    assert scan(f"<{tag}>\n<< value: a >>\n</{tag}>\n", "f") == ([], [])
    assert len(scan(f"<{tag}x>\n<< value: a >>\n</{tag}x>\n", "f")[0]) == 1


def test_what_would_define_a_link_is_text() -> None:
    (directive,), problems = scan("[a]: << value: b >>", "f")
    assert (directive.name, directive.start, problems) == ("b", 5, [])


@pytest.mark.parametrize(
    ("word", "is_one"),
    [
        ("0/0", True),
        ("999/9999999", True),
        ("z-14/77", True),
        ("attn_out2-3/1", True),
        ("1000/1", True),
        ("mlp_out-l3/1", True),
        ("1/10000000", False),
        ("Z-14/77", False),
        ("-14/77", False),
        ("2z-14/77", True),
        ("14/77x", False),
        ("14/", False),
        ("14", False),
    ],
)
def test_a_feature_is_named_by_place_and_number(word: str, is_one: bool) -> None:
    directives, problems = scan(f"<< feature: {word} >>", "f")
    assert (len(directives), len(problems)) == ((1, 0) if is_one else (0, 1))


@pytest.mark.parametrize(
    ("word", "is_one"),
    [("a", True), ("0-a_b", True), ("-a", False), ("_a", False), ("aB", False), ("a.b", False)],
)
def test_a_word_is_lower_case(word: str, is_one: bool) -> None:
    directives, problems = scan(f"<< value: a {word} >>", "f")
    assert (len(directives), len(problems)) == ((1, 0) if is_one else (0, 1))


@pytest.mark.parametrize("around", ["{}", "See {}", "<div>\n{}\n</div>"])
def test_a_directive_may_follow_what_is_none(around: str) -> None:
    text = around.format("<<< value: a >>")
    (directive,), problems = scan(text, "f")
    line = text.split("\n")[directive.line]
    assert (line[directive.start : directive.end], problems) == ("<< value: a >>", [])
    directives, (problem,) = scan(around.format("<< value: a"), "f")
    assert directives == []
    assert problem.what == "unclosed directive << value: a"
