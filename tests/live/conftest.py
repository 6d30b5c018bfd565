"""A page of the live engine's own, a tiny model beside it, and a browser that runs them."""

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.browser.conftest import browser, serve
from tests.conftest import REPO
from tests.live.tiny_gguf import Tiny, make

__all__ = ["browser", "live", "tiny_model"]

SCRIPTS = """async () => {
  const names = ['engine', 'gguf', 'tokenizer', 'sampling', 'sequences', 'writing'];
  const modules = await Promise.all(names.map(name => import(`./${name}.js`)));
  globalThis.live = Object.assign({}, ...modules);
  const [file, code] = await Promise.all(
    ['tiny.gguf', 'engine.wasm'].map(async name => (await fetch(name)).arrayBuffer()));
  live.code = code;
  live.opened = () => {
    const engine = new live.Engine(new WebAssembly.Module(code), file.byteLength);
    engine.bytes.set(new Uint8Array(file));
    const tokenizer = new live.Tokenizer(engine.start());
    const sequences = new live.Sequences(engine);
    return {engine, tokenizer, sequences, writer: new live.Writer(engine, sequences, tokenizer)};
  };
}"""

Ask = Callable[..., Any]


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """A model that both sides can run."""
    return make(tmp_path_factory.mktemp("tiny") / "tiny.gguf")


@pytest.fixture(scope="session")
def live(browser, tiny_model: Tiny, tmp_path_factory) -> Iterator[Ask]:
    """Return a function that runs a function of JavaScript where `live` is all of the engine."""
    folder = tmp_path_factory.mktemp("live")
    for path in (REPO / "assets" / "live").glob("*.[jw]*"):
        shutil.copy(path, folder)
    shutil.copy(tiny_model.path, folder)
    (folder / "index.html").write_text("<!doctype html><title>live</title>", "utf-8")
    with serve(folder) as url:
        page = browser.new_page()
        page.goto(url)
        page.evaluate(SCRIPTS)
        yield page.evaluate
        page.close()
