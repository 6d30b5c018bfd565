"""What code can reach: an edit is seen exactly where it matters."""

import hashlib
import os
from pathlib import Path

import pytest

from site_builder.core.code_digest import Code, code, reach
from site_builder.core.errors import BuildError
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
    first = code([root], toys / "toys" / "m.py", function).meaning
    text = path.read_text("utf-8")
    assert before in text
    path.write_text(text.replace(before, after), "utf-8")
    return code([root], toys / "toys" / "m.py", function).meaning != first


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


@pytest.mark.parametrize(("call", "whole"), [("vars()", True), ("vars(lab)", False)])
def test_vars_are_the_modules_unless_they_are_somebodys(toys: Path, call: str, whole: bool) -> None:
    (toys / "toys" / "m.py").write_text(
        f"def run(lab):\n    return {call}\n\n\ndef xy():\n    return 1\n"
    )
    assert changed_by(toys, "m.py", "return 1", "return 2") is whole


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
    run = (
        "FunctionDef(args=arguments(args=[arg(arg=str:'lab')]),body=[Return(value="
        "Call(func=Attribute(Name(lab;;).size),args=[Name(;;{LIMIT}),Constant(value=int:3)]))])"
    )
    limit = "Assign(targets=[Name(;;{LIMIT})],value=Constant(value=int:2))"
    found = code([tmp_path], tmp_path / "toys" / "m.py", "run")
    graph = "\n".join((run, limit)).replace("{LIMIT}", "1")  # `run` itself is 0
    assert found.meaning == hashlib.sha256(graph.encode()).hexdigest()
    part = "\n".join((limit, run)).replace("{LIMIT}", "LIMIT")  # in the order of the file
    assert found.files == {"toys/m.py": hashlib.sha256(part.encode()).hexdigest()}


def test_every_file_that_was_read_or_looked_for_is_told(toys: Path) -> None:
    """A file that is not there yet may come, and then be what an import means."""
    digests, looked = reach([toys], toys / "toys" / "m.py", "run")
    assert list(digests.files) == ["toys/far.py", "toys/m.py", "toys/tools.py"]
    assert {path.relative_to(toys).as_posix() for path in looked} == {
        "dataclasses",
        "dataclasses.py",
        "toys/__init__.py",
        "toys/far.py",
        "toys/far/__init__.py",
        "toys/m.py",
        "toys/tools.py",
        "toys/tools/__init__.py",
        "toys/tools/used.py",
        "toys/tools/used/__init__.py",
    }


def meaning(tmp_path: Path, text: str, **others: str) -> Code:
    """What `run` in a module means, beside others of its package."""
    write(tmp_path / "toys" / "__init__.py", "")
    write(tmp_path / "toys" / "m.py", text)
    for name, other in others.items():
        write(tmp_path / "toys" / f"{name}.py", other)
    return code([tmp_path], tmp_path / "toys" / "m.py", "run")


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
        # A text that stands alone says nothing, wherever it stands.
        ("def A():\n    'a'\n    return 1", "def A():\n    return 1", True),
        ("async def A():\n    'a'\n    return 1", "async def A():\n    return 1", True),
        ("class A:\n    'a'\n    b = 1", "class A:\n    b = 1", True),
        ("def A():\n    b = 1\n    'a'", "def A():\n    b = 1", True),
        ("B = 1\n'a'", "B = 1", True),
        ("def A():\n    b = 'a'\n    return 1", "def A():\n    return 1", False),
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
    one, other = (meaning(tmp_path, text + run).meaning for text in (one, other))
    assert (one == other) is same


@pytest.mark.parametrize(
    ("use", "reached"),
    [
        ("from toys.tools import *\n\n\ndef run(lab):\n    return A\n", "A"),
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
        assert (after.meaning != before.meaning) is (name in reached), name


def test_a_module_in_a_folder_above_is_found(tmp_path: Path) -> None:
    """`from ..tools import A` of a module two folders down."""
    write(tmp_path / "toys" / "__init__.py", "")
    write(tmp_path / "toys" / "tools.py", "A = 1\n")
    write(tmp_path / "toys" / "deep" / "__init__.py", "")
    for line in ("from ..tools import A", "from .. import tools", "from ..deep.more import A"):
        write(tmp_path / "toys" / "deep" / "more.py", "from ..tools import A\n")
        use = "tools.A" if line.endswith("tools") else "A"
        write(tmp_path / "toys" / "deep" / "m.py", f"{line}\n\n\ndef run(lab):\n    return {use}\n")
        found = code([tmp_path], tmp_path / "toys" / "deep" / "m.py", "run")
        assert "toys/tools.py" in found.files, line


def test_what_happens_when_a_package_is_imported_counts(tmp_path: Path) -> None:
    use = "import toys.tools\n\n\ndef run(lab):\n    return 1\n"
    before = meaning(tmp_path, use, tools="print(1)\n")
    assert list(before.files) == ["toys/m.py", "toys/tools.py"]
    assert meaning(tmp_path, use, tools="print(2)\n").meaning != before.meaning


def test_what_happens_on_an_import_within_a_function_counts(tmp_path: Path) -> None:
    use = "def run(lab):\n    import toys.tools\n\n    return 1\n"
    before = meaning(tmp_path, use, tools="print(1)\n")
    assert meaning(tmp_path, use, tools="print(2)\n").meaning != before.meaning


def test_modules_may_import_each_other(tmp_path: Path) -> None:
    use = "from toys import tools\n\n\ndef run(lab):\n    return tools.A\n"
    back = "from toys import m\n\nA = 1\n"
    assert list(meaning(tmp_path, use, tools=back).files) == ["toys/m.py", "toys/tools.py"]


def test_a_file_of_another_size_is_another_file(tmp_path: Path) -> None:
    """Whatever time it says it was written: one that was unpacked may tell an old one."""
    before = meaning(tmp_path, "def run(lab):\n    return 1\n")
    path = tmp_path / "toys" / "m.py"
    stat = path.stat()
    path.write_text("def run(lab):\n    return 11\n", "utf-8")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert code([tmp_path], path, "run") != before


@pytest.mark.parametrize("name", ["globals", "importlib", "__import__", "eval", "exec"])
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


WHOLE_TOOLS = """
import math
from functools import cache

LIMIT = 3


@cache
def used(x):
    return helper(x) + LIMIT


def helper(x):
    return math.sqrt(x)


def spare(x):
    return math.sqrt(x) + 1
"""
USE = "from toys.tools import used\n\n\ndef run(lab):\n    return used(1)\n"


@pytest.mark.parametrize(
    ("use", "others"),
    [
        # Another file, another folder, another name for the module or for what it defines.
        (USE.replace("tools", "moved"), {"moved": WHOLE_TOOLS}),
        ("from toys import moved\n\n\ndef run(lab):\n    return moved.used(1)\n",
         {"moved": WHOLE_TOOLS}),
        (USE.replace("used(", "again(").replace("used", "used as again", 1), {"tools": WHOLE_TOOLS}),
        (USE.replace("used", "scaled"), {"tools": WHOLE_TOOLS.replace("used", "scaled")}),
        ("def run(lab):\n    from toys.tools import used\n\n    return used(1)\n",
         {"tools": WHOLE_TOOLS}),
        # Cut in two, and passed on.
        (USE, {"tools": WHOLE_TOOLS.replace("def helper(x):\n    return math.sqrt(x)", "")
               .replace("import math", "from toys.parts import helper"),
               "parts": "from math import sqrt\n\n\ndef helper(y):\n    return sqrt(y)\n"
               .replace("y", "x")}),
        (USE, {"tools": "from toys.moved import used\n", "moved": WHOLE_TOOLS}),
        # Other imports, and in another order.
        (USE, {"tools": WHOLE_TOOLS.replace("import math", "import json\nimport math as m\n")
               .replace("math.sqrt", "m.sqrt")}),
    ],
)  # fmt: skip
def test_moving_and_renaming_changes_nothing(
    tmp_path: Path, use: str, others: dict[str, str]
) -> None:
    before = meaning(tmp_path / "before", USE, tools=WHOLE_TOOLS)
    assert meaning(tmp_path / "after", use, **others).meaning == before.meaning


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("import math", "import cmath as math"),  # another function under the same name
        ("return helper(x) + LIMIT", "return spare(x) + LIMIT"),
        ("return helper(x) + LIMIT", "return LIMIT + helper(x)"),
        ("def helper(x):\n    return math.sqrt(x)", "helper = math.sqrt"),
        ("LIMIT = 3", "LIMIT = 3\nLIMIT += 1"),
    ],
)
def test_what_a_name_stands_for_counts(tmp_path: Path, before: str, after: str) -> None:
    found = [
        meaning(tmp_path, USE, tools=WHOLE_TOOLS.replace(before, to)) for to in (before, after)
    ]
    assert found[0].meaning != found[1].meaning


def test_two_that_change_places_are_told_apart(tmp_path: Path) -> None:
    """The same statements, of which each means another one."""
    tools = "def a(x):\n    return x\n\n\ndef b(x):\n    return -x\n"
    use = "from toys.tools import a, b\n\n\ndef run(lab):\n    return a(1) + 2 * b(1)\n"
    swapped = use.replace("a, b", "a as b, b as a")
    one, other = meaning(tmp_path, use, tools=tools), meaning(tmp_path, swapped, tools=tools)
    assert one.meaning != other.meaning


def test_names_count_where_they_may_be_asked_for_by_their_text(tmp_path: Path) -> None:
    use = "from toys import tools\n\n\ndef run(lab):\n    return getattr(tools, 'A')\n"
    one, other = (meaning(tmp_path, use, tools=text) for text in ("A = 1\nB = 2", "B = 1\nA = 2"))
    assert one.meaning != other.meaning


def test_packages_on_the_way_to_a_module_act_too(tmp_path: Path) -> None:
    use = "from toys.deep.tools import A\n\n\ndef run(lab):\n    return A\n"
    write(tmp_path / "toys" / "deep" / "tools.py", "A = 1\n")
    write(tmp_path / "toys" / "deep" / "__init__.py", "print(1)\n")
    before = meaning(tmp_path, use).meaning
    write(tmp_path / "toys" / "deep" / "__init__.py", "print(2)\n")
    assert meaning(tmp_path, use).meaning != before


def test_modules_of_a_second_folder_are_followed(tmp_path: Path) -> None:
    """A project's measurement, and the engine wherever it is installed; nothing else there."""
    own, engine = tmp_path / "own", tmp_path / "engine"
    use = "import numpy\nfrom analyses.lab import tools\n\n\ndef run(lab):\n    return tools.A\n"
    write(own / "analyses" / "m.py", use)
    write(engine / "analyses" / "lab" / "tools.py", "A = 1\n")
    write(engine / "numpy.py", "print(1)\n")
    found = code([own, engine], own / "analyses" / "m.py", "run")
    assert list(found.files) == ["analyses/lab/tools.py", "analyses/m.py"]
    write(engine / "analyses" / "lab" / "tools.py", "A = 2\n")
    assert code([own, engine], own / "analyses" / "m.py", "run").meaning != found.meaning
    write(own / "analyses" / "lab" / "tools.py", "A = 1\n")  # the project's own comes first
    assert code([own, engine], own / "analyses" / "m.py", "run").meaning == found.meaning


def test_a_module_beside_the_packages_is_followed(tmp_path: Path) -> None:
    write(tmp_path / "helpers.py", "A = 1\n")
    use = "from helpers import A\n\n\ndef run(lab):\n    return A\n"
    before = meaning(tmp_path, use).meaning
    write(tmp_path / "helpers.py", "A = 2\n")
    assert meaning(tmp_path, use).meaning != before
