/**
 * The header of a GGUF file, version 3: settings by name, and where each tensor lies. See
 * https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */

const TYPES = ["Uint8", "Int8", "Uint16", "Int16", "Uint32", "Int32", "Float32", "Uint8"];
const WIDE = { 10: "BigUint64", 11: "BigInt64", 12: "Float64" };
const [STRING, ARRAY] = [8, 9];

/**
 * @typedef {object} Tensor
 * @property {number[]} shape columns first
 * @property {number} type its number in GGUF
 * @property {number} offset from the file's first byte
 */

/**
 * Read the header.
 * @param {Uint8Array} bytes the file, at least as far as its header goes
 * @returns {{settings: Record<string, any>, tensors: Record<string, Tensor>}}
 */
export function header(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = new TextDecoder();
  let at = 0;

  const take = (type, size) => {
    const value = view[`get${type}`](at, true);
    at += size;
    return value;
  };
  const whole = () => Number(take("BigUint64", 8));
  const string = () => {
    const size = whole();
    at += size;
    return text.decode(bytes.subarray(at - size, at));
  };
  function value(type) {
    if (type === STRING) return string();
    if (type === ARRAY) {
      const inner = take("Uint32", 4);
      return Array.from({ length: whole() }, () => value(inner));
    }
    if (type in WIDE) return Number(take(WIDE[type], 8));
    const name = TYPES[type];
    return take(name, Number(/\d+/.exec(name)[0]) / 8);
  }

  if (take("Uint32", 4) !== 0x46554747 || take("Uint32", 4) !== 3) {
    throw new Error("The file is no GGUF file of version 3.");
  }
  const [tensorCount, settingCount] = [whole(), whole()];
  const settings = {};
  for (let i = 0; i < settingCount; i++) {
    const name = string();
    settings[name] = value(take("Uint32", 4));
  }
  const found = Array.from({ length: tensorCount }, () => {
    const name = string();
    const shape = Array.from({ length: take("Uint32", 4) }, whole);
    return { name, shape, type: take("Uint32", 4), offset: whole() };
  });
  const step = settings["general.alignment"] ?? 32;
  const data = Math.ceil(at / step) * step;
  const tensors = {};
  for (const { name, offset, ...rest } of found) tensors[name] = { ...rest, offset: data + offset };
  return { settings, tensors };
}
