import AwsS3 from "@uppy/aws-s3";
import Uppy from "@uppy/core";
import { createProfileMedia } from "profile-media";

import { baseUrl, getToken } from "./session.js";

const media = createProfileMedia({ baseUrl, getToken });

const uppy = new Uppy({ autoProceed: true }).use(AwsS3, {
  shouldUseMultipart: false,
  async getUploadParameters({ id }) {
    const { uploadId, upload } = await media.createIntent(uppy.getFile(id).data, { slot: "avatar" });
    uppy.setFileMeta(id, { uploadId });
    return upload; // method, url and fields
  },
});

uppy.addPostProcessor(async (ids) => {
  for (const id of ids) {
    const upload = await media.wait(uppy.getFile(id).meta.uploadId);
    await media.bind(upload);
    show(upload);
  }
});

const image = document.querySelector("img");
const status = document.querySelector("[role=status]");

function show(upload) {
  image.src = upload.derivatives.thumb.url;
  image.hidden = false;
}

document.querySelector("input").addEventListener("change", ({ target }) => {
  const [data] = target.files;
  uppy.addFile({ name: data.name, type: data.type, data });
  target.value = ""; // the same file can be chosen again
});

uppy.on("upload", () => (status.textContent = "Uploading …"));
uppy.on("complete", ({ successful }) => {
  status.textContent = successful.length ? "Done" : "Failed";
  uppy.clear();
});
uppy.on("error", (error) => (status.textContent = error.message));
