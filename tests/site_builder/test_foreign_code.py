"""Code that nobody meant to be in a page fails the build, with page and place."""

import pytest

from site_builder.core.errors import BuildError
from site_builder.site.build import build
from site_builder.site.policy import foreign_code
from tests.site_builder.conftest import write

CURE = "escape it where it comes from; a script of yours is a file: assets/own.js"


def page(body: str) -> str:
    return f'<html><head></head><body><h2 id="first">One</h2><p id=second>{body}</p></body></html>'


CODE = {
    '<meta http-equiv="refresh" content="0;url=https://x.org">': 'a tag that steers the page in or behind #second: <meta http-equiv="refresh" content="0;url=https://x.org">',
    '<BASE href="https://x.org/">': 'a tag that steers the page in or behind #second: <BASE href="https://x.org/">',
    "<script>alert(1)</script>": "an inline script in or behind #second: alert(1)",
    "<SCRIPT type=module>alert(1)</SCRIPT >": "an inline script in or behind #second: alert(1)",
    '<img src=x onerror="alert(1)">': "<img onerror> in or behind #second: alert(1)",
    "<svg/onload=alert(1)>": "<svg onload> in or behind #second: alert(1)",
    '<b x=""onclick=alert(1)>': "<b onclick> in or behind #second: alert(1)",
    '<a href="javascript:alert(1)">': "<a href> with code in or behind #second: javascript:alert(1)",
    "<a href=JaVaScRiPt:alert(1)>": "<a href> with code in or behind #second: JaVaScRiPt:alert(1)",
    '<a href=" &#106;ava\nscript&colon;alert(1)">': "<a href> with code in or behind #second: java script:alert(1)",
    '<animate to="javascript:alert(1)">': "<animate to> with code in or behind #second: javascript:alert(1)",
    "<form action='javascript:alert(1)'>": "<form action> with code in or behind #second: javascript:alert(1)",
}


@pytest.mark.parametrize("body", CODE)
def test_what_would_run_is_told_with_its_place(body):
    (problem,) = foreign_code.problems(page(body), "content/x.md")

    assert str(problem) == f"content/x.md: {CODE[body]}; {CURE}"


@pytest.mark.parametrize(
    "body",
    [
        "plain",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        'once = 1, on= 2, <code>&lt;img onerror="x"&gt;</code> onerror=1',
        'say javascript:alert(1) <code>href="javascript:alert(1)"</code>',
        '<a href="javascript:void(0)">share</a>',
        '<a href="journal/" title="&quot;javascript:&quot;">x</a>',
        '<script type="application/json">{"a": "onload=1"}</script>',
        '<script src="assets/own.js"></script>',
        "<!-- <script>alert(1)</script> -->",
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'">',
        '<meta name="x" content="http-equiv">',
        '<p title="an onclick=alert(1) in a text">x</p>',
    ],
)
def test_what_does_not_run_is_let_be(body):
    assert foreign_code.problems(page(body), "content/x.md") == []


@pytest.mark.parametrize(
    ("svg", "runs"),
    [
        ("<svg><script>alert(1)</script></svg>", True),
        ("<svg onload='alert(1)'/>", True),
        ("<svg><a href='javascript:alert(1)'/></svg>", True),
        ("<svg><a href='&#106;avascript:alert(1)'/></svg>", True),
        ("<svg><a xlink:href='java&#9;script:alert(1)'/></svg>", True),
        ("<svg><title>On scripts = code</title></svg>", False),
    ],
)
def test_a_drawing_of_the_project_that_would_run_is_told(shelves, svg, runs):
    write(shelves.content / "files/a.svg", svg)
    told = [str(one) for one in foreign_code.drawings(shelves)]
    said = "content/files/a.svg: this drawing holds code that would run; take it out"
    assert told == [said] * runs


def test_everything_is_told_at_once():
    body = "<script>a()</script><i onclick=b()></i><script>c()</script>"

    assert [p.what.rpartition(": ")[2] for p in foreign_code.problems(page(body), "x")] == [
        "a()",
        "c()",
        "b()",
    ]


@pytest.mark.builds
def test_a_build_with_foreign_code_leaves_the_page_as_it_was(project):
    section = project.content / "sections" / "01-numbers.md"
    whole = section.read_text("utf-8")
    build(project, run="never", say=print)
    before = (project.site / "index.html").read_bytes()
    section.write_text(f"{whole}\n<b onclick='x()'>here</b> <script>y()</script>\n", "utf-8")

    with pytest.raises(BuildError) as raised:
        build(project, run="never", say=print)

    assert [problem.where for problem in raised.value.problems] == ["content/index.md"] * 2
    assert [problem.what.split(" in ")[0] for problem in raised.value.problems] == [
        "an inline script",
        "<b onclick>",
    ]
    assert (project.site / "index.html").read_bytes() == before
