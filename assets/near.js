/** What a reader comes near to: data and charts wait until then. */

/** A function that promises an element within a distance of the window, now or when it comes. */
function within(rootMargin) {
  const waiting = new WeakMap();
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        observer.unobserve(target);
        waiting.get(target).resolve();
        waiting.delete(target);
      }
    },
    { rootMargin },
  );
  return (target) => {
    if (!waiting.has(target)) {
      let resolve;
      const promise = new Promise((kept) => (resolve = kept));
      waiting.set(target, { promise, resolve });
      observer.observe(target);
    }
    return waiting.get(target).promise;
  };
}

/** Wait until an element is, or comes, within 600 pixels of the window. */
export const near = within("600px 0px");

/** Wait until an element is seen. */
export const inView = within("0px");
