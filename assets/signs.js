/** The claims of a paragraph, which its sign opens, as the page of claims tells them. */
import { element } from "./element.js";
import { pageOf, placeOf } from "./passages.js";

/** Put statements, verdicts and numbers in the place of bare links. */
export async function signed(list) {
  const links = [...list.querySelectorAll("a")];
  if (!links.length) return;
  const pages = new Map(); // claims may be on more than one
  for (const link of links) pages.set(link.pathname, pages.get(link.pathname) ?? pageOf(link));
  const claims = await Promise.all(
    links.map(async (link) => [link, placeOf(link, await pages.get(link.pathname))]),
  );
  for (const told of list.querySelectorAll("small")) told.remove();
  for (const [link, claim] of claims) {
    const verdict = claim?.querySelector(".post-claim-tests li");
    if (!verdict) continue;
    const [sign] = link.textContent.split(" ");
    link.textContent = `${sign} ${claim.querySelector(".post-claim-says").textContent}`;
    const told = element("small");
    told.append(...verdict.childNodes);
    link.after(told);
  }
}
