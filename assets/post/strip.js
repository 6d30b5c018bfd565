/** Token strips: pick a list, colour it, read a token. */
import { follow } from "./choice.js";
import { element } from "./element.js";
import { json } from "./files.js";
import { near } from "./near.js";
import { isWay, next } from "./ways.js";

const SIGNS = { "\n": "⏎", "\t": "⇥" };

/** What the fill of a token says where a proxy is shown: the odds of two tokens that may follow. */
const ODDS = {
  proxy_a: "at the last token of an item: the fuller, the likelier is the end than a line break",
  proxy_b: "at the last token of an item: the fuller, the likelier is a blank than a line break",
};

function visible(token) {
  if (/^ +$/.test(token)) return "␣".repeat(token.length);
  return token.replace(/[\n\t]/g, (sign) => SIGNS[sign]) || "∅";
}

/** Let the menus of a strip pick its list and colour, and pointer and keys read its tokens. */
export function strip(root) {
  const figure = root.closest(".post-figure").id;
  const form = root.querySelector("form");
  const tokens = root.querySelector("[data-tokens]");
  const title = root.querySelector(".post-count");
  const readout = root.querySelector(".post-readout");
  let shown;
  let latest = 0;

  function look(index, focus) {
    const nodes = tokens.querySelectorAll(".token");
    if (!shown || !nodes.length) return; // the page has tokens before their numbers come
    const place = Math.max(0, Math.min(index, nodes.length - 1));
    tokens.querySelector('[aria-selected="true"]')?.setAttribute("aria-selected", "false");
    const node = nodes[place];
    node.setAttribute("aria-selected", "true");
    tokens.setAttribute("aria-activedescendant", node.id);
    if (focus) node.scrollIntoView({ block: "nearest" });
    const number = (value, unit = "") =>
      value === null ? "–" : `${value.toFixed(2).replace("-", "−")}${unit}`;
    const item = shown.k[place] === null ? "" : ` ${shown.k[place]}`;
    const facts = [
      [visible(shown.token[place]), `${shown.role[place]}${item}`],
      ["probability", number(shown.probability[place])],
      ["entropy after it", number(shown.entropy[place], " nats")],
      ["proxy A", number(shown.proxy_a[place], " logits")],
      ["proxy B", number(shown.proxy_b[place], " logits")],
    ];
    readout.replaceChildren(
      ...facts.flatMap(([name, value]) => {
        const fact = element("span");
        fact.append(element("b", "", name), ` ${value}`);
        return [fact, " "];
      }),
    );
  }

  function colour() {
    if (!shown) return;
    const quantity = form.elements.colour.value;
    const byValue = quantity !== "role";
    tokens.classList.toggle("by-value", byValue);
    root.querySelector(".post-roles").hidden = byValue;
    title.textContent = `${shown.token.length} tokens`;
    if (!byValue) return;
    // The prompt is given, not written: its values would only set the scale.
    const first = Math.max(shown.role.indexOf("hyphen"), 0);
    const values = shown[quantity].map((value, index) => {
      if (index < first || value === null) return 0;
      if (!(quantity in ODDS)) return value;
      // Within an item neither of the two comes next: its odds say nothing.
      const isLast = shown.role[index] === "item" && shown.role[index + 1] !== "item";
      return isLast ? 1 / (1 + Math.exp(-value)) : 0;
    });
    const whole = quantity === "entropy" ? Math.max(...values, 1e-9) : 1;
    for (const [index, node] of tokens.querySelectorAll(".token").entries()) {
      node.style.setProperty("--value", values[index] / whole);
    }
    const said = {
      probability: "a token filled to the brim was certain",
      entropy: `a token filled to the brim is ${whole.toPrecision(2)} nats`,
    };
    title.textContent += `; ${said[quantity] ?? ODDS[quantity]}`;
  }

  function write() {
    let line = element("span", "line");
    const lines = [line];
    for (const [index, token] of shown.token.entries()) {
      const node = element("span", `token role-${shown.role[index].replace(/[^a-z]/g, "")}`);
      node.textContent = visible(token);
      node.id = `${figure}-token-${index}`;
      node.setAttribute("role", "option");
      node.setAttribute("aria-selected", "false");
      line.append(node);
      if (token.endsWith("\n")) lines.push((line = element("span", "line")));
    }
    for (const part of lines) part.setAttribute("role", "presentation");
    tokens.replaceChildren(...lines.filter((part) => part.childNodes.length));
    colour();
    look(Math.max(shown.role.indexOf("item"), 0), false);
  }

  async function update() {
    const mine = ++latest;
    await near(root);
    const { topic, template, sample, condition } = form.elements;
    const strips = await json(topic.selectedOptions[0].dataset.file);
    if (mine !== latest) return;
    const chosen = strips[`${template.value}/${sample.value}/${condition.value}`];
    title.textContent = chosen ? "" : "There is no such list in the data; choose another sample.";
    tokens.hidden = readout.hidden = !chosen;
    if (chosen) {
      shown = chosen;
      write();
    }
  }

  follow(form, (name) => {
    if (name === "colour") colour();
    else update().catch(console.error);
  });
  form.hidden = false;
  tokens.setAttribute("role", "listbox");
  tokens.setAttribute("aria-label", "Tokens of the list");
  tokens.tabIndex = 0;
  const place = (node) => [...tokens.querySelectorAll(".token")].indexOf(node);
  tokens.addEventListener("pointerover", ({ target }) => {
    if (target.matches(".token")) look(place(target), false);
  });
  tokens.addEventListener("click", ({ target }) => {
    if (target.matches(".token")) look(place(target), false);
  });
  tokens.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const now = tokens.querySelector('[aria-selected="true"]');
    if (step) look(place(now) + step, true);
    else if (isWay(event.key)) {
      look(place(next(event.key, tokens.querySelectorAll(".token"), now)), true);
    } else if (event.key === "Home") look(0, true);
    else if (event.key === "End") look(Infinity, true);
    else return;
    event.preventDefault();
  });
  return update();
}
