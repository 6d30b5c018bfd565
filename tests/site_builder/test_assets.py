"""Scripts and style sheets under names that change with their content and with what they import."""

import re

import pytest

from site_builder.core.errors import BuildError
from site_builder.site import assets

SCRIPTS = {
    "post.js": 'import { a } from "./a.js";\nconst later = () => import("./late.js");\n',
    "a.js": "export { b as a } from './b.js';\n",
    "b.js": 'import "./c.js";\nexport const b = "./c.js";\n',
    "c.js": "",
    "late.js": 'import { b } from "./b.js";\n',
    "post.css": 'a { background: url("./c.js"); }',
}


@pytest.fixture
def folder(tmp_path):
    for name, text in SCRIPTS.items():
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


def test_scripts_import_each_other_by_their_hashed_names(folder):
    files = assets.hashed(folder)
    names = {assets.named(files, name) for name in SCRIPTS}

    assert names == set(files)
    for name in names - {assets.named(files, "post.css")}:
        for imported in re.findall(
            r"(?:from|import|import\() ?[\"']\./([^\"']+)", files[name].decode()
        ):
            assert f"assets/{imported}" in names
    assert b'b = "./c.js"' in files[assets.named(files, "b.js")]
    assert files[assets.named(files, "post.css")].decode() == SCRIPTS["post.css"]


def test_a_worker_and_a_program_are_asked_for_by_their_hashed_names_and_later(tmp_path):
    (tmp_path / "post.js").write_text('new Worker(new URL("./w.js", import.meta.url));', "utf-8")
    (tmp_path / "w.js").write_text("fetch(new URL('./code.wasm', import.meta.url));", "utf-8")
    (tmp_path / "code.wasm").write_bytes(b"\0asm\xff")
    files = assets.hashed(tmp_path)
    post, worker, code = (assets.named(files, name) for name in ("post.js", "w.js", "code.wasm"))

    assert f'new URL("./{worker.removeprefix("assets/")}", import' in files[post].decode()
    assert f"new URL('./{code.removeprefix('assets/')}', import" in files[worker].decode()
    assert files[code] == b"\0asm\xff"
    assert assets.needed(files, post) == []


def test_a_style_sheet_goes_without_what_only_its_author_reads(tmp_path):
    (tmp_path / "a.css").write_text(
        '/*! A licence. */\n/* Why. */\na {\n  content: "  /";\n}\n\n/* More\n   of it. */\nb { c: d }\n'
    )
    (made,) = assets.hashed(tmp_path).values()
    assert made.decode() == '/*! A licence. */\na {\ncontent: "  /";\n}\n\nb { c: d }\n'


def test_a_change_renames_the_script_and_all_that_import_it(folder):
    before = assets.hashed(folder)
    (folder / "b.js").write_text(SCRIPTS["b.js"] + "b();\n", "utf-8")
    after = assets.hashed(folder)
    changed = {name for name in SCRIPTS if assets.named(before, name) != assets.named(after, name)}

    assert changed == {"b.js", "a.js", "late.js", "post.js"}


def test_what_is_needed_at_once_is_told_apart_from_what_is_loaded_on_demand(folder):
    files = assets.hashed(folder)
    needed = assets.needed(files, assets.named(files, "post.js"))

    assert needed == [assets.named(files, name) for name in ("a.js", "b.js", "c.js")]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "c.js",
            'import "./a.js";',
            "assets/a.js: imports itself: a.js → b.js → c.js → a.js; cut it",
        ),
        (
            "a.js",
            'import "./pst.js";',
            'assets/a.js: imports "./pst.js", which is not there; did you mean "post.js"?',
        ),
    ],
)
def test_a_wrong_import_is_told(folder, name, text, message):
    (folder / name).write_text(text, "utf-8")

    with pytest.raises(BuildError, match=re.escape(message)):
        assets.hashed(folder)


def test_no_folder_and_no_script_are_nothing(tmp_path):
    assert assets.hashed(tmp_path / "none") == {}
    assert assets.named({}, "post.js") == ""
    assert assets.needed({}, "") == []
