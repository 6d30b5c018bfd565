/** A list that a reader asked for: a row per item, with the chance that it ends there; items can be edited. */
import { percent, width } from "./chances.js";
import { button, element } from "./element.js";
import { inside } from "./inside.js";
import { shape } from "./shape.js";

const PROMPTS = ["short", "long"];

/** The rows of one list at a time. */
export class AskedList {
  #about;
  #acts;
  #rows = [];
  #word = "";
  #asked = element("p", "ending-asked");
  #body = element("tbody", "ending-list");
  #end = element("p", "ask-note");
  #bands = element("p", "ask-note ask-legend");
  #scroller = element("div", "ending-scroll");
  #inside = element("div", "ask-inside");

  /**
   * @param {Element} place gets the list
   * @param {{about: object, edited: Function, anew: Function}} acts called with a row, and its new text
   */
  constructor(place, { about, ...acts }) {
    this.#about = about;
    this.#acts = acts;
    this.ids = [];
    const table = element("table", "post-table");
    const head = element("tr");
    const axis = element("span", "ending-axis");
    axis.ariaHidden = "true";
    axis.append(...["0", "50", "100 %"].map((text) => element("i", "", text)));
    const chance = element("th", "", "probability that the list ends here");
    chance.append(axis);
    head.append(element("th", "", "item"), chance, ...PROMPTS.map((name) => this.#heading(name)));
    for (const cell of head.cells) cell.scope = "col";
    const top = element("thead");
    top.append(head);
    table.append(top, this.#body);
    this.#scroller.append(table);
    Object.assign(this.#scroller, { tabIndex: 0, ariaLabel: "Your list, item by item" });
    this.#scroller.setAttribute("role", "region");
    this.#body.setAttribute("aria-live", "polite");
    this.#end.setAttribute("role", "status");
    this.#scroller.hidden = true;
    this.#inside.setAttribute("aria-live", "polite");
    place.append(this.#asked, this.#scroller, this.#end, this.#bands, this.#inside);
  }

  /** The chances of all items, by prompt. */
  get chances() {
    return this.#rows.map(({ chances }) => chances);
  }

  /** Begin a list about `own`, asked for with a length word. */
  begin(word, own) {
    this.#word = word;
    this.ids = [];
    this.cut(0);
    const asked = word === "none" ? [] : [element("span", `template template-${word}`, word), " "];
    const topic = element("b", "", own);
    topic.dir = "auto";
    this.#asked.replaceChildren("Asked for a ", ...asked, "list of ", topic, ", the model writes");
    const has = word in this.#about.means;
    this.#bands.textContent = has ? `Shaded: where the mean of the post’s ${word} lists lies at the same item.` : "";
    this.#scroller.hidden = false;
  }

  /** Drop the rows from a place on. */
  cut(place) {
    for (const { node } of this.#rows.splice(place)) node.remove();
    this.#end.textContent = "";
    this.#inside.replaceChildren();
  }

  /** Add what was read before a break, and what was found there by prompt. */
  add({ start, end, text }, read) {
    const place = this.#rows.length;
    const own = text.startsWith("-") && start ? text.slice(1) : text;
    const from = own === text ? start : start + 1;
    const chances = Object.fromEntries(Object.entries(read).map(([name, { chance }]) => [name, chance]));
    const row = { place, from, end, text: own.trim(), chances, read };
    row.node = this.#node(row);
    this.#rows.push(row);
    this.#body.append(row.node);
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  /** Say how it ended. */
  end({ ids, ended, full }) {
    this.ids = ids;
    const how = full ? "The list met the limit of tokens." : "Stopped; the list has not ended.";
    this.#end.textContent = ended ? "The model ended the list here." : how;
  }

  /** Give a row's button the focus. */
  focus(place) {
    this.#rows[place]?.node.querySelector("button")?.focus();
  }

  #heading(name) {
    const cell = element("th");
    const words = element("span", "ending-if", "asked for");
    words.append(element("br"));
    cell.append(words, element("span", `template template-${name}`, name));
    return cell;
  }

  #node(row) {
    const node = element("tr");
    const item = element("th");
    item.scope = "row";
    const text = element("span", "", row.text);
    text.dir = "auto";
    const acts = element("span", "ask-acts");
    acts.append(
      button("✎", `Edit ${row.text}`, () => this.#edit(row, item)),
      button("↻", `Write anew behind ${row.text}`, () => this.#acts.anew(row)),
      button("⌕", `Look inside, behind ${row.text}`, () => inside(this.#inside, row.text, row.read)),
    );
    item.append(text, acts);
    const cell = element("td");
    cell.append(this.#picture(row));
    const numbers = PROMPTS.map((name) => element("td", "", percent(row.chances[name])));
    node.append(item, cell, ...numbers);
    return node;
  }

  /** Both chances on one scale, before the means of the post at the same item. */
  #picture({ place, chances }) {
    const picture = shape("svg", { "aria-hidden": "true" });
    for (const [line, name] of PROMPTS.entries()) {
      const y = 6 + 10 * line;
      const [low, high] = this.#about.means[this.#word]?.[name]?.[place] ?? [];
      if (high != null) {
        const band = { x: width(low), y: y - 5, width: width(high - low), height: 10, rx: 1.5 };
        picture.append(shape("rect", { class: "ask-band", ...band }));
      }
      const bar = { y: y - 3, width: width(chances[name]), height: 6 };
      picture.append(shape("rect", { class: `is-${name}`, ...bar }));
    }
    picture.append(shape("circle", { class: "is-short", cx: width(chances.short), cy: 6, r: 4 }));
    const mark = shape("svg", { x: width(chances.long), y: 16 });
    mark.append(shape("path", { class: "is-long", d: "M0-4.5 4.5 3.5h-9z" }));
    picture.append(mark);
    return picture;
  }

  /** Let a reader write something else in an item's place. */
  #edit(row, item) {
    const before = [...item.childNodes];
    const form = element("form", "ask-edit");
    const input = Object.assign(element("input"), { value: row.text, maxLength: 80, dir: "auto" });
    input.setAttribute("aria-label", `Item ${row.place + 1}`);
    const back = () => {
      item.replaceChildren(...before);
      item.querySelector("button").focus();
    };
    form.append(input);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = input.value.trim();
      if (!text || text === row.text) back();
      else this.#acts.edited(row, ` ${text}`);
    });
    input.addEventListener("keydown", ({ key }) => key === "Escape" && back());
    input.addEventListener("blur", () => form.isConnected && setTimeout(() => form.isConnected && back()));
    item.replaceChildren(form);
    input.select();
    input.focus();
  }
}
