/** What the figures of this post need in addition to what every page has, and where marks lead. */
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

const NAMED = ["topic", "template", "temperature", "sample"];

/** What a mark leads to: a feature to its card, a topic to its lists, a list to itself. */
export function door(about) {
  const { feature, topic, template, sample } = about;
  if (feature !== undefined) {
    const fill = async (place) => (await import("./card.js")).card(place, feature);
    return { about: { feature }, title: `Feature ${feature}`, fill };
  }
  if (topic === undefined) return null;
  const own = Object.fromEntries(NAMED.flatMap((name) => (about[name] ? [[name, about[name]]] : [])));
  const fill = async (place) => (await import("./list.js")).list(place, own);
  const title = sample ? `A ${template ?? ""} list of ${topic}, sample ${sample}` : `Lists of ${topic}`;
  return { about: own, title: title.replace("  ", " "), fill };
}

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
