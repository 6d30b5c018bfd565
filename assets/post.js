/**
 * What the page adds for readers whose browser runs scripts. Everything here improves something that
 * is already readable; whatever fails leaves the page as it was.
 *
 * Text from results is put into the page as text, never as HTML.
 */

const address = new URL(location.href);

/**
 * Take a form's choices over from the address, under the figure's id. What is returned keeps there
 * those that are not the form's own, so that they can be shared.
 */
function addressed(figure, form) {
  const controls = [...form.elements].map((control) => {
    return { control, key: `${figure}.${control.name}`, own: control.value };
  });
  for (const { control, key } of controls) {
    const value = address.searchParams.get(key);
    if (value === null) continue;
    const known = control.options && [...control.options].map((option) => option.value);
    if (!known || known.includes(value)) control.value = value;
  }
  return () => {
    const now = new URL(location.href); // other figures keep theirs there, too
    for (const { control, key, own } of controls) {
      if (control.value !== own) now.searchParams.set(key, control.value);
      else now.searchParams.delete(key);
    }
    history.replaceState(history.state, "", now);
  };
}

async function json(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  return answer.json();
}

function element(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

/* Choices: menus before a chart, and the rows that each choice shows. */

/** Names that mean the same in every figure: all that offer a choice take it over from one. */
const SHARED = ["length word", "topic"];

function picker(form) {
  const figure = form.closest(".post-figure").id;
  const menus = [...form.elements];
  const picks = JSON.parse(form.dataset.picks);
  const said = form.nextElementSibling;
  let shown = said.textContent;
  let views = [];
  let latest = 0;

  /** Go to the nearest choice that there is, and offer what goes with the menu just changed. */
  function settle(changed) {
    const place = menus.indexOf(changed);
    const now = menus.map((menu) => menu.selectedIndex);
    const fitting = picks.filter((pick) => pick[place] === now[place]);
    const kept = (pick) => pick.filter((option, index) => option === now[index]).length;
    const nearest = fitting.reduce((best, pick) => (kept(pick) > kept(best) ? pick : best));
    for (const [index, menu] of menus.entries()) {
      menu.selectedIndex = nearest[index];
      for (const [number, option] of [...menu.options].entries()) {
        option.disabled = menu !== changed && !fitting.some((pick) => pick[index] === number);
      }
    }
  }

  /** Draw the choice; until it is drawn the words tell what is still shown. */
  async function show() {
    const mine = ++latest;
    const words = menus.map((menu) => `${menu.name} ${menu.value}`).join(" · ");
    if (!views.length || words === shown) return;
    const number = picks.findIndex((pick) =>
      pick.every((option, index) => option === menus[index].selectedIndex),
    );
    const columns = await json(`${form.dataset.rows}${number}.json`);
    if (mine !== latest) return;
    shown = words;
    // Vega writes into its rows, so every view gets its own; axes may need another size.
    for (const view of views) view.data("picked", rows(columns)).resize();
    await Promise.all(views.map((view) => view.runAsync()));
    said.textContent = shown;
  }

  function take(name, value) {
    const menu = menus.find((one) => one.name === name);
    if (!menu || ![...menu.options].some((option) => option.value === value)) return;
    menu.value = value;
    settle(menu);
    keep();
    show().catch(console.error);
  }

  const keep = addressed(figure, form);
  settle(menus[0]);
  form.addEventListener("change", ({ target: { name, value } }) => {
    if (!SHARED.includes(name)) take(name, value);
    else document.dispatchEvent(new CustomEvent("post-choice", { detail: { name, value } }));
  });
  return {
    take,
    live(own) {
      views = own;
      form.hidden = false;
      return show().catch(console.error);
    },
  };
}

function rows(columns) {
  const entries = Object.entries(columns);
  const length = entries.length ? entries[0][1].length : 0;
  return Array.from({ length }, (_, index) =>
    Object.fromEntries(entries.map(([name, values]) => [name, values[index]])),
  );
}

const pickers = new Map();
for (const form of document.querySelectorAll("form[data-picks]")) pickers.set(form, picker(form));
document.addEventListener("post-choice", ({ detail: { name, value } }) => {
  for (const { take } of pickers.values()) take(name, value);
});

/* Linked charts: what the pointer is on in one stands out in all that show its role or layer. */

const LINKS = { at_role: "role", at_layer: "layer" };
const CURVES = ["area", "line", "trail"];
const linked = new Map();
let pointed = {};
let frame = 0;

/** Charts off the screen wait until they are on it: there may be many, all of them large. */
const onScreen = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) linked.get(target).seen = isIntersecting;
  frame ||= requestAnimationFrame(highlight);
});

/** Listen to a view, and remember which of the signals it has, with their values at rest. */
function link(view, { signals = [] }, place) {
  const rest = signals.filter(({ name }) => name in LINKS);
  if (rest.length) {
    linked.set(place, { view, rest });
    onScreen.observe(place);
  }
  view.addEventListener("pointerover", (_, item) => point(item));
  view.addEventListener("pointerout", ({ pointerType }) => {
    // A finger leaves the mark when it is lifted; what it tapped stays until the next tap.
    if (pointerType !== "touch") point();
  });
}

function point(item) {
  if (!linked.size) return;
  const marktype = item?.mark.marktype ?? "group";
  // A curve is one mark with the values of its first point: only what all points share is its own.
  const points = CURVES.includes(marktype) ? item.mark.items : [item];
  pointed = {};
  if (marktype !== "group") {
    for (const [name, field] of Object.entries(LINKS)) {
      const value = item.datum?.[field];
      if (points.every(({ datum }) => datum?.[field] === value)) pointed[name] = value;
    }
  }
  frame ||= requestAnimationFrame(highlight);
}

function highlight() {
  frame = 0;
  for (const { view, rest, seen } of linked.values()) {
    if (!seen) continue;
    let changed = false;
    for (const { name, value } of rest) {
      const now = pointed[name] ?? value;
      if (view.signal(name) === now) continue;
      view.signal(name, now);
      changed = true;
    }
    if (changed) view.runAsync();
  }
}

document.addEventListener("pointerdown", ({ target }) => {
  if (!target.closest(".post-view")) point();
});

/* Charts: a picture becomes a live chart when it comes near. */

const charts = document.querySelector('meta[name="post-charts"]')?.content;

async function enliven(chart) {
  const [{ draw, unfold }, folded] = await Promise.all([
    import(new URL(charts, location.href)),
    json(chart.dataset.vega),
  ]);
  const specifications = unfold(folded);
  const panels = [...chart.querySelectorAll(".post-panel")];
  const picked = [];
  for (const [index, panel] of panels.entries()) {
    const picture = panel.querySelector(".post-picture");
    const view = element("div", "post-view");
    view.hidden = true;
    panel.append(view);
    try {
      const live = await draw(specifications[index], view);
      link(live, specifications[index], view);
      if (specifications[index].data?.some(({ name }) => name === "picked")) picked.push(live);
      // One picture with one description, as before, and not a tree of groups without names.
      view.setAttribute("role", "img");
      view.setAttribute("aria-label", picture.querySelector("img").alt);
      view.removeAttribute("aria-roledescription");
      view.querySelector("svg").setAttribute("aria-hidden", "true");
      picture.remove();
      view.hidden = false;
    } catch (error) {
      view.remove();
      throw error;
    }
  }
  const form = chart.querySelector("form[data-picks]");
  await pickers.get(form)?.live(picked);
  chart.dataset.drawn = "vega";
}

/**
 * A chart that is drawn before it is seen needs no picture: pictures keep their place and load when
 * the chart comes into view without being drawn, when it cannot be drawn, and on paper.
 */
function hold(chart) {
  for (const picture of chart.querySelectorAll(".post-picture")) {
    const { width, height } = picture.querySelector("img").attributes;
    picture.style.aspectRatio = `${width.value} / ${height.value}`;
  }
  chart.classList.add("post-held");
}

function release(chart) {
  chart.classList.remove("post-held");
}

if (charts) {
  const near = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        near.unobserve(target);
        enliven(target).catch((error) => {
          release(target);
          console.error(`${target.dataset.vega}:`, error);
        });
      }
    },
    { rootMargin: "600px 0px" },
  );
  const seen = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      seen.unobserve(target);
      release(target);
    }
  });
  for (const chart of document.querySelectorAll(".post-chart[data-vega]")) {
    hold(chart);
    near.observe(chart);
    seen.observe(chart);
  }
}

/* Commands to copy. */

for (const button of document.querySelectorAll(".post-copy")) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = "copied";
    setTimeout(() => (button.textContent = "copy"), 1500);
  });
}

/* Token strips: pick a list, colour it, read a token. */

const SIGNS = { "\n": "⏎", "\t": "⇥" };

function visible(token) {
  if (/^ +$/.test(token)) return "␣".repeat(token.length);
  return token.replace(/[\n\t]/g, (sign) => SIGNS[sign]) || "∅";
}

function strip(root) {
  const figure = root.closest(".post-figure").id;
  const form = root.querySelector("form");
  const tokens = root.querySelector("[data-tokens]");
  const title = root.querySelector(".post-count");
  const readout = root.querySelector(".post-readout");
  let shown;
  let latest = 0;

  function look(index, focus) {
    const nodes = tokens.querySelectorAll(".token");
    if (!nodes.length) return;
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
      ...facts.map(([name, value]) => {
        const fact = element("span");
        fact.append(element("b", "", name), ` ${value}`);
        return fact;
      }),
    );
  }

  function colour() {
    const quantity = form.elements.colour.value;
    const byValue = quantity !== "role";
    tokens.classList.toggle("by-value", byValue);
    root.querySelector(".post-roles").hidden = byValue;
    title.textContent = `${shown.token.length} tokens`;
    if (!byValue) return;
    // The prompt is given, not written: its values would only set the scale.
    const first = Math.max(shown.role.indexOf("hyphen"), 0);
    const values = shown[quantity].map((value, index) => (index < first ? 0 : (value ?? 0)));
    const most = Math.max(...values.map(Math.abs), 1e-9);
    const whole = quantity === "probability" ? 1 : most;
    for (const [index, node] of tokens.querySelectorAll(".token").entries()) {
      node.style.setProperty("--value", Math.abs(values[index]) / whole);
      node.classList.toggle("negative", values[index] < 0);
    }
    const unit = { probability: "", entropy: " nats" }[quantity] ?? " logits";
    const below = values.some((value) => value < 0) ? ", from above where negative" : "";
    title.textContent += `; a token filled to the brim is ${whole.toPrecision(2)}${unit}${below}`;
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

  const keep = addressed(figure, form);
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", (event) => {
    keep();
    if (event.target.name === "colour") colour();
    else update().catch(console.error);
  });
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
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const now = place(tokens.querySelector('[aria-selected="true"]'));
    if (step) look(now + step, true);
    else if (event.key === "Home") look(0, true);
    else if (event.key === "End") look(Infinity, true);
    else return;
    event.preventDefault();
  });
  return update();
}

/* The list explorer: filter and search all lists. */

const MOST_LISTS = 60;

function explorer(root) {
  const figure = root.closest(".post-figure").id;
  const form = root.querySelector("form");
  const count = root.querySelector(".post-count");
  const found = root.querySelector(".post-found");
  const plain = [...found.childNodes];
  let all;

  function entry(index, wanted) {
    const row = element("li");
    const template = all.template[index];
    row.append(element("span", `template template-${template.replace(/[^a-z]/g, "")}`, template));
    const items = element("span", "items");
    for (const [place, item] of all.items[index].entries()) {
      if (place) items.append(element("i", "", " · "));
      const hit = wanted && item.toLowerCase().includes(wanted);
      items.append(hit ? element("mark", "", item) : item);
    }
    const length = all.items[index].length;
    const facts = [
      all.topic[index],
      `temperature ${all.temperature[index]}`,
      `${length} item${length === 1 ? "" : "s"}`,
      all.repeats[index] ? `${all.repeats[index]} repeated` : "",
      all.ended[index] ? "ended" : "cut at the limit",
      all.reason[index] === "capped" ? "" : all.reason[index],
    ];
    const said = element("span");
    said.append(items, " ", element("small", "", facts.filter(Boolean).join(", ")));
    row.append(said);
    return row;
  }

  function show() {
    const chosen = Object.fromEntries([...form.elements].map(({ name, value }) => [name, value]));
    const wanted = chosen.text.trim().toLowerCase();
    const hits = [];
    for (let index = 0; index < all.topic.length; index++) {
      const fits =
        (!chosen.topic || all.topic[index] === chosen.topic) &&
        (!chosen.template || all.template[index] === chosen.template) &&
        (!chosen.temperature || all.temperature[index] === Number(chosen.temperature)) &&
        (!wanted || all.items[index].some((item) => item.toLowerCase().includes(wanted)));
      if (fits) hits.push(index);
    }
    const list = element("ul", "post-hits");
    list.append(...hits.slice(0, MOST_LISTS).map((index) => entry(index, wanted)));
    found.replaceChildren(list);
    found.classList.add("all");
    found.tabIndex = 0;
    const more = hits.length > MOST_LISTS ? `; the first ${MOST_LISTS} are below` : "";
    count.textContent = `${hits.length} of ${all.topic.length.toLocaleString("en")} lists${more}`;
  }

  async function update() {
    all ??= await json(root.dataset.lists);
    show();
  }

  form.hidden = false;
  const keep = addressed(figure, form);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => {
    keep();
    update().catch((error) => {
      found.replaceChildren(...plain);
      console.error(error);
    });
  });
  const asked = [...address.searchParams.keys()].some((key) => key.startsWith(`${figure}.`));
  return asked ? update() : Promise.resolve();
}

/* Feature cards: order and choose them, and put a card's details in when it is opened. */

function gallery(root) {
  const figure = root.closest(".post-figure").id;
  const form = root.querySelector("form");
  const count = root.querySelector(".post-count");
  const list = root.querySelector(".card-list");
  const cards = [...list.children];
  const words = new Map(cards.map((card) => [card, card.textContent.toLowerCase()]));
  const sizes = {
    attributed: ({ dataset }) => Math.abs(dataset.attributed ?? 0),
    measured: ({ dataset }) => Math.abs(dataset.measured ?? 0),
    firing: ({ dataset }) => Number(dataset.firing ?? 0),
  };
  let order = form.elements.order.value;

  function show() {
    const { text, layer } = form.elements;
    const wanted = text.value.trim().toLowerCase();
    let shown = 0;
    for (const card of cards) {
      card.hidden =
        (layer.value && card.dataset.layer !== layer.value) || !words.get(card).includes(wanted);
      if (!card.hidden) shown += 1;
    }
    const now = form.elements.order.value;
    if (now !== order) {
      order = now;
      const size = sizes[now];
      list.replaceChildren(...(size ? [...cards].sort((a, b) => size(b) - size(a)) : cards));
    }
    count.textContent = shown === cards.length ? `${shown} cards` : `${shown} of ${cards.length} cards`;
  }

  /** Put in what the card's file holds; a file that does not come leaves the link to it. */
  async function fill(card) {
    const link = card.querySelector(".card-more a");
    if (!link || card.dataset.loads) return;
    card.dataset.loads = "yes";
    try {
      const answer = await fetch(link.href);
      if (!answer.ok) throw new Error(`${link.href}: ${answer.status}`);
      const told = new DOMParser().parseFromString(await answer.text(), "text/html");
      const body = document.importNode(told.querySelector(".card-body"), true);
      for (const one of body.querySelectorAll("a[href]")) {
        const to = new URL(one.getAttribute("href"), link.href);
        one.href = to.pathname === location.pathname ? to.hash : to.href;
      }
      link.parentNode.replaceWith(body);
    } catch (error) {
      delete card.dataset.loads;
      console.error(error);
    }
  }

  /** Open the card that the address names; one that is not chosen is shown all the same. */
  function open() {
    const card = document.getElementById(location.hash.slice(1));
    if (!cards.includes(card)) return;
    card.hidden = false;
    card.open = true;
    fill(card).then(() => card.scrollIntoView());
  }

  const keep = addressed(figure, form);
  show();
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => {
    keep();
    show();
  });
  list.addEventListener(
    "toggle",
    ({ target }) => {
      // Printing opens every card: hundreds of files would come too late for the paper.
      if (target.open && !matchMedia("print").matches) fill(target);
    },
    true,
  );
  addEventListener("hashchange", open);
  open();
}

for (const root of document.querySelectorAll(".post-cards")) gallery(root);

/* Strips and explorers wake when they come near: their data is large. */

const wake = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      wake.unobserve(target);
      const start = target.matches(".post-strip") ? strip : explorer;
      start(target).catch((error) => console.error(error));
    }
  },
  { rootMargin: "600px 0px" },
);
for (const root of document.querySelectorAll(".post-strip, .post-lists")) wake.observe(root);
