/** What the figures of this post need in addition to what every page has. */
import { ending } from "./ending.js";
import { near } from "./near.js";

const LIVE = 'meta[name="live-model"]';

/** What is large waits, code and data, until it is near. */
const WHEN_NEAR = {
  ".trace": async () => (await import("./trace.js")).trace,
  ".post-strip": async () => (await import("./strip.js")).strip,
  ".interventions": async () => (await import("./interventions.js")).interventions,
  ".post-lists": async () => (await import("./explorer.js")).explorer,
};

/** Let everything in `root` that this post's scripts improve answer. */
export function wake(root) {
  for (const opening of root.querySelectorAll(".ending")) {
    ending(opening);
    const data = document.querySelector("[data-asking]");
    if (!data || !document.querySelector(LIVE)) continue;
    near(opening)
      .then(() => import("./asking.js"))
      .then(({ asking }) => asking(opening, data))
      .catch(console.error);
  }
  for (const cards of root.querySelectorAll(".post-cards")) {
    import("./gallery.js").then(({ gallery }) => gallery(cards)).catch(console.error);
  }
  for (const [kind, found] of Object.entries(WHEN_NEAR)) {
    for (const node of root.querySelectorAll(kind)) {
      near(node).then(found).then((start) => start(node)).catch(console.error);
    }
  }
}
