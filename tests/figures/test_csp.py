"""The content-security policy of a page."""

import base64
import hashlib
import re

from site_builder.site.policy import csp

PAGE = """<!doctype html><html><head>
<meta charset="utf-8"><script>one()</script><script src="x.js"></script></head>
<body><p>&lt;script&gt;no()&lt;/script&gt;</p><!-- <script>never()</script> -->
<script type="application/json">{"a": "<b>"}</script><script type="module">two("é &amp; <p>")
</script></body></html>"""


def allowed(html: str) -> set[str]:
    return set(re.findall(r"'(sha256-[^']+)'", html))


def digest(script: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def test_exactly_the_inline_scripts_that_run_are_found():
    assert csp.inline_scripts(PAGE) == ["one()", 'two("é &amp; <p>")\n']


def test_a_comment_inside_a_script_is_its_text_and_a_script_inside_a_comment_is_none():
    page = "<head></head><script>a('<!-- b -->')</script><!-- <script> --><script>c()</script>"
    assert csp.inline_scripts(page) == ["a('<!-- b -->')", "c()"]


def test_only_the_themes_scripts_are_allowed():
    theme = 'var target=document.getElementById(location.hash.slice(1));target&&target.name&&(target.checked=target.name.startsWith("__tabbed_"))'
    page = PAGE.replace("</body>", f"<script>{theme}</script></body>")

    assert allowed(csp.protect(PAGE)) == set()
    assert allowed(csp.protect(page)) == {digest(theme)}


def test_the_policy_comes_before_what_it_governs():
    page = csp.protect(PAGE)

    assert page.index('<meta charset="utf-8">') < page.index("Content-Security-Policy")
    assert page.index("Content-Security-Policy") < page.index("<script")
    assert page.index('<meta charset="utf-8">') < 1024


def test_the_rest_of_the_page_is_as_it_was():
    page = csp.protect(PAGE)

    assert re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page) == PAGE


def test_nothing_unsafe_and_nothing_from_elsewhere():
    policy = csp.policy([])

    assert "unsafe" not in policy
    assert "http" not in policy
    assert policy.startswith("default-src 'none'; script-src 'self'; ")


def test_the_same_script_is_allowed_once():
    assert csp.policy(["a()", "a()"]).count("sha256-") == 1


def test_a_page_without_a_head_is_left_alone():
    assert csp.protect("<p>text</p>") == "<p>text</p>"


def test_styles_are_the_sites_own_and_there_are_no_frames_and_no_forms_to_elsewhere():
    policy = dict(part.split(" ", 1) for part in csp.policy([]).split("; "))

    assert policy["style-src"] == policy["form-action"] == policy["connect-src"] == "'self'"
    assert policy["default-src"] == policy["object-src"] == policy["base-uri"] == "'none'"
    assert not {"frame-src", "child-src"} & policy.keys()  # so they are as the default says
    assert {word for value in policy.values() for word in value.split()} == {
        "'self'",
        "'none'",
        "data:",
    }
