import assert from "node:assert/strict";
import { test } from "node:test";

import { ProfileMediaError } from "profile-media";
import { cropOf, firstView, largestZoom, turnedSize, turnView, zoomTo } from "../element/geometry.js";
import { LANGUAGES } from "../element/languages.js";
import { explain, stringsOf } from "../element/strings.js";

const SIZES = [[1, 1], [1, 500], [3, 2], [333, 1000], [999, 334], [1600, 1200], [30_000, 40], [12_000, 9_000]].map(
  ([width, height]) => ({ width, height }),
);

test("a module that imports the element can be loaded on a server", async () => {
  assert.ok((await import("profile-media/element")).ProfileMediaPicker);
});

for (const ratio of [1, 3]) {
  test(`a crop of ratio ${ratio} lies within the picture, whatever its size, zoom and turn`, () => {
    for (const size of SIZES) {
      let view = firstView(size, ratio);
      for (const zoom of [1, 1.7, largestZoom(size, 0, ratio)]) {
        for (let turns = 0; turns < 4; turns++) {
          view = zoomTo(turnView(view, size, ratio, 1), size, ratio, zoom, { x: 0.5, y: -0.1 });
          const whole = turnedSize(size, view.turns);
          const { x, y, width, height } = cropOf(view, size, ratio, whole);
          assert.ok([x, y, width, height].every(Number.isInteger));
          assert.ok(x >= 0 && y >= 0 && width > 0 && height > 0 && x + width <= whole.width && y + height <= whole.height);
          if (whole.width >= ratio) assert.equal(width, height * ratio);
        }
      }
    }
  });
}

test("the first view is what the service shows by default", () => {
  assert.deepEqual(firstView({ width: 1600, height: 1200 }, 1), { x: 800, y: 600, zoom: 1, turns: 0 });
  assert.deepEqual(firstView({ width: 900, height: 3000 }, 1), { x: 450, y: 1000, zoom: 1, turns: 0 });
  assert.deepEqual(firstView({ width: 900, height: 3000 }, 3), { x: 450, y: 540, zoom: 1, turns: 0 });
});

test("four quarter turns show the same part, and a point that is zoomed at stays where it is", () => {
  const size = { width: 1600, height: 1200 };
  const view = { ...zoomTo(firstView(size, 1), size, 1, 3), x: 500, y: 400 };
  let turned = view;
  for (let turns = 0; turns < 4; turns++) turned = turnView(turned, size, 1, 1);
  assert.deepEqual(turned, view);

  const zoomed = zoomTo(view, size, 1, 4, { x: 0.25, y: -0.25 });
  assert.deepEqual([zoomed.x + 0.25 * (1200 / 4), zoomed.y - 0.25 * (1200 / 4)], [500 + 0.25 * 400, 400 - 0.25 * 400]);
});

test("every language has a sentence for every kind of error, and names the time of the next attempt", () => {
  const { en, ...others } = LANGUAGES;
  const codes = Object.keys(LANGUAGES.de.errors).sort();
  for (const [language, strings] of Object.entries(others)) {
    assert.deepEqual(Object.keys(strings.errors).sort(), codes, language);
    for (const [name, text] of Object.entries(en)) {
      if (name !== "errors") assert.deepEqual(words(strings[name]), words(text), `${language}: ${name}`);
    }
  }
  const busy = new ProfileMediaError("limit_exceeded", { retryAfter: 600 });
  assert.match(explain(stringsOf("de-AT"), "de-AT", busy), /in 10 Minuten/);
  assert.match(explain(stringsOf("xx"), "xx", busy), /in 10 minutes/);
  assert.equal(explain(stringsOf("en", { errors: { network: "Offline!" } }), "en", new ProfileMediaError("storage")), "Offline!");
});

/** Return the words in braces. */
function words(text) {
  return (text.match(/\{\w+\}/g) ?? []).sort();
}
