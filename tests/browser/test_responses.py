"""What the bar and each figure say of a choice, beside what really changes on the page."""

import pytest

FIGURES = ".post-figure"

# Whether a figure shows something else than when this was last asked with `keep`, once it has come
# to rest; what it says of the choice does not count.
CHANGED = """async (figure, keep) => {
  const shown = () => [...figure.querySelectorAll(".post-body")].map(body => {
    const said = [...body.querySelectorAll("form, .post-response, .post-unmet")];
    const html = said.reduce((text, one) => text.replace(one.outerHTML, ""), body.innerHTML);
    return html.replaceAll(' class=""', "");
  }).join();
  let last;
  for (let same = 0; same < 2; ) {
    for (let n = 0; n < 3; n++) await new Promise(requestAnimationFrame);
    const now = shown();
    same = now === last ? same + 1 : 0;
    last = now;
  }
  if (keep) window.kept = last;
  return last !== window.kept;
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


@pytest.mark.parametrize("name", ["topic", "template", "temperature"])
def test_each_figure_changes_as_the_bar_and_the_figure_say(visit, name):
    seen = visit()
    page = seen.page
    page.wait_for_load_state("networkidle")
    said = {value: ways(page, name, value) for value in kinds(page, name)}
    ways(page, name, "")
    wrong = []
    for figure in page.locator(FIGURES).all():
        slug = figure.get_attribute("id")
        figure.scroll_into_view_if_needed()
        if figure.locator("[data-vega]").count():
            figure.locator("[data-vega][data-drawn]").wait_for()
        figure.evaluate(CHANGED, True)
        menu = figure.evaluate(MENU, name)
        for value, told in said.items():
            ways(page, name, value)
            changed = figure.evaluate(CHANGED, False)
            way, words = told[slug], figure.evaluate(SAID)
            marks = "mark" in words
            expected = marks or (way == "follow" and menu != value)
            if changed != expected or not words or (way == "mark") > marks:
                wrong.append((slug, value, way, words, f"changed: {changed}"))
            if way == "follow" and figure.evaluate(MENU, name) != value:
                wrong.append((slug, value, way, "its menu shows something else"))
        ways(page, name, "")
        if figure.evaluate(CHANGED, False):
            wrong.append((slug, "", "does not go back"))

    assert wrong == [], "\n".join(map(str, wrong))
    assert seen.complaints == []


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
