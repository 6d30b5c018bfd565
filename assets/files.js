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

/** The site's root: scripts are in a folder of it. */
export const ROOT = new URL("..", import.meta.url);

let index;

/**
 * Where a figure of the post is, and how its own files are found; undefined where there is none.
 * @returns {Promise<{page: string, stem: string, files: string[]} | undefined>}
 */
export async function figure(name) {
  index ??= json(new URL("figures/index.json", ROOT));
  try {
    const found = await index;
    return Object.hasOwn(found, name) ? found[name] : undefined;
  } catch (error) {
    index = undefined; // another time it may come
    throw error;
  }
}

/** The address of a figure's own file, by the end of its name; undefined where it has none such. */
export function fileOf(figure, ending) {
  if (!figure?.files.includes(ending)) return undefined;
  return new URL(`figures/${figure.stem}${ending}`, ROOT).href;
}

/** A table by column as its rows, a new object each: Vega writes into them. */
export function rows(columns) {
  const entries = Object.entries(columns);
  const length = entries.length ? entries[0][1].length : 0;
  return Array.from({ length }, (_, index) =>
    Object.fromEntries(entries.map(([name, values]) => [name, values[index]])),
  );
}
