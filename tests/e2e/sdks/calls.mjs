// Make the calls on standard input with the published SDK, and print their results as JSON.

import { readFileSync } from "node:fs";
import { createClerkClient } from "@clerk/backend";
import { isClerkAPIResponseError } from "@clerk/shared/error";

const { base, key, calls } = JSON.parse(readFileSync(0, "utf8"));
const { users } = createClerkClient({ secretKey: key, apiUrl: base });

const fileOf = ({ file }) => file && new File([Buffer.from(file, "base64")], "profile-pic.png", { type: "image/png" });

const VERBS = {
  set: (call) => users.updateUserProfileImage(call.user_id, { file: fileOf(call) }),
  get: (call) => users.getUser(call.user_id),
  delete: (call) => users.deleteUserProfileImage(call.user_id),
};

const shown = (user) => ({
  type: user.constructor.name.replace("_", ""),
  id: user.id,
  has_image: user.hasImage,
  image_url: user.imageUrl,
  first_name: user.firstName,
  email: user.primaryEmailAddress?.emailAddress ?? null,
  email_status: user.primaryEmailAddress?.verification?.status ?? null,
  updated_at: user.updatedAt,
});

const refused = (error) => {
  if (!isClerkAPIResponseError(error)) throw error;
  const codes = error.errors.map(({ code }) => code);
  const messages = error.errors.flatMap(({ message, longMessage }) => [message, longMessage]);
  return {
    type: error.constructor.name,
    status: error.status,
    codes,
    messages,
    trace: error.clerkTraceId,
    retry_after: error.retryAfter ?? null,
  };
};

const outcomes = [];
for (const call of calls) {
  outcomes.push(
    await VERBS[call.verb](call).then(
      (user) => ({ user: shown(user) }),
      (error) => ({ error: refused(error) }),
    ),
  );
}
console.log(JSON.stringify(outcomes));
