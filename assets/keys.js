/** Charts by keyboard: arrows go from mark to mark, and each tells what its tooltip does. */
import { element } from "./element.js";
import { point } from "./links.js";

const WAYS = {
  ArrowRight: ({ x, y }) => [x, y],
  ArrowLeft: ({ x, y }) => [-x, y],
  ArrowDown: ({ x, y }) => [y, x],
  ArrowUp: ({ x, y }) => [-y, x],
};
const HOW = "Arrow keys read its values, Escape leaves them.";

/** Every item of a mark, and of those in it, that has something to tell, as they were drawn. */
function told(mark) {
  if (mark.marktype !== "group") return mark.items.filter((item) => item.tooltip && item._svg);
  return mark.items.flatMap((group) => group.items.flatMap(told));
}

/** What an item's tooltip says, as elements. */
function facts({ tooltip }) {
  if (typeof tooltip !== "object") return [element("span", "", String(tooltip))];
  return Object.entries(tooltip).map(([name, value]) => {
    const fact = element("span");
    fact.append(element("b", "", name), ` ${value}`);
    return fact;
  });
}

function middle(item) {
  const { left, top, width, height } = item._svg.getBoundingClientRect();
  return { x: left + width / 2, y: top + height / 2, width, height };
}

/** The nearest of the marks in the direction of a key; what lies aside counts as farther. */
function next(marks, from, key) {
  const here = middle(from);
  let best = from;
  let least = Infinity;
  for (const item of marks) {
    const there = middle(item);
    const [ahead, aside] = WAYS[key]({ x: there.x - here.x, y: there.y - here.y });
    const cost = ahead + 3 * Math.abs(aside);
    if (ahead > 0.5 && cost < least) [best, least] = [item, cost];
  }
  return best;
}

/** Let the keyboard read a live view, which stands in `place`. */
export function keys(view, place) {
  const root = view.scenegraph().root;
  const at = element("span", "post-at");
  const readout = element("p", "post-readout");
  let now;

  function leave() {
    now = undefined;
    at.remove();
    readout.textContent = "";
    point();
  }

  function read(item) {
    now = item;
    point(item);
    const { x, y, width, height } = middle(item);
    const about = place.getBoundingClientRect();
    const size = [Math.max(width, 8), Math.max(height, 8)];
    at.style.width = `${size[0]}px`;
    at.style.height = `${size[1]}px`;
    at.style.left = `${x - about.left - size[0] / 2}px`;
    at.style.top = `${y - about.top - size[1] / 2}px`;
    place.append(at);
    readout.replaceChildren(...facts(item));
  }

  place.tabIndex = 0;
  place.setAttribute("aria-label", `${place.getAttribute("aria-label")}. ${HOW}`);
  place.addEventListener("focus", () => {
    readout.setAttribute("role", "status");
    place.after(readout);
  });
  place.addEventListener("blur", () => {
    leave();
    readout.remove();
  });
  place.addEventListener("keydown", (event) => {
    const { key, altKey, ctrlKey, metaKey } = event;
    if (altKey || ctrlKey || metaKey) return;
    const marks = told(root);
    if (!marks.length) return;
    if (key === "Escape" && now) leave();
    else if (key === "Home") read(marks[0]);
    else if (key === "End") read(marks.at(-1));
    else if (!(key in WAYS)) return;
    else read(marks.includes(now) ? next(marks, now, key) : marks[0]);
    event.preventDefault();
  });
}
