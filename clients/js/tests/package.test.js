import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { buildSync } from "esbuild";
import { ProfileMediaError } from "profile-media";

const PUBLISHED = {
  src: ["calls.js", "errors.js", "form.js", "index.d.ts", "index.js", "picture.js", "react.d.ts", "react.js", "retry.js", "upload.js"],
  element: [
    ...["dom.js", "editor.js", "geometry.js", "index.d.ts", "index.js", "languages.js"],
    ...["picker.js", "shared.js", "source.js", "stage.js", "strings.js", "style.js"],
  ],
};

const ROOT = fileURLToPath(new URL("..", import.meta.url));

for (const [name, entry, external, limit] of [
  ["the client", "src/index.js", [], 6000],
  ["the element without the client", "element/index.js", ["../src/*"], 17_000],
]) {
  test(`${name} is smaller than ${limit} bytes, minified and compressed`, () => {
    const { outputFiles } = buildSync({
      entryPoints: [`${ROOT}/${entry}`],
      bundle: true,
      minify: true,
      format: "esm",
      external,
      write: false,
    });

    const bytes = gzipSync(outputFiles[0].contents, { level: 9 }).length;
    assert.ok(bytes < limit, `${bytes} bytes`);
  });
}

test("the published package holds the sources, their types, the licence and nothing else", () => {
  const output = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], { cwd: ROOT, encoding: "utf8" });
  const [{ files }] = Object.values(JSON.parse(output));

  assert.deepEqual(
    files.map(({ path }) => path).sort(),
    [
      "LICENSE",
      "README.md",
      "package.json",
      ...PUBLISHED.src.map((name) => `src/${name}`),
      ...PUBLISHED.element.map((name) => `element/${name}`),
    ].sort(),
  );
});

test("the README lists the errors as they are", () => {
  const rows = [...readFileSync(`${ROOT}/README.md`, "utf8").matchAll(/^\| `([a-z_]+)` \| (yes|no) \| (.+) \|$/gm)];

  assert.ok(rows.length > 30);
  for (const [, code, retryable, message] of rows) {
    const error = new ProfileMediaError(code);
    assert.deepEqual([error.retryable, error.message], [retryable === "yes", message], code);
  }
});
