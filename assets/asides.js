/** What stands beside the text and is fetched when somebody asks: what a paragraph claims. */

/** Listen once for the whole page, whatever comes into it later. */
export function asides() {
  const opened = async ({ target, newState }) => {
    if (newState !== "open" || !target.matches(".post-signed")) return;
    await (await import("./signs.js")).signed(target);
  };
  document.addEventListener("beforetoggle", (event) => opened(event).catch(console.error), true);
}
