/**
 * The trace: one stage instead of the panels, to go through by step, by depth and by list. Places,
 * paths and sentences come laid out from the build; texts are put in as text.
 */
import { asked } from "./address.js";
import { follow } from "./choice.js";
import { button, element } from "./element.js";
import { json } from "./files.js";
import { shape } from "./shape.js";
import { isWay, next } from "./ways.js";

const [WIDTH, BOX] = [340, 15];
const TOLD = 5; // percent that a token holds at least to have its number below it
const DARKEST = 0.8;
const WIDE = matchMedia("(width >= 60em)");

/** How opaque a share is, in percent; the build has the same rule. */
const ink = (percent) => DARKEST * Math.sqrt(Math.min(Math.abs(percent), 100) / 100);

const written = (percent) => String(percent).replace("-", "−");

/** Let the panels of a trace become one stage. */
export async function trace(root) {
  const figure = root.closest(".post-figure").id;
  const form = root.querySelector("form");
  const { topic, ink: kinds, depth, back, next: forth } = form.elements;
  const steps = [...root.querySelectorAll(".trace-steps > li")];
  const depths = steps.map((step) => Number(step.dataset.depth));
  const means = await json(root.dataset.means);
  let list;
  let byHand = asked(`${figure}.depth`) !== null;
  let latest = 0;
  let wanted; // of the ink; a list may have one kind alone

  /* The stage, of which only the tokens change with the list */

  const [inks, tokens, rings, arcs, numbers, names] = ["ink", "text", "rings", "arcs", "numbers", "names"]
    .map((name) => shape("g", { class: `trace-${name}` }));
  const picture = shape("svg", { role: "group", tabindex: 0 }, inks, rings, arcs, tokens, numbers, names);
  picture.setAttribute("aria-label", "The list’s tokens. Arrow keys read what each holds.");
  const said = element("p", "trace-said");
  said.setAttribute("role", "status");
  const readout = element("p", "trace-readout");
  readout.setAttribute("role", "status");
  const map = root.querySelector(".trace-map").cloneNode(true);
  const height = map.viewBox.baseVal.height - 44;
  const cursor = map.appendChild(shape("path", { class: "trace-cursor", d: `M0 -4v${height + 8}` }));
  const walk = form.querySelector(".trace-walk");
  walk.before(picture, readout);
  walk.append(said);
  walk.after(map);

  const box = ([, x, y, width]) => ({ d: `M${x} ${y}h${width}v${BOX}h-${width}z` });

  function lay() {
    picture.setAttribute("viewBox", `0 0 ${WIDTH} ${list.height}`);
    inks.replaceChildren(...list.tokens.map((token) => shape("path", box(token))));
    const words = list.tokens.filter(([text]) => text).map(([text, x, y, width]) => {
      const fit = { textLength: width - 2, lengthAdjust: "spacingAndGlyphs" };
      return shape("text", { x: x + 1, y: y + 11, ...fit }, text);
    });
    if (list.folded) {
      const cells = list.tokens.filter(([text]) => !text).map((token) => box(token).d);
      const [x, y] = list.folded;
      words.unshift(
        shape("path", { class: "trace-cells", d: cells.join("") }),
        shape("text", { class: "trace-folded", x, y }, "marks of the turns"),
      );
    }
    tokens.replaceChildren(...words);
    kinds.disabled = !list.own.length;
    kinds.value = kind();
  }

  /* What a depth shows */

  const kind = () => (list.own.length ? wanted : "role");

  /** What a token holds, in percent: alone in this list, or all of its role in the mean. */
  function held(place) {
    if (kind() === "own") return list.own[depth.value][place];
    const role = list.tokens[place][4];
    return role < 0 ? 0 : means.means[depth.value][role][0];
  }

  /** Show what stands where after the blocks that the slider says. */
  function look() {
    const passed = Number(depth.value);
    const step = depths.indexOf(passed);
    for (const [place, path] of [...inks.children].entries()) {
      path.setAttribute("fill-opacity", ink(held(place)));
      path.classList.toggle("is-below", held(place) < 0);
    }
    const told = kind() === "own" ? list.tokens.keys() : list.first;
    numbers.replaceChildren(
      ...[...told].filter((place) => Math.abs(held(place)) >= TOLD).map((place) => {
        const [, x, y, width] = list.tokens[place];
        return shape("text", { x: x + width / 2, y: y + BOX + 7.5 }, written(held(place)));
      }),
    );
    const drawn = list.steps[kind()][step] ?? { arcs: [], rings: [], names: [] };
    arcs.replaceChildren(
      ...drawn.arcs.map(([d, width]) => shape("path", { d, "stroke-width": width, pathLength: 1 })),
    );
    rings.replaceChildren(...drawn.rings.map((place) => shape("path", box(list.tokens[place]))));
    names.replaceChildren(...drawn.names.map(([x, y, text]) => shape("text", { x, y }, text)));
    cursor.setAttribute("transform", `translate(${(WIDTH * passed) / depth.max})`);
    for (const [place, node] of steps.entries()) {
      node.classList.toggle("is-now", place === step);
      if (place === step) node.setAttribute("aria-current", "step");
      else node.removeAttribute("aria-current");
    }
    tell(passed, step);
    back.ariaDisabled = passed <= depths[0];
    forth.ariaDisabled = passed >= depths.at(-1);
    readout.textContent = HOW[kind()];
  }

  const HOW = {
    own: "Ink: this list alone, one token patched at a time. Point at a token, or tap it, to read it.",
    role: "Ink: means over lists, all tokens of a role patched at once. Point at a token, or tap it, to read it.",
  };

  /** Say where we are; who sees the steps need not read the sentence twice. */
  function tell(passed, step) {
    if (step < 0) said.textContent = means.said[passed];
    else {
      const where = `Step ${step + 1} of ${steps.length}, after ${passed} of ${depth.max} blocks.`;
      const sentence = element("span", "trace-sentence", " ");
      sentence.append(...steps[step].querySelector(".trace-tells").cloneNode(true).childNodes);
      said.replaceChildren(where, sentence);
    }
    depth.setAttribute("aria-valuetext", said.textContent);
  }

  function read(place) {
    const [text, , , , role] = list.tokens[place];
    for (const [other, path] of [...inks.children].entries()) {
      path.classList.toggle("is-read", other === place);
    }
    const name = element("b", "", text || "a mark of the turns");
    name.dir = "auto";
    if (role < 0) return readout.replaceChildren(name, ": before the length word nothing differs.");
    const [mean, low, high] = means.means[depth.value][role];
    const ends = low === null || high === null ? "" : ` (${written(low)} to ${written(high)})`;
    const all = `${means.roles[role]}, all its tokens, mean over lists: ${written(mean)} %${ends}.`;
    const own = list.own.length ? `, in this list alone: ${written(list.own[depth.value][place])} %` : "";
    return readout.replaceChildren(name, `${own}; ${all}`);
  }

  /* Ways to go */

  /** Go to a depth as if the slider had been drawn there. */
  function go(passed) {
    depth.value = passed;
    depth.dispatchEvent(new Event("input", { bubbles: true }));
    // What is said of a step stands beside the stage, and may be below the window.
    if (WIDE.matches) steps[depths.indexOf(Number(passed))]?.scrollIntoView({ block: "nearest" });
  }

  const before = () => depths.findLast((one) => one < depth.value);
  const after = () => depths.find((one) => one > depth.value);
  back.addEventListener("click", () => go(before() ?? depth.value));
  forth.addEventListener("click", () => go(after() ?? depth.value));
  for (const node of [back, forth]) {
    node.addEventListener("keydown", ({ key }) => {
      if (key === "ArrowLeft") go(before() ?? depth.value);
      if (key === "ArrowRight") go(after() ?? depth.value);
    });
  }
  for (const [place, step] of steps.entries()) {
    const title = step.querySelector(".trace-depth");
    title.lastChild.replaceWith(button(title.lastChild.textContent, "", () => go(depths[place])));
  }

  /** Beside the stage the steps are gone through by reading on, until a reader takes over. */
  const observer = new IntersectionObserver(
    (entries) => {
      const now = entries.findLast(({ isIntersecting }) => isIntersecting);
      if (!now || byHand || !WIDE.matches) return;
      depth.value = now.target.dataset.depth;
      look();
    },
    { rootMargin: "-50% 0px -50% 0px" }, // the line half way down the window,
  );

  const place = (node) => [...inks.children].indexOf(node);
  for (const kind of ["pointerover", "click"]) {
    inks.addEventListener(kind, ({ target }) => target.matches("path") && read(place(target)));
  }
  picture.addEventListener("keydown", (event) => {
    const now = inks.querySelector(".is-read") ?? inks.children[0];
    if (!isWay(event.key)) return;
    event.preventDefault();
    const turn = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const there = turn ? inks.children[place(now) + turn] : next(event.key, inks.children, now);
    read(place(there ?? now));
  });

  async function show() {
    const mine = ++latest;
    form.ariaBusy = true;
    try {
      const found = await json(topic.selectedOptions[0].dataset.file);
      if (mine !== latest) return;
      list = found;
      lay();
      look();
    } finally {
      if (mine === latest) form.ariaBusy = false;
    }
  }

  follow(form, (name) => {
    if (name === "topic") show().catch(console.error); // what is shown stays
    else if (list) {
      byHand ||= name === "depth";
      wanted = kinds.value;
      look();
    }
  });
  wanted = kinds.value;
  await show();
  form.hidden = false;
  root.classList.add("is-live");
  for (const step of steps) observer.observe(step);
}
