"""What all commands share: how they speak, their project, options and arguments."""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import click

from site_builder.commands import completion
from site_builder.core.errors import BuildError, Problem, plain
from site_builder.core.project import Project
from site_builder.site.shelves import files


def say(line: str) -> None:
    """Tell a person what happens; never on standard output, which is for machines."""
    click.echo(plain(line), err=True)


def counted(number: int, thing: str) -> str:
    """So many of a thing: "1 figure", "2 figures"."""
    return f"{number} {thing}{'s' * (number != 1)}"


class Interruptible(click.Group):
    """Commands that end in one line when they are interrupted, wherever they are."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run a command; called by the command line, or by code that has read its words."""
        in_main = threading.current_thread() is threading.main_thread()
        before = signal.signal(signal.SIGINT, _Interruption()) if in_main else None
        try:
            return super().main(*args, **extra)
        finally:
            if in_main and isinstance(signal.getsignal(signal.SIGINT), _Interruption):
                signal.signal(signal.SIGINT, before)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was named; click would say "Aborted!" behind an empty line."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            if threading.current_thread() is threading.main_thread():
                signal.signal(signal.SIGINT, signal.SIG_IGN)  # what cleans up goes on to the end
            say("stopped; what was finished is kept, and a page is as it was")
            sys.exit(130)


class _Interruption:
    """Interrupts, and then not for a while: whoever is impatient would only stop what cleans up.

    Should a library have swallowed the interruption, another one counts again.
    """

    PATIENCE = 5.0  # seconds

    def __init__(self) -> None:
        self.last = -self.PATIENCE

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if frame and frame.f_code.co_filename.startswith("<frozen importlib"):
            # Python drops an exception that is raised while a module's lock is let go.
            again = threading.Timer(0.02, os.kill, (os.getpid(), number))
            again.daemon = True
            again.start()
            return
        now = time.monotonic()
        if now - self.last > self.PATIENCE:
            self.last = now
            raise KeyboardInterrupt


@contextmanager
def told(*, of_page: bool = False) -> Iterator[None]:
    """Every problem on a line of its own, then exit 1; a build tells that the page stays."""
    try:
        yield
    except BuildError as error:
        for problem in error.problems:
            click.secho(str(problem), err=True, fg="red")
        if of_page:
            say(f"{counted(len(error.problems), 'problem')}; the page was left as it was")
        sys.exit(1)
    except OSError as error:
        cure = _CURES.get(error.errno or 0)
        if cure is None:
            raise
        where = str(error.filename or "the disk")
        click.secho(str(Problem(where, f"{error.strerror}", cure)), err=True, fg="red")
        say("nothing that was finished is lost")
        sys.exit(1)


_CURES = {
    errno.ENOSPC: "make room and run it again",
    errno.EDQUOT: "make room within the quota and run it again",
    errno.EFBIG: "allow larger files and run it again",
    errno.EROFS: "make the file system writable and run it again",
    errno.EACCES: "give yourself the right to write there and run it again",
    errno.EPERM: "give yourself the right to write there and run it again",
    errno.EIO: "look after the disk and run it again",
}
"""What the system may refuse, and what to do about it; anything else is a fault of ours."""


def find_project(*, looked_through: bool = True) -> Project:
    """The project of the current folder, its modules importable, its folders `looked_through`.

    A build does that by itself.
    """
    project = Project.find()
    if looked_through:
        files(project.root, project.folders())
    if str(project.root) not in sys.path:
        sys.path.insert(0, str(project.root))
    return project


study_option = click.option(
    "--study",
    default="",
    shell_complete=completion.studies,
    help="Show this study instead of the post's own.",
)
quiet_option = click.option(
    "--quiet", "-q", is_flag=True, help="Say nothing unless something is wrong."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
analysis_argument = click.argument("analysis", default="", shell_complete=completion.analyses)
variant_argument = click.argument("variant", default="", shell_complete=completion.variants)
