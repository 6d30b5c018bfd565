/** Probabilities and numbers of items, as the figures of endings show them. */

/** Two digits, and no more certainty than there is. */
export function percent(chance) {
  if (chance === null) return "–";
  if (chance < 0.0005) return "<0.1\u00a0%";
  if (chance < 0.0995) return `${(Math.round(1000 * chance) / 10).toFixed(1)}\u00a0%`;
  return `${Math.min(Math.round(100 * chance), 99)}\u00a0%`;
}

export const count = (items) => `${items} item${items === 1 ? "" : "s"}`;

/** How long a bar is. */
export const width = (chance) => `${(100 * (chance ?? 0)).toFixed(2)}%`;
