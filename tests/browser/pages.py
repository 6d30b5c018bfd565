"""The pages of the post, by their place in the site."""

from tests.conftest import REPO

CONTENT = REPO / "content"


def _place(name: str) -> str:
    """ "features/" of features.md, "" of index.md."""
    return "".join(f"{part}/" for part in name.removesuffix(".md").split("/") if part != "index")


POST = sorted(
    _place(path.relative_to(CONTENT).as_posix())
    for path in CONTENT.rglob("*.md")
    if path.parent.name != "sections"
)

MEASUREMENTS = [place for place in POST if place.startswith("measurements/")]
"""Those with the figures that the first page leaves out."""
