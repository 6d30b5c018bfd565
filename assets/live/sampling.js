/** Drawing the next token as the study draws it: temperature, then the nucleus, then its own numbers. */

const WORD = (1n << 64n) - 1n;
const MULTIPLIERS = [0xd2e7470ee14c6c93n, 0xca5a826395121157n];
const WEYL = [0x9e3779b97f4a7c15n, 0xbb67ae8584caa73bn];
const ROUNDS = 10;
const SHORT = Math.log(1e-6); // tokens less likely than this wait until they are needed

/**
 * Numbers in [0, 1) that belong to a key: numpy's `Generator(Philox(key)).random()`. The generator is
 * Philox4x64-10 (Salmon et al. 2011, doi:10.1145/2063384.2063405).
 * @param {bigint} key of 128 bits
 * @param {number} count
 */
export function uniforms(key, count) {
  const numbers = [];
  for (let block = 1n; numbers.length < count; block++) {
    numbers.push(...philox(block, key).map((word) => Number(word >> 11n) * 2 ** -53));
  }
  return numbers.slice(0, count);
}

function philox(block, key) {
  let words = [block & WORD, block >> 64n, 0n, 0n];
  let keys = [key & WORD, key >> 64n];
  for (let round = 0; round < ROUNDS; round++) {
    const [first, second] = [words[0] * MULTIPLIERS[0], words[2] * MULTIPLIERS[1]];
    words = [
      (second >> 64n) ^ words[1] ^ keys[0],
      second & WORD,
      (first >> 64n) ^ words[3] ^ keys[1],
      first & WORD,
    ];
    keys = keys.map((word, place) => (word + WEYL[place]) & WORD);
  }
  return words;
}

/**
 * One token of the smallest set of likeliest tokens whose probability reaches `topP`.
 * @param {Float32Array} logits
 * @param {number} total log Σ exp(logit / temperature)
 * @param {{temperature: number, topP: number}} how
 * @param {number} uniform in [0, 1): where in the set's distribution
 */
export function draw(logits, total, { temperature, topP }, uniform) {
  const { tokens, reached } =
    nucleus(logits, total, temperature, topP, SHORT) ??
    nucleus(logits, total, temperature, topP, -Infinity);
  const target = uniform * reached.at(-1);
  const place = reached.findIndex((sum) => sum > target);
  return tokens[place < 0 ? tokens.length - 1 : place];
}

/** The set's tokens, likeliest first, and the sums of their probabilities; null if too few are looked at. */
function nucleus(logits, total, temperature, topP, least) {
  const found = [];
  const bound = (least + total) * temperature;
  for (let id = 0; id < logits.length; id++) if (logits[id] >= bound) found.push(id);
  found.sort((a, b) => logits[b] - logits[a] || a - b);
  const reached = [];
  let sum = 0;
  for (const id of found) {
    if (sum >= topP) break;
    sum += Math.exp(logits[id] / temperature - total);
    reached.push(sum);
  }
  if (sum < topP && found.length < logits.length) return null;
  return { tokens: found.slice(0, reached.length), reached };
}
