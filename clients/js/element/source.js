/** The chosen file: a bitmap to show, and the file to send. */

import { ProfileMediaError } from "../src/index.js";
import { detectType } from "../src/picture.js";

/** @import { Size } from "./geometry.js" */

/**
 * @typedef {object} Source
 * @property {Blob} file
 * @property {string} type what the bytes show
 * @property {Size} size pixels of the upright picture
 * @property {ImageBitmap | null} bitmap upright, perhaps smaller; null if the browser cannot show the format
 */

/** Pixels of the bitmap that stays in memory: 64 MB. */
const KEPT_PIXELS = 16_000_000;

/** Pixels of the longest side of a turned picture. The largest derivative has 2048. */
const LONGEST_SIDE = 4096;

const QUALITY = 0.92;

/** Read a file. @param {Blob} file @param {boolean} acceptHeic @returns {Promise<Source>} */
export async function readSource(file, acceptHeic) {
  if (!file.size) throw new ProfileMediaError("empty");
  const type = await detectType(file);
  const whole = await decode(file);
  if (whole) return { file, type, size: { width: whole.width, height: whole.height }, bitmap: await smaller(whole) };
  if (type === "image/heic" && acceptHeic) return { file, type, size: { width: 0, height: 0 }, bitmap: null };
  throw new ProfileMediaError(!type ? "unsupported_format" : type === "image/heic" ? "type_unsupported" : "corrupt");
}

/**
 * Encode the picture again, turned. Colours stay.
 * @param {Source} source @param {number} turns
 * @returns {Promise<{ file: Blob, size: Size }>}
 */
export async function turnedFile({ file, type }, turns) {
  const bitmap = await decode(file);
  if (!bitmap) throw new ProfileMediaError("file_unreadable");
  const scale = Math.min(1, LONGEST_SIDE / Math.max(bitmap.width, bitmap.height));
  const size = {
    width: Math.max(1, Math.round((turns % 2 ? bitmap.height : bitmap.width) * scale)),
    height: Math.max(1, Math.round((turns % 2 ? bitmap.width : bitmap.height) * scale)),
  };
  const canvas = new OffscreenCanvas(size.width, size.height);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d", { colorSpace: "display-p3" }));
  const [width, height] = turns % 2 ? [size.height, size.width] : [size.width, size.height];
  context.imageSmoothingQuality = "high";
  turn(context, { width, height }, turns);
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  const opaque = type === "image/jpeg" || type === "image/heic";
  return { file: await canvas.convertToBlob({ type: opaque ? "image/jpeg" : "image/webp", quality: QUALITY }), size };
}

/**
 * Make what is drawn next appear turned by quarters, with its top left corner at the origin.
 * @param {CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D} context
 * @param {Size} size of the picture before it is turned
 * @param {number} turns
 */
export function turn(context, { width, height }, turns) {
  context.translate(turns === 1 ? height : turns === 2 ? width : 0, turns === 2 ? height : turns === 3 ? width : 0);
  context.rotate((turns * Math.PI) / 2);
}

/** @param {Blob} file */
function decode(file) {
  return createImageBitmap(file, { imageOrientation: "from-image" }).catch(() => null);
}

/** @param {ImageBitmap} whole */
async function smaller(whole) {
  const scale = Math.sqrt(KEPT_PIXELS / (whole.width * whole.height));
  if (scale >= 1) return whole;
  const resizeWidth = Math.round(whole.width * scale);
  const reduced = await createImageBitmap(whole, { resizeWidth, resizeQuality: "high" }).catch(() => null);
  if (reduced) whole.close();
  return reduced ?? whole;
}
