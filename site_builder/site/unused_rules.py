"""The theme's style sheets without the rules that no page can use: a good third of their bytes.

A rule goes where its selector names a class that stands neither in a page nor in a script, which
may set it later; or a colour of the theme, or a direction of text, that no page has or offers. All
else counts as used.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import tinycss2

from site_builder.core.cache import Memory
from site_builder.core.digests import sha256

_CLASSES = re.compile(r"""(?i:class)\s*=\s*("[^"]*"|'[^']*'|[^\s>]+)""")
_VALUES = re.compile(r"""(?i:\bdata-md-color-[\w-]+|\bdir)\s*=\s*["']?([\w-]+)""")
_WORDS = re.compile(r"[\w-]+")
_CONDITIONS = ("media", "supports", "layer", "container")
_FOLDER = "assets/stylesheets"
_SHEETS = ("main", "palette")
"""What Material brings; an author's own sheet may lie beside them, and stays as it is."""
_LIGHTER = re.compile(rf"{_FOLDER}/({'|'.join(_SHEETS)})\.[0-9a-f]{{8}}\.css")


def lightened(site: Path, pages: Iterable[str], memory: Memory) -> dict[str, tuple[str, bytes]]:
    """The theme's sheets in the folder `site`: a name for each beside it, and what is left of it.

    `pages` is the HTML of all pages. Pieces and scripts of the site that come to them later are
    read here; a piece once, as its name changes with what is in it.
    """
    known: set[str] = set().union(*map(names, pages))
    for piece in site.glob("figures/*.htm"):
        known.update(memory.recall("names", piece.name, partial(_names_in, piece)))
    for script in site.rglob("*.js"):
        if "lunr" not in script.parts:  # languages that the search can read
            known |= words(script.read_text("utf-8"))
    lighter: dict[str, tuple[str, bytes]] = {}
    for path in filter(None, (_whole(site, name) for name in _SHEETS)):
        sheet = path.read_text("utf-8")
        depends = [path.name, sorted(known & words(sheet))]
        content = memory.recall("rules", depends, partial(without, sheet, known)).encode()
        named = f"{path.name.partition('.')[0]}.{sha256(content)[:8]}.css"
        lighter[f"{_FOLDER}/{path.name}"] = f"{_FOLDER}/{named}", content
    return lighter


def whole(site: Path, address: str) -> Path | None:
    """The theme's sheet that the one at `address` was made of, if it is one of those."""
    found = _LIGHTER.fullmatch(address)
    return _whole(site, found[1]) if found else None


def _whole(site: Path, name: str) -> Path | None:
    return next((site / _FOLDER).glob(f"{name}.*.min.css"), None)


def _names_in(piece: Path) -> list[str]:
    return sorted(names(piece.read_text("utf-8")))


def words(text: str) -> set[str]:
    """Every word of a script or a style sheet that may be a class's name."""
    return set(_WORDS.findall(text))


def names(page: str) -> set[str]:
    """All classes of a page, and its colours and directions as `=indigo`, `=rtl`."""
    found = {f"={value}" for value in _VALUES.findall(page)}
    for classes in set(_CLASSES.findall(page)):
        found.update(classes.strip("\"'").split())
    return found


def without(sheet: str, known: set[str]) -> str:
    """Return `sheet` without the rules that only other names than the `known` ones can reach."""
    rules = tinycss2.parse_stylesheet(sheet, skip_comments=True, skip_whitespace=True)
    return "".join(_kept(rules, known))


def _kept(rules: Iterable[Any], known: set[str]) -> Iterator[str]:
    for rule in rules:
        if rule.type == "qualified-rule":
            selectors = [one for one in _selectors(rule.prelude) if _is_used(one, known)]
            if selectors:
                head = ",".join(tinycss2.serialize(one).strip() for one in selectors)
                yield f"{head}{{{tinycss2.serialize(rule.content)}}}"
        elif rule.type == "at-rule" and rule.at_keyword in _CONDITIONS and rule.content is not None:
            inner = tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True)
            if body := "".join(_kept(inner, known)):
                yield f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude)}{{{body}}}"
        else:
            yield rule.serialize()


def _selectors(prelude: list[Any]) -> Iterator[list[Any]]:
    """The selectors of a list, as tokens each."""
    one: list[Any] = []
    for token in prelude:
        if token == ",":
            yield one
            one = []
        else:
            one.append(token)
    yield one


def _is_used(selector: list[Any], known: set[str]) -> bool:
    before: Any = None
    for token in selector:
        if token.type == "ident" and before == "." and token.value not in known:
            return False
        if token.type == "[] block" and not _has(token.content, known):
            return False
        before = token
    return True


def _has(attribute: list[Any], known: set[str]) -> bool:
    """Whether an attribute may have the value that is asked of it; only some are looked at."""
    tokens = [token for token in attribute if token.type != "whitespace"]
    if len(tokens) != 3 or tokens[1] != "=":
        return True
    name = str(tokens[0].value)
    if name != "dir" and not name.startswith("data-md-color-"):
        return True
    return f"={tokens[2].value}" in known
