/**
 * Charts without a mouse: arrows go from mark to mark, a finger taps one, and each tells what its
 * tooltip does; Enter, or the button beside the values, follows a mark as a click of the mouse does.
 */
import { button, element } from "./element.js";
import { follow, leads, point } from "./links.js";
import { box, isWay, next } from "./ways.js";

const HOW = "Arrow keys read its values, Enter follows or pins one, Escape leaves them.";

/** Every item of a mark, and of those in it, that has something to tell, as they were drawn. */
function told(mark) {
  if (mark.marktype !== "group") return mark.items.filter((item) => item.tooltip && item._svg);
  return mark.items.flatMap((group) => group.items.flatMap(told));
}

/** What an item's tooltip says. */
function facts({ tooltip }) {
  if (typeof tooltip !== "object") return [String(tooltip)];
  return Object.entries(tooltip).flatMap(([name, value]) => {
    const fact = element("span");
    fact.append(element("b", "", name), ` ${value}`);
    return [fact, " "];
  });
}

/** Let keyboard, finger and mouse read and follow the marks of a live view, which stands in `place`. */
export function keys(view, place) {
  const root = view.scenegraph().root;
  const at = element("span", "post-at");
  const readout = element("p", "post-told");
  let now;
  let left; // what was followed from here: who comes back is there again
  let pointer = "";

  function leave() {
    now = undefined;
    at.remove();
    readout.textContent = "";
    point();
  }

  function read(item) {
    now = item;
    point(item);
    const { x, y, width, height } = box(item._svg);
    const about = place.getBoundingClientRect();
    at.style.left = `${x - about.left}px`;
    at.style.top = `${y - about.top}px`;
    at.style.width = `${Math.max(width, 8)}px`;
    at.style.height = `${Math.max(height, 8)}px`;
    readout.replaceChildren(...facts(item));
    const where = pointer === "touch" && leads(item, place);
    if (where) readout.append(button(where, "", () => go(item)));
    // Beside the mark, on the side where there is more room.
    const panel = place.parentNode.getBoundingClientRect();
    const after = x < panel.left + panel.width / 2;
    readout.style.top = `${y - panel.top + height / 2}px`;
    readout.style.left = after ? `${x - panel.left}px` : "auto";
    readout.style.right = after ? "auto" : `${panel.right - x}px`;
    place.append(at);
    if (pointer !== "touch") at.scrollIntoView({ block: "nearest" });
  }

  function go(item) {
    left = now;
    follow(item, place);
  }

  place.tabIndex = 0;
  place.setAttribute("aria-label", `${place.getAttribute("aria-label").replace(/\.$/, "")}. ${HOW}`);
  place.addEventListener("focus", () => {
    readout.setAttribute("role", "status");
    place.after(readout);
    if (left && told(root).includes(left) && pointer !== "mouse") read(left);
    left = undefined;
  });
  place.addEventListener("blur", () => {
    leave();
    readout.remove();
  });
  readout.addEventListener("mousedown", (event) => event.preventDefault()); // the view keeps the focus
  place.addEventListener("pointerdown", ({ pointerType }) => (pointer = pointerType));
  view.addEventListener("click", (_, item) => {
    if (item?.mark.role === "axis-label") go(item);
    else if (!item?.tooltip || item.mark.marktype === "group") {
      if (now) leave();
    } else if (pointer === "touch") {
      place.focus({ preventScroll: true });
      read(item);
    } else go(item);
  });
  place.addEventListener("keydown", (event) => {
    const { key, altKey, ctrlKey, metaKey } = event;
    if (altKey || ctrlKey || metaKey) return;
    pointer = "";
    const marks = told(root);
    if (!marks.length) return;
    if (key === "Escape" && !now) return;
    if (key === "Escape") leave();
    else if (key === "Enter" && now) go(now);
    else if (key === "Home") read(marks[0]);
    else if (key === "End") read(marks.at(-1));
    else if (!isWay(key)) return;
    else read(marks.includes(now) ? next(key, marks, now, (mark) => mark._svg) : marks[0]);
    event.preventDefault();
  });
}
