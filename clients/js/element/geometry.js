/** Which part of a picture is shown: pure arithmetic, in pixels of the upright picture after its quarter turns. */

/** @import { Crop } from "../src/index.js" */

/** @typedef {{ width: number, height: number }} Size */

/**
 * @typedef {object} View
 * @property {number} x the centre of the shown part
 * @property {number} y
 * @property {number} zoom 1 shows as much of the picture as possible
 * @property {number} turns quarter turns clockwise, 0 to 3
 */

/** Pixels. A narrower part would be enlarged too much. */
const NARROWEST = 96;

const LARGEST_ZOOM = 10;

/** The shares of a portrait's height around which the service crops: where heads are. */
const PORTRAIT_FOCUS = 1 / 3;
const PORTRAIT_STRIP_FOCUS = 0.18;

/** @param {Size} size @param {number} turns @returns {Size} */
export function turnedSize({ width, height }, turns) {
  return turns % 2 ? { width: height, height: width } : { width, height };
}

/** Return what the service would show by default. @param {Size} size @param {number} ratio @returns {View} */
export function firstView(size, ratio) {
  const share = size.height <= size.width ? 0.5 : ratio > 1 ? PORTRAIT_STRIP_FOCUS : PORTRAIT_FOCUS;
  return clampView({ x: size.width / 2, y: size.height * share, zoom: 1, turns: 0 }, size, ratio);
}

/** @param {Size} size @param {number} turns @param {number} ratio */
export function largestZoom(size, turns, ratio) {
  return Math.max(1, Math.min(widest(turnedSize(size, turns), ratio) / NARROWEST, LARGEST_ZOOM));
}

/** Return the nearest view that lies within the picture. @param {View} view @param {Size} size @param {number} ratio @returns {View} */
export function clampView(view, size, ratio) {
  const whole = turnedSize(size, view.turns);
  const zoom = clamp(view.zoom, 1, largestZoom(size, view.turns, ratio));
  const width = widest(whole, ratio) / zoom;
  const height = width / ratio;
  return {
    x: clamp(view.x, width / 2, whole.width - width / 2),
    y: clamp(view.y, height / 2, whole.height - height / 2),
    zoom,
    turns: view.turns,
  };
}

/** Return the width of the shown part. @param {View} view @param {Size} size @param {number} ratio */
export function shownWidth(view, size, ratio) {
  return widest(turnedSize(size, view.turns), ratio) / view.zoom;
}

/**
 * Zoom around a point, which stays where it is.
 * @param {View} view @param {Size} size @param {number} ratio @param {number} zoom
 * @param {{ x: number, y: number }} [from] the point's distance from the centre, in widths of the shown part
 */
export function zoomTo(view, size, ratio, zoom, from = { x: 0, y: 0 }) {
  const next = clamp(zoom, 1, largestZoom(size, view.turns, ratio));
  const lost = shownWidth(view, size, ratio) - shownWidth({ ...view, zoom: next }, size, ratio);
  return clampView({ ...view, zoom: next, x: view.x + from.x * lost, y: view.y + from.y * lost }, size, ratio);
}

/** Turn the picture by a quarter. @param {View} view @param {Size} size @param {number} ratio @param {1 | -1} direction */
export function turnView(view, size, ratio, direction) {
  const { width, height } = turnedSize(size, view.turns);
  const centre = direction === 1 ? { x: height - view.y, y: view.x } : { x: view.y, y: width - view.x };
  return clampView({ ...view, ...centre, turns: (view.turns + direction + 4) % 4 }, size, ratio);
}

/**
 * Return the shown part in whole pixels of a copy of the turned picture.
 * @param {View} view @param {Size} size @param {number} ratio @param {Size} copy @returns {Crop}
 */
export function cropOf(view, size, ratio, copy) {
  const scale = copy.width / turnedSize(size, view.turns).width;
  const unit = Math.max(1, Math.round((shownWidth(view, size, ratio) * scale) / ratio));
  const width = Math.min(Math.round(unit * ratio), copy.width);
  const height = Math.min(unit, copy.height);
  return {
    x: clamp(Math.round(view.x * scale - width / 2), 0, copy.width - width),
    y: clamp(Math.round(view.y * scale - height / 2), 0, copy.height - height),
    width,
    height,
  };
}

/** @param {Size} size @param {number} ratio */
function widest({ width, height }, ratio) {
  return Math.min(width, height * ratio);
}

/** @param {number} value @param {number} least @param {number} most */
function clamp(value, least, most) {
  return Math.min(Math.max(value, least), most);
}
