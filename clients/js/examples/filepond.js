import * as FilePond from "filepond";
import "filepond/dist/filepond.min.css";
import { createProfileMedia } from "profile-media";

import { baseUrl, getToken } from "./session.js";

const media = createProfileMedia({ baseUrl, getToken });

const image = document.querySelector("img");
const status = document.querySelector("[role=status]");

FilePond.create(document.querySelector("input"), {
  labelFileProcessingError: ({ body }) => body,
  allowRevert: false,
  server: {
    revert: null, // otherwise FilePond would remove the present picture before it sends the next one
    process(_name, file, _metadata, load, fail, progress, abort) {
      const controller = new AbortController();
      const onProgress = ({ phase, sent, total }) => phase === "sending" && progress(true, sent, total);
      media.setAvatar(file, { onProgress, signal: controller.signal }).then(
        (upload) => {
          load(upload.uploadId);
          image.src = upload.derivatives.thumb.url;
          image.hidden = false;
          status.textContent = "Done";
        },
        (error) => fail(error.message),
      );
      return {
        abort() {
          controller.abort();
          abort();
        },
      };
    },
  },
});
