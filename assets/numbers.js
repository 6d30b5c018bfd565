/** Numbers in the prose tell their interval: where the pointer or the focus is, and at a tap. */
import { element } from "./element.js";

const ASKED = ".post-value[title]";
const EDGE = 8; // pixels that stay free at the sides of the window

/** Let every number that has more to tell do so in a small box of the page's own. */
export function numbers() {
  const box = element("div", "post-told post-number-told");
  box.setAttribute("role", "tooltip");
  box.id = "post-number-told";
  box.hidden = true;
  document.body.append(box);
  let shown;

  /** Take the words over from the browser's own box, which neither a finger nor a key opens. */
  function ready(node) {
    if (!node.title) return;
    node.dataset.told = node.title;
    node.removeAttribute("title");
    node.tabIndex = 0;
    node.setAttribute("aria-describedby", box.id);
  }

  function show(node) {
    ready(node);
    shown = node;
    box.textContent = node.dataset.told;
    box.hidden = false;
    const about = node.getBoundingClientRect();
    const { width, height } = box.getBoundingClientRect();
    const most = document.documentElement.clientWidth - width - EDGE;
    const above = about.top > height + 70;
    box.style.left = `${Math.max(EDGE, Math.min(about.left, most)) + scrollX}px`;
    box.style.top = `${(above ? about.top - height - 6 : about.bottom + 6) + scrollY}px`;
  }

  function hide() {
    shown = undefined;
    box.hidden = true;
  }

  for (const node of document.querySelectorAll(ASKED)) ready(node);
  const number = ({ target }) => target.closest?.(`${ASKED}, .post-value[data-told]`);
  for (const kind of ["pointerover", "focusin", "click"]) {
    document.addEventListener(kind, (event) => {
      const node = number(event);
      if (node) show(node);
      else if (shown && kind === "click") hide();
    });
  }
  document.addEventListener("pointerout", (event) => {
    if (event.pointerType !== "touch" && number(event) && shown !== document.activeElement) hide();
  });
  document.addEventListener("focusout", (event) => number(event) && hide());
  document.addEventListener("keydown", ({ key }) => key === "Escape" && hide());
}
