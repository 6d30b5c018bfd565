"""Words in charts and cards can be read: none is cut off, none stands over another.

The page's script draws the charts anew, in the reader's own fonts; what stands there without it are
pictures. Both are measured, word by word.
"""

import pytest

from tests.browser.conftest import rest

WORDS = """within => {
  const bad = [];
  const drawings = [...document.querySelectorAll(within)]
    .filter(svg => svg.checkVisibility() && !svg.parentNode.closest('svg'));
  let count = 0;
  for (const svg of drawings) {
    const figure = svg.closest('.post-figure');
    const room = (figure ?? svg).getBoundingClientRect();
    const words = [...svg.querySelectorAll('text')]
      .filter(node => node.textContent.trim() && node.checkVisibility({ opacityProperty: true }))
      .map(node => ({ node, text: node.textContent, box: node.getBoundingClientRect() }))
      .filter(({ box }) => box.width);
    count += words.length;
    const say = (...what) => bad.push([figure?.id ?? '', ...what].join(' '));
    for (const { node, text, box } of words) {
      let [left, right] = [Math.max(room.left, 0) - SLACK, Math.min(room.right, innerWidth) + SLACK];
      for (let at = node.parentElement; at && at !== document.body; at = at.parentElement) {
        if (at instanceof SVGElement || getComputedStyle(at).overflowX === 'visible') continue;
        if (at.scrollWidth > at.clientWidth) continue;  // it scrolls, so that all of it can be seen
        left = Math.max(left, at.getBoundingClientRect().left);
        right = Math.min(right, at.getBoundingClientRect().right);
      }
      if (box.left < left || box.right > right) say('cut off:', text);
    }
    for (const [place, one] of words.entries()) {
      for (const other of words.slice(place + 1)) {
        const wide = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left);
        const high = Math.min(one.box.bottom, other.box.bottom) - Math.max(one.box.top, other.box.top);
        // Boxes are higher than letters: lines under each other touch, upright ones beside each other.
        const matrix = one.node.getScreenCTM();
        const upright = Math.abs(matrix.b) > Math.abs(matrix.a);
        if (upright ? wide > 4 && high > 1 : wide > 1 && high > 4) say('over each other:', one.text, '|', other.text);
      }
    }
  }
  return { count, bad };
}""".replace("SLACK", "4")
"""A word may reach out of its figure by as much as a chart's padding."""

ALIVE = "() => [...document.querySelectorAll('[data-vega]')].every(one => one.dataset.drawn)"
CARDS = 3


@pytest.mark.parametrize("width", [390, 1440])
def test_no_word_of_a_chart_or_a_card_is_cut_off_or_under_another(visit, folder, width):
    found, counted = [], 0
    for path in sorted(folder.glob("**/index.html")):
        name = path.parent.relative_to(folder).as_posix()
        seen = visit(f"{name}/" if name != "." else "", width=width)
        page = seen.page
        for card in page.locator("details.card").all()[:CARDS]:
            card.locator("summary").click()
            card.locator(".card-body").wait_for()
        seen.scroll_through()
        page = seen.page  # another one, if that one stood still
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            rest(page)
            told = page.evaluate(WORDS, ".post-figure svg")
            counted += told["count"]
            found += [f"{name}, {scheme}: {words}" for words in told["bad"]]
        page.context.close()

    assert found == []
    assert counted > 5000


def test_no_word_of_a_picture_is_cut_off_or_under_another(browser, folder):
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    found, counted = [], 0
    for path in sorted((folder / "figures").glob("*.light.svg")):
        page.set_content(path.read_text("utf-8"))
        told = page.evaluate(WORDS.replace("SLACK", "0"), "svg")
        counted += told["count"]
        found += [f"{path.name}: {words}" for words in told["bad"]]
    page.close()

    assert found == []
    assert counted > 2000


def test_a_proxy_fills_only_tokens_that_the_end_could_follow(visit):
    """And as full as the end is likely: that of an even choice is half."""
    seen = visit("measurements/02-data/")
    strip = seen.page.locator(".post-strip").first
    strip.scroll_into_view_if_needed()
    strip.locator(".token[role=option]").first.wait_for()
    strip.locator("select[name=colour]").select_option("proxy_a")
    tokens = strip.locator(".token[role=option]").evaluate_all(
        """tokens => tokens.map(token => [
            [...token.classList].find(name => name.startsWith('role-')).slice(5),
            Number(token.style.getPropertyValue('--value')),
        ])"""
    )
    last = [
        (value, number)
        for number, (role, value) in enumerate(tokens[:-1])
        if role == "item" and tokens[number + 1][0] != "item"
    ]
    others = [
        value for number, (_, value) in enumerate(tokens) if number not in dict(map(reversed, last))
    ]

    assert len(last) > 1
    assert set(others) == {0}
    for value, number in last:
        strip.locator(".token[role=option]").nth(number).click()
        told = strip.locator(".post-readout").inner_text().replace("−", "-")
        odds = float(told.split("proxy A")[1].split()[0])
        assert value == pytest.approx(1 / (1 + 2.718281828**-odds), abs=0.01)


def test_a_table_wider_than_a_phone_keeps_the_names_of_its_rows_in_sight(visit):
    seen = visit("measurements/08-ablation/", width=390)
    table = seen.page.locator("#ablation-by-layer .post-scroll").first
    table.scroll_into_view_if_needed()
    name = table.locator("th[scope=row]").nth(1)
    number = table.locator("tr", has=seen.page.locator("th[scope=row]")).nth(1).locator("td").first
    before, at = name.bounding_box(), number.bounding_box()
    moved = table.evaluate("table => table.scrollLeft = 150")

    assert moved == 150
    assert number.bounding_box()["x"] == pytest.approx(at["x"] - 150, abs=1)
    assert name.bounding_box() == before
    assert before["width"] < 390 / 3
    # A shadow at an edge says that there is more: it is not on what scrolls.
    assert "local" in table.evaluate("table => getComputedStyle(table).backgroundAttachment")


def test_on_paper_a_figure_begins_where_there_is_room_and_its_words_stay_with_it(visit):
    page = visit().page
    page.emulate_media(media="print")
    breaks = page.eval_on_selector_all(
        ".post-figure",
        """figures => figures.map(figure => [figure, figure.querySelector('figcaption')]
            .map(getComputedStyle).map(({ breakInside, breakBefore }) => [breakInside, breakBefore]))""",
    )

    assert breaks
    for figure, caption in breaks:
        assert figure == ["auto", "auto"]
        assert caption == ["avoid", "avoid"]
