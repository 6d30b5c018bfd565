/**
 * What stands out everywhere: the mark that is pointed at, in all figures that show the same role,
 * layer, feature or topic; while there is none, the page's choice.
 */
import { chosenOf, onChoice } from "./choice.js";

/** Signals of charts, the field of a row (or the data attribute) that each is about, its choice. */
const LINKS = {
  at_role: { field: "role" },
  at_layer: { field: "layer", read: Number },
  at_feature: { field: "feature" },
  at_topic: { field: "topic", choice: "topic" },
  at_template: { field: "template", choice: "template" },
  at_temperature: { field: "temperature", read: Number, choice: "temperature" },
};
const MARKED = ["topic", "template", "temperature", "feature"]
  .map((field) => `[data-${field}]`)
  .join();
const CURVES = ["area", "line", "trail"];
const linked = new Map();
let pointed = {};
let told; // what elements of the page were last told; to find them among all marks takes a while
let frame = 0;

/** Charts off the screen wait until they are on it: there may be many, all of them large. */
const onScreen = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    const one = linked.get(target);
    if (one) one.seen = isIntersecting;
  }
  soon();
});

function soon() {
  frame ||= requestAnimationFrame(highlight);
}

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
  const marktype = item?.mark.marktype ?? "group";
  // A curve is one mark with the values of its first point: only what all points share is its own.
  const points = CURVES.includes(marktype) ? item.mark.items : [item];
  pointed = {};
  if (marktype !== "group") {
    for (const [name, { field }] of Object.entries(LINKS)) {
      const value = item.datum?.[field];
      if (points.every(({ datum }) => datum?.[field] === value)) pointed[name] = value;
    }
  }
  soon();
}

/** Point at what an element of the page is about. */
function pointAt(node) {
  pointed = {};
  for (const [name, { field, read = String }] of Object.entries(LINKS)) {
    if (field in node.dataset) pointed[name] = read(node.dataset[field]);
  }
  soon();
}

/** What a signal says now; undefined is nothing. */
function meant(name) {
  const { choice, read = String } = LINKS[name];
  return pointed[name] ?? (chosenOf(choice) ? read(chosenOf(choice)) : undefined);
}

function highlight() {
  frame = 0;
  for (const [place, { view, rest, seen }] of linked) {
    if (!place.isConnected) {
      view.finalize();
      linked.delete(place);
    }
    if (!seen) continue;
    let changed = false;
    for (const { name, value } of rest) {
      const now = meant(name) ?? value;
      if (view.signal(name) === now) continue;
      view.signal(name, now);
      changed = true;
    }
    if (changed) view.runAsync();
  }
  const meaning = JSON.stringify(Object.keys(LINKS).map(meant));
  if (meaning === told) return;
  told = meaning;
  for (const node of document.querySelectorAll(MARKED)) {
    const asked = Object.entries(LINKS).filter(
      ([name, { field }]) => field in node.dataset && meant(name) !== undefined,
    );
    const same = ([name, { field }]) => String(meant(name)) === node.dataset[field];
    node.classList.toggle("is-meant", asked.length > 0 && asked.every(same));
  }
}

/** Elements that are about something point as marks do, by pointer and by keyboard. */
export function links(root) {
  for (const node of root.querySelectorAll("[data-feature]")) {
    for (const kind of ["pointerover", "focusin"]) node.addEventListener(kind, () => pointAt(node));
    for (const kind of ["pointerleave", "focusout"]) node.addEventListener(kind, () => point());
  }
  told = undefined;
  soon();
}

document.addEventListener("pointerdown", ({ target }) => {
  if (!target.closest(".post-view, [data-feature]")) point();
});
onChoice(document, soon);
