"""Where the pages of a project are in its site."""

from __future__ import annotations

from pathlib import Path

from site_builder.core.project import Project


class Addresses:
    """The addresses of a project's pages, and the ways between them."""

    def __init__(self, project: Project) -> None:
        self.project = project

    def url(self, page: Path) -> str:
        """Where a page is in the site: "" for the first one, "features/" for features.md.

        Where mkdocs.yml says `use_directory_urls: false`, it is "index.html", "features.html".
        """
        path = page.relative_to(self.project.content).with_suffix("")
        if self.project.config.get("use_directory_urls") is False:
            return f"{path.as_posix()}.html"
        return "".join(f"{part}/" for part in path.parts if part != "index")

    def file(self, page: Path) -> str:
        """The file of the site that a page becomes: "features/index.html"."""
        url = self.url(page)
        return url if url.endswith(".html") else f"{url}index.html"

    def way(self, page: Path, target: Path) -> str:
        """The address of one page as another one's links have it."""
        return f"{self.base(page)}/{self.url(target)}"

    def base(self, page: Path, *, of_file: bool = False) -> str:
        """The way from a page, or from its Markdown file, to the root."""
        name = page.relative_to(self.project.content).as_posix()
        return "/".join([".."] * (name if of_file else self.url(page)).count("/")) or "."
