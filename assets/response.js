/**
 * How each figure answers what is chosen for the page, told by its own data: whether it has a menu
 * that takes the choice, marks that have the chosen value, one value alone, or none of this.
 */
import { askedIn, offers } from "./address.js";
import { NAMES, chosenOf, onChoice } from "./choice.js";
import { OTHERWISE, SHARED, WORDS } from "./choices.js";
import { element } from "./element.js";

/** The ways to answer, as they are counted, each with the words for one figure and for several. */
export const WAYS = {
  follow: ["follows", "follow"],
  mark: ["marks it", "mark it"],
  alone: ["shows it alone", "show it alone"],
  own: ["has its own", "have their own"],
  lack: ["lacks it", "lack it"],
};

const figures = () => [...document.querySelectorAll(".post-figure")];

/** The menus of a shared name in a figure. */
const menusOf = (figure, name) =>
  [...figure.querySelectorAll("form select")].filter((menu) => SHARED[menu.name] === name);

/** What each panel of a figure marks: field -> values. */
const marksOf = (figure) => JSON.parse(figure.dataset.marks ?? "[]");

/** What a figure's charts show alone: name -> value. */
const aloneIn = (figure) => JSON.parse(figure.querySelector("[data-only]")?.dataset.only ?? "{}");

/** Every value of a name that a figure's own data have. */
export function valuesIn(figure, name) {
  const offered = menusOf(figure, name).flatMap((menu) => [...menu.options]);
  const text = (option) => (name === "study" ? option.text : option.value);
  const named = offered.filter(({ value }) => value).map((option) => [option.value, text(option)]);
  const marked = marksOf(figure).flatMap((panel) => panel[name] ?? []);
  const parts = [...figure.querySelectorAll(`[data-${name}]`)].map((node) => node.dataset[name]);
  return new Map([...named, ...[...marked, ...parts].filter(Boolean).map((value) => [value, value])]);
}

/**
 * How a figure answers `value` of `name`.
 * @returns {{way: string, followed: number, marked: number, panels: number}} a key of `WAYS`, or ""
 */
export function responseOf(figure, name, value) {
  const menus = menusOf(figure, name);
  const panels = figure.querySelectorAll(".post-panel").length;
  const followers = figure.querySelectorAll(".post-panel[data-follows]").length;
  const marks = marksOf(figure).filter((panel) => panel[name]);
  const parts = [...figure.querySelectorAll(`[data-${name}]`)].map((node) => node.dataset[name]);
  const marked = marks.filter((panel) => panel[name].includes(value)).length;
  const told = { followed: 0, marked, panels };
  const alone = name === "study" ? { study: figure.dataset.study } : aloneIn(figure);
  if (menus.length && askedIn(figure.id, name) !== null) return { ...told, way: "own" };
  // A chart's menus know which values go together; others take what they offer once they are near.
  const takes = (menu) => (menu.form.dataset.picks ? menu.value === value : offers(menu, value));
  if (menus.some(takes)) {
    return { ...told, way: "follow", followed: name === "study" ? panels : followers };
  }
  if (marked || parts.includes(value)) return { ...told, way: "mark" };
  if (name in alone) return { ...told, way: alone[name] === value ? "alone" : "lack" };
  if (menus.length || marks.length || parts.length) return { ...told, way: "lack" };
  return { ...told, way: "" };
}

/** How many figures of the page answer a choice in which way, and which: way -> figures. */
export function counted(name, value) {
  const found = new Map([...Object.keys(WAYS), ""].map((way) => [way, []]));
  for (const figure of figures()) found.get(responseOf(figure, name, value).way).push(figure);
  return found;
}

/** A count in words: "17 follow", "19 lack it". */
export function words(way, count, name) {
  return way ? `${count} ${WAYS[way][count === 1 ? 0 : 1]}` : `in ${count} ${OTHERWISE[name]}`;
}

/** What so many of a figure's panels do: "2 of 4 panels mark it". */
function part(count, panels, [one, several]) {
  if (panels === 1) return one;
  const of = count === panels ? `all ${panels}` : `${count} of ${panels}`;
  return `${of} panels ${count === 1 ? one : several}`;
}

/** What a figure says of one choice, as text; "" where it is said beside its menus already. */
function sentence(figure, name, { way, followed, marked, panels }) {
  if (way === "own" || (way === "lack" && figure.querySelector(".post-unmet"))) return "";
  if (way === "lack") return WAYS.lack[0];
  if (way === "alone") return WAYS.alone[0];
  if (way === "") return `here ${OTHERWISE[name]}`;
  const told = [
    followed ? part(followed, panels, WAYS.follow) : "",
    marked ? part(marked, panels, WAYS.mark) : "",
    followed + marked < panels ? `in the others ${OTHERWISE[name]}` : "",
  ];
  return told.filter(Boolean).join(", ") || WAYS[way][0];
}

/** Let every figure say, above its body, how it answers what is chosen. */
export function responses() {
  for (const figure of figures()) {
    const body = figure.querySelector(".post-body");
    const before = figure.querySelector(":scope > .post-response");
    const said = before ?? element("p", "post-response");
    const lines = NAMES.filter(chosenOf).flatMap((name) => {
      const response = responseOf(figure, name, chosenOf(name));
      const line = sentence(figure, name, response);
      if (!line) return [];
      const node = element("span", `is-${response.way || "pooled"}`, `${WORDS[name]} `);
      node.append(element("b", "", chosenOf(name)), `: ${line}`);
      return [node, " "];
    });
    said.replaceChildren(...lines);
    if (!lines.length) said.remove();
    else if (!before) body.before(said);
  }
}

/** Call `answer` whenever something is chosen, once every figure has taken it. */
export function onResponse(answer) {
  let waiting = false;
  onChoice(document, () => {
    if (waiting) return;
    waiting = true;
    queueMicrotask(() => {
      waiting = false;
      responses();
      answer();
    });
  });
  responses();
}
