/**
 * What is pinned, beside the page: a panel that leaves the page in use, at the right or, on a phone,
 * from below. It can be folded to a line; closing it lets go of what is pinned.
 */
import { button, element } from "./element.js";

const LOST = "This could not be fetched: is there a connection?";

let panel;
let latest = 0;

/** The panel, made when it is first wanted. */
function made() {
  const dialog = element("dialog", "post-aside");
  const title = element("h2", "post-aside-title");
  title.id = "post-aside-title";
  title.tabIndex = -1;
  dialog.setAttribute("aria-labelledby", title.id);
  const fold = button("–", "Fold to a line", () => folded(!dialog.classList.contains("is-folded")));
  const close = button("×", "Close and let go", () => panel.close());
  const head = element("div", "post-aside-head");
  head.append(title, fold, close);
  const body = element("div", "post-aside-body md-typeset");
  dialog.append(head, body);
  document.body.append(dialog);

  function folded(is) {
    dialog.classList.toggle("is-folded", is);
    fold.textContent = is ? "+" : "–";
    fold.setAttribute("aria-label", is ? "Unfold" : "Fold to a line");
    fold.setAttribute("aria-expanded", !is);
  }

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented || !dialog.open) return;
    if (event.target.closest("input, select, form")) return; // it means something there
    event.preventDefault();
    panel.close();
  });
  return { dialog, title, body, fold, folded, from: undefined, close() {} };
}

/**
 * Show what is pinned, or with nothing no panel.
 * @param {Record<string, string>} fields what is pinned
 * @param {{title: string, fill: Function} | null} door what it leads to
 * @param {{from: Element | undefined, close: Function}} back the focus, and lets go
 */
export async function aside(fields, door, { from, close }) {
  const mine = ++latest;
  const some = Object.keys(fields).length > 0;
  if (!panel && !some) return;
  panel ??= made();
  const { dialog, title, body, folded } = panel;
  if (!some) {
    const had = dialog.contains(document.activeElement);
    dialog.close();
    document.documentElement.classList.remove("has-aside");
    if (had) panel.from?.focus({ preventScroll: true });
    return;
  }
  panel.close = close;
  panel.from = from ?? panel.from;
  const words = Object.entries(fields).map(([field, value]) => `${field} ${value}`);
  title.textContent = door?.title ?? `Pinned: ${words.join(", ")}`;
  panel.fold.hidden = !door;
  body.replaceChildren();
  folded(!door);
  if (!dialog.open) {
    const focused = document.activeElement;
    dialog.show();
    if (!from) focused?.focus({ preventScroll: true });
  }
  document.documentElement.classList.toggle("has-aside", Boolean(door));
  if (from) title.focus({ preventScroll: true });
  if (!door) return;
  body.ariaBusy = true;
  const place = element("div");
  try {
    await door.fill(place);
  } catch (error) {
    console.error(error);
    place.replaceChildren(element("p", "", LOST));
  }
  if (mine !== latest) return;
  body.ariaBusy = false;
  body.scrollTop = 0;
  body.replaceChildren(place);
}
