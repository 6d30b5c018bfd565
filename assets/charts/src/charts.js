/**
 * Draws a compiled Vega specification into an element, as SVG, without `eval`.
 *
 * Only the parts of Vega that lines, areas, points, rules, bars, heatmaps, text, facets, selections
 * and tooltips need are in here; no maps, no networks, no projections.
 */
import { transforms } from "vega-dataflow";
import * as encoders from "vega-encode";
import { expressionInterpreter } from "vega-interpreter";
import { parse } from "vega-parser";
import { Handler } from "vega-tooltip";
import * as operators from "vega-transforms";
import { View } from "vega-view";
import * as layout from "vega-view-transforms";

export { unfold } from "./unfold.js";

Object.assign(transforms, operators, layout, encoders);

const tooltip = new Handler({ disableDefaultStyle: true });

/**
 * Draw `specification` into `element`.
 *
 * @param {object} specification compiled Vega, with all data inside
 * @param {HTMLElement} element empty, in the document
 * @returns {Promise<View>} once it is drawn
 */
export async function draw(specification, element) {
  const runtime = parse(specification, undefined, { ast: true });
  const view = new View(runtime, {
    container: element,
    expr: expressionInterpreter,
    hover: true,
    loader: { load: refuse, sanitize: refuse },
    renderer: "svg",
    tooltip: tooltip.call,
  });
  await view.runAsync();
  return view;
}

/** A figure carries its data: it has nothing to load and nowhere to link to. */
async function refuse(uri) {
  throw new Error(`charts load nothing: ${uri}`);
}
