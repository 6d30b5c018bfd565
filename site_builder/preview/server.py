"""The preview: the site as it would be built, and every save on the open page at once.

Three things happen on a save. The workbench makes what it changes alone, and pages are told of it
by server-sent events. Then the whole site is built anew in another process, and pages take over
whatever still differs. And with `--run`, what is not fresh is measured in a third.
"""

from __future__ import annotations

import asyncio
import html
import json
import os
import shutil
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from sse_starlette.sse import EventSourceResponse
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route
from watchfiles import awatch

from site_builder.core.digests import sha256
from site_builder.core.files import is_meant
from site_builder.core.project import Project
from site_builder.preview import access, builder_process
from site_builder.preview.background_run import Measuring
from site_builder.preview.edits import Workbench, restarts
from site_builder.preview.messages import Built, Changed, Message, NewPages, Question
from site_builder.site.unused_rules import whole

QUIET = 0.15
"""Seconds without a save before the whole site is built."""

STEP = 2
"""Milliseconds without a further change that end a batch of them; the default costs ten times."""

BREATH = 0.12
"""Seconds that a page gets to paint one message before the next one is made."""

_HEAD = (
    '<meta name="preview" content="{digest}" data-page="{page}" data-root="{root}/">'
    '<script type="module" src="{root}/assets/preview/preview.js"></script></head>'
)
"""What a page gets: which state of which page this is, as a build may follow at once, its script,
and the way to the root, as a proxy may put anything before it."""


class Preview:
    """One project's preview; `site` is its own folder, so that several do not meet."""

    def __init__(
        self,
        project: Project,
        study: str,
        run: str,
        say: Callable[[str], None],
        *,
        drafts: bool = False,
        live: bool = False,
        allowed: Iterable[str] = (),
    ) -> None:
        self.project = project
        self.drafts = drafts
        self.live = live
        self.allowed = frozenset(map(str.lower, allowed))
        self.site = project.cache / f"preview.{os.getpid()}"
        self.study = study
        self.say = say
        self.restart = False
        self.end: Callable[[], None] = lambda: None
        self.stop = asyncio.Event()
        self.bench = Workbench(project.root, study, drafts=drafts)
        self.hand = ThreadPoolExecutor(1)  # one edit after the other, beside the server
        self.measuring = Measuring(project, run, self.tell)
        self.listeners: set[asyncio.Queue[Message]] = set()
        self.seen: list[str] = []
        self.state: NewPages = {"kind": "page", "pages": {}, "notes": []}
        self.dirty: set[Path] = set()
        self.wake = asyncio.Event()
        self.built = asyncio.Event()
        self.builder: asyncio.subprocess.Process | None = None

    def tell(self, message: Message) -> None:
        """Tell every open page."""
        for listener in self.listeners:
            listener.put_nowait(message)

    async def watch(self) -> None:
        """See every save, however an editor makes it, and show what it changes at once."""
        shared = (*self.project.template_folders, *self.project.asset_folders)
        folders = dict.fromkeys((*self.project.folders(), *shared))
        there = [folder for folder in folders if folder.is_dir()]
        config = self.project.root / "mkdocs.yml"
        async for changes in awatch(*there, config, step=STEP, stop_event=self.stop):
            paths = {Path(path) for _, path in changes}
            paths = {p for p in paths if is_meant(p.name) and is_meant(p.parent.name)}
            if restarts(self.project, paths):
                self.say("the builder itself was edited: starting again")
                self.restart = True
                self.end()
                return
            if paths:
                await self.show(paths)

    async def show(self, paths: set[Path]) -> None:
        """Show at once what these files change, and have the whole built."""
        loop = asyncio.get_running_loop()

        def edit() -> None:
            for message in self.bench.edit(paths, self.seen):
                loop.call_soon_threadsafe(self.tell, message)
                time.sleep(BREATH)

        if any(path.is_relative_to(self.project.analyses) for path in paths):
            self.measuring.cancel()  # what it measures is no longer what is asked for
        try:
            await loop.run_in_executor(self.hand, edit)
        except Exception as error:  # an author's mistake, in whatever form: the build will tell it
            self.say(f"not shown at once: {type(error).__name__}: {error}")
        self.dirty |= paths
        self.wake.set()

    async def build(self) -> None:
        """Build the whole site whenever something changed and it is quiet."""
        loop = asyncio.get_running_loop()
        command = [sys.executable, "-m", builder_process.__name__]
        arguments = [str(self.project.root), str(self.site), self.study]
        arguments += ["--drafts"] if self.drafts else []
        arguments += ["--live"] if self.live else []
        notes: list[str] = []
        while True:
            await self.wake.wait()
            while self.wake.is_set():
                self.wake.clear()
                await asyncio.sleep(QUIET)
            paths, self.dirty = self.dirty, set()
            if self.builder is None or self.builder.returncode is not None:
                self.builder = await asyncio.create_subprocess_exec(
                    *command,
                    *arguments,
                    cwd=self.project.root,
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    limit=2**26,
                )
            assert self.builder.stdin is not None
            assert self.builder.stdout is not None
            changed: Changed = [*map(str, paths)]
            self.builder.stdin.write(json.dumps(changed).encode() + b"\n")
            answer = await self.builder.stdout.readline()
            if not answer:
                self.say("the building process ended; the next save starts another")
                continue
            built: Built = json.loads(answer)
            pages = self.state["pages"] if built["pages"] is None else built["pages"]
            self.state = {"kind": "page", "pages": pages, "notes": built["notes"]}
            for note in built["notes"]:
                if note not in notes:
                    self.say(note)
            if notes and not built["notes"]:
                self.say("all is well again")
            notes = built["notes"]
            self.built.set()
            self.tell(self.state)
            self.measuring.offer(built["unmeasured"])
            if built["pages"] is not None and not self.wake.is_set():
                with suppress(Exception):  # what keeps the post from loading was told by the build
                    await loop.run_in_executor(self.hand, self.bench.load)

    async def events(self, _request: Request) -> Response:
        """The stream of messages to one open page."""
        queue: asyncio.Queue[Message] = asyncio.Queue()

        async def stream() -> AsyncIterator[dict[str, str]]:
            self.listeners.add(queue)
            try:
                here: NewPages = {**self.state, "process": os.getpid()}
                yield {"data": json.dumps(here)}
                yield {"data": json.dumps(self.measuring.state)}
                while True:
                    yield {"data": json.dumps(await queue.get())}
            finally:
                self.listeners.discard(queue)

        return EventSourceResponse(stream())

    async def asked(self, request: Request) -> Response:
        """What a page asks for: that figures are seen, a measurement, its end."""
        if not access.is_own(request, self.allowed):
            return Response("only the preview's own pages may ask\n", 403)
        sent = await access.body(request)
        if sent is None:
            return Response("too much was sent along\n", 413)
        try:
            body = json.loads(sent or b"null")
        except (ValueError, RecursionError):
            return Response("not JSON\n", 400)
        question: Question = request.path_params["what"]  # any other is refused at the end
        if question == "seen" and isinstance(body, list):
            self.seen = [slug for slug in body if isinstance(slug, str)]
        elif question == "measure" and isinstance(body, str):
            if not self.measuring.ask(body):
                return Response("nothing of that name is to be measured\n", 404)
        elif question == "cancel":
            self.measuring.cancel()
        else:
            return Response("no such question\n", 404)
        return Response(status_code=204)

    async def asset(self, request: Request) -> Response:
        """The preview's own files and style sheets as just saved, by plain names; else the site's.

        So the preview's scripts import what stands beside them. The theme's sheets are whole: what
        is written may have a class that no page had when the site was built.
        """
        name = request.path_params["name"]
        for folder in self.project.asset_folders:
            if access.is_file(found := access.below(folder, name)):
                return _file(found)
        sheet = whole(self.site, f"assets/{name}")
        return _file(sheet or access.below(self.site / "assets", name))

    async def page(self, request: Request) -> Response:
        """A file of the site, or of a figure that is newer than the site."""
        path = request.path_params["path"]
        early = self.bench.files.get(path.removeprefix("figures/"))
        if early is not None and path.startswith("figures/"):
            kind = "text/html" if path.endswith(".htm") else "application/json"
            return Response(early, media_type=kind, headers=_FRESH)
        await self.built.wait()  # only the first time
        file = access.below(self.site, path)
        if file is None:
            return _file(None)
        if _is_folder(file):
            if path and not path.endswith("/"):
                last = path.rpartition("/")[2]
                return Response(status_code=307, headers={"Location": f"./{quote(last)}/"})
            file /= "index.html"
        if file.suffix == ".html" and access.is_file(file):
            built = file.read_bytes()
            page = file.relative_to(self.site).as_posix()
            known = (page, page.removesuffix("index.html"))
            page = next((name for name in known if name in self.state["pages"]), page)
            root = "/".join([".."] * path.count("/")) or "."
            head = _HEAD.format(digest=sha256(built), page=html.escape(page), root=root)
            text = built.decode("utf-8").replace("</head>", head, 1)
            return HTMLResponse(text, headers=_FRESH)
        return _file(file)

    @asynccontextmanager
    async def running(self, _app: Starlette) -> AsyncIterator[None]:
        """Watch and build as long as the server runs; leave nothing behind."""
        tasks = [asyncio.create_task(self.watch()), asyncio.create_task(self.build())]
        try:
            yield
        finally:
            self.stop.set()
            for task in tasks:
                task.cancel()
            self.measuring.cancel()
            if self.builder and self.builder.returncode is None:
                self.builder.kill()
                await self.builder.wait()
            self.hand.shutdown(cancel_futures=True)
            shutil.rmtree(self.site, ignore_errors=True)


_FRESH = {"Cache-Control": "no-cache"}


def _is_folder(place: Path) -> bool:
    try:
        return place.is_dir()
    except OSError:  # too long a name
        return False


def _file(file: Path | None) -> Response:
    if file is None or not access.is_file(file):
        return Response("not found\n", 404)
    return FileResponse(file, headers=_FRESH)


def app(preview: Preview, hosts: Iterable[str], root: str = "") -> Starlette:
    """The preview as an application; `hosts` are further names that it answers to.

    A proxy may put `root` before every path, and leave it there or not.
    """
    rooted = [Middleware(access.Rooted, root=root)] if root else []
    return Starlette(
        routes=[
            Route("/~/events", preview.events),
            Route("/assets/{name:path}", preview.asset),
            Route("/~/{what:str}", preview.asked, methods=["POST"]),
            Route("/{path:path}", preview.page),
        ],
        middleware=[Middleware(access.OnlyHosts, hosts=(*access.HOME, *hosts)), *rooted],
        lifespan=preview.running,
    )
