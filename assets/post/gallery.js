/** Feature cards: order and choose them, and put a card's details in when it is opened. */
import { parts } from "./card.js";
import { follow } from "./choice.js";

/** Let the form of a gallery order and choose its cards. */
export function gallery(root) {
  const form = root.querySelector("form");
  const count = root.querySelector(".post-count");
  const list = root.querySelector(".card-list");
  const cards = [...list.children];
  const words = new Map(cards.map((card) => [card, card.textContent.toLowerCase()]));
  const sizes = {
    attributed: ({ dataset }) => Math.abs(dataset.attributed ?? 0),
    measured: ({ dataset }) => Math.abs(dataset.measured ?? 0),
    firing: ({ dataset }) => Number(dataset.firing ?? 0),
    layer: ({ dataset }) => -dataset.order,
  };
  let order = form.elements.order.value;

  function show() {
    const { layer } = form.elements;
    const wanted = form.elements.text.value.trim().toLowerCase();
    let shown = 0;
    for (const card of cards) {
      card.hidden =
        (layer.value && card.dataset.layer !== layer.value) || !words.get(card).includes(wanted);
      if (!card.hidden) shown += 1;
    }
    const now = form.elements.order.value;
    if (now !== order) {
      order = now;
      const size = sizes[now];
      list.replaceChildren(...[...cards].sort((a, b) => size(b) - size(a)));
    }
    count.textContent = shown === cards.length ? `${shown} cards` : `${shown} of ${cards.length} cards`;
  }

  /** Put in what the card's file holds; a file that does not come leaves the link to it. */
  async function fill(card) {
    const link = card.querySelector(".card-more a");
    if (!link || card.dataset.loads) return;
    card.dataset.loads = "yes";
    try {
      const { body } = await parts(link.href);
      link.parentNode.replaceWith(body);
    } catch (error) {
      delete card.dataset.loads;
      console.error(error);
    }
  }

  /** Open the card that the address names; one that is not chosen is shown all the same. */
  function open() {
    const card = document.getElementById(location.hash.slice(1));
    if (!cards.includes(card)) return;
    card.hidden = false;
    card.open = true;
    fill(card).then(() => card.scrollIntoView());
  }

  follow(form, show);
  show();
  form.hidden = false;
  list.addEventListener(
    "toggle",
    ({ target }) => {
      // Printing opens every card: hundreds of files would come too late for the paper.
      if (target.open && !matchMedia("print").matches) fill(target);
    },
    true,
  );
  addEventListener("hashchange", open);
  open();
  // A reader may have opened a card before this script came.
  for (const card of cards) if (card.open) fill(card);
}
