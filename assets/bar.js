/** The page's choice in one place: a bar that follows the reader from the first figure with one. */
import { NAMES, choose, chosenOf, onChoice } from "./choice.js";
import { NOTES, SHARED, WORDS } from "./choices.js";
import { button, element } from "./element.js";

const LET_GO = "post-bar-let-go";

/** The values of a name that any figure of the page offers, and what a study is called. */
function values(menus, name) {
  const offered = menus.flatMap((menu) => [...menu.options]).filter(({ value }) => value);
  const text = (option) => (name === "study" ? option.text : option.value);
  return new Map(offered.map((option) => [option.value, text(option)]));
}

/** Put the bar behind the first figure that offers a choice; without one there is no bar. */
export function bar() {
  const menus = [...document.querySelectorAll(".post-figure form select")];
  const first = menus.find((menu) => menu.name in SHARED)?.closest(".post-figure");
  if (!first) return;
  const offered = NAMES.map((name) => {
    const those = menus.filter((menu) => SHARED[menu.name] === name);
    return [name, values(those, name)];
  });

  const form = element("form", "post-choice");
  form.setAttribute("aria-label", "One choice for all figures");
  form.autocomplete = "off";
  const said = element("p", "post-choice-said");
  const selects = new Map();
  for (const [name, found] of offered) {
    if (!found.has(chosenOf(name))) choose(name, "");
    if (!found.size) continue;
    const select = element("select");
    select.name = name;
    select.append(new Option("any", ""), ...[...found].map(([value, text]) => new Option(text, value)));
    select.value = chosenOf(name);
    const words = WORDS[name];
    const label = element("label", "", `${words[0].toUpperCase()}${words.slice(1)} `);
    label.append(select);
    form.append(label);
    selects.set(name, select);
  }

  /** Tell how far a change went; only one that was made in the bar is read out. */
  function tell() {
    const lacking = document.querySelectorAll(".post-unmet").length;
    const made = [...selects.keys()].filter((name) => selects.get(name).value);
    const any = made.length > 0;
    reset.disabled = !any;
    const few = lacking ? `; ${lacking} have no such data and say so` : "";
    const notes = made.map((name) => NOTES[name] && ` ${NOTES[name]}`).join("");
    said.textContent = any
      ? `Figures show it, or mark it${few}.${notes}`
      : "One choice for all figures; now each shows its author’s.";
  }

  const reset = button("reset", "", () => {
    for (const name of selects.keys()) choose(name, "");
    selects.values().next().value.focus();
  });
  const stay = button("×", "", () => {
    const still = form.classList.toggle("is-still");
    sessionStorage.setItem(LET_GO, still ? "yes" : "");
    show();
  });
  function show() {
    const still = form.classList.contains("is-still");
    // A rule with :has() would be looked up in the whole page with every mark that a chart draws.
    document.documentElement.classList.toggle("is-followed", !still);
    stay.textContent = still ? "↧" : "×";
    const label = still ? "Let this bar follow" : "Stop this bar from following";
    stay.setAttribute("aria-label", label);
    stay.title = label;
  }
  form.classList.toggle("is-still", sessionStorage.getItem(LET_GO) === "yes");
  form.append(reset, stay, said);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", ({ target }) => {
    said.setAttribute("role", "status");
    choose(target.name, target.value);
  });
  onChoice(form, (name) => {
    if (selects.has(name)) selects.get(name).value = chosenOf(name);
    tell();
  });
  tell();
  show();
  first.after(form);
}
