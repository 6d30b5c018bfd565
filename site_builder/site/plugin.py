"""The MkDocs plugin, a thin skin: what the Markdown extension cannot do alone.

It prepares the post before the first page, adds style, script, figures' files and the card, fills
the slots after search has read the pages, and writes the feed and the content-security policy last.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jinja2 import Environment
from markupsafe import escape
from mkdocs.config.base import Config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.plugins import BasePlugin, event_priority
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from mkdocs.utils import get_relative_url

from site_builder.core.digests import sha256
from site_builder.core.errors import BuildError, Problem
from site_builder.core.files import is_meant
from site_builder.core.project import EXTENSION, Project
from site_builder.post.post import Post
from site_builder.render import mathematics
from site_builder.render.blocks import Blocks
from site_builder.render.figures import Fragments
from site_builder.site import assets, dark, feed, social_card
from site_builder.site.live import model as live_model
from site_builder.site.policy import csp, foreign_code
from site_builder.site.resolve import resolve
from site_builder.site.search import spare_search, spare_theme
from site_builder.site.standing import Standing
from site_builder.site.unused_rules import lightened


def _refused(config: MkDocsConfig, project: Project) -> Problem | None:
    """A feature of the theme that would leave a page's charts dead, with its line."""
    features = config.theme.get("features") or ()
    for name in (one for one in features if str(one).startswith("navigation.instant")):
        lines = (project.root / "mkdocs.yml").read_text("utf-8").splitlines()
        line = next((number for number, one in enumerate(lines, 1) if name in one), 1)
        what = f"{name} swaps pages without running their scripts: charts would be dead"
        return Problem(f"mkdocs.yml:{line}", what, "remove it from theme: features")
    return None


class NoOptions(Config):  # type: ignore[no-untyped-call]
    """The study is named where every host reads it: at the extension."""


class MeasuredPost(BasePlugin[NoOptions]):  # type: ignore[no-untyped-call]
    """Publishes figures in a MkDocs site; `build-site` resolves before and sets `blocks`.

    `live` puts the model itself into the site, whatever mkdocs.yml says.
    """

    blocks: Blocks | None = None
    standing: Standing | None = None
    live = False
    prose: dict[Path, str]
    _page: Path | None = None
    _given = False
    _home = ""
    _serving = False

    def on_startup(self, *, command: str, **_: Any) -> None:
        """Learn whether this is a preview: then every build resolves anew."""
        self._serving = command == "serve"

    @event_priority(100)
    def on_config(self, config: MkDocsConfig) -> MkDocsConfig:
        """Resolve every directive and hand the blocks to the extension."""
        self.prose = {}
        project = Project.find(Path(config.config_file_path).parent)
        self._given = self.blocks is not None and not self._serving
        if refused := _refused(config, project):
            raise BuildError([refused]) if self._given else PluginError(str(refused))
        if self.blocks is None or self._serving:
            try:
                post = Post(project)
                resolve(post, "never", say=print)
                self.blocks = Blocks(post, Fragments(post))
                self.blocks.draw()
            except BuildError as error:
                raise PluginError(str(error)) from None
        options = config.mdx_configs.setdefault(EXTENSION, {})
        options |= {"blocks": self.blocks, "page": lambda _text: self._page}
        own = [str(folder) for folder in project.template_folders]
        config.theme.dirs[:] = dict.fromkeys((*own, *config.theme.dirs))
        try:
            self._dress(config, project, self.blocks)
        except BuildError as error:
            if self._given:
                raise
            raise PluginError(str(error)) from None
        spare_theme(config, self.blocks.post.project)
        return config

    def _dress(self, config: MkDocsConfig, project: Project, blocks: Blocks) -> None:
        """Tell the templates the names of style sheets, scripts and card."""
        self._assets = assets.hashed(*project.asset_folders)
        config.extra_css += [name for name in self._assets if name.endswith(".css")]
        script = assets.named(self._assets, "post.js")
        themes = (Path(top, "assets", "stylesheets") for top in config.theme.dirs)
        sheets = [path for theme in themes for path in theme.glob("palette.*.css")]
        ours = assets.files(project.asset_folders).values()
        sheets += (path for path in ours if path.suffix == ".css")
        rules = dark.sheet(path.read_text("utf-8") for path in sheets).encode()
        night = assets.stamped("dark.css", rules)
        self._model, told = live_model.chosen(project, blocks.post.study, live=self.live)
        picture = social_card.png(blocks)
        width, height = social_card.SIZE
        shown = assets.stamped("card.png", picture)
        config.extra |= {
            "post_script": script,
            "post_modules": assets.needed(self._assets, script),
            "post_search": assets.named(self._assets, "search.js"),
            "post_dark": night,
            "post_card": {"file": shown, "width": width, "height": height},
            "post_date": blocks.post.newest(),
            "post_choices": blocks.post.choices,
            "post_live": told,
        }
        self._assets |= {night: rules, shown: picture}

    def on_files(self, files: Files, *, config: MkDocsConfig) -> Files:
        """Add hashed assets; leave out our templates, drafts, and what is no author's file."""
        for file in [file for file in files if not self._is_published(file)]:
            files.remove(file)
        for name, data in self._assets.items():
            files.append(File.generated(config, name, content=data))
        for file in files:
            last = None if file.is_documentation_page() else self.standing
            if last and last.has(file.dest_uri, file.abs_src_path):
                file.copy_file = self._linked(file)  # type: ignore[assignment,method-assign]
        return files

    def _is_published(self, file: File) -> bool:
        """Whether a file that MkDocs found is for readers."""
        assert self.blocks is not None
        if file.src_uri.endswith(".j2") or not all(map(is_meant, file.src_uri.split("/"))):
            return False
        path = Path(file.abs_src_path) if file.abs_src_path else None
        if path is None:
            return True
        return path.is_file() and not (path.suffix == ".md" and self.blocks.post.is_draft(path))

    def _publish(self, site: str) -> None:
        """Write the figures' files, or take them over from the last site.

        There are a thousand of them, for each of which MkDocs would make an object of its own.
        """
        assert self.blocks is not None
        digests = self.blocks.digests
        for name, read in self.blocks.files().items():
            place = f"{site}/{name}"
            if not self._take(name, place, digests.get(name, "")):
                content = read()
                if name.endswith((".htm", ".svg")):  # they can be opened by themselves
                    self._code += foreign_code.problems(content.decode("utf-8", "replace"), name)
                self._put(site, name, content)

    def _put(self, site: str, name: str, content: bytes) -> None:
        """Write a file into the site, or take it over from the last one."""
        place = f"{site}/{name}"
        if not self._take(name, place, sha256(content)):
            Path(place).parent.mkdir(parents=True, exist_ok=True)
            Path(place).write_bytes(content)

    def _take(self, name: str, place: str, digest: str) -> bool:
        """Take a file over from the last site, if it stands there."""
        last = self.standing
        if last is None:
            return False
        is_same = last.is_same(name) or (digest != "" and last.has_digest(name, digest))
        return is_same and last.link(name, place)

    def _linked(self, file: File) -> Callable[[bool], None]:
        """What takes a file over from the last site, where MkDocs would copy it."""

        def link(_dirty: bool) -> None:
            assert self.standing is not None
            self.standing.link(file.dest_uri, file.abs_dest_path)

        return link

    def on_page_markdown(self, markdown: str, *, page: Page, **_: Any) -> str:
        """Tell the extension which file it is about to read."""
        self._page = Path(page.file.abs_src_path) if page.file.abs_src_path else None
        for key, said in page.meta.items():
            if isinstance(said, str):  # the theme puts it into attributes as it stands
                page.meta[key] = escape(said)
        return markdown

    def on_env(self, env: Environment, *, config: MkDocsConfig, **_: Any) -> Environment:
        """Let the search read what has changed."""
        assert self.blocks is not None
        spare_search(config, self.blocks.post.project.memory)
        return env

    @event_priority(-100)
    def on_post_page(self, output: str, *, page: Page, **_: Any) -> str:
        """Put the figures into their slots."""
        assert self.blocks is not None
        if page.is_homepage:
            self._home = page.content or ""
        if page.file.abs_src_path:
            self.prose[Path(page.file.abs_src_path)] = page.content or ""
        filled = self.blocks.fill(output, get_relative_url(".", page.url).rstrip("/") or ".")
        if mathematics.STYLED.search(filled):
            return filled
        sheet = assets.named(self._assets, "formulas.css")
        return re.sub(rf'\n *<link rel="stylesheet" href="[^"]*{re.escape(sheet)}">', "", filled)

    @event_priority(-100)
    def on_post_build(self, *, config: MkDocsConfig) -> None:
        """Write what readers of no page want; protect every page, when nothing will change it.

        A preview is left alone: MkDocs adds its reloading script behind our back.
        """
        self._code: list[Problem] = []
        self._publish(config.site_dir)
        if self._model:
            self._model.publish(Path(config.site_dir))
        if self._serving:
            return
        for name, content in self._around(config).items():
            path = Path(config.site_dir, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        assert self.blocks is not None
        site = Path(config.site_dir)
        pages = {path: path.read_text("utf-8") for path in sorted(site.rglob("*.html"))}
        lighter = lightened(site, pages.values(), self.blocks.post.project.memory)
        for name, content in lighter.values():
            self._put(config.site_dir, name, content)
        for path, page in pages.items():
            self._code += foreign_code.problems(page, self._source(path, config))
            for sheet, (name, _) in lighter.items():
                page = page.replace(sheet, name)
            path.write_text(csp.protect(page), "utf-8")
        self._code += foreign_code.drawings(self.blocks.post.project)
        self.blocks.problems += self._code
        if self._code and not self._given:
            raise PluginError("\n".join(map(str, self._code)))

    def _source(self, page: Path, config: MkDocsConfig) -> str:
        """The Markdown that became a page, as messages name it; else the page's own name."""
        name = page.relative_to(config.site_dir)
        stem = name.parent if name.name == "index.html" else name.with_suffix("")
        places = [Path(config.docs_dir, stem, "index.md"), Path(config.docs_dir, f"{stem}.md")]
        root = Path(config.config_file_path).absolute().parent
        found = next((place for place in places if place.is_file()), None)
        return found.relative_to(root).as_posix() if found else name.as_posix()

    def _around(self, config: MkDocsConfig) -> dict[str, bytes]:
        """The feed of the post, and what a search engine asks for first."""
        assert self.blocks is not None
        base = config.site_url or ""
        robots = "User-agent: *\nAllow: /\n" + (f"Sitemap: {base}sitemap.xml\n" if base else "")
        files = {"robots.txt": robots.encode()}
        said = self.blocks.post.front()
        if updated := self.blocks.post.newest():
            entry = feed.Entry(
                title=config.site_name,
                summary=config.site_description or "",
                authors=said.authors or (config.site_author or config.site_name,),
                rights=config.copyright or "",
                updated=updated,
                content=self.blocks.pieces(self._home, "."),
                published=said.date,
            )
            files |= feed.files(entry, base, self.blocks.post.project.memory)
        return files
