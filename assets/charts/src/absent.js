/**
 * Stands in for what Vega can do and our charts do not: maps and files of text.
 * d3-dsv compiles code from strings, which the page's policy forbids.
 */
function absent() {
  throw new Error("not part of this page's charts");
}

export {
  absent as dsvFormat,
  absent as feature,
  absent as geoArea,
  absent as geoBounds,
  absent as geoCentroid,
  absent as mesh,
};
