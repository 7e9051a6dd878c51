import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { createProfileMedia } from "profile-media";
import { useAvatarUpload } from "profile-media/react";

import { baseUrl, getToken } from "./session.js";

const media = createProfileMedia({ baseUrl, getToken });

function AvatarPicker() {
  const { status, fraction, error, upload, start, cancel, retry } = useAvatarUpload(media);
  return (
    <>
      <p>
        <label>
          Avatar <input type="file" accept="image/*" onChange={({ target }) => start(target.files[0])} />
        </label>
      </p>
      {status === "uploading" && (
        <p>
          <progress value={fraction} aria-label="Upload" /> <button onClick={cancel}>Cancel</button>
        </p>
      )}
      <p role="status">{{ idle: "", uploading: "Uploading …", done: "Done", failed: error?.message }[status]}</p>
      {error?.retryable && <button onClick={retry}>Try again</button>}
      {upload && <img alt="Your avatar" width="128" height="128" src={upload.derivatives.thumb.url} />}
    </>
  );
}

createRoot(document.querySelector("#root")).render(
  <StrictMode>
    <AvatarPicker />
  </StrictMode>,
);
