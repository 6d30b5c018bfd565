import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyses.instruments.roles import differing_words, list_roles, prompt_roles

END = "<end>"


def read(*pieces: str):
    return list_roles(pieces, hyphen="-", end=[END])


def names(roles) -> list[str]:
    return [token.role for token in roles.tokens]


def test_smollm2_ends_right_after_the_last_item():
    found = read("-", " Apple", "\n", "-", " Gra", "pe", "\n", "-", " Fig", "s", "!", END)
    assert names(found) == [
        "hyphen", "item", "break", "hyphen", "item", "item", "break", "hyphen", "item", "item",
        "item", "end",
    ]  # fmt: skip
    assert [token.k for token in found.tokens] == [1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 3]
    assert [token.k_end for token in found.tokens] == [
        -3,
        -3,
        -3,
        -2,
        -2,
        -2,
        -2,
        -1,
        -1,
        -1,
        -1,
        -1,
    ]
    parts = [token.part for token in found.tokens if token.role == "item"]
    assert parts == ["only", "first", "last", "first", "middle", "last"]
    assert [item.text for item in found.items] == ["Apple", "Grape", "Figs!"]
    assert [item.tokens for item in found.items] == [1, 2, 3]
    assert (found.reason, found.ended) == ("", True)


def test_gemma_writes_blanks_and_breaks_before_it_ends():
    found = read("-", " London", "\n", "-", " Rio", " de", " Janeiro", " ", "\n", END)
    assert names(found) == [
        "hyphen", "item", "break", "hyphen", "item", "item", "item", "blank", "break", "end",
    ]  # fmt: skip
    assert [item.blank for item in found.items] == [False, True]
    assert found.items[1].tokens == 3
    assert [token.k for token in found.tokens] == [1, 1, 1, 2, 2, 2, 2, 2, 2, 2]
    assert [token.k_end for token in found.tokens] == [-2, -2, -2, -1, -1, -1, -1, -1, -1, -1]
    assert found.reason == ""


def test_what_follows_the_end_is_end():
    found = read("-", " A", END, "\n", "<eos>")
    assert names(found) == ["hyphen", "item", "end", "end", "end"]


def test_a_capped_list_has_no_end_to_count_from():
    found = read("-", " A", "\n", "-", " B", " b")
    assert found.reason == "capped"
    assert [token.k_end for token in found.tokens] == [None] * 6
    assert [item.complete for item in found.items] == [True, False]
    # Which token of a cut item would have been its last is not known.
    assert [token.part for token in found.tokens if token.role == "item"] == [
        "only", "first", "middle",
    ]  # fmt: skip


def test_a_cut_item_of_one_token_may_have_gone_on():
    (_, token) = read("-", " A").tokens
    assert token.part == "first"


def test_cut_before_the_first_item_is_cut():
    for pieces in ([], ["-"], ["-", " "]):
        found = read(*pieces)
        assert (found.reason, found.items) == ("capped", [])


def test_cut_right_after_a_hyphen_or_break():
    for pieces in (["-", " A", "\n", "-"], ["-", " A", "\n"], ["-", " A", "\n", "-", " "]):
        found = list_roles(pieces, hyphen="-", end=[END])
        assert found.reason == "capped"
        assert len(found.tokens) == len(pieces)
        assert [item.text for item in found.items] == ["A"]


def test_hyphens_digits_and_blanks_inside_an_item_belong_to_it():
    found = read("-", " Spider", "-", "Man", " ", "2", "\n", "-", " ", "7", END)
    assert [item.text for item in found.items] == ["Spider-Man 2", "7"]
    assert [item.tokens for item in found.items] == [5, 2]
    assert [item.blank for item in found.items] == [False, False]


def test_pieces_of_a_character_are_no_blanks():
    found = read("-", " S", "\ufffd", "\ufffd", "o", "\n", "-", "\ufffd", END)
    assert [item.tokens for item in found.items] == [4, 1]
    assert found.reason == ""


def test_an_empty_line_is_one_however_it_is_written():
    for pieces in (["\n\n"], ["\n", "\n"], [" ", "\n\n"]):
        found = read("-", " A", *pieces, "-", " B", END)
        assert found.reason == "malformed: an empty line"
        assert [item.text for item in found.items] == ["A", "B"]
        assert found.tokens[1 + len(pieces)].role == "break"
        assert found.tokens[1 + len(pieces)].k == 1
        # At the end there is nothing that it could separate.
        assert read("-", " A", *pieces, END).reason == ""
        assert read("-", " A", *pieces).reason == "capped"


def test_what_is_no_list_is_said_to_be_malformed():
    cases = {
        "a line without -": ["-", " A", "\n", "Also", " this", "\n", "-", " B", END],
        "an empty line": ["-", " A", "\n", "\n", "-", " B", END],
        "an empty item": ["-", "\n", "-", " B", END],
        "no items": [END],
    }
    for reason, pieces in cases.items():
        assert read(*pieces).reason == f"malformed: {reason}"
    assert names(read(*cases["a line without -"])) == [
        "hyphen", "item", "break", "other", "other", "break", "hyphen", "item", "end",
    ]  # fmt: skip


def test_a_line_that_is_no_item_stands_after_the_items_before_it():
    found = read("Well", "\n", "-", " A", "\n", "Also", " this", "\n", "-", " B", END)
    assert [(token.role, token.k, token.k_end) for token in found.tokens] == [
        ("other", None, None), ("break", None, None),
        ("hyphen", 1, -2), ("item", 1, -2), ("break", 1, -2),
        ("other", None, None), ("other", None, None), ("break", 1, -2),
        ("hyphen", 2, -1), ("item", 2, -1), ("end", 2, -1),
    ]  # fmt: skip


def test_a_token_that_holds_text_and_a_break_closes_its_item():
    found = read("-", " A", ")\n", "-", " B", END)
    assert [item.text for item in found.items] == ["A)", "B"]
    assert found.tokens[2].part == "last"


@given(
    st.lists(st.sampled_from(["-", " A", "b", " ", "  ", "\n", "\n\n", ")\n", "1.", "\ufffd", END]))
)
def test_every_token_has_a_role_and_items_add_up(pieces):
    found = list_roles(pieces, hyphen="-", end=[END])
    assert len(found.tokens) == len(pieces)
    hyphenated = [token for token in found.tokens if token.role == "item"]
    assert sum(item.tokens for item in found.items) == len(hyphenated)
    assert {token.k for token in hyphenated} == set(range(1, len(found.items) + 1))
    assert found.ended == (END in pieces)
    if found.ended and found.items:
        assert {token.k_end for token in hyphenated} == set(range(-len(found.items), 0))


def roles_of(pieces, **spans):
    places, start = [], 0
    for piece in pieces:
        places.append((start, start + len(piece)))
        start += len(piece)
    marks = {"turn_open": "<s>", "turn_close": "</s>", "bos": "<b>"}
    return prompt_roles(places, pieces, **({"turn": (0, start)} | marks | spans))


def test_prompt_roles_of_a_chat():
    pieces = ["<b>", "<s>", "user", "\n", "a", " short", " list", " of", " City", " Names", ".",
              "</s>", "\n", "<s>", "model", "\n"]  # fmt: skip
    text = "".join(pieces)
    short, topic = text.index("short"), text.index("City Names")
    turn = (text.index("a short"), text.index("</s>"))
    found = roles_of(pieces, turn=turn, length=[(short, short + 5)], topic=(topic, topic + 10))
    assert found == [
        "bos", "turn", "turn", "turn", "prompt", "length", "prompt", "prompt", "topic", "topic",
        "prompt", "turn", "turn", "turn", "turn", "turn",
    ]  # fmt: skip


def test_a_break_inside_a_turn_is_prompt():
    assert roles_of(["a", "\n", "b"], length=[], topic=(9, 9)) == ["prompt"] * 3


def test_a_break_before_all_items_belongs_to_none():
    found = read("\n", "-", " A", END)
    assert [token.k for token in found.tokens] == [None, 1, 1, 1]


def test_what_only_touches_a_word_is_no_part_of_it():
    assert roles_of(["a", "b", "c"], length=[], topic=(1, 2)) == ["prompt", "topic", "prompt"]
    assert roles_of(["a", "b", "c"], length=[(1, 2)], topic=(9, 9))[1] == "length"


def test_a_turn_closes_with_the_break_behind_its_mark():
    assert roles_of(["</s>", "\n", "\n"], length=[], topic=(9, 9)) == ["turn", "turn", "prompt"]
    assert roles_of(["\n", "</s>"], length=[], topic=(9, 9)) == ["prompt", "turn"]


def test_each_token_of_a_prompt_has_a_place():
    with pytest.raises(ValueError, match="zip"):
        prompt_roles(
            [(0, 1)], ["a", "b"], turn=(0, 1), length=[], topic=(0, 0),
            turn_open="<", turn_close=">", bos=None,
        )  # fmt: skip


def test_differing_words():
    one = "a short list with a few {topic}."
    two = "a long list with very many {topic}."
    assert [one[a:b] for a, b in differing_words(one, two)] == ["short", "a", "few"]
    assert differing_words(one, one) == []
    assert differing_words("a b c", "a x") == [(2, 3)]
