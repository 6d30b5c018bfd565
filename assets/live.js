/** A picture becomes a live chart when it comes near. */
import { element } from "./element.js";
import { json } from "./files.js";
import { keys } from "./keys.js";
import { link } from "./links.js";
import { pickerOf } from "./menus.js";
import { inView, near } from "./near.js";

/** Milliseconds in view after which a picture is worth its bytes: mostly the chart is faster. */
const PATIENCE = 400;

/**
 * Draw a chart as soon as it is near. Its pictures keep their place, and load only when it is in
 * view without being drawn for a while, when it cannot be drawn, and on paper.
 */
export async function enliven(chart) {
  for (const picture of chart.querySelectorAll(".post-picture")) {
    const { width, height } = picture.querySelector("img").attributes;
    picture.style.aspectRatio = `${width.value} / ${height.value}`;
  }
  chart.classList.add("post-held");
  const release = () => chart.classList.remove("post-held");
  inView(chart).then(() => setTimeout(release, PATIENCE));
  await near(chart);
  try {
    await draw(chart);
  } catch (error) {
    release();
    throw error;
  }
}

/** Of panels that were drawn anew: their views, and what these are but for the rows and titles. */
const shapes = new WeakMap();

const isTitle = ({ name }) => name.startsWith("words_");

function shape({ data = [], signals = [], ...rest }) {
  const sets = data.map(({ values, ...set }) => [set, Boolean(values)]);
  return JSON.stringify([rest, signals.map((one) => (isTitle(one) ? one.name : one)), sets]);
}

/** Show other rows and titles in a view that is otherwise the same: what a reader did to it stays. */
function refill(view, { data = [], signals = [] }) {
  for (const { name, values } of data) if (values) view.data(name, values);
  for (const { name, value } of signals.filter(isTitle)) view.signal(name, value);
  return view.resize().runAsync();
}

/**
 * Draw a chart anew from another file, whose content is `folded`; whether it could: another number
 * of panels cannot.
 */
export async function redraw(chart, url, folded) {
  chart.dataset.vega = url;
  const form = chart.querySelector("form[data-picks]");
  if (form) form.dataset.rows = url.replace(/chart\.json$/, "pick-");
  return !chart.dataset.drawn || draw(chart, folded);
}

async function draw(chart, given) {
  const [{ draw: view, unfold }, folded] = await Promise.all([
    import("./charts.js"),
    given ?? json(chart.dataset.vega),
  ]);
  const picked = [];
  const made = [];
  // A panel that does not stand in the order of its drawing says its number.
  const panels = [...chart.querySelectorAll(".post-panel")].sort(
    (a, b) => (a.dataset.panel ?? 0) - (b.dataset.panel ?? 0),
  );
  const specifications = unfold(folded).map(labelled);
  if (panels.length !== specifications.length) return false;
  try {
    for (const [index, specification] of specifications.entries()) {
      const panel = panels[index];
      const told = given && shape(specification);
      const shown = shapes.get(panel);
      if (told && shown?.told === told) {
        await refill(shown.live, specification);
        if (isPicked(specification)) picked.push(shown.live);
        continue;
      }
      const place = element("div", "post-view");
      place.hidden = true;
      panel.append(place);
      made.push({ panel, place, specification, told });
      made.at(-1).live = await view(specification, place);
    }
  } catch (error) {
    for (const { place } of made) place.remove();
    throw error;
  }
  // All at once: the page is laid out, and painted, but one time.
  for (const one of made) {
    show(one);
    if (isPicked(one.specification)) picked.push(one.live);
  }
  await pickerOf(chart.querySelector("form[data-picks]"))?.live(picked);
  chart.dataset.drawn = "vega";
  return true;
}

/** Let the pointer find the labels of axes: they are doors, as marks are. */
function labelled(specification) {
  for (const axis of specification.axes ?? []) {
    axis.encode = { ...axis.encode, labels: { ...axis.encode?.labels, interactive: true } };
  }
  specification.marks?.forEach(labelled);
  return specification;
}

function isPicked({ data }) {
  return data?.some(({ name }) => name === "picked");
}

/** Put a view where the picture of its panel is, or the view that was there. */
function show({ panel, place, specification, live, told }) {
  const before = panel.querySelector(".post-picture, .post-view");
  const words = before.dataset.words ?? before.ariaLabel;
  link(live, specification, place);
  if (told) shapes.set(panel, { live, told });
  // One picture with one description, as before, and not a tree of groups without names.
  place.setAttribute("role", "img");
  place.setAttribute("aria-label", words);
  place.dataset.words = words;
  place.removeAttribute("aria-roledescription");
  place.querySelector("svg").setAttribute("aria-hidden", "true");
  keys(live, place);
  before.remove();
  place.hidden = false;
}
