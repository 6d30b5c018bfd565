/** Nothing of the page is fetched from elsewhere, and nothing is built that the page does not show. */
export default {
  title: "The same post",
  root: "src",
  pages: [],
  sidebar: false,
  pager: false,
  footer: "",
  globalStylesheets: [],
};
