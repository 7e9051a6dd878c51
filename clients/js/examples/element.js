import { createProfileMedia } from "profile-media";
import "profile-media/element";

import { baseUrl, getToken } from "./session.js";

const media = createProfileMedia({ baseUrl, getToken });
const pickers = document.querySelectorAll("profile-media-picker");

for (const picker of pickers) {
  picker.client = media;
  picker.addEventListener("profile-media-change", ({ detail }) => console.log("profile", detail.profile));
  picker.addEventListener("profile-media-error", ({ detail }) => console.log(detail.code, detail.correlationId));
}
