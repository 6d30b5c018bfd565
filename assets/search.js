/**
 * The search's program and its index are fetched when a reader turns to the search. The theme asks
 * for both as soon as a page opens: what it asks is kept back here, which is why this runs first.
 */
{
  const INDEX = "/search/search_index.json";
  const PROGRAM = "/workers/search.";
  const SEARCH = ".md-search, label[for='__search']";
  const WISHES = ["pointerover", "pointerdown", "focusin"];
  const { open, send } = XMLHttpRequest.prototype;
  const { Worker } = window;
  const requests = new Map(); // request → what it was to send
  const programs = new Set();

  /** Stands for the search's program until it is wanted, and then between it and the theme. */
  class Waiting extends EventTarget {
    #waiting = [];
    #address;
    #worker;

    constructor(address) {
      super();
      this.#address = address;
      programs.add(this);
    }

    postMessage(message) {
      if (this.#worker) this.#worker.postMessage(message);
      else this.#waiting.push(message);
    }

    start() {
      this.#worker = new Worker(this.#address);
      this.#worker.addEventListener("message", ({ data }) =>
        this.dispatchEvent(new MessageEvent("message", { data })),
      );
      for (const message of this.#waiting) this.#worker.postMessage(message);
    }
  }

  /** Let go of what was kept back, and of all that the theme asks for from now on. */
  const wanted = ({ target }) => {
    if (!target.closest?.(SEARCH)) return;
    for (const wish of WISHES) removeEventListener(wish, wanted, true);
    Object.assign(XMLHttpRequest.prototype, { open, send });
    window.Worker = Worker;
    for (const program of programs) program.start();
    for (const [request, body] of requests) send.apply(request, body);
    requests.clear();
  };
  for (const wish of WISHES) addEventListener(wish, wanted, true);

  window.Worker = new Proxy(Worker, {
    construct: (made, [address, ...rest]) =>
      String(address).includes(PROGRAM) ? new Waiting(address) : new made(address, ...rest),
  });

  XMLHttpRequest.prototype.open = function (method, url, ...rest) {
    if (new URL(url, location.href).pathname.endsWith(INDEX)) requests.set(this, []);
    return open.call(this, method, url, ...rest);
  };

  XMLHttpRequest.prototype.send = function (...body) {
    if (requests.has(this)) requests.set(this, body);
    else send.apply(this, body);
  };
}
