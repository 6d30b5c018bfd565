import * as vega from "vega";
import * as vegaLite from "vega-lite";
import { config } from "./theme.js";

/** A figure's panels, each drawn as Framework's own `vl.render` does, by what is in node_modules. */
export async function chart(name, panels, file) {
  const datasets = await file.json();
  const figure = Object.assign(document.createElement("div"), { id: name, className: "chart" });
  for (const panel of panels) {
    const { spec } = vegaLite.compile({ ...panel, config, datasets });
    const view = new vega.View(vega.parse(spec), { renderer: "svg" });
    const place = figure.appendChild(document.createElement("div"));
    await view.initialize(place).hover().runAsync();
  }
  return figure;
}
