/** The custom element: the current picture, the ways to another one, and its removal. */

import { button, Editor, SHAPES } from "./editor.js";
import { h, icon } from "./dom.js";
import { sharedBy } from "./shared.js";
import { readSource } from "./source.js";
import { directionOf, explain, filled, stringsOf } from "./strings.js";
import { styleSheet } from "./style.js";

/** @import { Picture, ProfileMedia, ProfileMediaError, ReadyUpload, Slot } from "../src/index.js" */
/** @import { Strings } from "./index.js" */
/** @import { Send } from "./editor.js" */

const FORMATS = ["JPEG", "PNG", "WebP", "GIF", "AVIF"];

/** The service's default limit: what `createProfileMedia` uses. */
const MAX_BYTES = 20 * 2 ** 20;

/** Milliseconds in which a removal can be undone. */
const UNDO = 6000;

/** On servers there is no HTMLElement, and modules that import this one must not fail there. */
const Base = globalThis.HTMLElement ?? /** @type {typeof HTMLElement} */ (class {});

export class ProfileMediaPicker extends Base {
  static observedAttributes = ["slot-name", "lang", "dir", "name", "accept-heic", "max-bytes"];

  /** @type {ProfileMedia | null} */ #client = null;
  /** @type {Partial<Strings>} */ #own = {};
  /** The removal that can be undone. @type {{ client: ProfileMedia, slot: Slot, timer: number } | null} */ #removal = null;
  /** The removal that is on its way. @type {Promise<void>} */ #removing = Promise.resolve();
  /** @type {Editor | null} */ #editor = null;
  /** Counts what is read, so that only the last counts. */ #reading = 0;
  /** @type {AbortController | null} */ #connected = null;
  #rendered = false;
  #language = "en";
  #texts = stringsOf("en");
  /** Whether the profile could not be read. */ #failed = false;

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [styleSheet()];
  }

  get client() {
    return this.#client;
  }

  set client(client) {
    this.#commitRemoval();
    this.#editor?.close();
    this.#client = client;
    if (this.#rendered) this.#say("");
    this.#showPicture();
    if (this.isConnected) this.refresh();
  }

  get strings() {
    return this.#own;
  }

  set strings(strings) {
    this.#own = strings ?? {};
    this.#render();
  }

  /** @returns {Slot} */
  get slotName() {
    return this.getAttribute("slot-name") === "coverImage" ? "coverImage" : "avatar";
  }

  /** Read the profile again. */
  async refresh() {
    const client = this.#client;
    if (!client) return;
    const error = await sharedBy(client).read().then(() => null, (reason) => reason);
    if (client !== this.#client) return;
    if (error) this.#fail(error, () => this.refresh());
    else if (this.#failed) this.#say("");
    this.#failed = error !== null;
    this.#showPicture();
  }

  /** @param {FocusOptions} [options] */
  focus(options) {
    this.#find(".choose")?.focus(options);
  }

  connectedCallback() {
    for (const name of /** @type {const} */ (["client", "strings"])) this.#upgrade(name);
    const { signal } = (this.#connected = new AbortController());
    this.#render();
    for (const type of ["dragenter", "dragover", "dragleave", "drop"]) {
      this.addEventListener(type, (event) => this.#drag(/** @type {DragEvent} */ (event)), { signal });
    }
    document.addEventListener("paste", (event) => this.#paste(event), { signal });
    document.addEventListener("visibilitychange", () => document.hidden && this.#commitRemoval(), { signal });
    addEventListener("pagehide", () => this.#commitRemoval(), { signal });
    const pages = new MutationObserver(() => this.#findLanguage() === this.#language || this.#render());
    pages.observe(document.documentElement, { attributeFilter: ["lang"] });
    signal.addEventListener("abort", () => pages.disconnect());
    this.refresh();
  }

  disconnectedCallback() {
    this.#connected?.abort();
    this.#editor?.close();
    this.#commitRemoval();
  }

  /** @param {string} name */
  attributeChangedCallback(name) {
    if (name === "name") return this.#showPicture();
    if (name === "slot-name") this.#commitRemoval();
    this.#render();
  }

  /** A property that was set before the element was defined hides the accessor. @param {"client" | "strings"} name */
  #upgrade(name) {
    if (!Object.hasOwn(this, name)) return;
    const value = this[name];
    delete this[name];
    this[name] = /** @type {any} */ (value);
  }

  // ---- what is shown

  #findLanguage() {
    const given = this.closest("[lang]")?.getAttribute("lang") || document.documentElement.lang || "en";
    try {
      return Intl.getCanonicalLocales(given)[0] ?? "en";
    } catch {
      return "en"; // not a language
    }
  }

  /** @returns {ShadowRoot} */
  get #root() {
    return /** @type {ShadowRoot} */ (this.shadowRoot);
  }

  /** @template {HTMLElement} [T=HTMLElement] @param {string} selector @returns {T} */
  #find(selector) {
    return /** @type {T} */ (this.#root.querySelector(selector));
  }

  /** Make everything again: after an attribute or the texts changed. */
  #render() {
    if (!this.isConnected) return;
    const { slotName: slot } = this;
    const language = (this.#language = this.#findLanguage());
    const texts = (this.#texts = stringsOf(language, this.#own));
    const focused = this.#root.activeElement !== null;
    this.#editor?.close();
    this.#editor = new Editor({
      slot,
      strings: texts,
      language,
      send: (result, watch) => this.#send(result, watch),
      choose: () => this.#input("file").click(),
      closed: () => this.focus({ preventScroll: true }),
    });
    this.#root.replaceChildren(
      h(
        "div",
        {
          part: "container",
          class: `container ${slot}`,
          role: "group",
          "aria-label": texts[slot],
          lang: language,
          dir: this.getAttribute("dir") || directionOf(language),
        },
        h("div", { part: "picture", class: "picture" }, h("span", { part: "placeholder", class: "placeholder", "aria-hidden": "true" })),
        this.#makeSide(),
        h("div", { class: "drop", "aria-hidden": "true" }, texts.drop),
        this.#fileInput("file", false),
        this.#fileInput("photo", true),
        this.#editor.element,
      ),
    );
    this.#rendered = true;
    this.#showPicture();
    if (this.#removal) this.#offerUndo();
    else if (focused) this.focus({ preventScroll: true });
  }

  #makeSide() {
    const { choose, camera, remove } = this.#texts;
    const photo = button("camera", "camera", "", () => this.#input("photo").click());
    photo.append(icon("camera"), camera);
    return h(
      "div",
      { class: "side" },
      h(
        "div",
        { class: "actions" },
        button("choose", "choose primary", choose, () => this.#input("file").click()),
        photo,
        button("remove", "remove", remove, () => this.#remove()),
      ),
      h(
        "div",
        { class: "notes" },
        h("p", { part: "hint", class: "hint", id: "hint" }, this.#limits()),
        h("p", { part: "message", class: "message", role: "status" }),
      ),
    );
  }

  #limits() {
    const { accepted, ways } = this.#texts;
    const { width, height } = SHAPES[this.slotName].best;
    const size = new Intl.NumberFormat(this.#language, { style: "unit", unit: "megabyte", maximumFractionDigits: 1 });
    const formats = new Intl.ListFormat(this.#language, { type: "disjunction" });
    const names = this.hasAttribute("accept-heic") ? [...FORMATS, "HEIC"] : FORMATS;
    const bytes = Number(this.getAttribute("max-bytes")) || MAX_BYTES;
    return `${filled(accepted, { formats: formats.format(names), width, height, size: size.format(bytes / 2 ** 20) })} ${ways}`;
  }

  /** @param {string} name @param {boolean} camera */
  #fileInput(name, camera) {
    const heic = this.hasAttribute("accept-heic") ? ",image/heic,image/heif,.heic,.heif" : "";
    return h("input", {
      type: "file",
      class: "unseen",
      "data-name": name,
      "aria-label": camera ? this.#texts.camera : this.#texts.choose,
      tabindex: -1,
      hidden: true,
      accept: camera ? "image/*" : `image/*${heic}`,
      ...(camera && { capture: this.slotName === "avatar" ? "user" : "environment" }),
      change: ({ target }) => {
        const [file] = target.files;
        target.value = ""; // the same file may be chosen again
        if (file) this.#take(file);
      },
    });
  }

  /** @param {"file" | "photo"} name */
  #input(name) {
    return /** @type {HTMLInputElement} */ (this.#find(`[data-name=${name}]`));
  }

  #showPicture() {
    if (!this.#rendered) return;
    const frame = this.#find(".picture");
    const profile = this.#client && sharedBy(this.#client).shown;
    const picture = profile?.[this.slotName] ?? null;
    const texts = this.#texts;
    this.#find(".choose").textContent = picture ? texts.replace : texts.choose;
    const loading = !profile && !this.#failed;
    this.#find(".container").classList.toggle("loading", loading);
    this.#find(".container").classList.toggle("vacant", !picture);
    frame.classList.toggle("empty", !picture && !loading);
    this.#placeholder();
    frame.querySelector("img")?.remove();
    if (picture) frame.append(this.#image(picture));
  }

  /** Show initials or an icon. Only while there is no picture: it would be seen through a transparent one. */
  #placeholder() {
    const initials = (this.getAttribute("name") ?? "").trim().split(/\s+/).map((word) => [...word][0] ?? "");
    const shown = initials.length > 1 ? [initials[0], initials.at(-1)] : initials;
    const text = this.slotName === "avatar" ? shown.join("").toLocaleUpperCase(this.#language) : "";
    this.#find(".placeholder").replaceChildren(text || icon(this.slotName === "avatar" ? "person" : "picture"));
  }

  /** @param {Picture} picture */
  #image({ derivatives, url, alt }) {
    const name = this.getAttribute("name");
    const texts = this.#texts;
    const sizes = Object.values(derivatives).sort((one, other) => one.width - other.width);
    const best = sizes.at(-1)?.url ?? url ?? "";
    const image = h("img", {
      part: "image",
      alt: alt ?? (name ? filled(texts[`${this.slotName}Of`], { name }) : texts[this.slotName]),
      decoding: "async",
      draggable: "false",
      src: best,
      error: () => this.#find(".picture").classList.add("empty"),
    });
    if (sizes.length) {
      image.sizes = this.slotName === "avatar" ? "128px" : "100vw";
      image.srcset = sizes.map((each) => `${each.url} ${each.width}w`).join(", ");
    }
    return image;
  }

  /** Say something below the buttons, perhaps with a button. @param {string} text @param {HTMLButtonElement} [action] */
  #say(text, action) {
    const message = this.#find(".notes .message");
    const lost = message.contains(this.#root.activeElement);
    message.classList.remove("error");
    message.replaceChildren(text, ...(action ? [" ", action] : []));
    this.#find(".notes").classList.toggle("told", text !== "");
    if (lost) this.focus({ preventScroll: true });
  }

  /** @param {ProfileMediaError} error @param {() => void} [again] */
  #fail(error, again) {
    this.#announce("error", error);
    if (!this.#rendered) return;
    if (this.#editor?.open) return this.#editor.fail(error);
    const retry = again && error.retryable ? button("retry", "plain", this.#texts.again, () => (this.#say(""), again())) : undefined;
    this.#say(explain(this.#texts, this.#language, error), retry);
    this.#find(".notes .message").classList.add("error");
  }

  /** @param {"change" | "error"} name @param {unknown} detail */
  #announce(name, detail) {
    this.dispatchEvent(new CustomEvent(`profile-media-${name}`, { detail, bubbles: true, composed: true }));
  }

  #changed() {
    this.#showPicture();
    this.#announce("change", { profile: this.#client && sharedBy(this.#client).shown });
  }

  // ---- another picture

  /** @param {DragEvent} event */
  #drag(event) {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    const inside = event.type !== "drop" && !(event.type === "dragleave" && !this.#contains(event.relatedTarget));
    this.#find(".container").classList.toggle("dragging", inside);
    if (event.type === "drop") this.#takeFirst(event.dataTransfer.files);
  }

  /** @param {EventTarget | null} target */
  #contains(target) {
    return target instanceof Node && (target === this || this.#root.contains(target) || this.contains(target));
  }

  /** Take what is pasted while the element has the focus or the pointer. @param {ClipboardEvent} event */
  #paste(event) {
    if (event.defaultPrevented || !(this.matches(":hover") || this.matches(":focus-within"))) return;
    if (!event.clipboardData?.files.length) return;
    event.preventDefault();
    this.#takeFirst(event.clipboardData.files);
  }

  /** @param {FileList} files */
  #takeFirst(files) {
    const file = [...files].find(({ type }) => type.startsWith("image/")) ?? files[0];
    if (file) this.#take(file);
  }

  /** Open a file in the dialog. @param {File} file */
  async #take(file) {
    if (!this.#client || this.#editor?.busy) return;
    const mine = ++this.#reading;
    if (!this.#editor?.open) this.#say(this.#texts.reading);
    try {
      const source = await readSource(file, this.hasAttribute("accept-heic"));
      if (mine !== this.#reading || !this.isConnected) return source.bitmap?.close();
      this.#say("");
      this.#editor?.show(source);
    } catch (error) {
      if (mine === this.#reading) this.#fail(/** @type {ProfileMediaError} */ (error));
    }
  }

  /** @type {Send} */
  async #send({ file, crop }, watch) {
    const client = /** @type {ProfileMedia} */ (this.#client);
    this.#commitRemoval();
    await this.#removing;
    try {
      const options = { ...watch, ...(crop && { crop }) };
      const upload = await (this.slotName === "avatar" ? client.setAvatar(file, options) : client.setCoverImage(file, options));
      await this.#readAfter(client, upload);
    } catch (error) {
      if (!watch.signal.aborted) this.#announce("error", error);
      throw error;
    }
    this.#changed();
    this.#say(this.#texts.done);
  }

  /** Read the profile. The picture is set, so it is no error if that fails. @param {ProfileMedia} client @param {ReadyUpload} upload */
  async #readAfter(client, upload) {
    const shared = sharedBy(client);
    try {
      await shared.readAgain();
    } catch {
      const before = shared.profile ?? { userId: "", avatar: null, coverImage: null, updatedAt: null };
      shared.profile = { ...before, [upload.slot]: upload };
    }
  }

  // ---- removal

  /** Show no picture. The service is told when it can no longer be undone. */
  #remove() {
    const client = /** @type {ProfileMedia} */ (this.#client);
    const { slotName: slot } = this;
    this.#removal = { client, slot, timer: window.setTimeout(() => this.#commitRemoval(), UNDO) };
    sharedBy(client).removed.add(slot);
    this.#changed();
    this.#offerUndo();
  }

  #offerUndo() {
    const undo = button("undo", "undo", this.#texts.undo, () => this.#undo());
    this.#say(this.#texts.removed, undo);
    undo.focus({ preventScroll: true });
  }

  #undo() {
    if (!this.#endRemoval()) return;
    this.#changed();
    this.#say(this.#texts.restored);
  }

  /** Remove the picture for good. */
  #commitRemoval() {
    const removal = this.#endRemoval();
    if (!removal) return;
    const { client, slot } = removal;
    const shared = sharedBy(client);
    const { profile } = shared;
    if (profile) shared.profile = { ...profile, [slot]: null };
    this.#say(this.#texts.removed);
    this.#removing = client.remove(slot, { keepalive: true }).catch((error) => {
      if (shared.profile && profile) shared.profile = { ...shared.profile, [slot]: profile[slot] };
      this.#changed();
      this.#fail(error);
    });
  }

  #endRemoval() {
    const removal = this.#removal;
    this.#removal = null;
    if (!removal) return null;
    clearTimeout(removal.timer);
    sharedBy(removal.client).removed.delete(removal.slot);
    return removal;
  }
}
