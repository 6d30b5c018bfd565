"""Changes what promises most, one spot at a time, and counts what no test notices.

`python -m tests.mutation` takes all of it, `python -m tests.mutation site_builder/post/expression.py`
one module. It fails where more than a tenth goes unnoticed; what may, and why, is in
tests/README.md. A module is run against the tests of its own name, site_builder/post/expression.py
against tests/site_builder/test_expression.py, unless `TESTS` says otherwise.
"""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

from mutmut import __main__ as mutmut
from mutmut.configuration import config

OPEN_A_MODEL = ("analyses/lab/patching/patching.py", "analyses/lab/saes/attribution.py")
"""Every fifth mutant of each of their functions has to do: a test run takes seconds."""

TESTS = {
    "site_builder/core/syntax.py": "tests/site_builder/test_code_digest.py",
    "site_builder/core/syntax_text.py": "tests/site_builder/test_code_digest.py",
    "site_builder/results/freshness.py": "tests/site_builder/test_store.py",
    "site_builder/results/current.py": "tests/site_builder/test_store.py",
    "analyses/lab/saes/attribution.py": "tests/lab/test_sae_attribution.py",
}

ENOUGH = 0.9
NOTICED = (1, 3, 24, -24, 36, 152)
UNNOTICED = (0, 33)
"""How mutmut notes a failing test or an endless one; and that all passed, or that there is none."""


def run(module: str) -> Counter[bool]:
    """How many mutants of a module some test noticed, and how many none did."""
    path = Path(module)
    house = "site_builder" if path.parts[0] == "site_builder" else "lab"
    tests = TESTS.get(module, f"tests/{house}/test_{path.name}")
    config().pytest_add_cli_args_test_selection = [tests]
    name = module.removesuffix(".py").replace("/", ".")
    mutmut._run([f"{name}.*[16]" if module in OPEN_A_MODEL else f"{name}.*"], None)
    told = json.loads(Path("mutants", f"{module}.meta").read_text("utf-8"))
    codes = {name: code for name, code in told["exit_code_by_key"].items() if code is not None}
    for name, code in codes.items():
        if code not in NOTICED + UNNOTICED:
            sys.exit(f"{name}: its tests could not be run ({code}); run {module} again")
    return Counter(code in NOTICED for code in codes.values())


def main(modules: list[str]) -> int:
    """Run the mutants; 1 if too many of a module go unnoticed."""
    known = config().only_mutate
    if unknown := sorted({*modules} - {*known}):
        print(f"{unknown[0]}: no mutants are made of it; there is: {', '.join(known)}")
        return 2
    if len(modules) == 1:
        found = run(modules[0])
        share = found[True] / found.total()
        print(f"{modules[0]}: {found[True]} of {found.total()} killed, {share:.1%}")
        return int(share < ENOUGH)
    # Each in a process of its own, as torch need not be there for all.
    codes = [subprocess.run([sys.executable, "-m", "tests.mutation", one]).returncode
             for one in modules or known]  # fmt: skip
    return max(codes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
