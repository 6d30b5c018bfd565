/**
 * The preview's side of the page. The server tells what a save changes; here it is put into the page
 * so that everything else stays as it is: charts, open details, the place one reads at.
 */
import { ROOT, ask, measuring, notes } from "./panel.js";
import { learn, nodes, settle, source } from "./settle.js";

const { page: HERE } = document.querySelector('meta[name="preview"]').dataset;
const script = document.querySelector('script[type="module"][src*="/post."]');
const modules = [...document.querySelectorAll('link[rel="modulepreload"]')];
const { wake, studied } = await import(script.src);
const { redraw } = await import(modules.find(({ href }) => /\/live\.\w+\.js$/.test(href)).href);
const parser = new DOMParser();
const article = document.querySelector("article");
let known = state(document);
let process;

function started(root) {
  const figures = root.matches(".post-figure") ? [root] : [...root.querySelectorAll(".post-figure")];
  for (const figure of figures) studied(figure);
  if (figures.length) wake(root);
  for (const figure of figures) watched.observe(figure);
}

async function published() {
  const answer = await fetch(location.pathname, { cache: "no-store" });
  if (!answer.ok) throw new Error(`${location.pathname}: ${answer.status}`);
  return parser.parseFromString(await answer.text(), "text/html");
}

/** Which state of the built page this is. */
function state(page) {
  return page.querySelector('meta[name="preview"]').content;
}

/** Take over whatever the built page has and the open one has not. */
async function whole() {
  const next = await published();
  const scripts = 'script[type="module"][src*="/post."]';
  if (next.querySelector(scripts)?.getAttribute("src") !== script.getAttribute("src")) {
    location.reload(); // nothing can take a running script back
    return;
  }
  for (const sheet of next.querySelectorAll('link[rel="stylesheet"]')) {
    if (sheet.parentNode.nodeName !== "NOSCRIPT") style(stem(sheet), sheet.getAttribute("href"));
  }
  settle(article, nodes(article), nodes(next.querySelector("article")), null, started);
  document.title = next.title;
  for (const [nav, after] of contents(next)) {
    if (source(nav) === after.outerHTML) continue;
    settle(nav, nodes(nav), nodes(after), null, () => {});
    source(nav, after.outerHTML);
  }
}

/** Every table of contents, with its like in the page as it was published. */
function contents(next) {
  const [navs, others] = [document, next].map((page) => [
    ...page.querySelectorAll("nav.md-nav--secondary"),
  ]);
  return navs.map((nav, index) => [nav, others[index]]).filter(([, other]) => other);
}

/** The name of a style sheet without its digest. */
function stem(sheet) {
  return sheet.getAttribute("href").split("/").pop().split(".")[0];
}

function style(name, href) {
  const sheets = [...document.querySelectorAll('link[rel="stylesheet"]')];
  const before = sheets.filter((sheet) => stem(sheet) === name);
  if (before.some((sheet) => sheet.getAttribute("href") === href)) return;
  const like = before.at(-1) ?? sheets.at(-1); // or one that the page had no use for so far
  const next = like.cloneNode();
  next.href = href;
  next.addEventListener("load", () => before.forEach((sheet) => sheet.remove()));
  like.after(next);
}

/** The nodes between the marks of a section, and the closing mark. */
function section(name) {
  const all = nodes(article);
  const is = (word) => (node) => node.nodeType === Node.COMMENT_NODE && node.data.trim() === word;
  const start = all.findIndex(is(`section ${name}`));
  const end = all.findIndex((node, index) => index > start && is("section")(node));
  return start < 0 || end < 0 ? null : { inner: all.slice(start + 1, end), end: all[end] };
}

function parsed(html) {
  const place = document.createElement("template");
  place.innerHTML = html;
  return place.content;
}

/** What each kind of message does; the messages are those of site_builder/preview/messages.py. */
const HANDLERS = {
  section({ name, html }) {
    const place = section(name);
    if (!place) return;
    const next = nodes(parsed(html)).slice(1, -1); // between its marks
    settle(article, place.inner, next, place.end, started);
  },
  async chart({ slug, url, charts, caption }) {
    const shown = document.getElementById(slug);
    const chart = shown?.querySelector(".post-chart");
    if (!chart) return;
    if (await redraw(chart, url, JSON.parse(charts))) right(shown);
    const words = shown.querySelector(".post-caption");
    words.replaceChildren(words.firstElementChild, ` ${caption}`);
  },
  figure({ slug, html }) {
    const shown = document.getElementById(slug);
    const next = parsed(html).firstElementChild;
    if (!shown || !next) return;
    shown.replaceWith(next);
    source(next, html);
    started(next);
  },
  wrong({ slug, html }) {
    const shown = document.getElementById(slug);
    if (!shown) return;
    right(shown);
    shown.prepend(parsed(html));
    shown.classList.add("preview-wrong");
    source(shown, "wrong"); // whatever is built next takes its place
  },
  style: ({ name, url }) => style(name, new URL(url, ROOT).href),
  measuring,
  async page({ pages, notes: lines, process: sender }) {
    if (process && sender && sender !== process) known = undefined;
    process = sender ?? process;
    notes(lines);
    const digest = pages[HERE];
    if (!digest) return;
    if (digest !== known) {
      known = digest;
      await whole();
    }
    document.documentElement.dataset.preview = "on";
  },
};

/** Take a message away that stood in place of a figure. */
function right(shown) {
  if (!shown.classList.contains("preview-wrong")) return;
  shown.classList.remove("preview-wrong");
  shown.querySelector(":scope > .post-problem")?.remove();
}

// What is seen is drawn first.
const seen = new Set();
let asked = 0;
const watched = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (isIntersecting) seen.add(target.id);
    else seen.delete(target.id);
  }
  clearTimeout(asked);
  asked = setTimeout(() => ask("seen", [...seen]), 80);
});
for (const shown of document.querySelectorAll(".post-figure")) watched.observe(shown);

// A click on a figure's number copies where it is written.
document.addEventListener("click", ({ target }) => {
  const number = target.closest?.(".post-number");
  const where = number?.closest(".post-figure").querySelector("[data-where]")?.textContent;
  if (!where) return;
  navigator.clipboard?.writeText(where).then(() => {
    number.title = `copied ${where}`;
  });
});

{
  // The page as it was published says what its nodes were before scripts improved them, unless it
  // was built anew meanwhile: then the first message has all of it taken over.
  const first = await published();
  if (state(first) === known) {
    learn(article, first.querySelector("article"));
    for (const [nav, like] of contents(first)) source(nav, like.outerHTML);
  }
}

let last = Promise.resolve();
const events = new EventSource(new URL("~/events", ROOT));
events.addEventListener("message", ({ data }) => {
  const message = JSON.parse(data);
  if (message.page !== undefined && message.page !== HERE) return;
  // One after the other: a later save must not be overtaken by an earlier one.
  last = last
    .then(() => HANDLERS[message.kind](message))
    .then(() => document.dispatchEvent(new CustomEvent("preview", { detail: message })))
    .catch((error) => console.error(`${message.kind}:`, error));
});
