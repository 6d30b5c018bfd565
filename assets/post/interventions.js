/** One list under each intervention: pick another. Texts are put in as text. */
import { follow } from "./choice.js";
import { element } from "./element.js";
import { json } from "./files.js";

/** Let a form pick the topic and the number of the list that all columns show. */
export function interventions(root) {
  const form = root.querySelector("form");
  const count = root.querySelector(".post-count");
  const columns = [...root.querySelectorAll("[data-intervention]")];
  const { topic, sample } = form.elements;
  let shown = `${topic.value}/${sample.value}`;
  let latest = 0;

  function line([text, kind], isNew) {
    const made = element("li", kind === "item" ? "" : `is-${kind}`, text);
    made.toggleAttribute("data-new", isNew);
    return made;
  }

  function write(column, list, same) {
    const [open, folded] = column.querySelectorAll("ol");
    const differs = list.lines.findIndex(([text], at) => text !== same[at]?.[0]);
    const departs = differs < 0 ? list.lines.length : differs;
    const made = list.lines.map((one, at) => line(one, at >= departs));
    open.replaceChildren(...made.slice(0, list.open));
    folded.replaceChildren(...made.slice(list.open));
    folded.start = list.open + 1;
    const fold = column.querySelector("details");
    fold.hidden = made.length === list.open;
    fold.open = false;
    fold.querySelector("summary").textContent = `+ ${made.length - list.open} more`;
    const end = column.querySelector(".interventions-end");
    end.textContent = list.end;
    end.toggleAttribute("data-cut", !list.ended);
  }

  async function show() {
    const mine = ++latest;
    try {
      const samples = await json(topic.selectedOptions[0].dataset.file);
      if (mine !== latest) return;
      const wanted = sample.value;
      sample.replaceChildren(...Object.keys(samples).map((number) => new Option(number)));
      sample.value = wanted in samples ? wanted : Object.keys(samples)[0];
      const now = `${topic.value}/${sample.value}`;
      if (now === shown) return;
      shown = now;
      const lists = samples[sample.value];
      const same = lists.unchanged.lines;
      for (const column of columns) write(column, lists[column.dataset.intervention], same);
      count.textContent = `topic ${topic.value} · sample ${sample.value}`;
    } catch (error) {
      console.error(error); // what is shown stays
    }
  }

  follow(form, show);
  form.hidden = false;
  if (`${topic.value}/${sample.value}` !== shown) show();
}
