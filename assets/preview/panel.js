/** What the preview has to say: what is wrong anywhere, and what is being measured. */
import { button, element } from "../element.js";

const panel = element("aside", "preview-panel");
panel.setAttribute("aria-label", "Preview");
const problems = element("details");
const busy = element("p");
const sheet = element("link");
sheet.rel = "stylesheet";
sheet.href = new URL("./preview.css", import.meta.url);
document.head.append(sheet);
panel.append(problems, busy);
busy.setAttribute("role", "status");

function show() {
  panel.hidden = !problems.childNodes.length && !busy.childNodes.length;
  if (!panel.isConnected) document.body.append(panel);
}

/** Say all that is wrong, each on a line of its own. */
export function notes(lines = []) {
  problems.replaceChildren();
  if (lines.length) {
    const list = element("ul");
    list.append(...lines.map((line) => element("li", "", line)));
    const count = `${lines.length} thing${lines.length > 1 ? "s" : ""} to mend`;
    problems.append(element("summary", "", count), list);
  }
  show();
}

/** Where the preview begins, whatever a proxy puts before it. */
export const ROOT = new URL(
  document.querySelector('meta[name="preview"]').dataset.root,
  document.baseURI,
);

/** Ask the server for something; it answers by events. */
export function ask(what, body) {
  return fetch(new URL(`~/${what}`, ROOT), { method: "POST", body: JSON.stringify(body) });
}

/** Say what is measured, and offer what could be: at the stale figure and at the missing one. */
export function measuring({ name, line, open }) {
  busy.replaceChildren();
  if (name) busy.append(`measuring ${name}: ${line} `, button("cancel", "", () => ask("cancel")));
  else if (line) busy.append(line);
  for (const old of document.querySelectorAll(".preview-measure")) old.remove();
  if (!name) {
    for (const note of document.querySelectorAll(".post-stale, .post-problem")) {
      const missing = /no result for "(.+?)"/.exec(note.textContent)?.[1];
      const wanted = missing ?? note.closest(".post-figure")?.dataset.figure;
      if (!open.includes(wanted)) continue;
      const measure = button("Measure now", "", () => ask("measure", wanted));
      measure.className = "preview-measure";
      note.append(" ", measure);
    }
  }
  show();
}
