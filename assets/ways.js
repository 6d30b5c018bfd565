/** Arrow keys among things that lie about: rows first, then what is nearest in the row. */

const TURNED = {
  ArrowRight: ([x, y]) => [x, y],
  ArrowLeft: ([x, y]) => [-x, y],
  ArrowDown: ([x, y]) => [y, x],
  ArrowUp: ([x, y]) => [-y, x],
};
const SAME = 1; // pixels by which things in one row or column may differ

/** Whether a key goes somewhere. */
export function isWay(key) {
  return key in TURNED;
}

/** Where an element is: its middle, and its size. */
export function box(node) {
  const { left, top, width, height } = node.getBoundingClientRect();
  return { x: left + width / 2, y: top + height / 2, width, height };
}

/** The next of `things` in the direction of a key; `node` gives the element of one. */
export function next(key, things, from, node = (thing) => thing) {
  const here = box(node(from));
  let best = { thing: from, ahead: Infinity, aside: Infinity };
  for (const thing of things) {
    const there = box(node(thing));
    const [ahead, across] = TURNED[key]([there.x - here.x, there.y - here.y]);
    const aside = Math.abs(across);
    const nearer = ahead < best.ahead - SAME;
    const asNear = ahead < best.ahead + SAME && aside < best.aside;
    if (ahead > SAME && (nearer || asNear)) best = { thing, ahead, aside };
  }
  return best.thing;
}
