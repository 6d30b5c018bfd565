/**
 * One list of nodes becomes another with as little change as can be. A node is known by what was
 * published of it, for scripts have changed it since; a figure by its id.
 */
import { Idiomorph } from "./idiomorph.esm.js";

const sources = new WeakMap();
const ADDED = ".post-choice, .preview-panel";

/** What was published of a node; with `html`, remember that. */
export function source(node, html) {
  if (html !== undefined) sources.set(node, html);
  return sources.get(node);
}

/** A node's children that came with the page: elements, and the marks of sections. */
export function nodes(parent) {
  return [...parent.childNodes].filter(came);
}

function came(node) {
  const isElement = node.nodeType === Node.ELEMENT_NODE;
  return node.nodeType === Node.COMMENT_NODE || (isElement && !node.matches(ADDED));
}

/** Remember what was published of every child of `live`, where the two have as many. */
export function learn(live, published) {
  const [mine, theirs] = [nodes(live), nodes(published)];
  if (mine.length !== theirs.length) return;
  for (const [index, node] of theirs.entries()) source(mine[index], html(node));
}

function html(node) {
  return node.nodeType === Node.COMMENT_NODE ? `<!--${node.data}-->` : node.outerHTML;
}

const isFigure = (node) => node.id && node.matches?.(".post-figure, [data-slot]");
const keyOf = (node) => (isFigure(node) ? `#${node.id}` : sources.get(node) ?? html(node));
const keyOfNext = (node) => (isFigure(node) ? `#${node.id}` : html(node));

/**
 * Let `next` stand in `parent` where `old` stood, before `end`. Nodes of the same source stay, even
 * where others come or go between them; `started` is called with every element that is new.
 */
export function settle(parent, old, next, end, started) {
  const there = new Map();
  for (const node of old) {
    const key = keyOf(node);
    if (!there.has(key)) there.set(key, []);
    there.get(key).push(node);
  }
  const wanted = new Set(next.map(keyOfNext));
  const free = old.filter((node) => !wanted.has(keyOf(node)));
  const left = new Set(old);
  let at = old[0] ?? end;
  for (const node of next) {
    let mine = there.get(keyOfNext(node))?.shift();
    let isNew = false;
    if (mine) {
      if (node.matches?.(".post-figure")) {
        const before = mine;
        mine = updated(before, node, started);
        if (at === before) at = mine;
      }
    } else if (free.length && mayBecome(free[0], node)) {
      mine = free.shift();
      morph(mine, node);
    } else {
      mine = document.importNode(node, true);
      sources.set(mine, html(node));
      isNew = true;
    }
    left.delete(mine);
    if (mine === at) at = following(at, end);
    else parent.insertBefore(mine, at);
    if (isNew && mine.nodeType === Node.ELEMENT_NODE) started(mine);
  }
  for (const node of left) node.remove();
}

/** The next sibling that came with the page. */
function following(node, end) {
  let next = node.nextSibling;
  while (next && next !== end && !came(next)) next = next.nextSibling;
  return next;
}

function mayBecome(node, next) {
  const alike = node.nodeType === Node.ELEMENT_NODE && node.nodeName === next.nodeName;
  return alike && !isFigure(node) && !isFigure(next);
}

function morph(node, next) {
  const keepOpen = (name) => name !== "open";
  const becomes = html(next);
  Idiomorph.morph(node, becomes, {
    morphStyle: "outerHTML",
    callbacks: { beforeAttributeUpdated: keepOpen },
  });
  sources.set(node, becomes);
}

/** A figure as it is published now; its chart stays if it shows the same. */
function updated(figure, next, started) {
  const becomes = html(next);
  if (sources.get(figure) === becomes) return figure;
  const [chart, other] = [figure, next].map((one) => one.querySelector(".post-chart"));
  const same = chart?.dataset.drawn && chart.dataset.vega === other?.dataset.vega;
  if (!same || figure.classList.contains("preview-wrong")) {
    const mine = document.importNode(next, true);
    sources.set(mine, becomes);
    figure.replaceWith(mine);
    started(mine);
    return mine;
  }
  for (const { name, value } of next.attributes) figure.setAttribute(name, value);
  for (const part of [".post-stale", ".post-other"]) {
    figure.querySelector(`:scope > ${part}`)?.remove();
    const now = next.querySelector(`:scope > ${part}`);
    if (now) figure.querySelector(".post-body").before(document.importNode(now, true));
  }
  morph(figure.querySelector("figcaption"), next.querySelector("figcaption"));
  sources.set(figure, becomes);
  return figure;
}
