/** What a file is, and a smaller or different file of the same picture. */

import { ProfileMediaError } from "./errors.js";

/** @import { Crop, FileFacts } from "./index.js" */

/** The formats by their first bytes, as Latin-1 text. @type {[type: string, pattern: RegExp][]} */
const FORMATS = [
  ["image/jpeg", /^\xff\xd8\xff/],
  ["image/png", /^\x89PNG\r\n\x1a\n/],
  ["image/webp", /^RIFF.{4}WEBP/s],
  ["image/gif", /^GIF8[79]a/],
  ["image/avif", /^.{4}ftyp.*avi[fso]/s],
  ["image/heic", /^.{4}ftyp.*(he[iv][cxms]|mif1|msf1)/s],
];

/** Pixels of the longest side after shrinking. The largest derivative has 2048. */
const LONGEST_SIDE = 4096;

const QUALITY = 0.9;

/** The factor between one attempt and the next, if the file is still too large. */
const STEP = 0.7;

/** Return the content type that the bytes show, or "". @param {Blob} file */
export async function detectType(file) {
  const bytes = new Uint8Array(await readable(file.slice(0, 64).arrayBuffer()));
  const text = String.fromCharCode(...bytes);
  return FORMATS.find(([, pattern]) => pattern.test(text))?.[0] ?? "";
}

/** Return a copy in memory, which stays the same when the file on the disk changes or goes. @param {Blob} file @param {string} type */
export async function copy(file, type) {
  return new Blob([await readable(file.arrayBuffer())], { type });
}

/** Return the SHA-256 in base64; undefined if the page is not a secure context. @param {Blob} file */
export async function checksum(file) {
  const digest = await globalThis.crypto?.subtle?.digest("SHA-256", await file.arrayBuffer());
  return digest && btoa(String.fromCharCode(...new Uint8Array(digest)));
}

/**
 * Draw the picture into a new file of at most `maxBytes`. Orientation and colours stay. Return null if the browser
 * cannot: it does not know the format, or it is not a browser.
 * @param {Blob} file @param {string} type what the bytes show @param {number} maxBytes
 * @returns {Promise<{ file: Blob, from: FileFacts, to: FileFacts } | null>}
 */
export async function redraw(file, type, maxBytes) {
  if (typeof OffscreenCanvas === "undefined") return null;
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" }).catch(() => null);
  if (!bitmap) return null;
  const { width, height } = bitmap;
  try {
    for (let scale = Math.min(1, LONGEST_SIDE / Math.max(width, height)); ; scale *= STEP) {
      const drawn = await draw(bitmap, scale, opaque(type) ? "image/jpeg" : "image/webp");
      if (drawn.file.size > maxBytes && scale * Math.max(width, height) > 64) continue;
      return {
        file: drawn.file,
        from: { contentType: type || file.type, bytes: file.size, width, height },
        to: { contentType: drawn.file.type, bytes: drawn.file.size, width: drawn.width, height: drawn.height },
      };
    }
  } finally {
    bitmap.close();
  }
}

/** JPEG has no transparency. A browser that cannot write WebP writes PNG. @param {string} type */
function opaque(type) {
  return type === "image/jpeg" || type === "image/heic";
}

/** @param {ImageBitmap} bitmap @param {number} scale @param {string} type */
async function draw(bitmap, scale, type) {
  const [width, height] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(side * scale)));
  const canvas = new OffscreenCanvas(/** @type {number} */ (width), /** @type {number} */ (height));
  // Display P3 contains sRGB, so neither phones' pictures nor others lose colours.
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d", { colorSpace: "display-p3" }));
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return { file: await canvas.convertToBlob({ type, quality: QUALITY }), width: canvas.width, height: canvas.height };
}

/** Return the same part of the picture after it was redrawn. @param {Crop} crop @param {FileFacts} from @param {FileFacts} to */
export function scaleCrop(crop, from, to) {
  const [x, width] = scaleSpan(crop.x, crop.width, from.width, to.width);
  const [y, height] = scaleSpan(crop.y, crop.height, from.height, to.height);
  return { x, y, width, height };
}

/** @param {number} start @param {number} length @param {number} from @param {number} to @returns {[number, number]} */
function scaleSpan(start, length, from, to) {
  const first = Math.min(Math.round((start * to) / from), to - 1);
  return [first, Math.max(1, Math.min(Math.round((length * to) / from), to - first))];
}

/** @template T @param {Promise<T>} reading */
function readable(reading) {
  return reading.catch((cause) => {
    throw new ProfileMediaError("file_unreadable", { cause });
  });
}
