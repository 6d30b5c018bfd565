/** Files of figures, fetched when they are needed. */

async function answered(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  return answer;
}

export async function json(url) {
  return (await answered(url)).json();
}

export async function text(url) {
  return (await answered(url)).text();
}

/** A table by column as its rows, a new object each: Vega writes into them. */
export function rows(columns) {
  const entries = Object.entries(columns);
  const length = entries.length ? entries[0][1].length : 0;
  return Array.from({ length }, (_, index) =>
    Object.fromEntries(entries.map(([name, values]) => [name, values[index]])),
  );
}
