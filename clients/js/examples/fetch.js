import { baseUrl, getToken } from "./session.js";

async function call(method, path, body, headers = {}) {
  const response = await fetch(baseUrl + path, {
    method,
    headers: {
      Authorization: `Bearer ${getToken()}`,
      ...(body && { "Content-Type": "application/json" }),
      ...headers,
    },
    body: body && JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error?.message ?? answer.message);
  return answer;
}

async function setAvatar(file) {
  // 1. Create the upload. The key makes it safe to repeat the request if the response is lost.
  const intent = await call(
    "POST",
    "/media/intents",
    { slot: "avatar", contentType: file.type, contentLength: file.size },
    { "Idempotency-Key": crypto.randomUUID() },
  );

  // 2. Send the bytes to S3: all fields in order, then the file.
  const form = new FormData();
  for (const [name, value] of Object.entries(intent.upload.fields)) form.append(name, value);
  form.append("file", file);
  const stored = await fetch(intent.upload.url, { method: "POST", body: form });
  if (!stored.ok) throw new Error(await stored.text());

  // 3. Wait until it is processed. Each request waits for up to 20 seconds.
  let upload;
  do upload = await call("GET", `/media/uploads/${intent.uploadId}?wait=20`);
  while (upload.state === "pending");
  if (upload.state === "rejected") throw new Error(upload.reason.message);

  // 4. Bind it.
  const profile = await call("PATCH", "/user/profile/avatar", { publicId: upload.publicId });
  return profile.avatar.url;
}

const image = document.querySelector("img");
const status = document.querySelector("[role=status]");

document.querySelector("input").addEventListener("change", async ({ target }) => {
  status.textContent = "Uploading …";
  try {
    image.src = await setAvatar(target.files[0]);
    image.hidden = false;
    status.textContent = "Done";
  } catch (error) {
    status.textContent = error.message;
  }
});
