"""A lab without a model, for toys that are measured: it counts, and takes the time it is told to."""

from pathlib import Path

from tests.site_builder.conftest import REPO, write

LAB = {
    "core/__init__.py": "",
    "runtime/__init__.py": "",
    "runtime/shards.py": (REPO / "analyses/lab/runtime/shards.py").read_text("utf-8"),
    "core/errors.py": """
        class LabError(Exception):
            where = what = cure = ""
        """,
    "runtime/lab.py": '''
        import time, types
        from pathlib import Path


        class Lab:
            """Counts to three, and says so."""

            root, home, name = Path(), Path(), "toy"

            @classmethod
            def open(cls, study, *, root, quiet):
                return cls()

            def begin(self):
                pass

            def used(self):
                return types.SimpleNamespace(
                    settings=[], weights={}, files={}, made_with={"device": "cpu"}
                )
        ''',
    "runtime/numbers.py": """
        def check(root, study):
            return []


        def sign(root, study):
            pass
        """,
}
MEASURED = """
    import time

    import pyarrow as pa

    from analyses.lab.arithmetic import double

    VARIANTS = ("small", "large")


    def run(lab, *, variant):
        time.sleep(SECONDS)
        x = [float(double(n)) for n in range(3)]
        return pa.table({"x": [1, 2, 3], "estimate": x, "low": x, "high": x, "n": [1, 1, 1]})
    """


def measurable(root: Path, seconds: float) -> None:
    """Let the toy's numbers be measured by something that takes its time."""
    for name, text in LAB.items():
        write(root / "analyses/lab" / name, text)
    write(root / "analyses/numbers.py", MEASURED.replace("SECONDS", str(seconds)))
