/** Menus before a chart, and the rows that each choice shows. */
import { addressed } from "./address.js";
import { NAMES, onChoice, pickable, unmet, wantedIn } from "./choice.js";
import { SHARED } from "./choices.js";
import { json, rows } from "./files.js";
import { near } from "./near.js";

const pickers = new WeakMap();

/** What `menus` made of a form; a chart that comes alive hands its views over to it. */
export function pickerOf(form) {
  return pickers.get(form);
}

/** Let a form's menus answer. */
export function menus(form) {
  const figure = form.closest(".post-figure");
  const all = [...form.elements];
  const picks = JSON.parse(form.dataset.picks);
  const said = form.nextElementSibling;
  const plain = all.map((menu) => menu.selectedIndex);
  const keepOwn = addressed(figure.id, form);
  const picked = pickable(form);
  const first = said.textContent;
  let shown = first;
  let views = [];
  let latest = 0;

  const place = (menu, value) => [...menu.options].findIndex((option) => option.value === value);
  const chosen = (menu) => menu.name in SHARED && wantedIn(figure.id, SHARED[menu.name]);

  /** Go to the nearest choice that has what `first` shows, and say what does not go with it. */
  function settle(first, wanted) {
    const fitting = picks.filter((pick) => pick[first] === wanted[first]);
    const kept = (pick) => pick.filter((option, index) => option === wanted[index]).length;
    const nearest = fitting.reduce((best, pick) => (kept(pick) > kept(best) ? pick : best));
    const with_ = `${all[first].name} ${all[first].options[nearest[first]].value}`;
    for (const [index, menu] of all.entries()) {
      menu.selectedIndex = nearest[index];
      for (const [number, option] of [...menu.options].entries()) {
        option.disabled = index !== first && !fitting.some((pick) => pick[index] === number);
        option.title = option.disabled ? `not with ${with_}` : "";
        option.text = option.value + (option.disabled ? ` (not with ${with_})` : "");
      }
    }
    unmet(
      form,
      all
        .filter((menu) => chosen(menu) && menu.value !== chosen(menu))
        .map((menu) => {
          const value = `${menu.name} ${chosen(menu)}`;
          return place(menu, chosen(menu)) < 0 ? `no ${value}` : `no ${value} with ${with_}`;
        }),
    );
  }

  /** What is asked of the menus; where nothing is, what they show. */
  function asked() {
    return all.map((menu) => {
      const index = place(menu, chosen(menu));
      return index < 0 ? menu.selectedIndex : index;
    });
  }

  /** Take what is asked of `name`; without it, or where it lacks, go back to what the author chose. */
  function take(name) {
    const first = all.findIndex((menu) => SHARED[menu.name] === name);
    if (first < 0) return;
    const wanted = asked();
    if (place(all[first], chosen(all[first])) < 0) wanted[first] = plain[first];
    settle(first, wanted);
  }

  /** Draw the choice when the chart is near; until then the words tell what is still shown. */
  async function show() {
    const mine = ++latest;
    if (!views.length) return;
    await near(figure);
    const words = all.map((menu) => `${menu.name} ${menu.value}`).join(" · ");
    if (mine !== latest || words === shown) return;
    const now = all.map((menu) => menu.selectedIndex);
    const number = picks.findIndex((pick) => pick.every((option, index) => option === now[index]));
    const columns = await json(`${form.dataset.rows}${number}.json`);
    if (mine !== latest) return;
    shown = words;
    // Vega writes into its rows, so every view gets its own; axes may need another size.
    for (const view of views) view.data("picked", rows(columns)).resize();
    await Promise.all(views.map((view) => view.runAsync()));
    said.textContent = shown;
  }

  // An option says in its text why it cannot be picked: its value must stay what it was.
  for (const menu of all) {
    for (const option of menu.options) option.setAttribute("value", option.value);
  }
  settle(0, asked());
  for (const name of [...NAMES].reverse()) if (wantedIn(figure.id, name)) take(name);
  // One choice changes many figures: only the one in hand is read out.
  form.addEventListener("focusin", () => said.setAttribute("role", "status"));
  form.addEventListener("focusout", () => said.removeAttribute("role"));
  form.addEventListener("input", ({ target }) => {
    if (target.name in SHARED) picked(target);
    else {
      settle(all.indexOf(target), asked());
      keepOwn();
      show().catch(console.error);
    }
  });
  onChoice(form, (name) => {
    take(name);
    show().catch(console.error);
  });
  pickers.set(form, {
    live(own) {
      views = own;
      shown = first;
      form.hidden = false;
      return show().catch(console.error);
    },
  });
}
