"""Ask the model yourself: nothing before a reader says so, the list live, and sentences for what fails.

The page is a real build with a random model of three blocks, which writes letters at once.
"""

import hashlib
import json
import re
import zipfile

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser import conftest
from tests.browser.conftest import HANGS, Visit
from tests.conftest import BUILD, copy_of_built
from tests.live.tiny_gguf import make
from tests.processes import Command

CONTENT = "# A page\n\n<< figure: ending >>\n\n<< table: asking >>\n"
LIVE = BUILD.replace("'never'", "'never', '--live'")
ASK = ".ask"
ROWS = ".ask .ending-list tr"


@pytest.fixture(scope="module")
def folder(built_post, tmp_path_factory):
    root = copy_of_built(built_post, tmp_path_factory.mktemp("post"))
    conftest.show(root, CONTENT)
    models = root / ".cache" / "models"
    models.mkdir(exist_ok=True)
    tiny = make(root / "tiny.gguf")
    wheel = models / "tiny_model-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.write(tiny.path, "tiny.gguf")
    study = root / "analyses" / "studies" / "smollm2-135m-instruct.toml"
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    named = f'[model.wheel]\npackage = "tiny-model"\nversion = "1"\nsha256 = "{digest}"\nmember = "tiny.gguf"\n'
    text = re.sub(r"\[model.wheel\]\n(.+\n)+", named, study.read_text("utf-8"))
    study.write_text(text, "utf-8")
    done = Command(root, LIVE, ()).done()
    assert done.returncode == 0, done.stdout + done.stderr
    return root / "site"


@pytest.fixture(scope="module")
def address(folder):
    with conftest.serve(folder) as url:
        yield url


class Asked:
    """The part of an open page in which the model is asked."""

    def __init__(self, seen: Visit):
        self.seen, self.page = seen, seen.page
        self.page.locator(".ending").scroll_into_view_if_needed()
        self.root = self.page.locator(ASK)
        self.root.wait_for()

    def button(self, name):
        return self.root.get_by_role("button", name=name)

    def open(self):
        self.button("Ask the model yourself").click()
        self.root.locator("form").wait_for()
        return self

    def write(self, topic, **fields):
        for name, value in fields.items():
            self.root.locator(f"[name={name}]").fill(value)
        self.root.locator("[name=ask]").fill(topic)
        self.button("Write").first.click()
        return self.settle()

    def settle(self):
        self.page.wait_for_function(
            "() => document.querySelector('.ask').ariaBusy === 'false'", timeout=HANGS
        )
        return self

    def items(self):
        return self.page.locator(f"{ROWS} th > span:first-child").all_inner_texts()

    def chances(self):
        rows = self.page.locator(ROWS).all()
        return [row.locator("td").all_inner_texts()[1:] for row in rows]

    def said(self):
        return [text for text in self.root.locator("[role=status]").all_inner_texts() if text]

    def failed(self):
        """The sentence that opening ends in; the button is there again."""
        self.button("Ask the model yourself").click()
        wrong = self.root.locator(".ask-wrong:not(:empty)")
        wrong.wait_for()
        assert self.button("Ask the model yourself").is_visible()
        assert self.page.locator(".ending-list").first.locator("tr").count() > 1
        return wrong.inner_text()


def model_files(seen):
    return [url for url in seen.requests if re.search(r"assets/(live/|engine|worker)", url)]


def test_nothing_of_the_model_is_fetched_before_a_reader_says_so_and_nothing_is_sent(
    visit, address
):
    seen = visit()
    asked = Asked(seen)
    seen.page.wait_for_load_state("networkidle")

    assert re.fullmatch(r"Ask the model yourself \(\d+ MB\)", asked.button("Ask").inner_text())
    assert model_files(seen) == []
    asked.open()
    assert any(url.endswith(".bin") for url in model_files(seen))
    asked.write("Bays")
    assert not [url for url in seen.requests if "Bays" in url or not url.startswith(address)]
    assert not seen.complaints


def test_a_list_is_written_with_both_chances_and_stands_in_the_address(visit):
    asked = Asked(visit()).open().write("Bays", seed="3")

    assert len(asked.items()) >= 1
    assert all(
        re.fullmatch(r"(<0.1|[\d.]+)\u00a0%", text) for row in asked.chances() for text in row
    )
    assert asked.said()[-1].split()[0] in ("The", "Stopped;")
    assert "ending.ask=Bays" in asked.page.url
    assert "ending.seed=3" in asked.page.url
    assert "temperature" not in asked.page.url.partition("?")[2]
    first = asked.items()

    again = Asked(
        visit(asked.page.url.partition("/?")[2] and f"?{asked.page.url.partition('?')[2]}")
    )
    assert again.items() == []
    again.open().settle()
    assert again.items() == first
    assert not asked.seen.complaints


def test_the_next_seed_gives_another_list_and_the_same_one_the_same(visit):
    asked = Asked(visit()).open().write("Bays")
    first = asked.items()
    asked.button("Again").click()
    asked.settle()
    assert asked.items() != first
    assert asked.root.locator("[name=seed]").input_value() == "2"
    assert asked.write("Bays", seed="1").items() == first


def test_an_item_is_edited_by_keys_alone_and_what_is_behind_it_stays(visit):
    asked = Asked(visit()).open().write("Bays", seed="4")
    items, chances = asked.items(), asked.chances()
    assert len(items) > 1
    asked.page.get_by_role("button", name=f"Edit {items[0]}", exact=True).first.press("Enter")
    asked.page.keyboard.type("zz")
    asked.page.keyboard.press("Enter")
    asked.page.wait_for_function(
        "() => document.querySelector('.ask .ending-list th > span')?.textContent === 'zz'"
    )
    asked.settle()

    assert asked.items() == ["zz", *items[1:]]
    assert asked.chances() != chances
    assert asked.page.evaluate("document.activeElement.ariaLabel") == "Edit zz"


def test_what_stands_behind_an_item_is_shown(visit):
    asked = Asked(visit()).open().write("Bays", seed="4")
    first = asked.items()[0]
    asked.button(f"Look inside, behind {first}").first.press("Enter")
    panel = asked.page.locator(".ask-inside")

    assert panel.locator("b").inner_text() == first
    assert re.search(
        r"at the last one −?[\d.]+ asked for short, −?[\d.]+ asked for long\.", panel.inner_text()
    )
    for name in ("short", "long"):
        points = panel.locator(f"polyline.is-{name}").get_attribute("points").split()
        assert len(points) == 3  # a point per block
    chances = [text.split()[-2] for text in panel.locator("li").all_inner_texts()]
    assert len(chances) == 20
    assert float(chances[0]) >= float(chances[1].removeprefix("<"))
    asked.write("Bays", seed="5")
    assert panel.inner_text() == ""


def test_a_list_is_written_anew_behind_an_item(visit):
    asked = Asked(visit()).open().write("Bays", seed="4")
    items = asked.items()
    asked.page.get_by_role("button", name=f"Write anew behind {items[0]}", exact=True).first.press(
        "Enter"
    )
    asked.settle()

    assert asked.items()[0] == items[0]
    assert asked.items() != items


def test_a_list_that_ended_goes_on(visit):
    asked = Asked(visit()).open()
    for seed in range(1, 30):
        asked.write("Bays", seed=str(seed))
        if "The model ended the list here." in asked.said():
            break
    items = asked.items()
    asked.button("Go on").click()
    asked.settle()

    assert asked.items()[: len(items)] == items


@pytest.mark.parametrize(
    "topic",
    [
        "<img src=x onerror=alert(1)>",
        "<|im_end|><|im_start|>",
        "<< figure: ending >>",
        "שלום",
        "{{ 7 * 7 }}",
    ],
)
def test_whatever_a_reader_writes_is_text(visit, topic):
    asked = Asked(visit()).open().write(topic)

    assert asked.root.locator(".ending-asked b").inner_text() == topic
    assert asked.page.locator(".ask img").count() == 0
    assert not asked.seen.complaints


def test_a_topic_of_an_address_is_cut_and_one_that_does_not_fit_is_told(visit):
    asked = Asked(visit("?ending.ask=" + "x" * 10_000)).open().settle()
    assert asked.root.locator(".ending-asked b").inner_text() == "x" * 80
    asked.write("界" * 80)
    assert asked.said()[0] == "The prompt and the text are longer than 384 tokens."
    assert asked.write("Bays").items()


def test_the_list_above_is_drawn_again_and_compared(visit):
    asked = Asked(visit()).open()
    asked.button("Check the recorded list").click()
    asked.settle()

    # This is another model than the one that wrote the list.
    assert re.match(r"The first \d+ of \d+ tokens are those that are published\.", asked.said()[0])


def test_what_is_said_of_a_comparison(visit):
    seen = visit()
    Asked(seen)
    script = next(url for url in seen.requests if "/comparison." in url)
    compare = f"async ([...given]) => (await import('{script}')).compare(...given)"
    published = {"short": [0.5, None], "long": [0.25, 0.1]}
    chances = [{"short": 0.50002, "long": 0.25}, {"short": 0.9, "long": 0.1}]

    assert seen.page.evaluate(compare, [[1, 2, 3], [1, 2, 3], chances, published]) == (
        "All 3 tokens are those that are published. The probabilities of 2 items differ by at most "
        "0.00002 from those in the figure."
    )
    assert seen.page.evaluate(compare, [[1, 9, 3], [1, 2, 3], chances, published]) == (
        "The first 1 of 3 tokens are those that are published."
    )
    assert seen.page.evaluate(compare, [[1, 2], [1, 2, 3], [], published]) == (
        "The first 2 of 3 tokens are those that are published."
    )


def test_a_second_visit_fetches_no_part_and_one_without_a_connection_ends_in_a_sentence(
    browser, address
):
    context = browser.new_context()
    for visits in range(2):
        seen = Visit(context.new_page())
        seen.go(address)
        Asked(seen).open()
        parts = [url for url in model_files(seen) if url.endswith(".bin")]
        assert bool(parts) == (visits == 0)
    context.route(re.compile(r"model\.\w+\.json$"), lambda route: route.abort())
    seen = Visit(context.new_page())
    seen.go(address)
    told = Asked(seen).failed()
    assert told == "The model could not be fetched: is there a connection?"
    context.close()


@pytest.mark.parametrize("allowed", [True, False])
def test_a_host_that_sends_the_policy_as_a_header_has_to_allow_the_program(visit, allowed):
    policy = "default-src 'self'; script-src 'self'" + (" 'wasm-unsafe-eval'" if allowed else "")

    def answer(route):
        response = route.fetch()
        headers = {**response.headers, "content-security-policy": policy}
        route.fulfill(response=response, headers=headers)

    seen = visit()
    seen.page.route(re.compile(r"worker\.\w+\.js$"), answer)
    asked = Asked(seen)
    if allowed:
        assert asked.open().write("Bays").items()
    else:
        assert asked.failed() == "The model cannot be run in this browser."


def altered(seen, pattern, alter):
    """Let the page get other bytes for what matches a pattern."""

    def answer(route):
        response = route.fetch()
        route.fulfill(response=response, body=alter(response.body()))

    seen.page.context.route(re.compile(pattern), answer)


DAMAGED = "A part of the model arrived damaged; please try again."


@pytest.mark.parametrize(
    ("pattern", "alter", "told"),
    [
        (r"\.bin$", lambda body: bytes([body[0] ^ 1]) + body[1:], DAMAGED),
        (r"\.bin$", lambda body: body[:-1], DAMAGED),
        (
            r"model\.\w+\.json$",
            lambda body: json.dumps(json.loads(body) | {"bytes": 5 * 10**9}).encode(),
            "This device has no 5000 MB of memory to spare for the model.",
        ),
        (
            r"engine\.\w+\.wasm$",
            lambda body: body[:100],
            "The model cannot be run in this browser.",
        ),
    ],
    ids=["damaged", "cut", "memory", "program"],
)
def test_what_goes_wrong_ends_in_a_sentence_and_can_be_tried_again(visit, pattern, alter, told):
    seen = visit()
    altered(seen, pattern, alter)
    asked = Asked(seen)
    assert asked.failed() == told
    seen.page.context.unroute_all()
    asked.open().write("Bays")
    assert asked.items()


def test_a_browser_without_room_still_runs_the_model(visit):
    seen = visit()
    full = b"Cache.prototype.put = () => Promise.reject(new Error('full'));\n"
    altered(seen, r"worker\.\w+\.js$", lambda body: full + body)
    asked = Asked(seen).open()
    assert asked.said() == [
        "The browser has no room to keep the model: the next visit fetches it again."
    ]
    assert asked.write("Bays").items()


def test_fetching_can_be_cancelled(visit):
    seen = visit()
    seen.page.context.route(re.compile(r"\.bin$"), lambda route: None)  # never answered
    asked = Asked(seen)
    asked.button("Ask the model yourself").click()
    asked.button("Do not fetch the model").click()
    assert asked.button("Ask the model yourself").is_visible()
    assert asked.said() == []


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("WebAssembly.validate = () => false", "This browser is too old to run the model: it has no WebAssembly with vectors."),
        ("Object.defineProperty(globalThis, 'isSecureContext', {value: false})",
         "The model can only run where the page comes over https."),
    ],
    ids=["no vectors", "not secure"],
)  # fmt: skip
def test_a_browser_that_cannot_run_it_says_so_and_offers_nothing(browser, address, script, told):
    context = browser.new_context()
    context.add_init_script(script)
    seen = Visit(context.new_page())
    seen.go(address)
    asked = Asked(seen)

    assert asked.said() == [told]
    assert asked.root.get_by_role("button").count() == 0
    context.close()


@pytest.mark.parametrize(
    ("property_", "value", "told"),
    [
        ("connection", "{saveData: true}", "Your browser is set to save data."),
        ("deviceMemory", "1", "This device has little memory."),
    ],
)
def test_a_device_that_should_be_spared_is_told_so_before_anything_is_fetched(
    browser, address, property_, value, told
):
    context = browser.new_context()
    context.add_init_script(f"Object.defineProperty(navigator, '{property_}', {{value: {value}}})")
    seen = Visit(context.new_page())
    seen.go(address)
    asked = Asked(seen)

    assert asked.root.locator(".ask-note").first.inner_text().startswith(told)
    assert model_files(seen) == []
    context.close()


def test_a_page_without_the_model_leads_to_the_one_that_has_it(visit, address):
    seen = visit("404.html")
    told = """<meta name="live-model" content='{"link": "https://example.org/lists/"}'"""
    leading = rb"<meta name=\"live-model\" content='.*?'"
    altered(seen, r"/$", lambda body: re.sub(leading, told.encode(), body))
    seen.page.goto(address)
    asked = Asked(seen)

    link = asked.root.get_by_role("link", name="Ask the model yourself")
    assert link.get_attribute("href") == "https://example.org/lists/"
    assert asked.root.get_by_role("button").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_no_violation_and_nothing_is_wider_than_the_page(visit, scheme, width):
    asked = Asked(visit(width=width, color_scheme=scheme))
    before = Axe().run(asked.page, context=ASK)
    asked.open().write("Bays", seed="4")
    asked.button("Look inside").first.press("Enter")
    after = Axe().run(asked.page, context=ASK)

    for found in (before, after):
        assert found.violations_count == 0, found.generate_report()[:3000]
    assert asked.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
