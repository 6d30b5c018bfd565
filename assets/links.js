/** Linked charts: what the pointer is on in one stands out in all that show its role or layer. */

const LINKS = { at_role: "role", at_layer: "layer" };
const CURVES = ["area", "line", "trail"];
const linked = new Map();
let pointed = {};
let frame = 0;

/** Charts off the screen wait until they are on it: there may be many, all of them large. */
const onScreen = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) linked.get(target).seen = isIntersecting;
  frame ||= requestAnimationFrame(highlight);
});

/** Listen to a view, and remember which of the signals it has, with their values at rest. */
export function link(view, { signals = [] }, place) {
  const rest = signals.filter(({ name }) => name in LINKS);
  if (rest.length) {
    linked.set(place, { view, rest });
    onScreen.observe(place);
  }
  view.addEventListener("pointerover", (_, item) => point(item));
  view.addEventListener("pointerout", ({ pointerType }) => {
    // A finger leaves the mark when it is lifted; what it tapped stays until the next tap.
    if (pointerType !== "touch") point();
  });
}

/** Point at a mark of a view, or at none. */
export function point(item) {
  if (!linked.size) return;
  const marktype = item?.mark.marktype ?? "group";
  // A curve is one mark with the values of its first point: only what all points share is its own.
  const points = CURVES.includes(marktype) ? item.mark.items : [item];
  pointed = {};
  if (marktype !== "group") {
    for (const [name, field] of Object.entries(LINKS)) {
      const value = item.datum?.[field];
      if (points.every(({ datum }) => datum?.[field] === value)) pointed[name] = value;
    }
  }
  frame ||= requestAnimationFrame(highlight);
}

function highlight() {
  frame = 0;
  for (const { view, rest, seen } of linked.values()) {
    if (!seen) continue;
    let changed = false;
    for (const { name, value } of rest) {
      const now = pointed[name] ?? value;
      if (view.signal(name) === now) continue;
      view.signal(name, now);
      changed = true;
    }
    if (changed) view.runAsync();
  }
}

document.addEventListener("pointerdown", ({ target }) => {
  if (!target.closest(".post-view")) point();
});
