/** The list explorer: filter and search all lists. */
import { follow } from "./choice.js";
import { button, element } from "./element.js";
import { json } from "./files.js";
import { near } from "./near.js";

const MOST_LISTS = 60;

/** Let a row lead to its list, by a click on it or by a button in it. */
function leads(row, about) {
  if (about) row.dataset.door = JSON.stringify(about);
  const { topic, template, sample } = JSON.parse(row.dataset.door);
  const open = button("open", `Open the ${template} list of ${topic}, sample ${sample}`, () => {});
  open.className = "list-open";
  row.lastElementChild.append(" ", open);
  return row;
}

/** Let the form of an explorer choose among all lists. */
export function explorer(root) {
  const form = root.querySelector("form");
  const count = root.querySelector(".post-count");
  const found = root.querySelector(".post-found");
  const plain = [...found.childNodes];
  const said = count.textContent;
  let all;

  function entry(index, wanted) {
    const row = element("li");
    const template = all.template[index];
    row.append(element("span", `template template-${template.replace(/[^a-z]/g, "")}`, template));
    const items = element("span", "items");
    for (const [place, item] of all.items[index].entries()) {
      if (place) items.append(" · ");
      const hit = wanted && item.toLowerCase().includes(wanted);
      items.append(hit ? element("mark", "", item) : item);
    }
    const length = all.items[index].length;
    const facts = [
      all.topic[index],
      `temperature ${all.temperature[index]}`,
      `${length} item${length === 1 ? "" : "s"}`,
      all.repeats[index] ? `${all.repeats[index]} repeated` : "",
      all.ended[index] ? "ended" : "cut at the limit",
      all.reason[index] === "capped" ? "" : all.reason[index],
    ];
    const said = element("span");
    said.append(items, " ", element("small", "", facts.filter(Boolean).join(", ")));
    const about = {
      topic: all.topic[index],
      template,
      temperature: String(all.temperature[index]),
      sample: String(all.sample[index]),
    };
    row.append(said);
    return leads(row, about);
  }

  function show() {
    const chosen = Object.fromEntries([...form.elements].map(({ name, value }) => [name, value]));
    const wanted = chosen.text.trim().toLowerCase();
    const hits = [];
    for (let index = 0; index < all.topic.length; index++) {
      const fits =
        (!chosen.topic || all.topic[index] === chosen.topic) &&
        (!chosen.template || all.template[index] === chosen.template) &&
        (!chosen.temperature || all.temperature[index] === Number(chosen.temperature)) &&
        (!wanted || all.items[index].some((item) => item.toLowerCase().includes(wanted)));
      if (fits) hits.push(index);
    }
    const asked = wanted || chosen.topic || chosen.template || chosen.temperature;
    found.classList.toggle("all", Boolean(asked));
    if (!asked) {
      found.replaceChildren(...plain);
      count.textContent = said;
      return;
    }
    const list = element("ul", "post-hits");
    list.append(...hits.slice(0, MOST_LISTS).map((index) => entry(index, wanted)));
    found.replaceChildren(list);
    found.tabIndex = 0;
    const more = hits.length > MOST_LISTS ? `; the first ${MOST_LISTS} are below` : "";
    count.textContent = `${hits.length.toLocaleString("en")} of ${all.topic.length.toLocaleString("en")} lists${more}`;
  }

  async function update() {
    await near(root);
    all ??= await json(root.dataset.lists);
    show();
  }

  follow(form, () => {
    update().catch((error) => {
      found.replaceChildren(...plain);
      console.error(error);
    });
  });
  for (const row of found.querySelectorAll("[data-door]")) leads(row);
  form.hidden = false;
  const asked = [...form.elements].some(({ value }) => value);
  return asked ? update() : Promise.resolve();
}
