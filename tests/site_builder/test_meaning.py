"""What code can reach: an edit is seen exactly where it matters."""

from pathlib import Path

import pytest

from site_builder.meaning import code
from tests.site_builder.conftest import write

TOOLS = '''
    """Tools."""

    import dataclasses

    from toys import far

    LIMIT = 3
    OTHER = 4


    def used(x):
        """Used."""
        return helper(x) + LIMIT


    def helper(x):
        return x


    def unused(x):
        return far.away(x) + OTHER


    class Box:
        size = 1

        def grow(self):
            return far.away(self.size)


    @dataclasses.dataclass
    class Plain:
        a: int = 1
'''
FAR = '''
    """Far away."""

    REGISTER = []


    def away(x):
        return x


    def farther(x):
        return x


    def note(f):
        REGISTER.append(f)
        return f


    @note
    def noted():
        return 1
'''
RUN = '''
    """A measurement."""

    from toys.tools import used


    def run(lab):
        return used(1)
'''


@pytest.fixture
def toys(tmp_path: Path) -> Path:
    for name, text in (("__init__", '"""Toys."""'), ("tools", TOOLS), ("far", FAR), ("m", RUN)):
        write(tmp_path / "toys" / f"{name}.py", text)
    return tmp_path


def changed_by(toys: Path, file: str, before: str, after: str, function: str = "run") -> bool:
    root, path = toys, toys / "toys" / file
    first = code(root, toys / "toys" / "m.py", function)
    text = path.read_text("utf-8")
    assert before in text
    path.write_text(text.replace(before, after), "utf-8")
    return code(root, toys / "toys" / "m.py", function) != first


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("m.py", "used(1)", "used(2)"),
        ("tools.py", "return helper(x) + LIMIT", "return helper(x) - LIMIT"),
        ("tools.py", "def helper(x):\n    return x", "def helper(x):\n    return -x"),
        ("tools.py", "LIMIT = 3", "LIMIT = 5"),
        ("tools.py", "LIMIT = 3", "LIMIT = 3\nprint(LIMIT)"),  # acts on import
        ("tools.py", "OTHER = 4", "OTHER = far.away(4)"),  # a call acts on import
        ("far.py", "def noted():\n    return 1", "def noted():\n    return 2"),  # registered
        ("far.py", "REGISTER.append(f)", "REGISTER.insert(0, f)"),
    ],
)
def test_reached(toys: Path, file: str, before: str, after: str) -> None:
    assert changed_by(toys, file, before, after)


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("tools.py", "OTHER = 4", "OTHER = 5"),
        ("tools.py", "+ OTHER", "- OTHER"),
        ("tools.py", '"""Used."""', '"""Of use."""'),
        ("tools.py", "return helper(x) + LIMIT", "return (helper(x)  # so\n            + LIMIT)"),
        ("tools.py", "size = 1", "size = 2"),
        ("tools.py", "a: int = 1", "a: int = 2"),
        ("far.py", "def farther(x):\n    return x", "def farther(x):\n    return 1"),
        ("far.py", "def away(x):\n    return x", "def away(x):\n    return 1"),
    ],
)
def test_not_reached(toys: Path, file: str, before: str, after: str) -> None:
    assert not changed_by(toys, file, before, after)


@pytest.mark.parametrize(
    "use",
    [
        "from toys import tools\n\n\ndef run(lab):\n    return tools.Box()\n",
        "import toys.tools\n\n\ndef run(lab):\n    return toys.tools.Box()\n",
        "import toys.tools as t\n\n\ndef run(lab):\n    return t.Box()\n",
        "from . import tools\n\n\ndef run(lab):\n    return tools.Box()\n",
        "from .tools import Box as B\n\n\ndef run(lab):\n    return B()\n",
        "from toys.tools import *\n\n\ndef run(lab):\n    return Box()\n",
        "def run(lab):\n    from toys.tools import Box\n\n    return Box()\n",
        "from toys import tools\n\n\ndef run(lab):\n    return getattr(tools, 'Box')()\n",
        "from toys import tools\n\n\ndef run(lab: tools.Box):\n    return lab.grow()\n",
        "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from toys.tools import Box\n\n\n"
        "def run(lab: Box):\n    return lab.grow()\n",
    ],
)
def test_every_way_to_import_is_followed(toys: Path, use: str) -> None:
    (toys / "toys" / "m.py").write_text(use, "utf-8")
    assert changed_by(toys, "tools.py", "size = 1", "size = 2")
    assert changed_by(toys, "far.py", "def away(x):\n    return x", "def away(x):\n    return 1")


def test_a_name_passed_on_by_a_package_is_followed(toys: Path) -> None:
    (toys / "toys" / "__init__.py").write_text("from toys.tools import Box\n", "utf-8")
    (toys / "toys" / "m.py").write_text("from toys import Box\n\n\ndef run(lab):\n    return Box\n")
    assert changed_by(toys, "tools.py", "size = 1", "size = 2")


def test_two_statements_on_a_line_both_count(toys: Path) -> None:
    (toys / "toys" / "m.py").write_text("A = 1; B = 2\n\n\ndef run(lab):\n    return A + B\n")
    assert changed_by(toys, "m.py", "B = 2", "B = 3")


def test_dynamic_code_reaches_its_whole_module(toys: Path) -> None:
    (toys / "toys" / "m.py").write_text(
        "def run(lab):\n    return globals()['x' + 'y']\n\n\ndef xy():\n    return 1\n"
    )
    assert changed_by(toys, "m.py", "return 1", "return 2")


def test_a_whole_module_counts_without_a_function(toys: Path) -> None:
    (toys / "toys" / "m.py").write_text(
        "def run(lab):\n    return 1\n\n\ndef xy():\n    return 1\n"
    )
    assert not changed_by(toys, "m.py", "xy():\n    return 1", "xy():\n    return 2")
    assert changed_by(toys, "m.py", "xy():\n    return 2", "xy():\n    return 3", function="*")
