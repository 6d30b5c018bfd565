"""The chart code that readers load: small, without `eval`, from the public registry."""

import gzip
import json
import re
from pathlib import Path

import pytest

ASSETS = Path(__file__).parents[2] / "assets"
LOCK = json.loads((ASSETS / "charts/package-lock.json").read_text("utf-8"))


def test_the_bundle_is_small():
    assert len(gzip.compress((ASSETS / "charts.js").read_bytes(), 9)) <= 160_000


SCRIPTS = sorted(
    path.relative_to(ASSETS).as_posix()
    for folder in (".", "post", "live")
    for path in (ASSETS / folder).glob("*.js")
)


@pytest.mark.parametrize("name", SCRIPTS)
def test_nothing_compiles_code_from_strings(name):
    text = (ASSETS / name).read_text("utf-8")

    assert not re.search(r"new Function\b|(?<![\w.])eval\(|document\.write", text)


@pytest.mark.parametrize("name", [name for name in SCRIPTS if name != "charts.js"])
def test_text_from_results_is_never_put_into_the_page_as_html(name):
    text = (ASSETS / name).read_text("utf-8")

    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML", text)


def test_versions_are_pinned_and_no_mirror_is_named():
    packages = LOCK["packages"]
    wanted = packages[""]["dependencies"] | packages[""]["devDependencies"]

    assert all(re.fullmatch(r"[\d.]+", version) for version in wanted.values())
    for name, package in packages.items():
        assert name == "" or package["integrity"].startswith("sha512-")
        assert package.get("resolved", "https://registry.npmjs.org/").startswith(
            "https://registry.npmjs.org/"
        )


def test_every_licence_is_told():
    told = (ASSETS / "charts/LICENCES.txt").read_text("utf-8")

    for name in LOCK["packages"][""]["dependencies"]:
        assert f"{name} {LOCK['packages'][f'node_modules/{name}']['version']} (" in told
