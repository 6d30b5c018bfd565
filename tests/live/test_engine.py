"""The forward pass in the browser is that of Hugging Face's model, in float32."""

import numpy as np
import pytest
import torch

from tests.live.tiny_gguf import BLOCKS, BREAK, END, HEAD_WIDTH, WIDTH

TEXT = [1, 60, 29, 70, 71, 198, 29, 80, 81, 82, 198, 29, 90]
LONG = [3 + (7 * place) % 250 for place in range(150)]  # three batches


@pytest.fixture(scope="module")
def expected(tiny_model):
    """Logits, streams and attention of Hugging Face's model."""

    def run(ids, hooks=()):
        handles = [module.register_forward_hook(hook) for module, hook in hooks]
        with torch.inference_mode():
            out = tiny_model.model(
                torch.tensor([ids]), output_hidden_states=True, output_attentions=True
            )
        for handle in handles:
            handle.remove()
        return out

    return run


READ = """([ids, edits]) => {
  const {engine} = live.opened();
  engine.contrast(2, 198);
  const floats = one => one && Float32Array.from(one);
  engine.intervene(edits.map(one =>
    ({...one, vector: floats(one.vector), encoder: floats(one.encoder)})));
  const found = {lens: [], logits: []};
  engine.read(0, 0, ids, rows => {
    for (let row = 0; row < rows; row++) {
      found.lens.push(Array.from(engine.lens(row)));
      found.logits.push(Array.from(engine.logits(row)));
    }
  });
  found.attention = Array.from(engine.attention(1, 3, ids.length));
  found.total = engine.logTotal(0.7);
  return found;
}"""


@pytest.mark.parametrize("ids", [TEXT, LONG], ids=["short", "long"])
def test_logits_are_those_of_the_model(live, expected, ids):
    found = live(READ, [ids, []])
    logits = expected(ids).logits[0]

    assert np.abs(np.array(found["logits"]) - logits.numpy()).max() < 2e-5
    total = (logits[-1].double() / 0.7).logsumexp(-1).item()
    assert found["total"] == pytest.approx(total, abs=1e-5)


def test_the_lens_shows_the_contrast_at_every_depth(live, expected, tiny_model):
    found = np.array(live(READ, [TEXT, []])["lens"])
    out, model = expected(TEXT), tiny_model.model.model
    direction = tiny_model.model.lm_head.weight[END] - tiny_model.model.lm_head.weight[BREAK]
    with torch.inference_mode():
        seen = [model.norm(state[0]) @ direction for state in out.hidden_states[:-1]]
        seen.append(out.hidden_states[-1][0] @ direction)  # which the final norm has been through

    assert found.shape == (len(TEXT), BLOCKS + 1)
    assert np.abs(found - torch.stack(seen, -1).numpy()).max() < 2e-5


def test_attention_of_the_last_token_is_kept(live, expected):
    found = live(READ, [TEXT, []])["attention"]

    assert found == pytest.approx(expected(TEXT).attentions[1][0, 3, -1].tolist(), abs=1e-6)


def edit(kind, vector, **where):
    return {"kind": kind, "sequence": 0, "first": 4, "last": 6, "vector": vector, **where}


@pytest.mark.parametrize("kind", ["add", "set", "head"])
def test_edits_change_what_hooks_of_torch_change(live, expected, tiny_model, kind):
    rng = np.random.default_rng(1)
    vector = rng.normal(size=HEAD_WIDTH if kind == "head" else WIDTH).astype(np.float32)
    value, block = torch.from_numpy(vector), tiny_model.model.model.layers[1]

    def stream(_module, _given, out):
        state = out[0] if isinstance(out, tuple) else out
        state[0, 4:7] = state[0, 4:7] + 2 * value if kind == "add" else value

    def head(_module, given):
        given[0][0, 4:7, 2 * HEAD_WIDTH : 3 * HEAD_WIDTH] = value

    if kind == "head":
        handle = block.self_attn.o_proj.register_forward_pre_hook(head)
        told = edit("head", vector.tolist(), depth=1, head=2)
    else:
        handle = block.register_forward_hook(stream)
        told = edit(kind, vector.tolist(), depth=2, amount=2)
    logits = expected(TEXT).logits[0].numpy()
    handle.remove()

    found = np.array(live(READ, [TEXT, [told]])["logits"])
    assert np.abs(found - logits).max() < 2e-5
    assert np.abs(found - np.array(live(READ, [TEXT, []])["logits"])).max() > 1e-2


def test_cells_get_other_activations_and_the_error_is_kept(live, expected, tiny_model):
    """Two features that both see the stream as it was; one of them is below its threshold."""
    rng = np.random.default_rng(2)
    encoders, vectors = (rng.normal(size=(2, WIDTH)).astype(np.float32) for _ in range(2))
    rows = expected(TEXT).hidden_states[2][0, 4:7] @ torch.from_numpy(encoders).T
    highest = rows.max().item()
    cells = [(3.0, 0.25, 0.0), (-1.0, 0.0, highest + 1)]  # target, offset, threshold
    told = [
        edit(
            "cell",
            vector.tolist(),
            depth=2,
            **{"encoder": encoder.tolist(), "amount": target},
            **{"offset": offset, "threshold": threshold},
        )
        for (target, offset, threshold), vector, encoder in zip(
            cells, vectors, encoders, strict=True
        )
    ]

    def stream(_module, _given, out):
        state = out[0] if isinstance(out, tuple) else out
        x = state[0, 4:7].clone()
        for (target, offset, threshold), vector, encoder in zip(
            cells, vectors, encoders, strict=True
        ):
            before = x @ torch.from_numpy(encoder) + offset
            active = torch.where(before > threshold, before.relu(), 0)
            state[0, 4:7] += (target - active)[:, None] * torch.from_numpy(vector)

    handle = tiny_model.model.model.layers[1].register_forward_hook(stream)
    logits = expected(TEXT).logits[0].numpy()
    handle.remove()

    found = np.array(live(READ, [TEXT, told])["logits"])
    assert np.abs(found - logits).max() < 1e-4
    assert np.abs(found - np.array(live(READ, [TEXT, []])["logits"])).max() > 1e-2


def test_what_is_watched_is_the_stream_and_what_its_heads_hand_on(live, expected, tiny_model):
    handed = {}
    project = tiny_model.model.model.layers[1].self_attn.o_proj
    handle = project.register_forward_pre_hook(lambda _, given: handed.update(z=given[0][0]))
    out = expected(TEXT)
    handle.remove()

    found = live(
        """ids => {
          const {engine} = live.opened();
          engine.watch(2);
          engine.read(0, 0, ids);
          return {stream: Array.from(engine.stream(3)), head: Array.from(engine.head(1, 3))};
        }""",
        TEXT,
    )
    assert found["stream"] == pytest.approx(out.hidden_states[2][0, 3].tolist(), abs=2e-5)
    assert found["head"] == pytest.approx(
        handed["z"][3, HEAD_WIDTH : 2 * HEAD_WIDTH].tolist(), abs=2e-5
    )


def test_a_sequence_is_read_from_where_it_parts_from_what_was_read(live, expected):
    other = [*TEXT[:6], 99, 98, 97]
    found = live(
        """([first, other]) => {
          const {engine, sequences} = live.opened();
          const read = [];
          const plain = engine.read.bind(engine);
          engine.read = (which, start, ids, each) => {
            read.push([which, start, ids.length]);
            plain(which, start, ids, each);
          };
          const last = (which, ids) => {
            let logits;
            sequences.bring(which, ids, ids.length - 1, row => logits = Array.from(engine.logits(row)));
            return logits;
          };
          return {first: last(0, first), other: last(1, other), again: last(0, first), read};
        }""",
        [TEXT, other],
    )
    assert found["read"] == [[0, 0, 13], [1, 6, 3], [0, 12, 1]]
    for name, ids in (("first", TEXT), ("other", other), ("again", TEXT)):
        assert found[name] == pytest.approx(expected(ids).logits[0, -1].tolist(), abs=2e-5)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("bytes[0] = 0", "The file is no GGUF file of version 3."),
        ("find('llama')[0] = 71", "This page cannot run a model of the family Glama."),
        (
            "find('blk.0.ffn_up')[8] = 88",
            "This page cannot use the model's tensor blk.0.ffX_up.weight.",
        ),
    ],
)
def test_what_cannot_be_run_is_told_in_a_sentence(live, change, told):
    found = live(
        """change => {
          const {engine} = live.opened();
          const bytes = engine.bytes;
          const find = text => {
            const wanted = new TextEncoder().encode(text);
            const at = bytes.findIndex((_, i) => wanted.every((byte, j) => bytes[i + j] === byte));
            return bytes.subarray(at);
          };
          new Function('bytes', 'find', change)(bytes, find);
          try { engine.start(); return 'started'; } catch (error) { return error.message; }
        }""",
        change,
    )
    assert found == told


def test_no_memory_is_told_in_a_sentence(live):
    found = live(
        """() => {
          const module = new WebAssembly.Module(live.code);
          try { new live.Engine(module, 5e9); return 'room'; } catch (error) { return error.message; }
        }"""
    )
    assert found == "This device has no 5000 MB of memory to spare for the model."
