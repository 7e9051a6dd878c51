import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { beforeEach, test } from "node:test";

import { createProfileMedia, ProfileMediaError } from "profile-media";

import { intent, refusal, startService, until, upload, UPLOAD_ID } from "./service.js";

const BYTES = "\xff\xd8\xff\xe0 picture";
const JPEG = new File([Buffer.from(BYTES, "latin1")], "me.jpg", { type: "image/png" });

const INTENT = "POST /media/intents";
const FORM = "POST /bucket";
const SHOW = `GET /media/uploads/${UPLOAD_ID}`;
const DELETE = `DELETE /media/uploads/${UPLOAD_ID}`;
const BIND = "PATCH /user/profile/avatar";

beforeEach((t) => t.mock?.method(Math, "random", () => 0)); // no pauses but those of Retry-After

async function setUp(t, getToken = () => "token") {
  const service = await startService(t);
  return { service, media: createProfileMedia({ baseUrl: `${service.origin}/`, getToken }) };
}

test("upload announces the real type, sends the fields in order and the file last", async (t) => {
  const { service, media } = await setUp(t);
  const phases = [];
  const crop = { x: 1, y: 2, width: 3, height: 4 };

  const ready = await media.upload(JPEG, { crop, alt: "Ada", onProgress: (progress) => phases.push(progress) });

  assert.deepEqual(ready, upload("ready"));
  assert.deepEqual(service.names(), [INTENT, FORM, SHOW]);
  const [announced, sent, shown] = service.requests;
  assert.deepEqual(JSON.parse(announced.body), {
    slot: "avatar",
    contentType: "image/jpeg",
    contentLength: BYTES.length,
    checksumSha256: createHash("sha256").update(BYTES, "latin1").digest("base64"),
    crop,
    alt: "Ada",
  });
  assert.equal(announced.headers.authorization, "Bearer token");
  const parts = [...sent.body.matchAll(/ name="([^"]+)"/g)].map(([, name]) => name);
  assert.deepEqual(parts, ["key", "Content-Type", "policy", "x-amz-signature", "file"]);
  assert.ok(sent.body.includes(BYTES));
  assert.equal(sent.headers.authorization, undefined);
  assert.ok(shown.url.endsWith("?wait=20"));
  assert.deepEqual(phases.map(({ phase }) => phase), ["preparing", "sending", "sending", "processing"]);
});

test("setAvatar and setCoverImage return the bound upload, also if the service has not bound it", async (t) => {
  const { service, media } = await setUp(t);

  service.script(SHOW, [200, upload("pending")], [200, upload("bound")]);
  assert.equal((await media.setAvatar(JPEG)).state, "bound");
  assert.ok(!service.names().includes(BIND));
  assert.equal(JSON.parse(service.requests[0].body).bind, true);

  assert.deepEqual(await media.setAvatar(JPEG), upload("bound", { publicId: "bound" }));
  assert.deepEqual(JSON.parse(service.of(BIND)[0].body), { publicId: "temp" });

  service.script(SHOW, [200, upload("ready", { slot: "coverImage" })]);
  assert.equal((await media.setCoverImage(JPEG)).publicId, "bound");
});

const s3Error = (status, code) => [status, `<Error><Code>${code}</Code><Message>no</Message></Error>`];
for (const [what, name, answer, code, expected] of [
  ["the intent's answer is lost", INTENT, ["lost"], "network", [INTENT, INTENT, FORM, SHOW]],
  ["S3's answer is lost", FORM, ["lost"], "network", [INTENT, FORM, INTENT, FORM, SHOW]],
  ["the form has expired", FORM, s3Error(403, "AccessDenied"), "storage", [INTENT, FORM, INTENT, FORM, SHOW]],
  ["the bytes were damaged", FORM, s3Error(400, "BadDigest"), "checksum_mismatch", [INTENT, FORM, INTENT, FORM, SHOW]],
  ["half of an answer is lost", SHOW, [200, '{"uploadId":'], "network", [INTENT, FORM, SHOW, SHOW]],
]) {
  test(`upload is repeated with the same key if ${what}`, async (t) => {
    const { service, media } = await setUp(t);
    service.script(name, answer);

    const retries = [];
    await media.upload(JPEG, { onProgress: (progress) => progress.phase === "retrying" && retries.push(progress.error.code) });

    assert.deepEqual(service.names(), expected);
    assert.deepEqual(retries, [code]);
    assert.equal(new Set(service.of(INTENT).map(({ headers }) => headers["idempotency-key"])).size, 1);
  });
}

test("upload is not sent again if it arrived though S3's answer was lost", async (t) => {
  const { service, media } = await setUp(t);
  service.script(INTENT, ({ origin }) => [201, intent(origin, "pending")], ({ origin }) => [201, intent(origin, "ready")]);
  service.script(FORM, ["lost"]);

  await media.upload(JPEG);

  assert.deepEqual(service.names(), [INTENT, FORM, INTENT, SHOW]);
});

test("two uploads of one file have different keys", async (t) => {
  const { service, media } = await setUp(t);

  await media.upload(JPEG);
  await media.upload(JPEG);

  const [one, other] = service.of(INTENT).map(({ headers }) => headers["idempotency-key"]);
  assert.match(one, /^[0-9a-f]{32}$/);
  assert.notEqual(one, other);
});

test("a short Retry-After is waited for, a long one is not", async (t) => {
  const { service, media } = await setUp(t);
  service.script("GET /media/profile", [503, refusal("UNAVAILABLE"), { "Retry-After": "1" }]);
  const started = performance.now();
  await media.profile();
  assert.ok(performance.now() - started >= 990);

  service.script(INTENT, [429, refusal("LIMIT_EXCEEDED"), { "Retry-After": "1800", "x-correlation-id": "c" }]);
  await assert.rejects(media.upload(JPEG), {
    name: "ProfileMediaError",
    code: "limit_exceeded",
    message: "Too many pictures in a short time. Try again in 30 minutes.",
    retryable: true,
    retryAfter: 1800,
    status: 429,
    correlationId: "c",
  });
  assert.equal(service.of(INTENT).length, 1);
});

for (const [name, call] of [
  ["GET /media/profile", (media) => media.profile()],
  [INTENT, (media) => media.upload(JPEG)],
]) {
  test(`${name} fails after five attempts`, async (t) => {
    const { service, media } = await setUp(t);
    service.script(name, ...Array(9).fill([503, refusal("UNAVAILABLE")]));

    await assert.rejects(call(media), { code: "unavailable" });

    assert.equal(service.requests.length, 5);
  });
}

test("createIntent and wait are the steps around another library's upload", async (t) => {
  const { service, media } = await setUp(t);

  const { uploadId, upload: form } = await media.createIntent(JPEG, { slot: "coverImage", bind: true });
  assert.deepEqual(Object.keys(form.fields).at(-1), "x-amz-signature");
  const { slot, bind, contentType } = JSON.parse(service.requests[0].body);
  assert.deepEqual([slot, bind, contentType], ["coverImage", true, "image/jpeg"]);
  assert.equal((await media.wait(uploadId)).state, "ready");
});

test("an expired token is fetched once again", async (t) => {
  const asked = [];
  const { service, media } = await setUp(t, ({ refresh }) => {
    asked.push(refresh);
    return refresh ? "new" : "old";
  });
  const unauthorized = [401, refusal("AUTH_UNAUTHORIZED")];

  service.script("GET /media/profile", unauthorized);
  assert.equal((await media.profile()).userId, "ada");
  assert.deepEqual(asked, [false, true]);
  assert.deepEqual(service.requests.map(({ headers }) => headers.authorization), ["Bearer old", "Bearer new"]);

  service.script("GET /media/profile", unauthorized, unauthorized);
  await assert.rejects(media.profile(), { code: "auth_unauthorized", retryable: false });
  assert.equal(service.requests.length, 4);
});

test("a token that cannot be had is an error of its own", async (t) => {
  const { service, media } = await setUp(t, () => Promise.reject(new Error("offline")));

  await assert.rejects(media.profile(), { code: "token_unavailable", retryable: true });

  assert.equal(service.requests.length, 0);
});

for (const [phase, stuck] of [["intent", INTENT], ["sending", FORM], ["processing", SHOW]]) {
  test(`a signal during ${phase} rejects at once and deletes the upload`, async (t) => {
    const { service, media } = await setUp(t);
    let release;
    const held = new Promise((resolve) => (release = resolve));
    service.script(stuck, async ({ origin }) => held.then(() => [201, intent(origin, "pending")]));
    const controller = new AbortController();

    const uploading = media.upload(JPEG, { signal: controller.signal });
    await until(() => service.of(stuck).length);
    controller.abort();
    await assert.rejects(uploading, { name: "AbortError" });

    let intents;
    service.script(DELETE, async () => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      intents = service.of(INTENT).length;
      return [204];
    });
    const next = media.upload(JPEG);
    release();
    await next;
    assert.equal(intents, 1); // the next upload waited until the place was free
  });
}

test("an aborted signal prevents every request", async (t) => {
  const { service, media } = await setUp(t);

  await assert.rejects(media.upload(JPEG, { signal: AbortSignal.abort(new Error("no")) }), { message: "no" });

  assert.equal(service.requests.length, 0);
});

test("an upload whose file cannot be sent is deleted", async (t) => {
  const { service, media } = await setUp(t);
  service.script(FORM, ...Array(9).fill(s3Error(403, "AccessDenied")));

  await assert.rejects(media.upload(JPEG), { code: "storage", status: 403, detail: "AccessDenied: no" });

  assert.equal(service.of(FORM).length, 2);
  await until(() => service.of(DELETE).length);
});

const gif = (text) => new Blob([text]);
for (const [what, file, script, expected] of [
  ["an empty file", new Blob([]), {}, { code: "empty" }],
  ["a text", gif("hello"), {}, { code: "unsupported_format", message: /Choose a JPEG/ }],
  ["a folder", { size: 4096, slice: () => ({ arrayBuffer: () => Promise.reject(new Error("folder")) }) }, {}, { code: "file_unreadable" }],
  ["a rejected picture", JPEG, { [SHOW]: [200, upload("rejected", { reason: { code: "corrupt", message: "m" } })] }, { code: "corrupt", detail: "m" }],
  ["a file over the limit", JPEG, { [INTENT]: [413, refusal("UPLOAD_TOO_LARGE", { i18nVars: { limit: 2097152 } })] }, { code: "upload_too_large", limit: 2097152, message: /at most 2 MB/ }],
  ["a request that is not allowed", JPEG, { [INTENT]: [403, refusal("OWNER_FORBIDDEN")] }, { code: "owner_forbidden", detail: "for developers" }],
  ["details of a request", JPEG, { [INTENT]: [400, refusal("REQUEST_INVALID", { details: [{ message: "one" }, { message: "two" }] })] }, { code: "request_invalid", detail: "one; two" }],
  ["a proxy's page", JPEG, { [INTENT]: [418, "<html>"] }, { code: "request_invalid", status: 418 }],
  ["another code", JPEG, { [INTENT]: [400, refusal("NEW_CODE")] }, { code: "new_code", message: "The picture could not be changed." }],
  ["a file that S3 finds too large", JPEG, { [FORM]: s3Error(400, "EntityTooLarge") }, { code: "too_large", retryable: false }],
]) {
  test(`upload rejects ${what}`, async (t) => {
    const { service, media } = await setUp(t);
    for (const [name, answer] of Object.entries(script)) service.script(name, answer);

    await assert.rejects(media.upload(file), (error) => {
      assert.ok(error instanceof ProfileMediaError);
      for (const [key, value] of Object.entries(expected)) {
        if (value instanceof RegExp) assert.match(error[key], value);
        else assert.equal(error[key], value);
      }
      return true;
    });
  });
}

test("the other calls make one request each", async (t) => {
  const { service, media } = await setUp(t);

  await media.update(UPLOAD_ID, { focus: { x: 0.5, y: 0.2 } });
  assert.equal(await media.cancel(UPLOAD_ID), undefined);
  assert.equal(await media.remove("coverImage"), undefined);
  await media.bind({ slot: "coverImage", publicId: "temp" });

  assert.deepEqual(
    service.requests.map(({ name, body }) => [name, body]),
    [
      [`PATCH /media/uploads/${UPLOAD_ID}`, '{"focus":{"x":0.5,"y":0.2}}'],
      [DELETE, ""],
      ["DELETE /media/profile/cover-image", ""],
      ["PATCH /user/profile/cover-image", '{"publicId":"temp"}'],
    ],
  );
});

test("a reference that cannot be bound has a code of its own", async (t) => {
  const { service, media } = await setUp(t);
  service.script(BIND, [400, { success: false, message: "Invalid publicId" }]);

  await assert.rejects(media.bind({ slot: "avatar", publicId: "x" }), { code: "reference_invalid", detail: "Invalid publicId" });
});

test("updateUserProfileImage sends one form and returns the user in camel case", async (t) => {
  const { service, media } = await setUp(t);

  const user = await media.users.updateUserProfileImage("auth0|ada", { file: JPEG });

  assert.deepEqual(user, { id: "auth0|ada", imageUrl: "u", emailAddresses: [{ linkedTo: [] }] });
  assert.match(service.requests[0].body, /name="file"; filename="[^"]+"\r\nContent-Type: image\/jpeg\r\n/);
});

test("updateUserProfileImage reads the errors of its endpoint", async (t) => {
  const { service, media } = await setUp(t);
  const errors = [{ code: "image_unacceptable", message: "m", meta: { reason: "too_small" } }];
  service.script("POST /v1/users/auth0%7Cada/profile_image", [400, { errors }]);

  await assert.rejects(media.users.updateUserProfileImage("auth0|ada", { file: JPEG }), { code: "too_small", detail: "m" });
});
