"""The pages look the same with the theme's whole style sheets as with the rules that are left."""

from pathlib import Path

import material
import pytest

SHEETS = Path(material.__file__).parent / "templates/assets/stylesheets"
LIGHT = {"width": 1280, "color_scheme": "light"}
DARK = {"width": 390, "color_scheme": "dark"}

# Every property of every element, and of what is put before and after it. Of variables, which are
# text, it is what they are used for that counts.
LOOKS = """() => [...document.querySelectorAll("*")].flatMap((node) =>
  ["", "::before", "::after"].map((part) => {
    const style = getComputedStyle(node, part || null);
    if (part && style.content === "none") return "";
    return [...style].filter((name) => !name.startsWith("--")).map((name) => `${name}:${style.getPropertyValue(name)}`).join(";");
  }))"""
SEARCHED = ".md-search-result__item"


def given(sheet):
    """What answers a request for a style sheet with the theme's own."""
    return lambda route: route.fulfill(path=sheet, content_type="text/css")


def looks(seen, *, search):
    """How every element of a page looks, the results of a search among them."""
    seen.page.wait_for_load_state("networkidle")
    if search:
        seen.page.keyboard.press("/")
        seen.page.keyboard.type("entropy")
        seen.page.locator(SEARCHED).first.wait_for()
    return seen.page.evaluate(LOOKS)


@pytest.mark.parametrize(
    ("path", "state"),
    [("glossary/", LIGHT), ("claims/", DARK), ("second-model/", LIGHT), ("404.html", DARK)],
)
def test_nothing_looks_otherwise_without_them(visit, path, state):
    lean = visit(path, reduced_motion="reduce", **state)
    whole = visit("404.html", reduced_motion="reduce", **state)
    for name in ("main", "palette"):
        (sheet,) = SHEETS.glob(f"{name}.*.css")
        whole.page.route(f"**/assets/stylesheets/{name}.*.css", given(sheet))
    whole.page.goto(lean.page.url)
    search = path == "glossary/"
    found, expected = looks(lean, search=search), looks(whole, search=search)

    rules = "() => [...document.styleSheets].map(sheet => sheet.cssRules.length)"
    assert sum(whole.page.evaluate(rules)) > sum(lean.page.evaluate(rules)) + 300
    assert len(found) == len(expected)
    other = [
        sorted({*one.split(";")} ^ {*two.split(";")})
        for one, two in zip(found, expected, strict=True)
        if one != two
    ]
    assert other == []
