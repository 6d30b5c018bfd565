"""The theme's inline scripts: all of them are known, and nothing that looks like one."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from site_builder.site.policy import theme_scripts

THEME = Path(str(find_spec("material").origin)).parent / "templates"
BASE = next(one for one in theme_scripts.of_theme(THEME).values() if one.startswith("__md_scope"))


def scope(way: str) -> str:
    """The script that begins every page, with a way to the root."""
    return BASE.replace('new URL(""', f'new URL("{way}"')


def test_every_script_of_the_installed_theme_is_known():
    found = theme_scripts.of_theme(THEME).values()

    assert len(found) >= 8
    assert all(map(theme_scripts.is_known, found))


@pytest.mark.parametrize("way", [".", "..", "../..", "/", "https://example.org/lists/"])
def test_the_way_to_the_root_may_be_any(way):
    assert theme_scripts.is_known(scope(way))


@pytest.mark.parametrize("way", ['");alert(1);("', "\\", "</script>", "`${alert(1)}`", "a b"])
def test_a_way_that_is_none_makes_a_script_unknown(way):
    assert not theme_scripts.is_known(scope(way))


@pytest.mark.parametrize("script", ["", "alert(1)", f"{BASE};alert(1)", f" {BASE}"])
def test_anything_else_is_unknown(script):
    assert not theme_scripts.is_known(script)


def test_an_upgraded_theme_adds_its_scripts_but_none_that_text_is_put_into(tmp_path, monkeypatch):
    (tmp_path / "theme").mkdir()
    page = '<script>old()</script><script>fresh(new URL("{{ base_url }}"))</script><script>"{{ x }}"</script>'
    (tmp_path / "theme" / "base.html").write_text(page)
    known = tmp_path / "theme_scripts.txt"
    known.write_text(f"# a head\n{theme_scripts.sha256(b'old()')} theme 1\n")
    monkeypatch.setattr(theme_scripts, "FILE", known)
    theme_scripts._digests.cache_clear()
    try:
        assert theme_scripts.add(tmp_path / "theme", "theme 2") == ['fresh(new URL(""))']
        theme_scripts._digests.cache_clear()
        assert theme_scripts.is_known('fresh(new URL("../.."))')
        assert not theme_scripts.is_known('"{{ x }}"')
    finally:
        theme_scripts._digests.cache_clear()
