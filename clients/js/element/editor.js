/** The dialog in which the person chooses a part of the picture, sends it, and sees what happens. */

import { h, icon } from "./dom.js";
import { Stage } from "./stage.js";
import { explain, filled } from "./strings.js";

/** @import { Crop, Progress, ProfileMediaError, Slot } from "../src/index.js" */
/** @import { Strings } from "./index.js" */
/** @import { Source } from "./source.js" */

/** How the pictures of a slot are shown: `previews` are widths in CSS pixels. */
export const SHAPES = {
  avatar: { ratio: 1, round: true, previews: [256, 128, 64], best: { width: 512, height: 512 } },
  coverImage: { ratio: 3, round: false, previews: [375], best: { width: 1500, height: 500 } },
};

/** The zoom slider has this many steps. */
const ZOOM_STEPS = 100;

/** @typedef {{ signal: AbortSignal, onProgress: (progress: Progress) => void }} Watch */

/** @typedef {(result: { file: Blob, crop?: Crop }, watch: Watch) => Promise<void>} Send */

export class Editor {
  /** @type {AbortController | null} */ #sending = null;
  #strings;
  #language;
  #send;
  #stage;
  #said = h("p", { class: "unseen", role: "status" });
  #message = h("p", { part: "message", class: "message", role: "alert" });
  #phase = h("span", { class: "phase" });
  #bar = h("progress", { part: "progress", max: 1 });
  #unseen;
  #slider;
  #controls;
  #progress;
  #apply;
  #cancel;
  #other;

  /**
   * @param {object} options
   * @param {Slot} options.slot
   * @param {Strings} options.strings
   * @param {string} options.language
   * @param {Send} options.send
   * @param {() => void} options.choose open the file dialog
   * @param {() => void} options.closed
   */
  constructor({ slot, strings, language, send, choose, closed }) {
    this.#strings = strings;
    this.#language = language;
    this.#send = send;
    const { ratio, round, previews } = SHAPES[slot];
    this.#stage = new Stage({ ratio, round, changed: (byKey) => this.#changed(byKey) });
    this.#stage.element.setAttribute("aria-label", strings.area);
    this.#stage.element.setAttribute("aria-describedby", "help");
    this.#unseen = h("p", { class: "cannot", hidden: true }, strings.unseen);
    this.#stage.element.append(this.#unseen);
    this.#slider = h("input", {
      part: "zoom",
      type: "range",
      max: ZOOM_STEPS,
      "aria-label": strings.zoom,
      input: () => this.#stage.zoomTo(this.#slider.valueAsNumber / ZOOM_STEPS),
    });
    this.#controls = this.#makeControls();
    this.#progress = h("div", { class: "sending" }, h("label", {}, this.#phase, this.#bar));
    this.#apply = button("apply", "primary", strings.apply, () => this.#submit());
    this.#cancel = button("cancel", "", strings.cancel, () => this.#giveUp());
    this.#other = button("other", "plain", strings.other, choose);
    this.element = h(
      "dialog",
      {
        part: "dialog",
        class: slot,
        "aria-labelledby": "title",
        cancel: (event) => {
          event.preventDefault();
          this.#giveUp();
        },
        close: () => {
          this.#stage.close();
          closed();
        },
      },
      h("div", { class: "head" }, h("h2", { id: "title", part: "title" }, strings.adjust), this.#other),
      h("div", { class: "body" }, this.#stage.element, this.#makePreviews(previews)),
      h("div", { class: "strip" }, h("p", { id: "help", class: "help" }, strings.areaHelp), this.#message),
      h("div", { class: "strip" }, this.#controls, this.#progress),
      h("div", { class: "actions" }, this.#cancel, this.#apply),
      this.#said,
    );
  }

  get open() {
    return this.element.open;
  }

  get busy() {
    return this.#sending !== null;
  }

  /** Show a picture. @param {Source} source */
  show(source) {
    this.#complain("");
    this.#said.textContent = "";
    this.#unseen.hidden = source.bitmap !== null;
    this.#controls.toggleAttribute("inert", source.bitmap === null);
    this.#apply.textContent = this.#strings.apply;
    this.#setBusy(false);
    if (!this.element.open) this.element.showModal();
    this.#stage.open(source);
    this.#changed(false);
    this.#stage.element.focus({ preventScroll: true });
  }

  /** Say why something failed. @param {ProfileMediaError} error */
  fail(error) {
    this.#complain(explain(this.#strings, this.#language, error));
  }

  close() {
    this.#sending?.abort();
    this.element.close();
  }

  async #submit() {
    const sending = (this.#sending = new AbortController());
    /** @type {HTMLElement} */
    let next = this.#apply;
    this.#complain("");
    this.#apply.textContent = this.#strings.apply;
    this.#setBusy(true);
    this.#report({ phase: "preparing" });
    this.#cancel.focus();
    try {
      const result = await this.#stage.result();
      await this.#send(result, { signal: sending.signal, onProgress: (progress) => this.#report(progress) });
      this.element.close();
    } catch (error) {
      next = sending.signal.aborted ? this.#stopped() : this.#failed(/** @type {ProfileMediaError} */ (error));
    } finally {
      this.#sending = null;
      this.#setBusy(false);
      if (this.element.open) next.focus();
    }
  }

  #stopped() {
    this.#said.textContent = this.#strings.stopped;
    return this.#apply;
  }

  /** Explain the error. Return the button that helps. @param {ProfileMediaError} error */
  #failed(error) {
    this.fail(error);
    if (!error.retryable) return this.#other;
    this.#apply.textContent = this.#strings.again;
    return this.#apply;
  }

  /** Stop the upload, or close the dialog. */
  #giveUp() {
    if (this.#sending) this.#sending.abort();
    else this.element.close();
  }

  /** Show an error in place of the help. @param {string} text */
  #complain(text) {
    this.#message.textContent = text;
    this.element.classList.toggle("failed", text !== "");
  }

  /** @param {boolean} busy */
  #setBusy(busy) {
    this.element.classList.toggle("busy", busy);
    for (const each of [this.#stage.element, this.#controls, this.#other]) each.toggleAttribute("inert", busy);
    this.#progress.toggleAttribute("inert", !busy);
    this.#apply.disabled = busy;
    this.#cancel.textContent = busy ? this.#strings.stop : this.#strings.cancel;
  }

  /** @param {Progress} progress */
  #report(progress) {
    const { sending, processing, reading, retrying } = this.#strings;
    const texts = { preparing: reading, converted: reading, sending, processing, retrying };
    const text = texts[progress.phase];
    if (this.#phase.textContent !== text) this.#said.textContent = this.#phase.textContent = text;
    if (progress.phase === "sending") this.#bar.value = progress.sent / progress.total;
    else if (progress.phase !== "retrying") this.#bar.removeAttribute("value");
  }

  /** @param {boolean} byKey */
  #changed(byKey) {
    const { position } = this.#stage;
    const percent = new Intl.NumberFormat(this.#language, { style: "percent" });
    const zoom = percent.format(position.zoom);
    this.#slider.value = String(Math.round(this.#stage.zoom * ZOOM_STEPS));
    this.#slider.setAttribute("aria-valuetext", zoom);
    if (!byKey) return;
    const values = { x: percent.format(position.x), y: percent.format(position.y), zoom };
    this.#said.textContent = filled(this.#strings.position, values);
  }

  #makeControls() {
    const { turnLeft, turnRight, zoomIn, zoomOut } = this.#strings;
    return h(
      "div",
      { class: "controls", part: "controls" },
      iconButton("minus", zoomOut, () => this.#stage.zoomBy(-1)),
      this.#slider,
      iconButton("plus", zoomIn, () => this.#stage.zoomBy(1)),
      iconButton("left", turnLeft, () => this.#stage.turn(-1)),
      iconButton("right", turnRight, () => this.#stage.turn(1)),
    );
  }

  /** @param {number[]} widths */
  #makePreviews(widths) {
    const figures = widths.map((width) => {
      const canvas = h("canvas", { part: "preview", class: `preview w${width}`, "aria-hidden": "true" });
      this.#stage.previews.push(canvas);
      return canvas;
    });
    return h("div", { class: "previews", role: "img", "aria-label": this.#strings.preview }, ...figures);
  }
}

/** @param {string} part @param {string} look @param {string} text @param {() => void} click */
export function button(part, look, text, click) {
  return h("button", { type: "button", part: `button ${part}`, class: look, click }, text);
}

/** @param {string} name @param {string} text @param {() => void} click */
function iconButton(name, text, click) {
  return h("button", { type: "button", part: "button icon-button", class: "icon", "aria-label": text, title: text, click }, icon(name));
}

