/** Compiled, never run: what a TypeScript user writes, and what the compiler must refuse. */

import { createProfileMedia, ProfileMediaError, type Profile, type ReadyUpload } from "profile-media";
import "profile-media/element";
import { useAvatarUpload, type AvatarUpload } from "profile-media/react";

declare const file: File;

const media = createProfileMedia({ baseUrl: "https://api.example.com", getToken: async ({ refresh }) => (refresh ? "new" : "old") });

const ready: ReadyUpload = await media.setAvatar(file, { focus: { x: 0.5, y: 0.3 }, signal: AbortSignal.timeout(1000) });
const width: number | undefined = ready.derivatives["full"]?.width;
const profile: Profile = await media.profile();
await media.remove("coverImage");
const seed4: string = (await media.users.updateUserProfileImage("user_123", { file })).imageUrl;

await media.upload(file, {
  onProgress(progress) {
    if (progress.phase === "sending") return console.log(progress.sent / progress.total);
    if (progress.phase === "converted") return console.log(progress.because, progress.to.bytes);
    // @ts-expect-error: only bytes on their way are counted
    console.log(progress.sent);
  },
});

try {
  await media.cancel(ready.uploadId);
} catch (error) {
  if (error instanceof ProfileMediaError && error.code === "limit_exceeded") console.log(error.retryAfter?.toFixed());
}

const hook: AvatarUpload = useAvatarUpload(media, { slot: "coverImage", onSet: (upload) => console.log(upload.publicId) });
hook.start(file, { alt: "Ada" });

const picker = document.createElement("profile-media-picker");
picker.client = media;
picker.strings = { choose: "Pick one", errors: { network: "You are offline. Try again." } };
picker.addEventListener("profile-media-change", ({ detail }) => console.log(detail.profile.avatar?.alt));
picker.addEventListener("profile-media-error", ({ detail }) => console.log(detail.code));

// @ts-expect-error: no such text
picker.strings = { chose: "Pick one" };
// @ts-expect-error: no such slot
await media.remove("banner");
// @ts-expect-error: a crop is a rectangle
await media.upload(file, { crop: { x: 1, y: 2 } });
// @ts-expect-error: the slot is part of the name
await media.setAvatar(file, { slot: "coverImage" });
// @ts-expect-error: there is no client without a token
createProfileMedia({ baseUrl: "https://api.example.com" });

export { width, profile, seed4 };
