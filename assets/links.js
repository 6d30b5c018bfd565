/**
 * What stands out everywhere: the mark that is pointed at, in all figures that show the same; while
 * there is none, what is pinned, and the page's choice. A chart's signal `at_FIELD` is about that field of its rows, as
 * text; an element's data attribute is about the field of its name.
 */
import { NAMES, chosenOf, onChoice } from "./choice.js";
import { doorOf, enter } from "./doors.js";
import { onPin, pinned } from "./pins.js";

const AT = "at_";

/** Fields that anything is about: elements of the page, and the charts that are live. */
const fields = new Set([...NAMES.filter((name) => name !== "study"), "feature"]);
const MARKED = [...fields].map((field) => `[data-${field}]`).join();
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
  const rest = signals
    .filter(({ name }) => name.startsWith(AT))
    .map(({ name, value }) => ({ name, value, field: name.slice(AT.length) }));
  for (const { field } of rest) fields.add(field);
  if (rest.length) {
    linked.set(place, { view, rest });
    onScreen.observe(place);
  }
  view.addEventListener("pointerover", (_, item) => {
    point(item);
    const isDoor = item?.tooltip || item?.mark.role === "axis-label";
    place.classList.toggle("leads-on", Boolean(isDoor && leads(item, place)));
  });
  view.addEventListener("pointerout", ({ pointerType }) => {
    // A finger leaves the mark when it is lifted; what it tapped stays until the next tap.
    if (pointerType !== "touch") point();
  });
}

/** What a mark stands for: a curve for all its points, an axis label for the marks of its value. */
function meantBy(item) {
  const { marktype, role } = item?.mark ?? {};
  if (role === "axis-label") return labelled(item);
  if (!marktype || marktype === "group") return [];
  return CURVES.includes(marktype) ? item.mark.items : [item];
}

/** The marks that tell something, and have the value that an axis label names. */
function labelled(label) {
  let group = label.mark.group;
  while (group.mark?.group) group = group.mark.group;
  const value = String(label.datum.value);
  const found = [];
  const look = ({ marktype, items }) => {
    if (marktype === "group") for (const inner of items) inner.items.forEach(look);
    else found.push(...items.filter((item) => item.tooltip && has(item.datum, value)));
  };
  group.items.forEach(look);
  return found;
}

const has = (datum, value) => Object.values(datum ?? {}).some((one) => String(one) === value);

/** What a mark has of `names`, as text: what all that it stands for share. */
function own(item, names) {
  const [first, ...others] = meantBy(item);
  const found = {};
  for (const name of first ? names : []) {
    const value = first.datum?.[name] ?? undefined;
    const same = others.every(({ datum }) => (datum?.[name] ?? undefined) === value);
    if (same && value !== undefined && typeof value !== "object") found[name] = String(value);
  }
  return found;
}

/** Point at a mark of a view, or at none. */
export function point(item) {
  pointed = own(item, fields);
  soon();
}

/** What a mark of the view in `place` is about: its fields, and what its figure shows alone. */
function aboutOf(item, place) {
  const mine = own(item, Object.keys(meantBy(item)[0]?.datum ?? {}));
  const alone = JSON.parse(place.closest("[data-only]")?.dataset.only ?? "{}");
  return Object.keys(mine).length ? { ...alone, ...mine } : mine;
}

/** Where a mark leads, in words, or "". */
export function leads(item, place) {
  return doorOf(aboutOf(item, place))?.title ?? "";
}

/** Pin what a mark is about, and open what it leads to. */
export function follow(item, place) {
  const about = aboutOf(item, place);
  enter(doorOf(about) ? about : own(item, [...fields].sort()), place);
}

/** Point at what an element of the page is about. */
function pointAt(node) {
  pointed = {};
  for (const field of fields) if (field in node.dataset) pointed[field] = node.dataset[field];
  soon();
}

/** What is meant of a field now; undefined is nothing. */
function meant(field) {
  const held = Object.keys(pointed).length ? pointed : pinned();
  return held[field] ?? (chosenOf(field) || undefined);
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
    for (const { name, value, field } of rest) {
      const now = meant(field) ?? value;
      if (view.signal(name) === now) continue;
      view.signal(name, now);
      changed = true;
    }
    if (changed) view.runAsync();
  }
  const meaning = JSON.stringify([...fields].map((field) => meant(field) ?? null));
  if (meaning === told) return;
  told = meaning;
  for (const node of document.querySelectorAll(MARKED)) {
    const asked = [...fields].filter(
      (field) => field in node.dataset && meant(field) !== undefined,
    );
    const same = asked.every((field) => meant(field) === node.dataset[field]);
    node.classList.toggle("is-meant", asked.length > 0 && same);
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
onPin(soon);
