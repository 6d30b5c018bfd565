/** A list beside the page: its items, each with the chances that it ends there, and where else it is. */
import { keep } from "./address.js";
import { count, percent, width } from "./chances.js";
import { pick } from "./choice.js";
import { element } from "./element.js";
import { ROOT, figure, fileOf, json } from "./files.js";
import { shape } from "./shape.js";

/** Figures that show one list: what they are called here, and what of a list they ask for. */
const SHOWN_IN = {
  ending: ["item by item", ["topic", "template", "sample"]],
  example: ["token by token", ["topic", "template", "sample"]],
  "logit-difference-example": ["through the logit lens", ["topic", "template"]],
};
const PROMPTS = ["short", "long"];

/** The lists of a topic with their chances, by length word and sample; nothing if there are none. */
async function chancesOf(topic) {
  const about = await figure("ending");
  const topics = fileOf(about, "topics.json");
  const number = topics ? (await json(topics)).indexOf(topic) : -1;
  const file = fileOf(about, `topic-${number}.json`);
  return file ? json(file) : {};
}

/** Lists as they were sampled that fit `about`, which may name less than one. */
async function sampled(about) {
  const file = fileOf(await figure("lists"), "lists.json");
  if (!file) return [];
  const all = await json(file);
  const names = ["topic", "template", "temperature", "sample"];
  const fits = (place) =>
    names.every((name) => about[name] === undefined || String(all[name][place]) === about[name]);
  const row = (place) => Object.fromEntries(Object.entries(all).map(([name, of]) => [name, of[place]]));
  return all.topic.flatMap((_, place) => (fits(place) ? [row(place)] : []));
}

/** Fill a place with the list that `about` names, or with the first of those that fit. */
export async function list(place, about) {
  const chances = await chancesOf(about.topic);
  const sampledOnes = about.temperature === undefined ? [] : await sampled(about);
  const lists = sampledOnes.length ? sampledOnes.map(withChances) : all();
  if (!lists.length) {
    place.append(element("p", "", "No list of it is published."));
    return;
  }

  /** A sampled list, with its chances where they were measured for the very same items. */
  function withChances(row) {
    const known = chances[row.template]?.[row.sample];
    const same = known?.items.every((item, index) => item === row.items[index]);
    return same ? { ...row, ...known, isKnown: true } : row;
  }

  function all() {
    return Object.entries(chances).flatMap(([template, samples]) =>
      Object.entries(samples).map(([sample, one]) => ({ template, sample, ...one, isKnown: true })),
    );
  }

  const menu = element("select");
  menu.setAttribute("aria-label", "List");
  for (const [index, one] of lists.entries()) {
    const ended = one.ended ? "" : ", cut";
    menu.append(new Option(`${one.template} · sample ${one.sample} · ${count(one.items.length)}${ended}`, index));
  }
  const wanted = (one) =>
    ["template", "sample"].every((name) => about[name] === undefined || String(one[name]) === about[name]);
  menu.value = Math.max(0, lists.findIndex(wanted));
  // A topic alone may mean any of its lists: other figures show one that somebody asked for.
  let isMeant = about.sample !== undefined;
  const shown = element("div");
  const show = async () => {
    const one = lists[menu.value];
    shown.replaceChildren(table(one), ...(await places(about.topic, one, isMeant)));
  };
  menu.addEventListener("input", () => {
    isMeant = true;
    show().catch(console.error);
  });
  place.className = "list-aside";
  if (lists.length > 1) place.append(menu);
  place.append(shown);
  await show();
}

/** The items of a list, with bars and numbers where there are chances. */
function table({ items, short, long, ended, isKnown }) {
  const made = element("table", "post-table");
  const body = element("tbody");
  const head = element("tr");
  for (const words of isKnown ? ["item", "ends here", ...PROMPTS] : ["item"]) {
    const cell = element("th", "", words);
    cell.scope = "col";
    head.append(cell);
  }
  const top = element("thead");
  top.append(head);
  for (const [index, text] of items.entries()) {
    const row = element("tr");
    const item = element("th", "", text);
    item.scope = "row";
    item.dir = "auto";
    row.append(item);
    if (isKnown) {
      const picture = shape("svg", { "aria-hidden": "true" });
      for (const [line, [name, of]] of Object.entries({ short, long }).entries()) {
        const bar = { y: 3 + 8 * line, width: width(of[index]), height: 6, rx: 1 };
        picture.append(shape("rect", { class: `is-${name}`, ...bar }));
      }
      const cell = element("td");
      cell.append(picture);
      row.append(cell, ...[short, long].map((of) => element("td", "", percent(of[index]))));
    }
    body.append(row);
  }
  made.append(top, body);
  const whole = element("div", "ending");
  const end = ended ? "The model ended the list here." : "The list met its limit of tokens.";
  const said = isKnown
    ? "Probability that the list ends after each item, asked for a short and for a long list."
    : "The probability of its end was not measured after the items of this list.";
  whole.append(made, element("p", "list-end", end), element("p", "list-end", said));
  return whole;
}

/**
 * Where else this list can be seen: figures of this page show it at once if it is the one that is
 * meant, and else when their link is followed; links lead to figures of other pages.
 */
async function places(topic, one, isMeant) {
  if (!one.isKnown) return [];
  const links = element("ul");
  for (const [slug, [words, names]] of Object.entries(SHOWN_IN)) {
    const about = await figure(slug);
    if (!about) continue;
    const values = { topic, template: one.template, sample: String(one.sample) };
    const own = Object.fromEntries(names.map((name) => [name, values[name]]));
    const here = document.getElementById(slug);
    const url = new URL(about.page, ROOT);
    for (const [name, value] of Object.entries(own)) url.searchParams.set(`${slug}.${name}`, value);
    url.hash = slug;
    const link = element("a", "", here?.querySelector(".post-number")?.textContent ?? words);
    link.href = here ? `#${slug}` : url.href;
    if (here && isMeant) load(slug, own);
    if (here) link.addEventListener("click", () => load(slug, own));
    const row = element("li");
    row.append(link, here ? `: ${words}` : "");
    links.append(row);
  }
  return links.children.length ? [element("p", "list-where", "The same list"), links] : [];
}

/** Let a figure of this page show a list; where it stood before it is gone through anew. */
function load(slug, own) {
  keep({ [`${slug}.step`]: "" });
  pick(slug, own);
}
