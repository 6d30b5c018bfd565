"""Where things are: the project's folders, its studies and what its shelves hold."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from site_builder.core.cache import Memory
from site_builder.core.errors import BuildError, Problem, nearest
from site_builder.core.files import listed

if TYPE_CHECKING:
    from jinja2 import FileSystemBytecodeCache

EXTENSION = "site_builder.site.extension"

FOLDERS = ("content", "analyses", "site_builder", "templates", "assets", "data")
"""Folders of a project that a build may read, beside its drawings, `raw` and `mkdocs.yml`."""


_FIGURES = re.compile(r"""\bfigures:\s*["']?(\w[\w./-]*)""")


@dataclass(frozen=True)
class Project:
    """A folder with a `mkdocs.yml`: the post, its measurements, drawings and results."""

    root: Path

    @classmethod
    def find(cls, start: Path | None = None) -> Project:
        """The project that holds `start` (default: the current folder).

        Raises `BuildError` when no folder upwards has a `mkdocs.yml`.
        """
        here = (start or Path.cwd()).resolve()
        for folder in (here, *here.parents):
            if (folder / "mkdocs.yml").is_file():
                return cls(folder)
        cure = "run it inside the project's folder, or begin one: build-site init NAME"
        raise BuildError([Problem(str(here), "no mkdocs.yml here or above", cure)])

    @property
    def content(self) -> Path:
        """The post's Markdown."""
        return self.root / "content"

    @property
    def data(self) -> Path:
        """The committed results."""
        return self.root / "data"

    @property
    def cache(self) -> Path:
        """What can be made again: drawings, the build's manifest, models."""
        return self.root / ".cache"

    @property
    def site(self) -> Path:
        """The published page."""
        return self.root / "site"

    @cached_property
    def engine(self) -> Path:
        """The folder that holds `site_builder` and `analyses/lab`: a checkout's, else installed."""
        checkout = (self.root / "site_builder" / "core" / "project.py").is_file()
        return self.root if checkout else Path(__file__).resolve().parents[2]

    @cached_property
    def figures(self) -> Path:
        """The drawings: the extension's `figures` in mkdocs.yml."""
        named = Path(str(self._option("figures") or "figures"))
        if named.is_absolute() or ".." in named.parts:
            what = f"the figures' folder \"{named}\" is not one of the project's"
            raise BuildError([Problem("mkdocs.yml", what, "name a folder below mkdocs.yml")])
        return self.root / named

    @property
    def choices(self) -> Any:
        """What a reader chooses once for all figures, unchecked: the extension's `choices`."""
        return self._option("choices")

    @property
    def live(self) -> Any:
        """Whether the page has the model itself, or where one has, unchecked: `live`."""
        return self._option("live")

    @property
    def package(self) -> str:
        """What the drawings are modules of, seen from the project: "figures"."""
        return ".".join(self.figures.relative_to(self.root).parts)

    @property
    def templates(self) -> Path:
        """The project's own Jinja2 templates: of the theme, of blocks, of drawings."""
        return self.root / "templates"

    @property
    def assets(self) -> Path:
        """The project's own style sheets and scripts."""
        return self.root / "assets"

    @property
    def template_folders(self) -> tuple[Path, ...]:
        """Where templates are looked for: the project's come before the engine's, file by file."""
        return self._shelves("templates")

    @property
    def asset_folders(self) -> tuple[Path, ...]:
        """Where style sheets and scripts are looked for, in the same order.

        `live` inside has what runs a model in the reader's browser.
        """
        folders = (inner for one in self._shelves("assets") for inner in (one, one / "live"))
        return tuple(folder for folder in folders if folder.is_dir())

    def template(self, name: str) -> Path | None:
        """The file of a template; None if there is none of this name."""
        paths = (folder / name for folder in self.template_folders)
        return next((path for path in paths if path.is_file()), None)

    def _shelves(self, name: str) -> tuple[Path, ...]:
        """The folders called `name` that are there; in a checkout, `post` inside has the post's."""
        folders = (self.root / name / "post", self.root / name, shipped(name, self.engine))
        return tuple(dict.fromkeys(folder for folder in folders if folder.is_dir()))

    def _option(self, name: str) -> Any:
        """A setting of our Markdown extension in mkdocs.yml; None where it is not given."""
        for extension in self.config.get("markdown_extensions") or []:
            if isinstance(extension, dict) and EXTENSION in extension:
                return (extension[EXTENSION] or {}).get(name)
        return None

    @property
    def analyses(self) -> Path:
        """The measurements."""
        return self.root / "analyses"

    def folders(self) -> tuple[Path, ...]:
        """Every folder of the project's own that a build may read, there or not."""
        # A build of the same reads no YAML, so whatever may name the drawings' folder counts.
        text = (self.root / "mkdocs.yml").read_text("utf-8")
        named = [Path(name) for name in ("figures", *_FIGURES.findall(text))]
        drawings = [path for path in named if ".." not in path.parts]
        inside = [path for path in drawings if path.parts[:1] and path.parts[0] not in FOLDERS]
        names = dict.fromkeys((*map(Path, FOLDERS), Path("raw"), *inside))
        return tuple(self.root / name for name in names)

    def compiled(self, whose: str) -> FileSystemBytecodeCache:
        """Templates as Jinja compiled them: to compile Material's takes as long as MkDocs' rest.

        `whose` names the environment: another one may not escape, and would be given this one's.
        """
        from jinja2 import FileSystemBytecodeCache

        folder = self.cache / "templates" / whose
        folder.mkdir(parents=True, exist_ok=True)
        return FileSystemBytecodeCache(str(folder))

    @cached_property
    def memory(self) -> Memory:
        """What the last build worked out."""
        return Memory(self.cache / "memory.json")

    def named(self, path: Path) -> str:
        """`path` as messages show it: from the project's root."""
        return (
            path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else str(path)
        )

    @cached_property
    def config(self) -> dict[str, Any]:
        """What stands in mkdocs.yml."""
        import yaml
        from yaml_env_tag import construct_env_tag

        try:
            from yaml import CSafeLoader as Loader
        except ImportError:  # built without libyaml, which is some 10 ms faster
            from yaml import SafeLoader as Loader  # type: ignore[assignment]

        class AnyTag(Loader):
            """Reads `!!python/name:…` as nothing: only our own settings matter here."""

        AnyTag.add_multi_constructor("", lambda _loader, _suffix, _node: None)
        AnyTag.add_constructor("!ENV", construct_env_tag)
        try:
            config = yaml.load((self.root / "mkdocs.yml").read_text("utf-8"), AnyTag)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            where = f"mkdocs.yml:{mark.line + 1}" if mark else "mkdocs.yml"
            raise BuildError([Problem(where, f"not YAML ({error})", "mend the line")]) from None
        return config if isinstance(config, dict) else {}

    @property
    def site_url(self) -> str:
        """Where the site is published, with a slash at the end; "" when nobody has said it."""
        url = str(self.config.get("site_url") or "").rstrip("/")
        return url and f"{url}/"

    @cached_property
    def study(self) -> str:
        """The study whose numbers the page shows: the extension's `study` in mkdocs.yml."""
        if named := self._option("study"):
            return str(named)
        cure = f"add markdown_extensions: - {EXTENSION}: {{study: NAME}}"
        raise BuildError([Problem("mkdocs.yml", "no study is named", cure)])

    def studies(self) -> dict[str, Path]:
        """Every study and its file."""
        return _modules(self.analyses / "studies", ".toml")

    def measurements(self) -> dict[str, Path]:
        """Every measurement and its module."""
        return _modules(self.analyses, ".py")

    def drawings(self) -> dict[str, Path]:
        """Every drawing and its module; `theme` and its like draw nothing and define no `draw`."""
        return {
            name: path
            for name, path in _modules(self.figures, ".py").items()
            if "\ndef draw(" in path.read_text("utf-8")
        }

    def page_parts(self) -> dict[str, Path]:
        """Every module that makes parts of pages from the post itself: those that `render`."""
        return {
            name: path
            for name, path in _modules(
                self.engine / "site_builder" / "render" / "pages", ".py"
            ).items()
            if "\ndef render(" in path.read_text("utf-8")
        }

    def settings(self, study: str) -> dict[str, Any]:
        """A study's file as dotted keys: `{"sampling.top_p": 0.9}`.

        Raises `BuildError` when there is no such study or its file is not TOML.
        """
        known = self.studies()
        if study not in known:
            cure = nearest(study, known)
            raise BuildError([Problem("analyses/studies", f'no study "{study}"', cure)])
        from site_builder.core import toml  # a build of the same reads none

        named = self.named(known[study])
        return flat(toml.read(known[study], named)[1])


class Snapshot(Project):
    """A project whose shelves are looked at once, for who asks often."""

    @cached_property
    def _seen(self) -> dict[str, dict[str, Path]]:
        return {}

    def _once(self, name: str, look: Callable[[], dict[str, Path]]) -> dict[str, Path]:
        if name not in self._seen:
            self._seen[name] = look()
        return self._seen[name]

    def studies(self) -> dict[str, Path]:
        """Every study and its file."""
        return self._once("studies", super().studies)

    def measurements(self) -> dict[str, Path]:
        """Every measurement and its module."""
        return self._once("measurements", super().measurements)

    def drawings(self) -> dict[str, Path]:
        """Every drawing and its module."""
        return self._once("drawings", super().drawings)

    def page_parts(self) -> dict[str, Path]:
        """Every module that makes parts of pages."""
        return self._once("page_parts", super().page_parts)


def shipped(name: str, engine: Path | None = None) -> Path:
    """The engine's own `templates` or `assets`, as installed or, in a checkout, at its top."""
    engine = engine or Path(__file__).resolve().parents[2]
    installed = engine / "site_builder" / name
    return installed if installed.is_dir() else engine / name


def flat(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested tables as dotted keys, each table also under its own name."""
    keys: dict[str, Any] = {}
    for name, value in tree.items():
        keys[prefix + name] = value
        if isinstance(value, dict):
            keys |= flat(value, f"{prefix}{name}.")
    return keys


def _modules(folder: Path, suffix: str) -> dict[str, Path]:
    return {path.stem: path for path in listed(folder, suffix) if not path.stem.startswith("_")}
