"""The program is small, needs nothing from its page, and is what its source says."""

import hashlib
import subprocess

import pytest

from tests.conftest import REPO

LIVE = REPO / "assets" / "live"


def test_the_program_is_small_and_imports_nothing(live):
    assert (LIVE / "engine.wasm").stat().st_size < 20_000
    assert live("() => WebAssembly.Module.imports(new WebAssembly.Module(live.code))") == []


@pytest.mark.long  # wants the toolchain, which nobody else needs
def test_the_program_is_made_of_its_source_bit_for_bit(tmp_path):
    built = tmp_path / "engine.wasm"
    done = subprocess.run(
        ["sh", LIVE / "build.sh", built], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    digests = [
        hashlib.sha256(path.read_bytes()).hexdigest() for path in (built, LIVE / "engine.wasm")
    ]
    assert digests[0] == digests[1]
