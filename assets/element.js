/** A new element. Its text is put in as text: what a model wrote is never HTML. */
export function element(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

/** A button that says `words`, with a longer `label` where these are short, and what it does. */
export function button(words, label, act) {
  const made = element("button", "", words);
  made.type = "button";
  if (label) made.setAttribute("aria-label", label);
  made.addEventListener("click", act);
  return made;
}
