/** A fake of the service and of S3 over HTTP, which records requests and answers as a test says. */

import { createServer } from "node:http";

export const UPLOAD_ID = "470e661c-50ae-46f6-870c-df0cf3e11784";

const FIELDS = { key: "incoming/a/1", "Content-Type": "image/jpeg", policy: "p", "x-amz-signature": "s" };

/** The answers of a service where everything succeeds, as [status, body, headers]. */
const ANSWERS = {
  "POST /media/intents": ({ origin }) => [201, intent(origin, "pending")],
  "POST /bucket": () => [201, "<PostResponse/>"],
  [`GET /media/uploads/${UPLOAD_ID}`]: () => [200, upload("ready")],
  [`PATCH /media/uploads/${UPLOAD_ID}`]: () => [200, upload("ready")],
  [`DELETE /media/uploads/${UPLOAD_ID}`]: () => [204, ""],
  "PATCH /user/profile/avatar": () => [200, { avatar: { url: "u", publicId: "bound" }, coverImage: null }],
  "PATCH /user/profile/cover-image": () => [200, { avatar: null, coverImage: { url: "u", publicId: "bound" } }],
  "DELETE /media/profile/cover-image": () => [204],
  "GET /media/profile": () => [200, { userId: "ada", avatar: null }],
  "POST /v1/users/auth0%7Cada/profile_image": () => [200, { id: "auth0|ada", image_url: "u", email_addresses: [{ linked_to: [] }] }],
};

export const intent = (origin, state) => ({
  uploadId: UPLOAD_ID,
  state,
  upload: { method: "POST", url: `${origin}/bucket`, fields: FIELDS },
});

export const upload = (state, more = {}) => ({ uploadId: UPLOAD_ID, publicId: "temp", slot: "avatar", state, ...more });

export const refusal = (code, more = {}) => ({ success: false, error: { code, message: "for developers", ...more } });

/** Start the service. It stops when the test ends. `t` is the test's context. */
export async function startService(t) {
  const requests = [];
  const scripted = new Map();
  const server = createServer(async (request, response) => {
    const path = request.url.split("?")[0];
    const name = `${request.method} ${path}`;
    const chunks = [];
    const entry = { name, url: request.url, headers: request.headers, body: "" };
    requests.push(entry);
    for await (const chunk of request) chunks.push(chunk);
    entry.body = Buffer.concat(chunks).toString("latin1");
    const answer = scripted.get(name)?.shift() ?? ANSWERS[name];
    const [status, body = "", headers = {}] = (await answer?.({ origin, entry })) ?? [404, refusal("UPLOAD_NOT_FOUND")];
    if (status === "lost") return request.socket.destroy();
    response.writeHead(status, headers).end(typeof body === "string" ? body : JSON.stringify(body));
  });
  server.on("clientError", () => {});
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${server.address().port}`;
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    origin,
    requests,
    names: () => requests.map(({ name }) => name),
    of: (name) => requests.filter((each) => each.name === name),
    /** The next answers to a request, in order: [status, body, headers], ["lost"], or a function. */
    script: (name, ...answers) =>
      scripted.set(name, answers.map((answer) => (typeof answer === "function" ? answer : () => answer))),
  };
}

/** Wait until a condition holds. */
export async function until(condition, seconds = 10) {
  const deadline = Date.now() + seconds * 1000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`not within ${seconds} seconds: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
