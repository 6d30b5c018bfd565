"""What the bar and each figure say of a choice, beside what really changes on the page."""

import json
import re

import pytest

FIGURES = ".post-figure"

# Whether a figure, and what is not folded of it, shows something else than when it was last asked to
# be kept; its menus, and what it says of the choice, do not count. A change that is expected, and
# where, may take a while.
CHANGED = """async (figure, { keep, expected, folded }) => {
  const shown = aside => [...figure.querySelectorAll(".post-body")].map(body => {
    const left = [...body.querySelectorAll(`.post-controls, .post-unmet${aside}`)];
    const html = left.reduce((text, one) => text.replace(one.outerHTML, ""), body.innerHTML);
    return html.replaceAll(' class=""', "");
  }).join();
  const both = () => [shown(""), shown(", .post-rest")];
  const changed = () => both().map((html, place) => html !== window.kept[place]);
  const frame = () => new Promise(requestAnimationFrame);
  const rest = async () => { for (let n = 0; n < 4; n++) await frame(); };
  await rest();
  if (keep) window.kept = both();
  const end = Date.now() + 30_000;
  while (expected && !changed()[folded ? 0 : 1] && Date.now() < end) await frame();
  if (expected) await rest();
  return changed();
}"""

# One figure at a time stands in the page, unfolded: laying out all of them for every choice takes a
# while, and a panel that is out of sight waits.
ALONE = """() => {
  const rules = new CSSStyleSheet();
  rules.replaceSync(".post-figure:not(.is-tested) { display: none }");
  document.adoptedStyleSheets.push(rules);
  for (const fold of document.querySelectorAll(".post-rest")) fold.open = true;
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


VALUES = "options => options.map(option => option.value)"
TEXTS = "parts => parts.map(part => part.textContent)"


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
    """One value for each way in which the figures of the page answer a choice; none, if none can."""
    values = page.eval_on_selector_all(
        f".post-choice select[name={name}] option", "all => all.map(one => one.value)"
    )
    found = {}
    for value in filter(None, values):
        found.setdefault(tuple(sorted(ways(page, name, value).items())), value)
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
    page.set_viewport_size({"width": 1280, "height": 4000})
    wrong = []
    for figure in page.locator(FIGURES).all():
        slug = figure.get_attribute("id")
        figure.evaluate("node => node.classList.add('is-tested')")
        figure.evaluate("node => node.scrollIntoView()")
        if figure.locator("[data-vega]").count():
            figure.locator("[data-vega][data-drawn]:not(.post-held)").wait_for()
        for form in figure.locator(".post-body form").all():
            form.and_(page.locator(":not([hidden])")).wait_for(state="attached")
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
            folded = "folded" in words
            changed = figure.evaluate(CHANGED, {"expected": expected, "folded": folded})
            as_said = changed == [expected, expected and not folded]
            if not as_said or not words or (way == "mark") > marks:
                wrong.append((slug, value, way, words, f"changed, also unfolded: {changed}"))
        ways(page, name, "")
        figure.evaluate("node => node.classList.remove('is-tested')")

    page.context.close()
    return [*wrong, *seen.complaints]


@pytest.mark.parametrize(
    ("slug", "topic", "said", "pooled"),
    [
        ("ending", "", "its list follows", ".ending-means"),
        ("interventions", "", "its lists follow", ".interventions-hazard"),
        ("trace", "", "its words follow", ".trace-steps, .trace-map"),
        ("trace", "by token", "its words and their ink follow", ".trace-steps, .trace-map"),
    ],
)
def test_a_figure_of_which_a_part_follows_says_so(visit, slug, topic, said, pooled):
    seen = visit()
    figure = seen.page.locator(f"#{slug}")
    figure.scroll_into_view_if_needed()
    menu = figure.locator("select[name=topic]")
    menu.wait_for()
    offered = menu.locator("option").filter(has_text=topic or re.compile(r"^[\w ]+$"))
    topic = next(one for one in offered.evaluate_all(VALUES) if one != menu.input_value())
    rest = figure.locator(pooled)
    before = [rest.evaluate_all(TEXTS), figure.locator(".post-body").inner_text()]
    ways(seen.page, "topic", topic)
    words = f"topic {topic}: {said}, in the rest topics are pooled"
    figure.locator(".post-response").get_by_text(words, exact=True).wait_for()
    seen.page.wait_for_function(
        "([node, text]) => node.innerText !== text",
        arg=[figure.locator(".post-body").element_handle(), before[1]],
    )

    assert rest.evaluate_all(TEXTS) == before[0]
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
