"""One at a time: builds of a project, and runs of it, wait for each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from site_builder.core.project import Project


@contextmanager
def alone(project: Project, say: Callable[[str], None], what: str = "build") -> Iterator[bool]:
    """Let one build, or run, of a project write at a time; another waits, and is told so."""
    from filelock import FileLock, Timeout  # a build that does nothing needs no lock

    project.cache.mkdir(parents=True, exist_ok=True)
    lock, waited = FileLock(project.cache / f"{what}.lock"), False
    try:
        lock.acquire(timeout=0)
    except Timeout:
        say(f"another {what} of this project is under way: waiting for it")
        lock.acquire()
        waited = True
    try:
        yield waited
    finally:
        lock.release()


def is_folder(path: Path) -> bool:
    """Whether a path is itself a folder, and no link to one."""
    return path.is_dir() and not path.is_symlink()


def remove(path: Path) -> None:
    """Remove whatever stands at a path of the cache; of a link, not what it leads to."""
    import shutil  # a build that does nothing removes nothing

    shutil.rmtree(path) if is_folder(path) else path.unlink()


def recover(project: Project) -> bool:
    """Put back the last site that a build took away when it was killed before the new one stood."""
    left = [path for path in sorted(project.cache.glob("site.*.old")) if is_folder(path)]
    lost = bool(left) and not project.site.exists()
    if lost:
        left[-1].rename(project.site)
    return lost
