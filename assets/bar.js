/**
 * The page's choice in one place: a bar that says how many figures answer it, and in which way. It
 * gives way while one reads down, and returns on the way up.
 */
import { NAMES, choose, chosenOf, onChoice } from "./choice.js";
import { NOTES, WORDS } from "./choices.js";
import { button, element } from "./element.js";
import { counted, onResponse, valuesIn, words } from "./response.js";

const TURN = 24; // pixels of one way before the bar goes or comes

/** Put the bar behind the first figure that can answer a choice; without one there is no bar. */
export function bar() {
  const figures = [...document.querySelectorAll(".post-figure")];
  const first = figures.find((figure) => NAMES.some((name) => valuesIn(figure, name).size));
  if (!first) return;

  const form = element("form", "post-choice");
  form.setAttribute("aria-label", "One choice for all figures");
  form.autocomplete = "off";
  const menus = element("div", "post-choice-menus");
  menus.id = "post-choice-menus";
  const called = element("span", "post-choice-name", "All figures:");
  called.setAttribute("aria-hidden", "true"); // the form's own name says so
  menus.append(called);
  const selects = new Map();
  for (const name of NAMES) {
    const found = new Map(figures.flatMap((figure) => [...valuesIn(figure, name)]));
    if (!found.size) continue;
    const select = element("select");
    select.name = name;
    const title = WORDS[name];
    select.setAttribute("aria-label", title[0].toUpperCase() + title.slice(1));
    select.append(
      new Option(`any ${title}`, ""),
      ...[...found].map(([value, text]) => new Option(text, value)),
    );
    // A choice that came from another page, or from a link, is told even where nothing has it.
    const now = chosenOf(name);
    if (now && !found.has(now)) select.append(new Option(`${now} (not on this page)`, now));
    select.value = now;
    menus.append(select);
    selects.set(name, select);
  }
  const reset = button("reset", "Reset all choices", () => {
    for (const name of selects.keys()) choose(name, "");
    selects.values().next().value.focus();
  });
  menus.append(reset);

  const open = button("Choose", "Choose for all figures", () => {
    const isOpen = form.classList.toggle("is-open");
    open.setAttribute("aria-expanded", isOpen);
    if (isOpen) selects.values().next().value.focus();
  });
  open.className = "post-choice-open";
  open.setAttribute("aria-expanded", "false");
  open.setAttribute("aria-controls", menus.id);

  const details = element("details", "post-choice-said");
  const summary = element("summary");
  const list = element("div", "post-choice-list");
  details.append(summary, list);
  const heard = element("p", "post-heard");

  /** Tell how many figures answer in which way, in one line and, unfolded, which they are. */
  function tell() {
    const made = [...selects.keys()].filter(chosenOf);
    reset.disabled = !made.length;
    details.hidden = !made.length;
    const lines = made.map((name) => {
      const ways = [...counted(name, chosenOf(name))].filter(([, those]) => those.length);
      return { name, ways, said: ways.map(([way, those]) => words(way, those.length, name)).join(", ") };
    });
    const notes = made.map((name) => NOTES[name] && ` ${NOTES[name]}`).join("");
    const titled = ({ name, said }) => `${WORDS[name]} ${chosenOf(name)}: ${said}`;
    summary.textContent = lines.map(made.length > 1 ? titled : ({ said }) => said).join("; ");
    heard.textContent = made.length ? `${lines.map(titled).join(". ")}.${notes}` : "";
    list.replaceChildren(...lines.flatMap(listed), ...(notes ? [element("p", "", notes)] : []));
  }

  /** The figures that answer one choice, way by way, each a link to it. */
  function listed({ name, ways }) {
    const title = element("p", "", `${WORDS[name]} `);
    title.append(element("b", "", chosenOf(name)));
    const rows = element("ul");
    for (const [way, those] of ways) {
      const row = element("li", `is-${way || "pooled"}`, `${words(way, those.length, name)}: `);
      for (const [place, figure] of those.entries()) {
        const link = element("a", "", figure.querySelector(".post-number")?.textContent ?? figure.id);
        link.href = `#${figure.id}`;
        row.append(place ? ", " : "", link);
      }
      rows.append(row);
    }
    return [title, rows];
  }

  form.append(open, menus, details, heard);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", ({ target }) => {
    heard.setAttribute("role", "status");
    choose(target.name, target.value);
  });
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !(details.open || form.classList.contains("is-open"))) return;
    const within = details.open ? summary : open;
    details.open = false;
    if (form.classList.contains("is-open")) open.click();
    within.focus();
    event.preventDefault();
  });
  document.addEventListener("click", ({ target }) => {
    if (!form.contains(target) || target.closest(".post-choice-list a")) details.open = false;
    if (!form.contains(target) && form.classList.contains("is-open")) open.click();
  });
  onChoice(form, (name) => selects.has(name) && (selects.get(name).value = chosenOf(name)));
  first.after(form);
  document.documentElement.classList.add("is-followed");
  onResponse(tell);
  tell();
  giveWay(form, first);
}

/** Let the bar go while one reads down, unless it is in use, and come on the way up. */
function giveWay(form, behind) {
  let turned = scrollY;
  let before = scrollY;
  addEventListener(
    "scroll",
    () => {
      const now = scrollY;
      if (Math.sign(now - before) !== Math.sign(before - turned)) turned = before;
      before = now;
      if (Math.abs(now - turned) < TURN) return;
      const used = form.matches(":focus-within, .is-open, :has(details[open])");
      const atHome = behind.getBoundingClientRect().bottom > 0; // there it covers nothing
      form.classList.toggle("is-away", now > turned && !used && !atHome);
    },
    { passive: true },
  );
  form.addEventListener("focusin", () => form.classList.remove("is-away"));
}
