/**
 * The page's address keeps what a reader chose, so that a link shows the same. What is shared by
 * all figures stands there once; all else stands there under its figure's name. Steps back and
 * forth in the history are those of what is pinned; choices stay as they are.
 */
import { SHARED } from "./choices.js";

const PIN = "pin";

const address = new URL(location.href);

/** What the address says of `name`, or null. */
export function asked(name) {
  return address.searchParams.get(name);
}

/** What the address says of a figure's menu, or null. */
export function askedIn(figure, name) {
  return asked(`${figure}.${name}`);
}

function put(values) {
  for (const [name, value] of Object.entries(values)) {
    if (value) address.searchParams.set(name, value);
    else address.searchParams.delete(name);
  }
  address.hash = location.hash;
}

/** Let the address say these values by name, and nothing of those that are empty. */
export function keep(values) {
  put(values);
  history.replaceState(history.state, "", address);
}

/** Every key of the address that belongs to a figure, and tells of `name`. */
export function keysOf(name) {
  return [...new Set(address.searchParams.keys())].filter((key) => key.endsWith(`.${name}`));
}

/** What is pinned, field by field. */
export function pins() {
  const pairs = address.searchParams.getAll(PIN).map((pin) => pin.split(/:(.*)/s).slice(0, 2));
  return Object.fromEntries(pairs.filter(([field, value]) => field && value));
}

function putPins(fields) {
  address.searchParams.delete(PIN);
  for (const pair of Object.entries(fields)) address.searchParams.append(PIN, pair.join(":"));
  address.hash = location.hash;
}

/** Pin these fields, or with none nothing: one step of the history. */
export function keepPins(fields) {
  putPins(fields);
  history.pushState(null, "", address);
}

/** Call `answer` when a step through the history has changed what is pinned. */
export function onStep(answer) {
  addEventListener("popstate", () => {
    const before = JSON.stringify(pins());
    const there = new URL(location.href).searchParams.getAll(PIN);
    putPins(Object.fromEntries(there.map((pin) => pin.split(/:(.*)/s).slice(0, 2))));
    history.replaceState(history.state, "", address);
    if (JSON.stringify(pins()) !== before) answer();
  });
}

/** Another page of the site with what is shared by all pages in its address. */
export function carried(url, names) {
  const there = new URL(url);
  for (const name of names) {
    const value = asked(name);
    if (value && !there.searchParams.has(name)) there.searchParams.set(name, value);
  }
  if (!there.searchParams.has(PIN)) {
    for (const pin of address.searchParams.getAll(PIN)) there.searchParams.append(PIN, pin);
  }
  return there;
}

/** Whether a menu has this value; what is not a menu takes any. */
export function offers(control, value) {
  return !control.options || [...control.options].some((option) => option.value === value);
}

/**
 * Take over from the address what only the figure `id` offers in its form. What is returned keeps
 * there what differs from what stood in the page.
 */
export function addressed(id, form) {
  const own = [...form.elements]
    .filter(({ name }) => name && !(name in SHARED))
    .map((control) => ({ control, key: `${id}.${control.name}`, plain: control.value }));
  for (const { control, key } of own) {
    const value = asked(key);
    if (value !== null && offers(control, value)) control.value = value;
  }
  return () => {
    const changed = ({ control, plain }) => (control.value === plain ? "" : control.value);
    keep(Object.fromEntries(own.map((one) => [one.key, changed(one)])));
  };
}
