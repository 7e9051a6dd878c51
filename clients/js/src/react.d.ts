import type { Progress, ProfileMedia, ProfileMediaError, ReadyUpload, SetOptions, Slot } from "./index.js";

export interface AvatarUploadOptions {
  /** `avatar` if missing. */
  slot?: Slot | undefined;
  /** Called after the picture was set. */
  onSet?: ((upload: ReadyUpload) => void) | undefined;
}

export interface AvatarUpload {
  status: "idle" | "uploading" | "done" | "failed";
  /** The last event of the present upload. */
  progress: Progress | null;
  /** 0 to 1: how much of the file was sent. */
  fraction: number;
  /** Set if the status is `failed`. */
  error: ProfileMediaError | null;
  /** Set if the status is `done`. */
  upload: ReadyUpload | null;
  /** Upload a picture and put it into the slot. An upload that is under way is cancelled. */
  start: (file: Blob, options?: Pick<SetOptions, "crop" | "focus" | "alt">) => void;
  /** Give up the upload that is under way. */
  cancel: () => void;
  /** Start the failed upload again. */
  retry: () => void;
}

/** Upload a picture from a component. The upload is cancelled when the component is removed. */
export function useAvatarUpload(media: ProfileMedia, options?: AvatarUploadOptions): AvatarUpload;
