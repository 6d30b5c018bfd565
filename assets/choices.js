/**
 * What means the same in every figure of a page, and is chosen once for all of them: the study, and
 * what `choices` in mkdocs.yml names.
 */
const given = document.querySelector('meta[name="post-choices"]')?.content ?? "[]";
const CHOICES = [...JSON.parse(given), { name: "study", title: "study" }];

const byName = (told) => Object.fromEntries(CHOICES.map((one) => [one.name, told(one)]));

/** The words before a menu -> the name in the address. */
export const SHARED = Object.fromEntries(
  CHOICES.flatMap(({ name, title }) => [
    [title, name],
    [name, name],
  ]),
);

/** What can be chosen, by its name in the address, in words. */
export const WORDS = byName(({ title }) => title);

/** What is said while something is chosen, by its name in the address. */
export const NOTES = byName(({ note = "" }) => note);

/** What holds in figures that neither follow a choice nor mark it, by its name in the address. */
export const OTHERWISE = byName(({ title, otherwise = `no ${title} is told apart` }) => otherwise);
