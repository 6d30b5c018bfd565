/** Builds ../charts.js and the licences of what is in it: `npm ci && npm run build`. */
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

/**
 * Vega names gradients and clips by the page's whole address. Ours keeps the reader's choices and
 * changes: the names must be local, or they lead to a page that is no longer there.
 */
const address = /\(loc = window\.location\)\.hash \? [^:]*: loc\.href/;
const localNames = {
  name: "local-names",
  setup({ onLoad }) {
    onLoad({ filter: /vega-scenegraph\.js$/ }, ({ path }) => {
      const source = readFileSync(path, "utf8");
      if (!address.test(source)) throw new Error(`${path}: names nothing by the page's address`);
      return { contents: source.replace(address, '""') };
    });
  },
};

const result = await build({
  entryPoints: ["src/charts.js"],
  outfile: "../charts.js",
  bundle: true,
  alias: Object.fromEntries(
    ["d3-dsv", "d3-geo", "topojson-client"].map((name) => [name, "./src/absent.js"]),
  ),
  minify: true,
  format: "esm",
  target: "es2022",
  platform: "browser",
  legalComments: "none",
  plugins: [localNames],
  banner: { js: "/* Third-party code; licences: charts/LICENCES.txt */" },
  metafile: true,
});

const inside = Object.keys(result.metafile.inputs)
  .map((path) => path.match(/node_modules\/((?:@[^/]+\/)?[^/]+)\//)?.[1])
  .filter(Boolean);
const notices = [...new Set(inside)].sort().map((name) => {
  const folder = `node_modules/${name}`;
  const about = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file ? readFileSync(`${folder}/${file}`, "utf8").trim() : "";
  return `${name} ${about.version} (${about.license})\n\n${text}\n`;
});
writeFileSync("LICENCES.txt", notices.join(`\n${"-".repeat(72)}\n\n`));
