/**
 * The one choice of the page, of what `choices.js` names, and what a reader picks in one figure
 * instead. The page's choice is made in its bar and stands in the address under its name; all
 * figures take it. What is picked in a figure is that figure's alone and stands there under both
 * names, until the page's choice of it changes or the reader wants it everywhere.
 */
import { addressed, asked, askedIn, keep, keysOf, offers } from "./address.js";
import { SHARED, WORDS } from "./choices.js";
import { button, element } from "./element.js";

export const NAMES = Object.keys(WORDS);

const chosen = new Map(NAMES.map((name) => [name, asked(name) ?? ""]));
const followers = new Set();

/** What is chosen of `name`; "" is no choice: every figure shows what its author chose. */
export function chosenOf(name) {
  return chosen.get(name) ?? "";
}

/** What a figure is asked to show of `name`: what was picked in it, else what is chosen, or "". */
export function wantedIn(figure, name) {
  return askedIn(figure, name) ?? chosenOf(name);
}

function tell(name, within = () => true) {
  for (const follower of followers) {
    if (!follower.root.isConnected) followers.delete(follower);
    else if (within(follower.root)) follower.answer(name);
  }
}

/** Choose for the whole page, or with "" give the choice up. */
export function choose(name, value) {
  const picked = keysOf(name);
  if (chosen.get(name) === value && !picked.length) return;
  chosen.set(name, value);
  keep({ ...Object.fromEntries(picked.map((key) => [key, ""])), [name]: value });
  tell(name);
}

/** Let one figure show other values than are chosen; with "" it takes these again. */
export function pick(figure, values) {
  keep(Object.fromEntries(Object.entries(values).map(([name, value]) => [`${figure}.${name}`, value])));
  const within = (root) => root === document || root.closest?.(".post-figure")?.id === figure;
  for (const name of Object.keys(values)) tell(name, within);
}

/** Call `answer` with the name of whatever is chosen or picked from now on, while `root` is there. */
export function onChoice(root, answer) {
  followers.add({ root, answer });
}

/**
 * Take what a reader picks in a menu of a shared name: for its figure alone, with a button beside
 * the menus that makes it the choice of the whole page.
 */
export function pickable(form) {
  const figure = form.closest(".post-figure").id;
  const menus = [...form.elements].filter(({ name }) => name in SHARED);
  const plain = new Map(menus.map((menu) => [menu, menu.value]));
  const picked = () => menus.filter(({ name }) => askedIn(figure, SHARED[name]) !== null);
  const everywhere = button("", "", () => {
    for (const { name, value } of picked()) choose(SHARED[name], value);
    (menus.find((menu) => menu.checkVisibility()) ?? form).focus();
  });
  everywhere.className = "post-everywhere";
  const look = () => {
    const words = picked().map(({ name, value }) => `${WORDS[SHARED[name]]} ${value}`);
    everywhere.textContent = `Use ${words.join(" and ")} everywhere`;
    everywhere.hidden = !words.length;
  };
  form.append(everywhere);
  look();
  onChoice(form, look);
  return (menu) => {
    const name = SHARED[menu.name];
    const asItIs = chosenOf(name) || plain.get(menu);
    pick(figure, { [name]: menu.value === asItIs ? "" : menu.value });
  };
}

/**
 * Let a form's menus of shared names follow the choice; its other controls are the figure's own.
 * `changed` is called with the name of what has changed, whoever did it.
 */
export function follow(form, changed) {
  const figure = form.closest(".post-figure").id;
  const shared = [...form.elements]
    .filter((menu) => menu.name in SHARED)
    .map((menu) => ({ menu, name: SHARED[menu.name], plain: menu.value }));
  const plain = new Map([...form.elements].map((control) => [control.name, control.value]));
  const keepOwn = addressed(figure, form);
  const picks = shared.length ? pickable(form) : undefined;

  function take(name) {
    for (const one of shared) {
      if (one.name !== name) continue;
      const value = wantedIn(figure, name);
      one.menu.value = value && offers(one.menu, value) ? value : one.plain;
    }
    lacks(form, Object.fromEntries(shared.map((one) => [one.name, one.menu])));
  }

  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", ({ target }) => {
    if (target.name in SHARED) picks(target);
    else {
      keepOwn();
      changed(target.name);
    }
  });
  onChoice(form, (name) => {
    if (shared.some((one) => one.name === name)) take(name);
    else if (!(name in SHARED) && plain.has(name)) {
      const value = askedIn(figure, name) ?? plain.get(name);
      if (offers(form.elements[name], value)) form.elements[name].value = value;
    } else return;
    changed(name);
  });
  for (const name of NAMES) take(name);
}

/** Say what a form's menus, by name, do not offer of what they are asked for. */
export function lacks(form, menus) {
  const figure = form.closest(".post-figure").id;
  const other = ([name, menu]) => wantedIn(figure, name) && menu.value !== wantedIn(figure, name);
  const words = Object.entries(menus).filter(other);
  unmet(
    form,
    words.map(([name]) => `no ${WORDS[name]} ${wantedIn(figure, name)}`),
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
  const say = () => {
    const other = ([name, value]) => chosen.get(name) && chosen.get(name) !== value;
    const words = Object.entries(shown).filter(other);
    unmet(
      place,
      words.map(([name, value]) => `${WORDS[name]} ${value} only`),
    );
  };
  onChoice(place, say);
  say();
}
