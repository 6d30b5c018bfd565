/**
 * The page's address keeps what a reader chose, so that a link shows the same. What is shared by
 * all figures stands there once; all else stands there under its figure's name.
 */
import { SHARED } from "./choices.js";

const address = new URL(location.href);

/** What the address says of `name`, or null. */
export function asked(name) {
  return address.searchParams.get(name);
}

/** Let the address say these values by name, and nothing of those that are empty. */
export function keep(values) {
  for (const [name, value] of Object.entries(values)) {
    if (value) address.searchParams.set(name, value);
    else address.searchParams.delete(name);
  }
  address.hash = location.hash;
  history.replaceState(history.state, "", address);
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
