/**
 * What opens over the text and is fetched when a reader asks for it: the claims of a paragraph, the
 * meaning of a term. One listener serves whatever comes into the page later.
 */
const TERM = "a.post-term";

let byFinger = false;

function opened({ target, newState }) {
  if (newState !== "open" || !target.matches(".post-sign + [popover]")) return;
  import("./signs.js").then(({ signed }) => signed(target)).catch(console.error);
}

/** Explain a term by pointer and by keyboard; a finger's tap explains it, and follows no link. */
function asked(event) {
  const term = event.target.closest?.(TERM);
  if (!term) return;
  if (event.type === "click") {
    if (!byFinger) return;
    event.preventDefault();
  } else if (event.pointerType === "touch") {
    return;
  } else if (event.type === "focusin" && !term.matches(":focus-visible")) {
    return;
  }
  const isAsked = () => event.type === "click" || term.matches(":hover, :focus"); // by now
  import("./terms.js").then(({ explain }) => isAsked() && explain(term)).catch(console.error);
}

export function popovers() {
  document.addEventListener("beforetoggle", opened, true); // it does not bubble
  document.addEventListener("pointerdown", ({ pointerType }) => {
    byFinger = pointerType === "touch";
  });
  for (const kind of ["pointerover", "focusin", "click"]) document.addEventListener(kind, asked);
}
