/** A client for browsers and Node.js. `index.d.ts` describes everything that it exports. */

import { caller } from "./calls.js";
import { detectType } from "./picture.js";
import { announcement, bindUpload, settled, SLOT_PATHS, uploader, uploadPath, withPreparedPicture } from "./upload.js";

/** @import { ProfileMedia } from "./index.js" */

export { ProfileMediaError } from "./errors.js";

/** Bytes. The service's default limit. */
const MAX_BYTES = 20 * 2 ** 20;

/** Bytes. More do not fit into one request to the API. */
const MAX_DIRECT_BYTES = 4 * 2 ** 20;

/** Milliseconds to send them on a slow line. */
const DIRECT_TIME_LIMIT = 300_000;

/** @type {typeof import("./index.js").createProfileMedia} */
export function createProfileMedia({ baseUrl, getToken, maxBytes = MAX_BYTES }) {
  const call = caller({ baseUrl, getToken });
  const upload = uploader(call, maxBytes);

  /** @type {ProfileMedia} */
  const media = {
    upload,
    setAvatar: (file, options) => upload(file, { ...options, slot: "avatar", bind: true }),
    setCoverImage: (file, options) => upload(file, { ...options, slot: "coverImage", bind: true }),
    createIntent: async (file, { signal, ...options } = {}) =>
      (await announcement(call, file, (await detectType(file)) || file.type, options))({ signal }),
    wait: (uploadId, options = {}) => settled(call, uploadId, options),
    update: (uploadId, changes, options) => call("PATCH", uploadPath(uploadId), { ...options, body: changes }),
    bind: async (ready, options = {}) => void (await bindUpload(call, ready, options)),
    cancel: (uploadId, options) => call("DELETE", uploadPath(uploadId), options),
    remove: (slot, options) => call("DELETE", `/media/profile/${SLOT_PATHS[slot]}`, options),
    profile: (options) => call("GET", "/media/profile", options),
    users: {
      updateUserProfileImage: (userId, { file }, { signal } = {}) =>
        withPreparedPicture(file, { maxBytes: MAX_DIRECT_BYTES, signal }, async (prepared) => {
          const body = new FormData();
          body.append("file", prepared.file, "picture");
          const path = `/v1/users/${encodeURIComponent(userId)}/profile_image`;
          return camelCase(await call("POST", path, { body, signal, timeLimit: DIRECT_TIME_LIMIT }));
        }),
    },
  };
  return media;
}

/** Rename all keys, such as `image_url` to `imageUrl`. @param {any} value @returns {any} */
function camelCase(value) {
  if (Array.isArray(value)) return value.map(camelCase);
  if (!value || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key.replace(/_([a-z0-9])/g, (_, letter) => letter.toUpperCase()), camelCase(each)]),
  );
}
