import assert from "node:assert/strict";
import { test } from "node:test";

import { detectType, scaleCrop } from "../src/picture.js";

const latin1 = (text) => new Blob([Buffer.from(text, "latin1")]);

for (const [bytes, type] of [
  ["\xff\xd8\xff\xdb", "image/jpeg"],
  ["\x89PNG\r\n\x1a\n....", "image/png"],
  ["RIFF\n\0\0\nWEBPVP8 ", "image/webp"],
  ["GIF89a", "image/gif"],
  ["\0\0\0\x1cftypavif\0\0\0\0mif1miaf", "image/avif"],
  ["\0\0\0\x1cftypmif1\0\0\0\0avifmiaf", "image/avif"],
  ["\0\0\0\x18ftypheic\0\0\0\0mif1heic", "image/heic"],
  ["\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "image/heic"],
  ["\0\0\0\x18ftypisom\0\0\0\0isomiso2", ""],
  ["<svg xmlns=", ""],
  ["text", ""],
]) {
  test(`${JSON.stringify(bytes)} is ${type || "unknown"}`, async () => {
    assert.equal(await detectType(latin1(bytes)), type);
  });
}

for (const [crop, expected] of [
  [{ x: 0, y: 0, width: 1000, height: 500 }, { x: 0, y: 0, width: 333, height: 167 }],
  [{ x: 500, y: 250, width: 500, height: 250 }, { x: 167, y: 84, width: 166, height: 83 }],
  [{ x: 999, y: 499, width: 1, height: 1 }, { x: 332, y: 166, width: 1, height: 1 }],
  [{ x: 300, y: 30, width: 600, height: 60 }, { x: 100, y: 10, width: 200, height: 20 }],
  [{ x: 1, y: 1, width: 999, height: 499 }, { x: 0, y: 0, width: 333, height: 167 }],
]) {
  test(`crop ${JSON.stringify(crop)} stays inside the smaller picture`, () => {
    assert.deepEqual(scaleCrop(crop, { width: 1000, height: 500 }, { width: 333, height: 167 }), expected);
  });
}
