/** What stands behind an item of a list that a reader asked for: the lens by depth, the likeliest tokens. */
import { percent } from "./chances.js";
import { element } from "./element.js";
import { shape } from "./shape.js";

const [WIDE, HIGH] = [300, 110];
const SIGNS = { "\n": "⏎", "\t": "⇥", " ": "␣" };

const visible = (text) => text.replace(/^ | $|[\n\t]/g, (sign) => SIGNS[sign]);

const signed = (value) => value.toFixed(1).replace("-", "−");

/**
 * Show what was read behind an item.
 * @param {Element} place is filled
 * @param {string} text of the item
 * @param {Record<string, {lens: number[], likely: {text: string, chance: number}[]}>} read by prompt
 */
export function inside(place, text, read) {
  const title = element("p", "ask-title");
  const item = element("b", "", text);
  item.dir = "auto";
  title.append("Behind ", item);
  const ends = Object.entries(read).map(([name, { lens }]) => `${signed(lens.at(-1))} asked for ${name}`);
  const words = `Logit of the end minus logit of a line break, read through the logit lens after each block; at the last one ${ends.join(", ")}.`;
  const lens = element("div");
  lens.append(element("p", "ask-note", words), picture(read));
  const likely = element("div", "ask-likely");
  likely.append(element("p", "ask-note", "The likeliest next tokens, by what was asked for"));
  for (const [name, { likely: tokens }] of Object.entries(read)) likely.append(ranking(name, tokens));
  place.replaceChildren(title, lens, likely);
}

/** The contrast of each prompt as a line over the depths, before a line at zero. */
function picture(read) {
  // The embedding knows of the item's last token alone, and would set the scale.
  const lines = Object.entries(read).map(([name, { lens }]) => [name, lens.slice(1)]);
  const all = lines.flatMap(([, lens]) => lens);
  const [low, high] = [Math.min(0, ...all), Math.max(0, ...all)];
  const y = (value) => HIGH * (1 - (value - low) / (high - low || 1));
  const made = shape("svg", { class: "ask-lens", viewBox: `-36 -8 ${WIDE + 44} ${HIGH + 30}`, role: "img" });
  made.setAttribute("aria-label", "The contrast after each block, a line per prompt");
  made.append(shape("line", { x1: 0, x2: WIDE, y1: y(0), y2: y(0) }));
  const last = lines[0][1].length - 1;
  for (const [name, lens] of lines) {
    const points = lens.map((value, block) => `${(WIDE * block) / last},${y(value)}`);
    made.append(shape("polyline", { class: `is-${name}`, points: points.join(" ") }));
  }
  const words = [
    [-6, y(high) + 4, "end", signed(high)],
    [-6, y(low) + 4, "end", signed(low)],
    [0, HIGH + 18, "start", "block 0"],
    [WIDE, HIGH + 18, "end", `block ${last}`],
  ];
  for (const [x, at, anchor, word] of words) {
    made.append(shape("text", { x, y: at, "text-anchor": anchor }, word));
  }
  return made;
}

/** The likeliest next tokens under one prompt. */
function ranking(name, tokens) {
  const list = element("ol");
  for (const { text, chance } of tokens) {
    const row = element("li");
    row.append(element("code", "", visible(text)), ` ${percent(chance)}`);
    list.append(row);
  }
  const part = element("div");
  part.append(element("span", `template template-${name}`, name === "none" ? "a list" : name), list);
  return part;
}
