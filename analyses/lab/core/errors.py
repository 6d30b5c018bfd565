"""The one error of the lab: where, what, cure."""

from __future__ import annotations


class LabError(Exception):
    """Something a person can put right, said in one line.

    Args:
        where: the file, setting or place concerned.
        what: what is wrong there.
        cure: what to do about it.
    """

    def __init__(self, where: str, what: str, cure: str) -> None:
        self.where = _one_line(where)
        self.what = _one_line(what)
        self.cure = _one_line(cure)
        super().__init__(f"{self.where}: {self.what}; {self.cure}")


def _one_line(text: str) -> str:
    return " ".join(text.split())
