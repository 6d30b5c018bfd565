"""Rules that no page can use go; every other one stays as it was."""

import re

import pytest

from site_builder.core.cache import Memory
from site_builder.site.unused_rules import lightened, names, whole, without

PAGE = """<body data-md-color-scheme=default data-md-color-primary="teal">
<p class="seen other" dir="ltr">…</p><P CLASS='shouted'>…</P><i class=bare>…</i></body>"""


def test_classes_are_found_however_they_are_written():
    assert names(PAGE) == {"seen", "other", "shouted", "bare", "=default", "=teal", "=ltr"}


@pytest.mark.parametrize(
    ("sheet", "left"),
    [
        (".seen{a:b}", ".seen{a:b}"),
        (".gone{a:b}", ""),
        (".gone,.seen .other{a:b}", ".seen .other{a:b}"),
        (".seen.gone>p{a:b}", ""),
        (".seen:not(.gone){a:b}", ".seen:not(.gone){a:b}"),
        (".seen:is(.gone,.other){a:b}", ".seen:is(.gone,.other){a:b}"),
        (r".bare\:x{a:b}", ""),
        (".bar\\65{a:b}", ".bare{a:b}"),
        ("p,#gone,[hidden]{a:b}", "p,#gone,[hidden]{a:b}"),
        ('[data-md-color-primary=pink] a,[data-md-color-primary="teal"]{a:b}',
         '[data-md-color-primary="teal"]{a:b}'),
        ("[dir=rtl] .seen,[dir=ltr] .seen{a:b}", "[dir=ltr] .seen{a:b}"),
        ("[dir] .seen,[lang=ar]{a:b}", "[dir] .seen,[lang=ar]{a:b}"),
        ("@media print{.gone{a:b}.seen{c:d}}", "@media print{.seen{c:d}}"),
        ("@media print{@supports (a:b){.gone{a:b}}}", ""),
        ("@font-face{src:url(x)}@keyframes k{0%{a:b}}", "@font-face{src:url(x)}@keyframes k{0%{a:b}}"),
        ('.seen{background:url("data:,;}.gone{")}', '.seen{background:url("data:,;}.gone{")}'),
        (".seen{a:b;.gone &{c:d}}", ".seen{a:b;.gone &{c:d}}"),
    ],
)  # fmt: skip
def test_a_rule_goes_where_a_page_has_none_of_its_names(sheet, left):
    assert without(sheet, names(PAGE)) == left


def test_pieces_and_scripts_that_come_later_keep_their_rules(tmp_path):
    sheets = tmp_path / "assets/stylesheets"
    sheets.mkdir(parents=True)
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures/card.1a.htm").write_text('<b class="card">', "utf-8")
    (tmp_path / "assets/menu.2b.js").write_text('node.classList.add("open")', "utf-8")
    (sheets / "main.0.min.css").write_text(".card{a:b}.open{c:d}.seen{e:f}.gone{g:h}", "utf-8")

    lighter = lightened(tmp_path, [PAGE], Memory(tmp_path / "memory.json"))

    ((sheet, (name, content)),) = lighter.items()
    assert sheet == "assets/stylesheets/main.0.min.css"
    assert re.fullmatch(r"assets/stylesheets/main\.[0-9a-f]{8}\.css", name)
    assert content == b".card{a:b}.open{c:d}.seen{e:f}"
    assert whole(tmp_path, name) == tmp_path / sheet
    assert whole(tmp_path, "assets/stylesheets/extra.12345678.css") is None


def test_a_script_of_an_author_is_read_anew_under_its_old_name(tmp_path):
    sheet = tmp_path / "assets/stylesheets/main.0.min.css"
    sheet.parent.mkdir(parents=True)
    sheet.write_text(".open{a:b}", "utf-8")
    memory = Memory(tmp_path / "memory.json")
    left = []
    for script in ("", "node.className = 'open'"):
        (tmp_path / "mine.js").write_text(script, "utf-8")
        left += [content for _, content in lightened(tmp_path, [PAGE], memory).values()]

    assert left == [b"", b".open{a:b}"]


def test_a_sheet_of_an_author_stays_as_it_is(tmp_path):
    folder = tmp_path / "assets/stylesheets"
    folder.mkdir(parents=True)
    for name in ("extra.css", "main.css"):
        (folder / name).write_text(".gone{a:b}", "utf-8")

    assert lightened(tmp_path, [PAGE], Memory(tmp_path / "memory.json")) == {}


def test_a_sheet_has_another_name_with_other_rules(tmp_path):
    sheet = tmp_path / "assets/stylesheets/main.0.min.css"
    sheet.parent.mkdir(parents=True)
    sheet.write_text(".one{a:b}.two{c:d}", "utf-8")
    memory = Memory(tmp_path / "memory.json")
    pages = ("<p class=one>", "<p class=two>", "<p class=one>")
    one, two, again = (lightened(tmp_path, [page], memory) for page in pages)

    assert one == again
    assert {*one.values()}.isdisjoint(two.values())
