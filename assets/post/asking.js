/**
 * Under the opening figure: ask the model itself. Nothing is fetched before a reader says so, and
 * whatever goes wrong ends in a sentence; the figure above stays as it is.
 */
import { addressed } from "./address.js";
import { AskedList } from "./asked_list.js";
import { compare } from "./comparison.js";
import { button, element } from "./element.js";
import { json } from "./files.js";
import { Model, PUBLISHED, doubt, hindrance } from "./model.js";

const OTHERS = ["short", "long"];
const LONGEST = 80; // characters of a topic

const RECORDED =
  "Draws the list that the top of the figure shows again, in your browser and with the random numbers of the study, and compares it with what is published.";

const megabytes = (bytes) => Math.round(bytes / 1e6);

/** Offer the model below the figure `root`; `data` tells where the files are that asking needs. */
export function asking(root, data) {
  const figure = root.closest(".post-figure").id;
  const section = element("section", "ask");
  section.setAttribute("aria-label", "Ask the model yourself");
  root.append(section);
  if (PUBLISHED.link) {
    const link = element("a", "", "Ask the model yourself");
    link.href = PUBLISHED.link;
    const words = element("p", "ask-offer");
    words.append(link, ": where this page is published with the model, it runs in your browser.");
    section.append(words);
    return;
  }
  offer(hindrance());

  /** Say what a press of the button fetches, and what went wrong if it did. */
  function offer(wrong) {
    const size = megabytes(PUBLISHED.bytes);
    const words = `The model that was measured is fetched once (${size} MB) and kept by your browser. It runs in this page: what you type stays here.`;
    const told = element("p", "ask-note", doubt() ? `${doubt()} ${words}` : words);
    const open = button(`Ask the model yourself (${size} MB)`, "", fetchModel);
    const said = element("p", "ask-wrong", wrong);
    said.setAttribute("role", "status");
    section.replaceChildren(...(hindrance() ? [said] : [open, told, said]));
    return open;
  }

  async function fetchModel() {
    const model = new Model();
    const bar = element("progress");
    bar.setAttribute("aria-label", "The model is fetched");
    bar.max = PUBLISHED.bytes;
    const said = element("p", "ask-note", "The model is being fetched.");
    const cancel = button("Cancel", "Do not fetch the model", () => model.close());
    section.replaceChildren(bar, cancel, said);
    cancel.focus();
    try {
      const [about, opened] = await Promise.all([
        json(data.dataset.asking).catch(() => {
          throw new Error("The prompts could not be fetched: is there a connection?");
        }),
        model.open(({ at, of }) => {
          bar.value = at;
          said.textContent = `${megabytes(at)} of ${megabytes(of)} MB`;
        }),
      ]);
      begin(model, about, opened.note);
    } catch (error) {
      model.close();
      offer(error.message).focus();
    }
  }

  function begin(model, about, note) {
    const form = formOf(about);
    const { ask, word, heat, share, seed, write, more, again } = form.elements;
    const said = element("p", "ask-note", note);
    said.setAttribute("role", "status");
    const checkButton = button("Check the recorded list", "", check);
    section.replaceChildren(form, said);
    const list = new AskedList(section, { about, edited, anew });
    section.append(
      checkButton,
      element("p", "ask-note", RECORDED),
    );
    const keepOwn = addressed(figure, form);
    let busy = false;
    let shown; // what the list in hand was asked with

    /** Prompts in the order in which the model is to read them: who writes comes first. */
    const promptsOf = (first, own) =>
      [first, ...OTHERS.filter((name) => name !== first)].map((name) => ({
        name,
        ...about.prompts[name],
        own,
      }));

    const settings = () => ({
      temperature: Number(heat.value),
      topP: Number(share.value),
      key: BigInt(seed.value || 0).toString(16),
    });

    /** Read what is given, and write on unless `draw` is null; tells the list as it grows. */
    async function work(given, known, draw) {
      const { plus, minus, breaks, blanks, ends } = about.tokens;
      busy = true;
      look();
      said.textContent = "";
      try {
        const done = await model.write(
          {
            prompts: shown.prompts.map(({ before, own, after }) => ({ before, own, after })),
            ...{ given, known, breaks, blanks, ends, draw },
            most: about.settings.max_new_tokens,
            contrast: [plus[0], minus[0]],
          },
          (reading) => list.add(reading, byPrompt(reading)),
        );
        list.end(done);
        return done;
      } catch (error) {
        said.textContent = error.message;
        return null;
      } finally {
        busy = false;
        look();
      }
    }

    function byPrompt({ chances, lens, likely }) {
      return Object.fromEntries(
        shown.prompts.map(({ name }, place) => [
          name,
          { chance: chances[place], lens: lens[place], likely: likely[place] },
        ]),
      );
    }

    function look() {
      section.ariaBusy = busy;
      write.textContent = busy ? "Stop" : "Write";
      again.hidden = busy || !list.ids.length;
      more.hidden = again.hidden || list.ids.length >= about.settings.max_new_tokens;
      checkButton.ariaDisabled = busy;
    }

    function start(word_, own) {
      shown = { word: word_, own, prompts: promptsOf(word_, own) };
      list.begin(word_, own);
    }

    function submit() {
      if (busy) return model.stop();
      const own = [...ask.value.trim()].slice(0, LONGEST).join(""); // an address may say more
      if (!own) {
        said.textContent = "Name a topic, in any language.";
        ask.focus();
        return;
      }
      keepOwn();
      start(word.value, own);
      work([], 0, settings());
    }

    /** An item reads otherwise now: what stands behind it is kept, token by token, and read anew. */
    async function edited(row, text) {
      if (busy) return;
      const ids = await model.encode(text);
      const rest = list.ids.slice(row.end);
      const given = [...list.ids.slice(0, row.from), ...ids, ...rest];
      list.cut(row.place);
      await work(given, row.from, null);
      list.focus(row.place);
    }

    /** Write the list anew behind an item, with the next random numbers. */
    async function anew(row) {
      if (busy) return;
      seed.value = Number(seed.value) + 1;
      keepOwn();
      const given = list.ids.slice(0, row.end);
      list.cut(row.place + 1);
      await work(given, row.end, settings());
    }

    async function check() {
      if (busy) return;
      busy = true; // while the record is fetched, too
      look();
      const chosen = root.querySelector("form").elements;
      const [topic, template, sample] = ["topic", "template", "sample"].map((n) => chosen[n].value);
      const number = about.topics.indexOf(topic);
      try {
        const lists = await json(`${data.dataset.lists}${number}.json`);
        const chances = await json(chosen.topic.selectedOptions[0].dataset.file);
        const recorded = lists[template][sample];
        start(template, topic);
        const { temperature, top_p: topP } = about.settings;
        const drawn = await work([], 0, { temperature, topP, key: recorded.key });
        if (drawn) said.textContent = compare(drawn.ids, recorded.ids, list.chances, chances[template][sample]);
      } catch (error) {
        console.error(error);
        said.textContent = "The recorded list could not be fetched.";
      } finally {
        busy = false;
        look();
      }
    }

    form.addEventListener("submit", (event) => {
      event.preventDefault();
      submit();
    });
    again.addEventListener("click", () => {
      seed.value = Number(seed.value) + 1;
      form.requestSubmit();
    });
    more.addEventListener("click", () => {
      // A list that ended goes on as if its end had been a line break.
      const { ends, minus, hyphen } = about.tokens;
      const ended = ends.includes(list.ids.at(-1));
      const given = ended ? [...list.ids.slice(0, -1), minus[0], hyphen[0]] : list.ids;
      work(given, given.length, settings());
    });
    look();
    ask.focus({ preventScroll: true });
    if (ask.value) form.requestSubmit();
  }
}

/** The fields of a question; `most` characters, whatever is pasted. */
function formOf({ settings }) {
  const form = element("form", "post-controls ask-form");
  form.autocomplete = "off";
  const field = (title, name, attributes) => {
    const label = element("label", "", `${title} `);
    const input = Object.assign(element("input"), { name, ...attributes });
    input.defaultValue = attributes.value ?? "";
    label.append(input);
    form.append(label);
  };
  field("Your topic", "ask", { type: "text", maxLength: LONGEST, placeholder: "Constellations", dir: "auto" });
  const label = element("label", "", "Asked for ");
  const menu = Object.assign(element("select"), { name: "word" });
  for (const [name, words] of [["short", "a short list"], ["long", "a long list"], ["none", "a list"]]) {
    menu.append(new Option(words, name));
  }
  label.append(menu);
  form.append(label);
  const number = { type: "number", required: true };
  field("Temperature", "heat", { ...number, min: 0.1, max: 2, step: 0.1, value: settings.temperature });
  field("Top-p", "share", { ...number, min: 0.05, max: 1, step: 0.05, value: settings.top_p });
  field("Seed", "seed", { ...number, min: 0, max: 4294967295, step: 1, value: 1 });
  const buttons = element("div", "ending-steps");
  for (const [name, words] of [["write", "Write"], ["more", "Go on"], ["again", "Again"]]) {
    const made = element("button", "", words);
    made.name = name;
    made.type = name === "write" ? "submit" : "button";
    buttons.append(made);
  }
  form.append(buttons);
  return form;
}
