"""What the bar and each figure say of a choice, beside what really changes on the page."""

import json

import pytest

FIGURES = ".post-figure"

# Whether a figure shows something else than when it was last asked to be kept; what it says of the
# choice does not count. A change that is expected may take a while.
CHANGED = """async (figure, { keep, expected }) => {
  const shown = () => [...figure.querySelectorAll(".post-body")].map(body => {
    const said = [...body.querySelectorAll("form, .post-response, .post-unmet")];
    const html = said.reduce((text, one) => text.replace(one.outerHTML, ""), body.innerHTML);
    return html.replaceAll(' class=""', "");
  }).join();
  const frame = () => new Promise(requestAnimationFrame);
  for (let n = 0; n < 4; n++) await frame();
  if (keep) window.kept = shown();
  const end = Date.now() + 30_000;
  while (expected && shown() === window.kept && Date.now() < end) await frame();
  return shown() !== window.kept;
}"""

# One figure at a time stands in the page: laying out all of them for every choice takes a while.
ALONE = """() => {
  const rules = new CSSStyleSheet();
  rules.replaceSync(".post-figure:not(.is-tested) { display: none }");
  document.adoptedStyleSheets.push(rules);
}"""

WAYS = """() => Object.fromEntries([...document.querySelectorAll(".post-choice-list li")].flatMap(
  row => [...row.querySelectorAll("a")].map(
    link => [link.getAttribute("href").slice(1), row.className.replace("is-", "")])))"""

SAID = """figure => [...figure.querySelectorAll(".post-response > span, .post-unmet")]
  .map(said => said.textContent).join(" ")"""

# What menus of a choice show, those that a script has not woken yet by what stands in the page.
MENU = """(figure, name) => {
  const titles = JSON.parse(document.querySelector('meta[name="post-choices"]').content);
  const title = titles.find(one => one.name === name).title;
  const menu = [...figure.querySelectorAll("form select")]
    .find(one => one.name === name || one.name === title);
  return menu ? menu.value : null;
}"""


def ways(page, name, value):
    """Choose in the bar; returns how each figure is said to answer."""
    page.evaluate(
        """async ([name, value]) => {
          const select = document.querySelector(`.post-choice select[name=${name}]`);
          select.value = value;
          select.dispatchEvent(new Event("input", { bubbles: true }));
          await new Promise(requestAnimationFrame);
        }""",
        [name, value],
    )
    return page.evaluate(WAYS)


def kinds(page, name):
    """One value for each way in which the figures of the page answer a choice."""
    values = page.eval_on_selector_all(
        f".post-choice select[name={name}] option", "all => all.map(one => one.value)"
    )
    found = {}
    for value in filter(None, values):
        found.setdefault(tuple(sorted(ways(page, name, value).items())), value)
    ways(page, name, "")
    return list(found.values())


def pages(folder):
    """The pages of the site that have figures."""
    index = json.loads((folder / "figures/index.json").read_text("utf-8"))
    return sorted({figure["page"] for figure in index.values()})


@pytest.mark.parametrize("name", ["topic", "template", "temperature"])
def test_each_figure_changes_as_the_bar_and_the_figure_say(visit, folder, name):
    wrong = [line for path in pages(folder) for line in differences(visit(path), name)]

    assert wrong == [], "\n".join(map(str, wrong))


def differences(seen, name):
    """Where a page's figures change otherwise than they say, for each way to answer a choice."""
    page = seen.page
    page.wait_for_load_state("networkidle")
    said = {value: ways(page, name, value) for value in kinds(page, name)}
    if not said:
        page.context.close()
        return []
    ways(page, name, "")
    page.evaluate(ALONE)
    wrong = []
    for figure in page.locator(FIGURES).all():
        slug = figure.get_attribute("id")
        figure.evaluate("node => node.classList.add('is-tested')")
        figure.evaluate("node => node.scrollIntoView()")
        if figure.locator("[data-vega]").count():
            figure.locator("[data-vega][data-drawn]").wait_for()
        figure.evaluate(CHANGED, {"keep": True})
        menu = figure.evaluate(MENU, name)
        # Those that change nothing first: what is drawn anew is never the same to the letter.
        for value, told in sorted(said.items(), key=lambda one: one[1][slug] in ("follow", "mark")):
            ways(page, name, value)
            way, words = told[slug], figure.evaluate(SAID)
            marks = "mark" in words
            expected = marks or way == "follow"
            if way == "follow" and figure.evaluate(MENU, name) != value:
                wrong.append((slug, value, way, "its menu shows something else"))
            if way == "follow" and menu == value:
                continue
            changed = figure.evaluate(CHANGED, {"expected": expected})
            if changed != expected or not words or (way == "mark") > marks:
                wrong.append((slug, value, way, words, f"changed: {changed}"))
        ways(page, name, "")
        figure.evaluate("node => node.classList.remove('is-tested')")

    page.context.close()
    return [*wrong, *seen.complaints]


def test_every_figure_is_counted_once(visit):
    page = visit("?topic=Colors&template=long").page
    figures = page.locator(FIGURES).count()
    counts = page.eval_on_selector_all(
        ".post-choice-list ul",
        """lists => lists.map(list => [...list.children].map(
          row => [row.textContent.match(/\\d+/)[0], row.querySelectorAll("a").length]))""",
    )

    assert len(counts) == 2
    for rows in counts:
        assert all(int(said) == links for said, links in rows)
        assert sum(links for _, links in rows) == figures
