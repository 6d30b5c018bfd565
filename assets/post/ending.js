/**
 * The opening figure: pick a list, and go through it item by item. The list in the page is readable
 * without this; its own rows are the patterns of all others. Texts are put in as text.
 */

import { asked, keep, offers } from "./address.js";
import { count, percent, width } from "./chances.js";
import { lacks, onChoice, pickable, wantedIn } from "./choice.js";
import { json } from "./files.js";
import { near } from "./near.js";

const SLOWEST = 1100; // milliseconds an item
const WHOLE = 14000; // and at most these for a whole list


/** Let a list be picked, and be gone through item by item. */
export function ending(root) {
  const figure = root.closest(".post-figure").id;
  const form = root.querySelector("form");
  const { topic, template, sample, step, play, back, next } = form.elements;
  const said = root.querySelector(".ending-said");
  const scroller = root.querySelector(".ending-scroll");
  const body = root.querySelector(".ending-list");
  const end = root.querySelector(".ending-end");
  const pattern = body.rows[0].cloneNode(true);
  const own = { topic: topic.value, template: template.value, sample: sample.value };
  const picked = pickable(form);
  let ended = !end.querySelector('[data-when="ended"]').hidden;
  let timer = 0;
  let latest = 0;

  /* One step is an item; the last one says how the list ended. */

  const over = () => step.value === step.max;

  /** Tell where we are; who sees the list need not read the item again. */
  function tell() {
    const place = Number(step.value);
    const items = body.rows.length;
    if (over()) {
      const how = ended ? "The model ended the list" : "The list was cut";
      said.textContent = `${how} after ${count(items)}.`;
      return;
    }
    const [item, , short, long] = [...body.rows[place - 1].cells].map((cell) => cell.textContent);
    const unseen = document.createElement("span");
    unseen.className = "ending-unseen";
    unseen.textContent = `, “${item}”`;
    const chances = `: it ends here with ${short} asked for short, ${long} asked for long.`;
    said.replaceChildren(`Item ${place}`, unseen, chances, place < items ? " It went on." : "");
  }

  function look() {
    const place = Number(step.value);
    for (const [index, row] of [...body.rows].entries()) {
      row.classList.toggle("is-ahead", index >= place);
      row.classList.toggle("is-now", index === place - 1);
    }
    end.rows[0].classList.toggle("is-ahead", !over());
    tell();
    step.setAttribute("aria-valuetext", said.textContent);
    // Not disabled: a button that is would lose the focus of who pressed it.
    back.ariaDisabled = place === 1;
    next.ariaDisabled = over();
    follow((body.rows[place - 1] ?? end.rows[0]).getBoundingClientRect());
  }

  /** Keep the row in sight inside the list's own window; the page stays where it is. */
  function follow(row) {
    const seen = scroller.getBoundingClientRect();
    const head = scroller.querySelector("thead").offsetHeight;
    if (row.bottom > seen.bottom) scroller.scrollTop += row.bottom - seen.bottom;
    else if (row.top < seen.top + head) scroller.scrollTop -= seen.top + head - row.top;
  }

  /** Go to a step; without one, to the whole list, which is read from its top. */
  function go(place) {
    step.value = place ?? step.max;
    look();
    if (place === undefined) scroller.scrollTop = 0;
  }

  function stop() {
    if (!timer) return;
    clearTimeout(timer);
    timer = 0;
    root.classList.remove("plays");
    play.textContent = "Play";
    said.setAttribute("aria-live", "polite");
    note();
  }

  function start() {
    root.classList.add("plays");
    play.textContent = "Pause";
    said.setAttribute("aria-live", "off"); // nobody can listen that fast
    const pace = Math.min(SLOWEST, WHOLE / body.rows.length);
    const advance = () => {
      if (over()) return stop();
      go(Number(step.value) + 1);
      timer = setTimeout(advance, pace);
    };
    if (over()) go(1);
    timer = setTimeout(advance, pace);
  }

  /* What is chosen or picked, and what the address keeps beside it. */

  function note() {
    keep({
      [`${figure}.sample`]: sample.value === own.sample ? "" : sample.value,
      [`${figure}.step`]: over() ? "" : step.value,
    });
  }

  function take() {
    for (const [name, menu] of Object.entries({ topic, template })) {
      const value = wantedIn(figure, name);
      menu.value = value && offers(menu, value) ? value : own[name];
    }
    lacks(form, { topic, template });
  }

  function begin() {
    take();
    const [number, place] = [asked(`${figure}.sample`), asked(`${figure}.step`) ?? undefined];
    const same = topic.value === own.topic && template.value === own.template;
    if (number === null && same) return go(place);
    return show(number ?? own.sample, place);
  }

  /* Another list */

  function offer(samples, wanted) {
    const numbers = Object.keys(samples);
    sample.replaceChildren(
      ...numbers.map((number) => {
        const { items, ended } = samples[number];
        return new Option(`${number} · ${count(items.length)}${ended ? "" : ", cut"}`, number);
      }),
    );
    sample.value = numbers.includes(wanted) ? wanted : numbers[0];
  }

  function row(text, short, long) {
    const made = pattern.cloneNode(true);
    const [, , shortCell, longCell] = made.cells;
    made.querySelector("th > span").textContent = text;
    made.querySelector("rect.is-short").setAttribute("width", width(short));
    made.querySelector("rect.is-long").setAttribute("width", width(long));
    made.querySelector("circle").setAttribute("cx", width(short));
    made.querySelector("svg svg").setAttribute("x", width(long));
    shortCell.textContent = percent(short);
    longCell.textContent = percent(long);
    return made;
  }

  function write(list) {
    const last = list.items.length - 1;
    ended = list.ended;
    body.replaceChildren(
      ...list.items.map((text, index) => row(text, list.short[index], list.long[index])),
    );
    const state = [ended ? "ended" : "cut", template.value];
    for (const words of end.querySelectorAll("[data-when]")) {
      words.hidden = !words.dataset.when.split(" ").every((word) => state.includes(word));
    }
    const long = list.long[last];
    end.querySelector("[data-gone-on]").textContent = percent(long === null ? null : 1 - long);
    end.querySelector("[data-ended-here]").textContent = percent(list.short[last]);
    for (const means of root.querySelectorAll(".ending-means")) {
      means.hidden = means.dataset.means !== template.value;
    }
    const word = root.querySelector("[data-asked]").firstElementChild;
    word.className = `template template-${template.value}`;
    word.textContent = template.value;
    root.querySelector("[data-topic]").textContent = topic.value;
    step.max = last + 2;
  }

  async function show(wanted, place) {
    const mine = ++latest;
    stop();
    scroller.ariaBusy = true;
    try {
      const samples = (await json(topic.selectedOptions[0].dataset.file))[template.value];
      if (mine !== latest) return;
      if (!samples) {
        said.textContent = "There is no such list; choose another topic.";
        return;
      }
      offer(samples, wanted);
      write(samples[sample.value]);
      go(place);
      note();
    } catch (error) {
      console.error(error); // what is shown stays
    } finally {
      if (mine === latest) scroller.ariaBusy = false;
    }
  }

  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", ({ target }) => {
    if (target !== step) return;
    stop();
    go(step.value);
  });
  form.addEventListener("change", ({ target }) => {
    if (target === step) note();
    else if (target === sample) show(sample.value);
    else picked(target);
  });
  onChoice(form, (name) => {
    if (!["topic", "template", "sample"].includes(name)) return;
    take();
    near(root)
      .then(() => show(asked(`${figure}.sample`) ?? own.sample))
      .catch(console.error);
  });
  play.addEventListener("click", () => (timer ? stop() : start()));
  for (const [button, by] of [[back, -1], [next, 1]]) {
    button.addEventListener("click", () => {
      stop();
      go(Number(step.value) + by);
      note();
    });
  }
  form.hidden = said.hidden = false;
  begin();
}
