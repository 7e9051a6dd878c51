/** The crop area: draws the picture around the frame, and moves it by pointer, wheel and keyboard. */

import { h } from "./dom.js";
import { clampView, cropOf, firstView, largestZoom, shownWidth, turnedSize, turnView, zoomTo } from "./geometry.js";
import { turn, turnedFile } from "./source.js";

/** @import { Size, View } from "./geometry.js" */
/** @import { Source } from "./source.js" */

/** The share of the crop area's width on each side of the frame: a crop area of 560 CSS pixels shows 512. */
const MARGIN = 24 / 560;

/** CSS pixels that an arrow key moves the picture, alone and with Shift. */
const STEP = 10;
const LARGE_STEP = 50;

const ZOOM_STEP = 1.1;

/** Zoom per pixel of the wheel. */
const WHEEL = 0.002;

/** @type {Record<string, [x: number, y: number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** @type {Record<string, number>} */
const ZOOM_KEYS = { "+": ZOOM_STEP, "=": ZOOM_STEP, "-": 1 / ZOOM_STEP };

export class Stage {
  /** @type {Source | null} */ #source = null;
  /** @type {View} */ #view = { x: 0, y: 0, zoom: 1, turns: 0 };
  /** @type {Map<number, { x: number, y: number }>} */ #pointers = new Map();
  #ratio;
  #round;
  #changed;
  #drawing = 0;
  #canvas = h("canvas", { "aria-hidden": "true" });
  #resized;

  /**
   * @param {object} options
   * @param {number} options.ratio of the frame, width to height
   * @param {boolean} options.round whether the frame shows a circle
   * @param {(byKey: boolean) => void} options.changed called after the person moved, zoomed or turned the picture
   */
  constructor({ ratio, round, changed }) {
    this.#ratio = ratio;
    this.#round = round;
    this.#changed = changed;
    /** @type {HTMLCanvasElement[]} */
    this.previews = [];
    this.element = h(
      "div",
      {
        part: "stage",
        class: "stage",
        role: "application",
        tabindex: 0,
        keydown: (event) => this.#key(event),
        pointerdown: (event) => this.#press(event),
        pointermove: (event) => this.#drag(event),
        pointerup: (event) => this.#pointers.delete(event.pointerId),
        pointercancel: (event) => this.#pointers.delete(event.pointerId),
        wheel: (event) => this.#wheel(event),
      },
      this.#canvas,
    );
    this.#resized = new ResizeObserver(() => this.draw());
  }

  /** Show a picture. @param {Source} source */
  open(source) {
    this.#source?.bitmap?.close();
    this.#source = source;
    this.#view = firstView(source.size, this.#ratio);
    this.#resized.observe(this.element);
    this.draw();
  }

  /** Forget the picture, which needs much memory. */
  close() {
    this.#resized.disconnect();
    this.#source?.bitmap?.close();
    this.#source = null;
    this.#pointers.clear();
  }

  /** Where the picture is, as fractions. */
  get position() {
    const { width, height } = turnedSize(this.#size, this.#view.turns);
    return { x: this.#view.x / width, y: this.#view.y / height, zoom: this.#view.zoom };
  }

  /** From 0 to 1, in steps that look alike. */
  get zoom() {
    return this.largestZoom > 1 ? Math.log(this.#view.zoom) / Math.log(this.largestZoom) : 0;
  }

  get largestZoom() {
    return largestZoom(this.#size, this.#view.turns, this.#ratio);
  }

  /** @param {number} share from 0 to 1 */
  zoomTo(share) {
    this.#show(zoomTo(this.#view, this.#size, this.#ratio, this.largestZoom ** share));
  }

  /** @param {number} steps positive to enlarge */
  zoomBy(steps) {
    this.#show(zoomTo(this.#view, this.#size, this.#ratio, this.#view.zoom * ZOOM_STEP ** steps));
  }

  /** @param {1 | -1} direction */
  turn(direction) {
    this.#show(turnView(this.#view, this.#size, this.#ratio, direction), true);
  }

  /** Return what is to be sent: the untouched file unless the person turned it. */
  async result() {
    const source = /** @type {Source} */ (this.#source);
    const view = this.#view;
    if (!source.bitmap) return { file: source.file };
    if (!view.turns) return { file: source.file, crop: cropOf(view, source.size, this.#ratio, source.size) };
    const { file, size } = await turnedFile(source, view.turns);
    return { file, crop: cropOf(view, source.size, this.#ratio, size) };
  }

  /** Draw the crop area and the previews with the next frame. */
  draw() {
    this.#drawing ||= requestAnimationFrame(() => {
      this.#drawing = 0;
      this.#drawStage();
      for (const preview of this.previews) this.#drawPreview(preview);
    });
  }

  /** @returns {Size} */
  get #size() {
    return this.#source?.size ?? { width: 1, height: 1 };
  }

  /** Pixels of the picture per CSS pixel of the crop area. */
  get #scale() {
    return shownWidth(this.#view, this.#size, this.#ratio) / Math.max(1, this.#frame);
  }

  /** CSS pixels of the frame's width. */
  get #frame() {
    return this.element.clientWidth * (1 - 2 * MARGIN);
  }

  /** @param {View} view @param {boolean} [byKey] */
  #show(view, byKey = false) {
    if (!this.#source?.bitmap) return;
    this.#view = view;
    this.draw();
    this.#changed(byKey);
  }

  /** @param {number} x CSS pixels @param {number} y @param {boolean} [byKey] */
  #move(x, y, byKey) {
    const view = { ...this.#view, x: this.#view.x - x * this.#scale, y: this.#view.y - y * this.#scale };
    this.#show(clampView(view, this.#size, this.#ratio), byKey);
  }

  /** @param {number} factor @param {{ clientX: number, clientY: number }} at */
  #zoomAt(factor, { clientX, clientY }) {
    const { left, top, width, height } = this.element.getBoundingClientRect();
    const frame = this.#frame;
    const from = { x: (clientX - left - width / 2) / frame, y: (clientY - top - height / 2) / frame };
    this.#show(zoomTo(this.#view, this.#size, this.#ratio, this.#view.zoom * factor, from));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = ARROWS[event.key];
    const factor = ZOOM_KEYS[event.key];
    if (!arrow && !factor) return;
    event.preventDefault();
    const step = event.shiftKey ? LARGE_STEP : STEP;
    if (arrow) this.#move(arrow[0] * step, arrow[1] * step, true);
    else if (factor) this.#show(zoomTo(this.#view, this.#size, this.#ratio, this.#view.zoom * factor), true);
  }

  /** @param {PointerEvent} event */
  #press(event) {
    if (event.button || this.#pointers.size === 2) return;
    this.element.setPointerCapture(event.pointerId);
    this.#pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  }

  /** One pointer moves the picture, two zoom it as well. @param {PointerEvent} event */
  #drag(event) {
    const before = this.#pointers.get(event.pointerId);
    if (!before) return;
    const [one, two] = this.#pointers.values();
    const other = one === before ? two : one;
    const now = { x: event.clientX, y: event.clientY };
    const share = other ? 0.5 : 1; // the point between two fingers moves half as far
    this.#move((now.x - before.x) * share, (now.y - before.y) * share);
    if (other) {
      const middle = { clientX: (now.x + other.x) / 2, clientY: (now.y + other.y) / 2 };
      this.#zoomAt(distance(now, other) / Math.max(1, distance(before, other)), middle);
    }
    this.#pointers.set(event.pointerId, now);
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    event.preventDefault();
    const pixels = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1);
    this.#zoomAt(Math.exp(-pixels * WHEEL * (event.ctrlKey ? 5 : 1)), event);
  }

  #drawStage() {
    const { clientWidth, clientHeight } = this.element;
    const density = devicePixelRatio;
    const context = prepared(this.#canvas, clientWidth * density, clientHeight * density);
    const frame = this.#frame * density;
    this.#paint(context, frame);
    context.resetTransform();
    outline(context, frame, frame / this.#ratio, this.#round);
  }

  /** @param {HTMLCanvasElement} preview */
  #drawPreview(preview) {
    const width = preview.clientWidth * devicePixelRatio;
    if (width) this.#paint(prepared(preview, width, width / this.#ratio), width);
  }

  /** Draw the picture around the middle of a canvas. @param {CanvasRenderingContext2D} context @param {number} frame its width */
  #paint(context, frame) {
    const { x, y, turns } = this.#view;
    const bitmap = this.#source?.bitmap;
    if (!bitmap) return;
    const scale = frame / shownWidth(this.#view, this.#size, this.#ratio);
    context.translate(context.canvas.width / 2, context.canvas.height / 2);
    context.scale(scale, scale);
    context.translate(-x, -y);
    turn(context, this.#size, turns);
    context.drawImage(bitmap, 0, 0, this.#size.width, this.#size.height);
  }
}

/** Empty a canvas of this many pixels. @param {HTMLCanvasElement} canvas @param {number} width @param {number} height */
function prepared(canvas, width, height) {
  canvas.width = Math.round(width);
  canvas.height = Math.round(height);
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.imageSmoothingQuality = "high";
  return context;
}

/** Darken what is not shown. @param {CanvasRenderingContext2D} context @param {number} width @param {number} height @param {boolean} round */
function outline(context, width, height, round) {
  const { canvas } = context;
  const frame = new Path2D();
  if (round) frame.arc(canvas.width / 2, canvas.height / 2, width / 2, 0, 2 * Math.PI);
  else frame.roundRect((canvas.width - width) / 2, (canvas.height - height) / 2, width, height, 6 * devicePixelRatio);
  const outside = new Path2D(frame);
  outside.rect(0, 0, canvas.width, canvas.height);
  context.fillStyle = "rgb(0 0 0 / 0.55)";
  context.fill(outside, "evenodd");
  context.strokeStyle = "#fff";
  context.lineWidth = 2 * devicePixelRatio;
  context.stroke(frame);
}

/** @param {{ x: number, y: number }} one @param {{ x: number, y: number }} other */
function distance(one, other) {
  return Math.hypot(one.x - other.x, one.y - other.y);
}
