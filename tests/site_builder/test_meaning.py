"""What code can reach: an edit is seen exactly where it matters."""

import hashlib
import os
from pathlib import Path

import pytest

from site_builder.errors import BuildError
from site_builder.meaning import code, reach
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


def test_a_meaning_is_this_text(tmp_path: Path) -> None:
    """Committed results are keyed by it: whatever changes it makes every one of them stale."""
    write(
        tmp_path / "toys" / "m.py",
        """
        LIMIT = 2


        def run(lab):
            "Of no account."
            return lab.size(LIMIT, 3)
        """,
    )
    limit = "Assign(targets=[Name(id=str:'LIMIT')],value=Constant(value=int:2))"
    run = (
        "FunctionDef(name=str:'run',args=arguments(args=[arg(arg=str:'lab')]),body=[Return(value="
        "Call(func=Attribute(value=Name(id=str:'lab'),attr=str:'size'),args=[Name(id=str:'LIMIT'),"
        "Constant(value=int:3)]))])"
    )
    text = f"{limit}\n{run}"
    expected = {"toys/m.py": hashlib.sha256(text.encode()).hexdigest()}
    assert code(tmp_path, tmp_path / "toys" / "m.py", "run") == expected


def test_every_file_that_was_read_or_looked_for_is_told(toys: Path) -> None:
    """A file that is not there yet may come, and then be what an import means."""
    digests, looked = reach(toys, toys / "toys" / "m.py", "run")
    assert list(digests) == ["toys/far.py", "toys/m.py", "toys/tools.py"]
    assert {path.relative_to(toys).as_posix() for path in looked} == {
        "toys/far.py",
        "toys/far/__init__.py",
        "toys/m.py",
        "toys/tools.py",
        "toys/tools/__init__.py",
        "toys/tools/used.py",
        "toys/tools/used/__init__.py",
    }


def meaning(tmp_path: Path, text: str, **others: str) -> dict[str, str]:
    """The digests of `run` in a module, beside others of its package."""
    write(tmp_path / "toys" / "__init__.py", "")
    write(tmp_path / "toys" / "m.py", text)
    for name, other in others.items():
        write(tmp_path / "toys" / f"{name}.py", other)
    return code(tmp_path, tmp_path / "toys" / "m.py", "run")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        # What binds a name counts, wherever in a statement it stands.
        ("if lab:\n    A = 1\nelse:\n    A = 2", "if lab:\n    A = 1\nelse:\n    A = 3", False),
        ("(A, B) = 1, 2", "(A, B) = 1, 3", False),
        ("A: int = 1", "A: int = 2", False),
        ("B = 1", "B = 2", True),
        ("try:\n    def A(): return 1\nfinally:\n    pass",
         "try:\n    def A(): return 2\nfinally:\n    pass", False),
        # What acts on import counts; what only binds does not.
        ("B = [C(1)]", "B = [C(2)]", False),
        ("B: int = C(1)", "B: int = C(2)", False),
        ("B += 1", "B += 2", False),
        ("print(1)", "print(2)", False),
        ("pass", "pass; pass", True),
        ("import json", "pass", True),
        ("@dataclass\nclass B: c = 1", "@dataclass\nclass B: c = 2", True),
        ("@d.dataclass(frozen=True)\nclass B: c = 1", "@d.dataclass\nclass B: c = 2", True),
        ("@cache\n@lru_cache(3)\ndef b(): return 1", "@cache\ndef b(): return 2", True),
        ("@cache\n@note\ndef b(): return 1", "@cache\n@note\ndef b(): return 2", False),
        ("@n.note\ndef b(): return 1", "@n.note\ndef b(): return 2", False),
        ("@(lambda f: f)\ndef b(): return 1", "@(lambda f: f)\ndef b(): return 2", False),
        # Only a text that comes first, and is no part of an expression, is a docstring.
        ("def A():\n    'a'\n    return 1", "def A():\n    return 1", True),
        ("async def A():\n    'a'\n    return 1", "async def A():\n    return 1", True),
        ("class A:\n    'a'\n    b = 1", "class A:\n    b = 1", True),
        ("def A():\n    b = 1\n    'a'", "def A():\n    b = 1", False),
        ("def A():\n    b'a'\n    return 1", "def A():\n    return 1", False),
        ("A = 1", "A = 1.0", False),
        ("A = 1", "A = True", False),
        ("A = 'a'", "A = u'a'", True),
        ("A = 'a'", "A = b'a'", False),
        ("def A(*, b): ...", "def A(b): ...", False),
        ("def A(b=None): ...", "def A(b): ...", False),
    ],
)  # fmt: skip
def test_what_a_statement_means(tmp_path: Path, one: str, other: str, same: bool) -> None:
    run = "\n\n\ndef run(lab):\n    return A\n"
    assert (meaning(tmp_path, one + run) == meaning(tmp_path, other + run)) is same


@pytest.mark.parametrize(
    ("use", "reached"),
    [
        ("from toys.tools import *\n\n\ndef run(lab):\n    return A\n", "AB"),
        ("from toys.tools import A\n\n\ndef run(lab):\n    return A\n", "A"),
        ("from toys.tools import A, B\n\n\ndef run(lab):\n    return A\n", "A"),
        ("from toys.tools import B as A\n\n\ndef run(lab):\n    return A\n", "B"),
        ("from toys import tools\n\n\ndef run(lab):\n    return tools.A\n", "A"),
        ("from toys import tools as t\n\n\ndef run(lab):\n    return t.A + t.B\n", "AB"),
        ("from toys import tools\n\n\ndef run(lab):\n    return lab(tools)\n", "AB"),
        ("from toys import tools\n\n\ndef run(lab):\n    return tools.A, tools\n", "AB"),
        ("import toys.tools as t\n\n\ndef run(lab):\n    return t.A\n", "A"),
        ("import toys.tools\n\n\ndef run(lab):\n    return toys.tools.A\n", "AB"),
        ("import toys.tools\n\n\ndef run(lab):\n    return 1\n", ""),
        ("from . import tools\n\n\ndef run(lab):\n    return tools.A\n", "A"),
        ("from .tools import A\n\n\ndef run(lab):\n    return A\n", "A"),
        ("def run(lab):\n    from toys.tools import A\n\n    return A\n", "A"),
        ("def run(lab):\n    from toys import tools\n\n    return tools.B\n", "B"),
        ("import toys.tools\nimport json\n\n\ndef run(lab):\n    return toys.tools.A\n", "AB"),
        ("from toys.tools import A\n\nA = A + 1\n\n\ndef run(lab):\n    return A\n", "A"),
        ("from others.tools import A\n\n\ndef run(lab):\n    return A\n", ""),
        ("A = 1\n\n\ndef run(lab):\n    return lab.A\n", ""),
    ],
)  # fmt: skip
def test_only_what_is_imported_and_used_is_reached(tmp_path: Path, use: str, reached: str) -> None:
    before = meaning(tmp_path, use, tools="A = 1\nB = 1\n")
    for name in "AB":
        after = meaning(tmp_path, use, tools="A = 1\nB = 1\n".replace(f"{name} = 1", f"{name} = 2"))
        assert (after != before) is (name in reached), name


def test_a_module_in_a_folder_above_is_found(tmp_path: Path) -> None:
    """`from ..tools import A` of a module two folders down."""
    write(tmp_path / "toys" / "__init__.py", "")
    write(tmp_path / "toys" / "tools.py", "A = 1\n")
    write(tmp_path / "toys" / "deep" / "__init__.py", "")
    for line in ("from ..tools import A", "from .. import tools", "from ..deep.more import A"):
        write(tmp_path / "toys" / "deep" / "more.py", "from ..tools import A\n")
        use = "tools.A" if line.endswith("tools") else "A"
        write(tmp_path / "toys" / "deep" / "m.py", f"{line}\n\n\ndef run(lab):\n    return {use}\n")
        found = code(tmp_path, tmp_path / "toys" / "deep" / "m.py", "run")
        assert "toys/tools.py" in found, line


def test_what_happens_when_a_package_is_imported_counts(tmp_path: Path) -> None:
    use = "import toys.tools\n\n\ndef run(lab):\n    return 1\n"
    before = meaning(tmp_path, use, tools="print(1)\n")
    assert list(before) == ["toys/m.py", "toys/tools.py"]
    assert meaning(tmp_path, use, tools="print(2)\n") != before


def test_what_happens_on_an_import_within_a_function_counts(tmp_path: Path) -> None:
    use = "def run(lab):\n    import toys.tools\n\n    return 1\n"
    before = meaning(tmp_path, use, tools="print(1)\n")
    assert meaning(tmp_path, use, tools="print(2)\n") != before


def test_modules_may_import_each_other(tmp_path: Path) -> None:
    use = "from toys import tools\n\n\ndef run(lab):\n    return tools.A\n"
    back = "from toys import m\n\nA = 1\n"
    assert list(meaning(tmp_path, use, tools=back)) == ["toys/m.py", "toys/tools.py"]


def test_a_file_of_another_size_is_another_file(tmp_path: Path) -> None:
    """Whatever time it says it was written: one that was unpacked may tell an old one."""
    before = meaning(tmp_path, "def run(lab):\n    return 1\n")
    path = tmp_path / "toys" / "m.py"
    stat = path.stat()
    path.write_text("def run(lab):\n    return 11\n", "utf-8")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert code(tmp_path, path, "run") != before


@pytest.mark.parametrize("name", ["globals", "importlib", "__import__", "eval", "exec", "vars"])
def test_each_dynamic_name_reaches_its_whole_module(tmp_path: Path, name: str) -> None:
    run = f"\n\n\ndef run(lab):\n    return {name}\n"
    assert meaning(tmp_path, f"A = 1{run}") != meaning(tmp_path, f"A = 2{run}")


def test_what_is_no_python_is_told_by_line(tmp_path: Path) -> None:
    with pytest.raises(BuildError) as raised:
        meaning(tmp_path, "A = 1\ndef run(:\n")
    assert str(raised.value) == "toys/m.py:2: invalid syntax; mend it"
    with pytest.raises(BuildError) as raised:
        meaning(tmp_path, "A = '\0'\n")  # of which not every Python tells the line
    assert str(raised.value).removeprefix("toys/m.py:1") in {
        "toys/m.py: source code string cannot contain null bytes; mend it",
        ": source code cannot contain null bytes; mend it",
    }
