import { createProfileMedia } from "profile-media";

import { baseUrl, getToken } from "./session.js";

const media = createProfileMedia({ baseUrl, getToken });

const button = document.querySelector("button");
const image = document.querySelector("img");
const progress = document.querySelector("progress");
const status = document.querySelector("[role=status]");

document.querySelector("input").addEventListener("change", async ({ target }) => {
  const controller = new AbortController();
  button.disabled = false;
  button.onclick = () => controller.abort();
  status.textContent = "Uploading …";
  try {
    const upload = await media.setAvatar(target.files[0], { onProgress, signal: controller.signal });
    image.src = upload.derivatives.thumb.url;
    image.hidden = false;
    status.textContent = "Done";
  } catch (error) {
    status.textContent = error.name === "AbortError" ? "Cancelled" : error.message;
  }
  button.disabled = true;
  target.value = "";
});

function onProgress(event) {
  if (event.phase === "sending") progress.value = event.sent / event.total;
  if (event.phase === "converted") status.textContent = "The picture was made smaller.";
  if (event.phase === "processing") status.textContent = "Processing …";
  if (event.phase === "retrying") status.textContent = `${event.error.message} Trying again …`;
}
