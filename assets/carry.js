/** A choice goes with the reader: links to other pages of the site take it along. */
import { carried } from "./address.js";
import { NAMES } from "./choice.js";
import { ROOT } from "./files.js";

/** Let every link to a page of the site lead to it with what is chosen and pinned. */
export function carry() {
  // Before the click: it may be one of the middle button, or of a menu that opens a new tab.
  for (const kind of ["pointerdown", "click", "contextmenu"]) {
    document.addEventListener(
      kind,
      ({ target }) => {
        const link = target.closest?.("a[href]");
        if (!link || link.download || !link.href.startsWith(ROOT.href)) return;
        const there = new URL(link.href);
        const isPage = there.pathname.endsWith("/") || there.pathname.endsWith(".html");
        if (!isPage || there.pathname === location.pathname) return;
        link.href = carried(there, NAMES).href;
      },
      true,
    );
  }
}
