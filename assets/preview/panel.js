/** What the preview has to say: what is wrong anywhere, and what is being measured. */

const panel = document.createElement("aside");
panel.className = "preview-panel";
panel.setAttribute("aria-label", "Preview");
const told = document.createElement("details");
const busy = document.createElement("p");
const sheet = document.createElement("link");
sheet.rel = "stylesheet";
sheet.href = "/~/preview.css";
document.head.append(sheet);
panel.append(told, busy);
busy.setAttribute("role", "status");

function show() {
  panel.hidden = !told.childNodes.length && !busy.childNodes.length;
  if (!panel.isConnected) document.body.append(panel);
}

/** Say all that is wrong, each on a line of its own. */
export function notes(lines = []) {
  told.replaceChildren();
  if (lines.length) {
    const summary = document.createElement("summary");
    summary.textContent = `${lines.length} thing${lines.length > 1 ? "s" : ""} to mend`;
    const list = document.createElement("ul");
    list.append(
      ...lines.map((line) => {
        const item = document.createElement("li");
        item.textContent = line;
        return item;
      }),
    );
    told.append(summary, list);
  }
  show();
}

function ask(what, body) {
  return fetch(`/~/${what}`, { method: "POST", body: JSON.stringify(body) });
}

function button(words, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = words;
  made.addEventListener("click", act);
  return made;
}

/** Say what is measured, and offer what could be: at the stale figure and at the missing one. */
export function measuring({ name, said, open }) {
  busy.replaceChildren();
  if (name) busy.append(`measuring ${name}: ${said} `, button("cancel", () => ask("cancel")));
  else if (said) busy.append(said);
  for (const old of document.querySelectorAll(".preview-measure")) old.remove();
  if (!name) {
    for (const note of document.querySelectorAll(".post-stale, .post-problem")) {
      const missing = /no result for "(.+?)"/.exec(note.textContent)?.[1];
      const wanted = missing ?? note.closest(".post-figure")?.dataset.figure;
      if (!open.includes(wanted)) continue;
      const measure = button("Measure now", () => ask("measure", wanted));
      measure.className = "preview-measure";
      note.append(" ", measure);
    }
  }
  show();
}
