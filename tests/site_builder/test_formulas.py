"""Formulas are found where an author means one, and nowhere else."""

import pytest

from site_builder.post.formulas import scan


def found(text):
    formulas, problems = scan(text, "x.md")
    assert problems == []
    return [" ".join(one.latex.split()) for one in formulas]


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("So $x < y$ it.", ["x < y"]),
        (r"So \(x\) it.", ["x"]),
        ("Text $$a < b$$ text", ["a < b"]),
        ("$a +\nb$ c $d$", ["a + b", "d"]),
        ("$$\na\n- b\n= c\n# d\n> e\n---\n$$", ["a - b = c # d > e ---"]),
        ("text\n$$\na\n$$\ntext", ["a"]),
        ("> $$\n> a\n> $$", ["a"]),
        ("- a\n  $$\n  b\n  $$\n  c $d$", ["b", "d"]),
        ("!!! note\n    $$\n    a\n    $$\n", ["a"]),
        ("!!! note\n\n    $$\n    a\n    - b\n    $$\n", ["a - b"]),
        (
            "!!! note\n    \\begin{align}\n    a\n    \\end{align}\n",
            [r"\begin{align} a \end{align}"],
        ),
        ("\\[\na\n\\]", ["a"]),
        (r"\[sic\] it is", []),
        (r"$\text{if $x$ is}$", [r"\text{if $x$ is}"]),
        ("| $|a|$ | $b$ |", ["|a|", "b"]),
        ("## Of $x$ ##", ["x"]),
        ("[of $x$](there.md) and [^1]\n\n[^1]: $y$", ["x", "y"]),
        ("<div>\n<b>$x$</b>\n</div>", ["x"]),
        (
            r"R$^2$, 3$\times 3$, 95$\%$, 2$x$, top-$k$, $n$th",
            ["^2", r"\times 3", r"\%", "x", "k", "n"],
        ),
        # Code, escapes, money.
        ("`$x$` ``$y$`` $z$", ["z"]),
        ("```\n$x$\n```\n~~~\n$$\ny\n$$\n~~~", []),
        ("<pre>\n$x$\n</pre>\n\n<!-- $y$ -->", []),
        (r"It costs \$5, \$6 and $x$", ["x"]),
        (r"\\$x$", ["x"]),
        ("US$5 to US$10", []),
        ("$5-$10 and $x$", ["x"]),
        ("5$/month and 10$/year", []),
        ("costs $5/month or 10$ more", []),
        ("It costs $5 or $6.", []),
        ("$ x $ and $ y$", []),
        ("$HOME and `$USER`", []),
        ("<td>$5</td><td>$</td>", []),
        ("Restaurants: $, $$, $$$", []),
        ("![$x$](a.png)", []),
    ],
)
def test_what_is_a_formula(text, latex):
    assert found(text) == latex


@pytest.mark.parametrize(
    "text",
    [
        "a $x$ b",
        "> - a $x$ b $y$ c",
        "# A $x$",
        "para\n  more $x$\n\n1. one\n   two $$\n   a\n   $$ {#eq-a} end",
        "!!! note\n    $$\n    a\n    $$ {#eq-b}\n    and $c$",
        "\n\n$$\na\n$$",
        "<figure markdown>\n$x$ and <b>$y$</b>\n</figure>",
    ],
)
def test_a_formula_stands_where_it_says(text):
    lines = text.split("\n")
    formulas, _ = scan(text, "x.md")
    assert formulas
    for one in formulas:
        assert one.where == f"x.md:{one.line + 1}"
        whole = "\n".join(lines[one.line : one.last + 1])
        assert whole[one.start :].startswith(one.source)
        assert lines[one.last][: one.end].endswith(("$", "}"))
        assert one.source[0] == "$"


def told(text):
    return [str(one) for one in scan(text, "x.md", 5)[1]]


def test_what_cannot_be_read_is_told_at_its_line():
    close = "the formula is not closed; close it with {} before the next blank line"
    assert told("Text.\n\n$$\na\n") == [f"x.md:7: {close.format('$$')}"]
    assert told("$$\na\n\nb\n$$\n\n$x$") == [f"x.md:5: {close.format('$$')}"]
    assert told("So $$a is") == [f"x.md:5: {close.format('$$')}"]
    assert told("\\begin{align}\na") == [f"x.md:5: {close.format(chr(92) + 'end{align}')}"]
    assert told("$$a$$ {#loss}") == [
        'x.md:5: an equation cannot be called "loss"; '
        "begin its name with eq-, in lower case, such as {#eq-loss}"
    ]
    assert told("So $n = << value: a x=1 >>$") == [
        "x.md:5: a directive cannot stand in a formula; "
        "put the number beside it, or write \\$ for a dollar"
    ]


def test_an_equation_has_its_name_wherever_it_stands():
    texts = (
        "$$a$$ {#eq-a}",
        "$$\na\n$$ {#eq-a}\ntext",
        "So $$a$$ { #eq-a } it.",
        "\\[\na\n\\]{#eq-a}",
    )
    assert [scan(text, "x")[0][0].label for text in texts] == ["eq-a"] * 4
