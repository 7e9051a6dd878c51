/**
 * The requests of the five contracts. Fields are sent as typed, so that the service validates them.
 */

import { exchange } from "./requests.js";

const BIND_PATHS = { avatar: "/user/profile/avatar", coverImage: "/user/profile/cover-image" };

/** The contract's name for the token's user. */
export const ME = "me";

/** By operation: the request made from a form's fields. `json` is sent as JSON, `parts` as multipart/form-data. */
const REQUESTS = {
  bindPublicId: ({ slot, publicId }) => ({ method: "PATCH", path: BIND_PATHS[slot], json: { publicId } }),

  uploadUserImage: ({ file }) => ({ method: "PATCH", path: "/users/image/upload", parts: { file } }),

  setAvatarUrl: ({ avatarUrl }) => ({ method: "PATCH", path: "/api/v1/users/avatar", json: { avatarUrl } }),

  setProfilePicture: ({ user, uploadId }) => ({ method: "PATCH", path: pictureOf(user), json: { uploadId } }),
  removeProfilePicture: ({ user }) => ({ method: "PATCH", path: pictureOf(user), json: { uploadId: null } }),

  postProfileImage: ({ user, file }) => ({ method: "POST", path: `${sdkUser(user)}/profile_image`, parts: { file } }),
  getUser: ({ user }) => ({ method: "GET", path: sdkUser(user) }),
  deleteProfileImage: ({ user }) => ({ method: "DELETE", path: `${sdkUser(user)}/profile_image` }),
};

/** By operation: where the response contains the new picture's URL. */
const PICTURES = {
  bindPublicId: (answer, { slot }) => answer[slot]?.url,
  uploadUserImage: ({ data }) => data.profile_image,
  setAvatarUrl: ({ data }) => data.avatarUrl,
  setProfilePicture: ({ profilePictureUrl }) => profilePictureUrl,
  removeProfilePicture: ({ profilePictureUrl }) => profilePictureUrl,
  postProfileImage: ({ image_url: url }) => url,
  getUser: ({ image_url: url }) => url,
  deleteProfileImage: ({ image_url: url }) => url,
};

/** Send one operation's request. Return the exchange, and the URL of the picture that the answer names, or null. */
export async function send(operation, fields, { api, token }) {
  const { method, path, json, parts } = REQUESTS[operation](fields);
  const sent = await exchange(api + path, {
    method,
    headers: { Authorization: `Bearer ${token}`, ...(json && { "Content-Type": "application/json" }) },
    body: parts ? formOf(parts) : json && JSON.stringify(json),
    cache: "no-store",
  });
  const picture = sent.status === 200 ? PICTURES[operation](JSON.parse(sent.answer), fields) : null;
  return { exchange: sent, picture: picture || null };
}

function pictureOf(user) {
  return `/api/v1/${user === ME ? "users/me" : `shared/users/${encodeURIComponent(user)}`}/profile-picture`;
}

function sdkUser(user) {
  return `/v1/users/${encodeURIComponent(user)}`;
}

/** Return the parts as a form. An input without a file contains an empty file without a name, which is left out. */
function formOf(parts) {
  const form = new FormData();
  for (const [name, file] of Object.entries(parts)) {
    if (file.name || file.size) form.append(name, file);
  }
  return form;
}
