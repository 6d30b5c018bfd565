"""Sixty formulas as authors write them: set as TeX would, or refused at their line."""

from pathlib import Path
from unicodedata import normalize

import pytest

from site_builder.core.errors import BuildError, Problem
from site_builder.core.project import Project
from site_builder.post.formula import Formula
from site_builder.post.formulas import scan
from site_builder.post.post import Post
from site_builder.post.sections.text import behind_front, look, normalised
from site_builder.post.source import Source
from site_builder.render.mathematics import written
from site_builder.site.build import build, preview

from .conftest import REPO, write
from .test_references import add, page, silent

TABLE = [
    # What authors of research write, and what a browser must be given.
    (r"x < y", "<mi>x</mi><mo>&lt;</mo><mi>y</mi>"),
    (r"x > y \gg z", "<mo>&gt;</mo>", "≫"),
    (r"H = -\sum_{i=1}^n p_i \ln p_i", "<mo>−</mo>|form=\"prefix\"", "∑", "<mi>ln</mi>"),
    (r"\frac{a}{b}", "<mfrac><mi>a</mi><mi>b</mi></mfrac>"),
    (r"\dfrac12", "<mn>1</mn><mn>2</mn>", 'displaystyle="true"'),
    (r"\sqrt[3]{x}", "<mroot>", "<mn>3</mn>"),
    (r"x_i^2", "<msubsup><mi>x</mi><mi>i</mi><mn"),
    (r"f'(x)", "′"),
    (r"\mathbb{E}[X]", "𝔼"),
    (r"\mathcal{N}(0, 1)", "𝒩"),
    (r"\mathscr{L}", "ℒ"),
    (r"\mathfrak{g}", "𝔤"),
    (r"\mathbf{x}", "𝐱"),
    (r"\boldsymbol{\theta}", "𝜽"),
    (r"\bm{\Sigma}", "𝚺"),
    (r"\textbf{ab}", "𝐚𝐛"),
    (r"\text{if } x", "<mtext>if"),
    (r"\text{a $x < 1$ b}", "<mo>&lt;</mo>"),
    (r"\operatorname*{argmax}_x f", "<munder>|<msub>", "argmax"),
    (r"\hat{x} + \bar y + \vec{v}", "ˆ|^", "‾|ˉ|¯", "→"),
    (r"\widehat{abc}", "<mover>", "stretchy=\"true\""),
    (r"\overline{x + y}", "top|<mover>"),
    (r"\underbrace{a + b}_{n}", "⏟", "<munder>"),
    (r"\cancel{x}", "strike"),
    (r"\left( \frac{a}{b} \right]", "(", "]", "stretchy=\"true\""),
    (r"\bigl( x \bigr)", "1.2em"),
    (r"\lVert x \rVert_2", "‖"),
    (r"\langle x, y \rangle", "⟨|〈", "⟩|〉"),
    (r"\lfloor x \rfloor", "⌊", "⌋"),
    (r"x \in \mathbb{R}^{n \times m}", "∈", "ℝ", "×"),
    (r"a \not= b", "≠"),
    (r"a \leq b \approx c \propto d", "≤", "≈", "∝"),
    (r"f\colon A \to B", "→", ":"),
    (r"A \xrightarrow{n \to \infty} B", "→", "∞"),
    (r"\lim_{x \to 0} x", "lim", "<munder>|<msub>"),
    (r"\int_0^1 x\,\mathrm{d}x", "∫", "<mi mathvariant=\"normal\">d</mi>"),
    (r"\prod_{\substack{i < n \\ i > 0}} i", "∏", "<mtr>", "<mo>&lt;</mo>"),
    (r"\binom{n}{k}", "linethickness=\"0", "<mi>k</mi>"),
    (r"\stackrel{d}{=}", "<mover>"),
    (r"\begin{aligned} a &= b \\ c &< d \end{aligned}", "<mtable", "</mtr><mtr>", "<mo>&lt;</mo>"),
    (r"\begin{align} a &= b \\ c &= d \end{align}", "<mtable", "</mtr><mtr>"),
    (r"\begin{align*} a &= b \end{align*}", "<mtable"),
    (r"\begin{gather} a \\ b \end{gather}", "</mtr><mtr>"),
    (r"\begin{split} a &= b \\ &= c \end{split}", "</mtr><mtr>"),
    (r"\begin{cases} a & x < 1 \\ b & x \geq 1 \end{cases}", "{", "<mo>&lt;</mo>", "</mtr><mtr>"),
    (r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}", "(", "<mn>4</mn>", "</mtr><mtr>"),
    (r"\begin{array}{c|c} a & b \\ \hline c & d \end{array}", "</mtr><mtr>", "tml-border-right"),
    (r"a \tag{3}", "(3)"),
    (r"\color{red} x", 'mathcolor="#ff0000"'),
    (r"95\,\% of \$5", "%", "$"),
    # What is wrong, and what is said of it.
    (r"\begin{foo} x \end{foo}", "!No such environment: foo"),
    (r"\frac{a", "!an argument is missing, or not closed by }"),
    (r"a}", '!"}" does not belong there'),
    (r"\mathds{1}", r"!\mathds is no command"),
    (r"\nosuch{a}", r"!\nosuch is no command"),
    (r"\left( a", r"!Expected '\right', got the end"),
    (r"a & b", '!"&" does not belong there'),
    (r"x^2^3", "!Double superscript"),
    (r"a^", "!something is missing"),
    (r"a \label{eq} \eqref{eq}", "!name an equation by {#eq-name} behind it, and write << ref: eq-"),
]  # fmt: skip


@pytest.fixture(scope="module")
def anywhere(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project that has nothing but the engine's Temml."""
    return Project(tmp_path_factory.mktemp("post"))


def made(project: Project, text: str) -> str | Problem:
    (formula,), problems = scan(text, "x.md")
    assert problems == []
    return written(project, formula, 1)


def test_the_table_is_long():
    assert len(TABLE) == 60


@pytest.mark.parametrize(("latex", "first", "more"), [(f, a, m) for f, a, *m in TABLE])
def test_a_formula_is_set_or_refused(anywhere, latex, first, more):
    put = made(anywhere, f"$$\n{latex}\n$$")
    if first.startswith("!"):
        assert isinstance(put, Problem)
        assert put.where == "x.md:2"
        assert put.what.startswith(f"cannot set ${latex}$: {first[1:]}")
        return
    assert isinstance(put, str)
    put = normalize("NFC", put)
    for needed in (first, *more):
        assert any(one in put for one in needed.split("|")), needed
    assert "\\" not in put
    assert ' style="' not in put  # which the page's policy would drop
    assert "$" not in put or "\\$" in latex


def test_what_is_wrong_is_told_at_its_own_line_of_a_formula(anywhere):
    put = made(
        anywhere, "Text.\n\n$$\n\\begin{aligned}\na &= b \\\\\nc &= \\nosuch\n\\end{aligned}\n$$"
    )
    assert isinstance(put, Problem)
    assert put.where == "x.md:6"


def test_a_formula_that_never_ends_or_is_too_deep_is_refused(anywhere):
    for latex in (r"\def\a{\a\a}\a", r"\sqrt{" * 20_000):
        assert isinstance(made(anywhere, f"$${latex}$$"), Problem)


def test_text_of_a_formula_is_text(anywhere):
    put = made(anywhere, r'$\text{<img src=x onerror="alert(1)">}$')
    assert isinstance(put, str)
    assert "<img" not in put
    assert isinstance(made(anywhere, r"$\href{javascript:alert(1)}{x}$"), Problem)


def test_every_wrong_formula_is_told_at_once_and_none_is_published(project):
    add(project, "So $\\frac$ and\n\n$$\n\\begin{foo}\nx\n\\end{foo}\n$$\n\n$$\nx\n")
    with pytest.raises(BuildError) as raised:
        build(project, say=silent)
    assert {str(one) for one in raised.value.problems} == {
        r"content/sections/01-numbers.md:9: cannot set $\frac$: an argument is missing, or not "
        "closed by }; mend the formula",
        "content/sections/01-numbers.md:12: cannot set $\\begin{foo} x \\end{foo}$: "
        "No such environment: foo; mend the formula",
        "content/sections/01-numbers.md:17: the formula is not closed; "
        "close it with $$ before the next blank line",
    }


@pytest.mark.builds
def test_formulas_stand_where_they_were_written_and_prices_stay(project):
    add(
        project,
        "Let $x < y$, and $$a < b$$ too.\n\n$$\nx \\& y\n$$\n\n"
        "!!! note\n    $$\n    \\begin{cases} a & x < 1 \\\\ b & x > 1 \\end{cases}\n    $$\n\n"
        "- US$5 to US$10, $5-$10.\n- 5$/month and 10$/year, `$x$`\n\n"
        'Before:\n\n    echo "$x < $y$"\n',
    )
    html = page(project)
    assert html.count("<math ") + html.count("<math>") == 4
    assert "&amp;lt;" not in html[html.index("Let ") : html.index("echo")]
    assert "US$5 to US$10, $5-$10.</li>\n<li>5$/month and 10$/year, <code>$x$</code>" in html
    assert "$x &lt; $y$" in html
    assert 'class="admonition-title">Note</p>\n<p><span class="post-math"><math' in html


@pytest.mark.builds
def test_an_equation_has_a_number_and_is_referred_to_from_anywhere(project):
    add(
        project,
        "As << ref: eq-late >> says.\n\n$$a$$ {#eq-early}\n\n$$b$$\n\n\\[\nc\n\\] {#eq-late}",
    )
    write(project.content / "more.md", "# More\n\nBy << ref: eq-early >>.\n")
    html = page(project)
    assert '<a class="post-ref" href="#eq-late">Equation 2</a>' in html
    assert '<span class="post-math post-equation" id="eq-early">' in html
    assert '<span class="post-equation-number">(2)</span>' in html
    more = (project.site / "more" / "index.html").read_text("utf-8")
    assert '<a class="post-ref" href="../#eq-early">Equation 1</a>' in more


def test_formulas_are_replaced_in_the_text_that_a_host_hands_on():
    raw = "---\ntitle: Of $x$\n---\n- a\n\t$$\n\tb\n\t$$ and\t$c$ d\n  \nend $e$ <ref: y>\n"
    text = behind_front(normalised(raw))
    given = "- a\n    $$\n    b\n    $$ and  $c$ d\n\nend $e$ <ref: y>"
    formulas, _ = scan(text, "x.md")
    unread = [Problem("x.md:9", "one < in it", "mend it")]
    source = Source("x.md", text, look(text), [], formulas, unread)

    def show(shown):
        return f"[{shown.latex.strip()}]" if isinstance(shown, Formula) else f"({shown})"

    def filled(given):
        return source.filled(show, given)

    told = "\n\n(x.md:9)\n"
    assert filled(given) == ["- a", "    [b] and  [c] d", "", f"end [e] <ref: y>{told}"]
    own = ["- a", "    [b] and  [c] d", "", f"end [e] <ref: y>{told}", ""]
    assert source.filled(show)[3:] == own
    for old, new in (("    b\n", "    B\n"), ("$e$", "$f$"), ("and  ", "or  ")):
        with pytest.raises(BuildError, match="the host hands on another text"):
            filled(given.replace(old, new))


def test_what_looks_like_a_label_in_a_formula_is_none():
    text = "## A\n\nSee [^1] and $x^{[^1]}$,\n$$\n[a][b] [^1]\n$$ [^1].\n\n[^1]: Note.\n\n[b]: /b\n"
    formulas, _ = scan(text, "x.md")
    source = Source("x.md", text, look(text, "01-a"), [], formulas, [])
    lines = source.filled(lambda shown: f"({shown.latex.strip()})")
    assert lines[2:4] == ["See [^01-a:1] and (x^{[^1]}),", "([a][b] [^1]) [^01-a:1]."]


def test_a_heading_that_begins_with_a_formula_gets_its_number():
    text = "## $x$ of y\n"
    formulas, _ = scan(text, "x.md")
    source = Source("x.md", text, look(text, "03-a"), [], formulas, [])
    lines = source.filled(lambda shown: f"({shown.latex})")
    assert lines[0] == "## 3 (x) of y { #sec-a }"


def test_an_equation_stands_once_and_a_missing_one_is_told(shelves):
    add(shelves, "<< ref: eq-lost >>\n\n$$a$$ {#eq-loss}\n\n$$b$$ {#eq-loss}\n\n$$c$$ {#Loss}")
    post = Post(shelves)
    post.collect()
    where = "content/sections/01-numbers.md"
    told = [str(one) for one in sorted(post.problems) if "no measurement" not in one.what]
    assert [one for one in told if "drawn" not in one and "figure" not in one] == [
        f'{where}:13: equation "eq-loss" stands in {where}:11 already; '
        "give one of them another name",
        f'{where}:15: an equation cannot be called "Loss"; '
        "begin its name with eq-, in lower case, such as {#eq-loss}",
        f'{where}:9: nothing on the page is called "eq-lost"; did you mean "eq-loss"?',
    ]


def test_a_preview_tells_what_is_wrong_in_the_place_of_the_formula(project):
    add(project, "Before $\\nosuch$ after, $x$.")
    site = project.cache / "preview.1"
    preview(project, site)
    html = (site / "index.html").read_text("utf-8")
    sentence = html[html.index("<p>Before ") :].partition("</p>")[0]
    assert r"\nosuch is no command" in sentence
    assert " after, <span" in sentence
    assert sentence.count("<math>") == 1


def test_temml_is_the_version_that_is_written_down():
    folder = REPO / "assets" / "mathematics"
    from site_builder.render.mathematics import VERSION

    assert f'version:"{VERSION}"' in Path(folder, "temml.min.js").read_text("utf-8")
    assert "Ron Kok" in Path(folder, "LICENCE.txt").read_text("utf-8")
