/** A place for a picture in a user's profile. */
export type Slot = "avatar" | "coverImage";

/** A rectangle in whole pixels of the upright picture, from its top left corner. */
export interface Crop {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** The point that stays visible in every derivative, as fractions (0 to 1) of the upright picture. */
export interface Focus {
  x: number;
  y: number;
}

/** One rendition of a picture, such as `full` or `thumb`. */
export interface Derivative {
  url: string;
  width: number;
  height: number;
  contentType: string;
  bytes: number;
}

/** What else is known of a picture. Missing if it is not. */
export interface Description {
  /** The part that the client asked for. */
  crop?: Crop;
  focus?: Focus;
  alt?: string;
  /** A ThumbHash in base64, to show a blurred picture until the real one has loaded. */
  thumbHash?: string;
  /** A CSS colour, `#rrggbb`. */
  color?: string;
}

/** One submitted picture. */
export interface Upload extends Description {
  uploadId: string;
  publicId: string;
  slot: Slot;
  state: "pending" | "ready" | "rejected" | "bound";
  createdAt: string;
  /** Missing once the upload is bound. */
  expiresAt?: string;
  /** Only of a rejected upload. */
  reason?: { code: string; message: string };
  /** Pixels of the upright picture that was sent. Present once it is processed, like `height` and `derivatives`. */
  width?: number;
  height?: number;
  derivatives?: Record<string, Derivative>;
}

/** An upload whose derivatives exist. */
export interface ReadyUpload extends Upload {
  state: "ready" | "bound";
  width: number;
  height: number;
  derivatives: Record<string, Derivative>;
}

/** An upload that waits for its file, and the form that carries it to S3. */
export interface Intent {
  uploadId: string;
  publicId: string;
  slot: Slot;
  state: Upload["state"];
  expiresAt: string | null;
  /** Send `fields` unchanged and in this order, and then the file as `file`. */
  upload: { method: "POST"; url: string; fields: Record<string, string> };
}

/** A picture in a slot. An external picture has a `url`, no ids and no derivatives. */
export interface Picture extends Description {
  uploadId: string | null;
  publicId: string | null;
  url?: string;
  derivatives: Record<string, Derivative>;
}

export interface Profile {
  userId: string;
  avatar: Picture | null;
  coverImage: Picture | null;
  updatedAt: string | null;
}

/** A user as the endpoints under `/v1/users` return it, with names in camel case. It has more keys than these. */
export interface User {
  id: string;
  imageUrl: string;
  hasImage: boolean;
  username: string | null;
  firstName: string | null;
  lastName: string | null;
  createdAt: number;
  updatedAt: number;
  [key: string]: unknown;
}

/** Facts about a file, before or after it was converted in the browser. */
export interface FileFacts {
  contentType: string;
  bytes: number;
  width: number;
  height: number;
}

export type Progress =
  /** The file is read, and converted if necessary. */
  | { phase: "preparing" }
  /** The browser made another file, because of the format, the number of bytes or the number of pixels. */
  | { phase: "converted"; because: "format" | "bytes" | "pixels"; from: FileFacts; to: FileFacts }
  /** Bytes on their way. Without XMLHttpRequest (Node.js), only the first and the last event come. */
  | { phase: "sending"; uploadId: string; sent: number; total: number }
  /** The service renders the derivatives. */
  | { phase: "processing"; uploadId: string }
  /** A request failed and is repeated after this many milliseconds, or when the browser is online again. */
  | { phase: "retrying"; delay: number; error: ProfileMediaError };

export interface PictureOptions {
  /** The part of the picture that is shown. Not together with `focus`. */
  crop?: Crop | undefined;
  focus?: Focus | undefined;
  /** A plain text of at most 420 characters in place of the picture. */
  alt?: string | undefined;
}

/** Changes of a ready upload. `null` returns to the default crop, or removes the text. */
export interface PictureChanges {
  crop?: Crop | null | undefined;
  focus?: Focus | null | undefined;
  alt?: string | null | undefined;
}

export interface UploadOptions extends PictureOptions {
  /** `avatar` if missing. */
  slot?: Slot | undefined;
  /** Put the picture into the slot as soon as it is ready. `false` if missing; `setAvatar` and `setCoverImage` do it. */
  bind?: boolean | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
  /** Gives up the upload and deletes it. The call rejects with the signal's reason, usually an AbortError. */
  signal?: AbortSignal | undefined;
}

/** `avatar` and `coverImage` without the options that `setAvatar` and `setCoverImage` choose. */
export type SetOptions = Omit<UploadOptions, "slot" | "bind">;

export interface SignalOption {
  signal?: AbortSignal | undefined;
}

export type ErrorCode =
  // The file, found before or after it was sent.
  | "empty"
  | "file_unreadable"
  | "unsupported_format"
  | "type_mismatch"
  | "corrupt"
  | "too_many_pixels"
  | "too_small"
  | "too_large"
  | "too_complex"
  | "checksum_mismatch"
  | "crop_outside"
  // The request.
  | "request_invalid"
  | "upload_too_large"
  | "payload_too_large"
  | "type_unsupported"
  | "upload_not_found"
  | "user_not_found"
  | "owner_forbidden"
  | "upload_not_ready"
  | "upload_bound"
  | "crop_unavailable"
  | "reference_invalid"
  | "idempotency_conflict"
  | "attachment_changed"
  // The person.
  | "auth_unauthorized"
  | "auth_forbidden"
  | "token_unavailable"
  | "limit_exceeded"
  // The way to the service, and the service.
  | "network"
  | "storage"
  | "slow"
  | "unavailable"
  | "internal"
  // Other codes of the service, in lower case.
  | (string & {});

/** A failed call. */
export class ProfileMediaError extends Error {
  constructor(code: ErrorCode, facts?: Partial<Pick<ProfileMediaError, "retryAfter" | "status" | "detail" | "limit" | "correlationId">> & { cause?: unknown });
  name: "ProfileMediaError";
  /** What went wrong. */
  code: ErrorCode;
  /** An English sentence for a person, with what to do. */
  message: string;
  /** Whether the same call can succeed later. */
  retryable: boolean;
  /** Seconds after which it can, if the service said so. */
  retryAfter?: number | undefined;
  /** The HTTP status, if there was an answer. */
  status?: number | undefined;
  /** The message of the service or of S3, for developers. */
  detail?: string | undefined;
  /** The limit that was hit: bytes for `upload_too_large`, a name for `limit_exceeded`. */
  limit?: number | string | undefined;
  /** Identifies the request in the service's log. */
  correlationId?: string | undefined;
}

export interface ProfileMediaOptions {
  /** The API's address, with its stage if it has one, such as `https://api.example.com`. */
  baseUrl: string;
  /**
   * Return the signed-in user's token. Called for every request, so it should keep the token. After a 401 it is called
   * once more with `refresh: true` and should then return a new token.
   */
  getToken: (options: { refresh: boolean }) => string | Promise<string>;
  /** Pictures with more bytes are shrunk in the browser. 20,971,520 if missing. A lower limit of the service is found. */
  maxBytes?: number | undefined;
}

export interface ProfileMedia {
  /** Upload a picture. Resolves once it is ready, or bound with `bind`. Rejects with a ProfileMediaError. */
  upload(file: Blob, options?: UploadOptions): Promise<ReadyUpload>;
  /** Upload a picture and show it as the avatar. */
  setAvatar(file: Blob, options?: SetOptions): Promise<ReadyUpload>;
  /** Upload a picture and show it as the cover image. */
  setCoverImage(file: Blob, options?: SetOptions): Promise<ReadyUpload>;
  /** Announce a file that another library sends. It is sent as it is. `upload` does this, sends the file and waits. */
  createIntent(file: Blob, options?: Omit<UploadOptions, "onProgress">): Promise<Intent>;
  /** Resolve once an upload is ready. Reject if the service refuses the picture. */
  wait(uploadId: string, options?: SignalOption): Promise<ReadyUpload>;
  /** Change the crop, the focus or the alternative text of a ready upload, without sending the picture again. */
  update(uploadId: string, changes: PictureChanges, options?: SignalOption): Promise<ReadyUpload>;
  /** Put a ready upload into its slot. */
  bind(upload: Pick<Upload, "slot" | "publicId">, options?: SignalOption): Promise<void>;
  /** Delete an upload. It is no error if it no longer exists; `upload_bound` if a slot shows it. */
  cancel(uploadId: string, options?: SignalOption): Promise<void>;
  /** Empty a slot. With `keepalive`, the request is finished even if the page is closed. */
  remove(slot: Slot, options?: SignalOption & { keepalive?: boolean }): Promise<void>;
  /** Return the signed-in user's pictures. */
  profile(options?: SignalOption): Promise<Profile>;
  users: {
    /**
     * Send a picture of at most 4 MiB in one request and show it as the user's avatar. Larger pictures are shrunk where
     * the browser can. An administrator's token may set other users' pictures.
     */
    updateUserProfileImage(userId: string, params: { file: Blob }, options?: SignalOption): Promise<User>;
  };
}

/** Return a client for the user whose token `getToken` returns. */
export function createProfileMedia(options: ProfileMediaOptions): ProfileMedia;
