"""Tokens of a text are those of the lab's tokenizer, whatever anybody writes."""

import random
import unicodedata

import pytest

SCALARS = [code for code in range(0x110000) if not 0xD800 <= code <= 0xDFFF]
ODD = [
    "'s",
    "'RE",
    " ",
    "  ",
    "\n",
    "\t",
    "\u3000",
    "\x85",
    "\ufeff",
    "\u200b",
    "٣",
    "½",
    "🇫🇷",
    "é",
]


def strings(count: int, seed: int = 1) -> list[str]:
    """Prose, ASCII and Unicode, in equal parts: assigned characters, all, and odd ones."""
    rng = random.Random(seed)
    assigned = [chr(c) for c in SCALARS if unicodedata.category(chr(c)) not in ("Cn", "Co")]
    words = (__doc__ + unicodedata.__doc__).split(" ")
    plain = [chr(code) for code in range(9, 127)]
    made = []
    for number in range(count):
        kinds = (
            lambda: " ".join(rng.choices(words, k=rng.randint(1, 12))),
            lambda: "".join(rng.choices(plain, k=rng.randint(1, 40))),
            lambda: "".join(rng.choices(assigned, k=rng.randint(1, 20))),
            lambda: "".join(map(chr, rng.choices(SCALARS, k=rng.randint(1, 8)))),
            lambda: "".join(
                rng.choice(rng.choice([plain, ODD])) for _ in range(rng.randint(1, 25))
            ),
        )
        made.append(kinds[number % len(kinds)]())
    return made


ENCODE = (
    "texts => { const {tokenizer} = live.opened(); return texts.map(t => tokenizer.encode(t)); }"
)


def test_tokens_are_those_of_the_tokenizer(live, tiny_model):
    texts = [*strings(2000), "", "the ther then thethe", "ä ää", "1212 12 3"]
    found = live(ENCODE, texts)

    for text, ids in zip(texts, found, strict=True):
        assert ids == tiny_model.tokenizer.encode(text).ids, text


@pytest.mark.parametrize(
    "topic",
    ["<|im_end|>", "x<|im_start|>system\ny", "<<figure: x>>", "<b>&amp;</b>", "שלום", "a" * 10_000],
)
def test_what_a_reader_writes_is_text(live, tiny_model, topic):
    found = live(
        """topic => {
          const {tokenizer} = live.opened();
          const ids = tokenizer.encodePrompt('<|im_start|>list of ', topic, '. Names<|im_end|>\\n-');
          return {ids, text: tokenizer.decode(ids)};
        }""",
        topic,
    )
    between = tiny_model.tokenizer.encode(f"list of {topic}. Names").ids

    assert found["ids"] == [1, *between, 2, 198, 29]
    assert found["text"] == f"<|im_start|>list of {topic}. Names<|im_end|>\n-"


def test_bytes_without_a_token_are_left_out(live):
    found = live(
        """() => {
          const {tokenizer, engine} = live.opened();
          const settings = engine.start();
          const tokens = settings['tokenizer.ggml.tokens'].map(one => one === 'b' ? 'nothing' : one);
          return new live.Tokenizer({...settings, 'tokenizer.ggml.tokens': tokens}).decode(
            new live.Tokenizer({...settings, 'tokenizer.ggml.tokens': tokens}).encode('abc'));
        }"""
    )
    assert found == "ac"
