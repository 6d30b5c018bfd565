"""Changes what promises most, one spot at a time, and counts what no test notices.

`python -m tests.mutation` takes all of it, `python -m tests.mutation site_builder/expression.py`
one module. It fails where more than a tenth goes unnoticed; what may, and why, is in
tests/README.md. Modules and the tests that they are run against stand in pyproject.toml.
"""

import json
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

MODULES = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["tool"]["mutmut"]["only_mutate"]
OPEN_A_MODEL = ("analyses/lab/patching.py", "analyses/lab/sae_attribution.py")
"""Every fifth mutant of each of their functions has to do: a test run takes seconds."""

ENOUGH = 0.9
NOTICED = (1, 3, 24, -24, 36, 152)
UNNOTICED = (0, 33)
"""How mutmut notes a failing test or an endless one; and that all passed, or that there is none."""


def pattern(module: str) -> str:
    """The names of a module's mutants, which end in numbers."""
    name = module.removesuffix(".py").replace("/", ".")
    return f"{name}.*[16]" if module in OPEN_A_MODEL else f"{name}.*"


def noticed(module: str) -> Counter[bool]:
    """How many mutants some test noticed, and how many none did."""
    told = json.loads(Path("mutants", f"{module}.meta").read_text("utf-8"))
    codes = {name: code for name, code in told["exit_code_by_key"].items() if code is not None}
    for name, code in codes.items():
        if code not in NOTICED + UNNOTICED:
            sys.exit(f"{name}: its tests could not be run ({code}); try: mutmut run '{name}'")
    return Counter(code in NOTICED for code in codes.values())


def main(modules: list[str]) -> int:
    """Run the mutants and print a line for each module."""
    if unknown := sorted({*modules} - {*MODULES}):
        print(f"{unknown[0]}: no mutants are made of it; there is: {', '.join(MODULES)}")
        return 2
    modules = modules or MODULES
    mutmut = Path(sys.executable).with_name("mutmut")
    if subprocess.run([mutmut, "run", *map(pattern, modules)]).returncode:
        return 1
    shares = []
    for module in modules:
        found = noticed(module)
        shares.append(found[True] / found.total())
        print(f"{module}: {found[True]} of {found.total()} killed, {shares[-1]:.1%}")
    return int(min(shares) < ENOUGH)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
