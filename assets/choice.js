/**
 * The one choice of the page, of what `choices.js` names. A reader makes it in whatever figure
 * offers it, all others follow, and it stands in the address.
 */
import { addressed, asked, keep, offers } from "./address.js";
import { SHARED, WORDS } from "./choices.js";
import { element } from "./element.js";

export const NAMES = Object.keys(WORDS);

const chosen = new Map(NAMES.map((name) => [name, asked(name) ?? ""]));
const followers = new Set();

/** What is chosen of `name`; "" is no choice: every figure shows what its author chose. */
export function chosenOf(name) {
  return chosen.get(name) ?? "";
}

/** Choose, or with "" give the choice up. */
export function choose(name, value) {
  if (chosen.get(name) === value) return;
  chosen.set(name, value);
  keep({ [name]: value });
  for (const follower of followers) {
    if (follower.root.isConnected) follower.answer(name);
    else followers.delete(follower);
  }
}

/** Call `answer` with the name of whatever is chosen from now on, while `root` is in the page. */
export function onChoice(root, answer) {
  followers.add({ root, answer });
}

/**
 * Let a form's menus of shared names follow the choice and make it; its other controls are the
 * figure's own. `changed` is called with the name of what has changed, whoever did it.
 */
export function follow(form, changed) {
  const figure = form.closest(".post-figure");
  const shared = [...form.elements]
    .filter((menu) => menu.name in SHARED)
    .map((menu) => ({ menu, name: SHARED[menu.name], plain: menu.value }));
  const keepOwn = addressed(figure.id, form);

  function take(name) {
    for (const one of shared) {
      const value = chosen.get(name) || one.plain;
      if (one.name === name && offers(one.menu, value)) one.menu.value = value;
    }
    lacks(form, Object.fromEntries(shared.map((one) => [one.name, one.menu])));
  }

  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", ({ target }) => {
    if (target.name in SHARED) choose(SHARED[target.name], target.value);
    else {
      keepOwn();
      changed(target.name);
    }
  });
  onChoice(form, (name) => {
    if (!shared.some((one) => one.name === name)) return;
    take(name);
    changed(name);
  });
  for (const name of NAMES) take(name);
}

/** Say what of the choice a form's menus, by name, do not offer. */
export function lacks(form, menus) {
  const other = ([name, menu]) => chosen.get(name) && menu.value !== chosen.get(name);
  const words = Object.entries(menus).filter(other);
  unmet(
    form,
    words.map(([name, menu]) => `no ${WORDS[name]} ${chosen.get(name)}`),
  );
}

/** Say under a form, or at the end of a figure's body, what of the choice the figure lacks. */
export function unmet(place, words) {
  const next = place.nextElementSibling;
  const said = next?.matches(".post-unmet") ? next : element("p", "post-unmet");
  if (!words.length) said.remove();
  else {
    said.textContent = `Not as chosen: it has ${words.join("; ")}.`;
    place.after(said);
  }
}

/** Let a part of a figure that shows one value of a name alone say so when another is chosen. */
export function only(place, shown) {
  const tell = () => {
    const other = ([name, value]) => chosen.get(name) && chosen.get(name) !== value;
    const words = Object.entries(shown).filter(other);
    unmet(
      place,
      words.map(([name, value]) => `${WORDS[name]} ${value} only`),
    );
  };
  onChoice(place, tell);
  tell();
}
