/**
 * Puts compiled charts together again that `site_builder/charts/compact_spec.py` has folded; the format is
 * described there.
 *
 * @param {{parts: any[], charts: object[]}} folded
 * @returns {object[]} Vega specifications; rows are each chart's own, because Vega writes into them
 */
export function unfold({ parts, charts }) {
  const told = [];
  const whole = (value) => {
    if (value === null || typeof value !== "object") return value;
    if (Array.isArray(value)) return value.map(whole);
    if ("$" in value) return told[value.$];
    return Object.fromEntries(Object.entries(value).map(([key, inside]) => [key, whole(inside)]));
  };
  for (const part of parts) told.push(whole(part));
  return charts.map(whole).map((chart) => ({
    ...chart,
    data: chart.data.map((data) => (data.values ? { ...data, values: rows(data.values) } : data)),
  }));
}

function rows({ rows: length, columns }) {
  const named = Object.entries(columns).map(([name, column]) => [name, values(column, length)]);
  return Array.from({ length }, (_, row) =>
    Object.fromEntries(named.map(([name, column]) => [name, column[row]])),
  );
}

function values(column, length) {
  if (Array.isArray(column)) return column;
  if ("all" in column) return Array(length).fill(column.all);
  if ("of" in column) return values(column.at, length).map((place) => column.of[place]);
  if ("steps" in column) return stepped(column.steps);
  return divided(column.is, column.over);
}

function stepped(steps) {
  const values = [];
  for (let place = 0, value = 0; place < steps.length; place += 2) {
    for (let count = steps[place + 1]; count > 0; count -= 1) values.push((value += steps[place]));
  }
  return values;
}

function divided(value, by) {
  if (Array.isArray(value)) return value.map((one) => divided(one, by));
  return value === null ? null : value / by;
}
