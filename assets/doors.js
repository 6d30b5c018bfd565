/**
 * Marks are doors: a click on one, or Enter, pins what it is about and opens what that leads to. What
 * leads where is the post's own matter: `door` of its `own.js`, called with what a mark is about,
 * returns null or `{about, title, fill}`: the fields that it needs, a heading, and what fills a place.
 */
import * as own from "./own.js";
import { onPin, pin, pinned } from "./pins.js";

let opener;

/** What `about` leads to, or null. */
export function doorOf(about) {
  return own.door?.(about) ?? null;
}

/** Pin what a mark is about and open what it leads to; `from` gets the focus back. */
export function enter(about, from) {
  const fields = doorOf(about)?.about ?? about;
  if (!Object.keys(fields).length) return;
  opener = from;
  if (JSON.stringify(fields) === JSON.stringify(pinned())) show();
  else pin(fields);
}

function show() {
  import("./aside.js")
    .then(({ aside }) => {
      const [from, fields] = [opener, pinned()];
      opener = undefined;
      aside(fields, doorOf(fields), { from, close: () => pin({}) });
    })
    .catch(console.error);
}

/** Let elements lead where their `data-door` says, as JSON: by a click, and by a button in them. */
export function doors() {
  document.addEventListener("click", (event) => {
    const { target } = event;
    const node = target.closest?.("[data-door]");
    if (!node || (target.closest("a, select, input, summary") && !target.matches("[data-door]"))) return;
    if (getSelection().toString()) return; // somebody copies words
    event.preventDefault();
    enter(JSON.parse(node.dataset.door), node.querySelector("button") ?? node);
  });
  onPin(show);
  if (Object.keys(pinned()).length) show();
}
