/**
 * The index of the search is fetched when a reader turns to the search. The theme asks for it as
 * soon as a page opens: its request is kept back here, which is why this runs before the theme.
 */
{
  const INDEX = "/search/search_index.json";
  const SEARCH = ".md-search, label[for='__search']";
  const WISHES = ["pointerover", "pointerdown", "focusin"];
  const { open, send } = XMLHttpRequest.prototype;
  const kept = new Map(); // request → what it was to send

  /** Let go of what was kept back, and of the theme's requests to come. */
  const wanted = ({ target }) => {
    if (!target.closest?.(SEARCH)) return;
    for (const wish of WISHES) removeEventListener(wish, wanted, true);
    Object.assign(XMLHttpRequest.prototype, { open, send });
    for (const [request, body] of kept) send.apply(request, body);
    kept.clear();
  };
  for (const wish of WISHES) addEventListener(wish, wanted, true);

  XMLHttpRequest.prototype.open = function (method, url, ...rest) {
    if (new URL(url, location.href).pathname.endsWith(INDEX)) kept.set(this, []);
    return open.call(this, method, url, ...rest);
  };

  XMLHttpRequest.prototype.send = function (...body) {
    if (kept.has(this)) kept.set(this, body);
    else send.apply(this, body);
  };
}
