/** A product's profile settings, made of `<profile-media-picker>` and the client. */

import "profile-media/element";
import { pictureOf, showFace } from "./faces.js";
import { clearFailure, showFailure } from "./failure.js";
import { clientOf, readStack, remember, remembered } from "./session.js";

const at = (id) => document.getElementById(id);
const parts = (name) => document.querySelectorAll(`[data-part="${name}"]`);
const part = (name) => parts(name)[0];
const pickers = () => document.querySelectorAll("profile-media-picker");

/** CSS pixels of the faces on the page. */
const FACES = { face: 32, avatar: 96, message: 48, mention: 24 };

/** Tells the other tabs of this browser whose pictures have changed. */
const changes = new BroadcastChannel("profile-media");

/** The signed-in person's key, and the entry in stack.json. */
let session = null;

async function start() {
  clearFailure(at("failure"));
  try {
    const stack = await readStack();
    const person = remembered();
    if (stack.users[person]) signIn(stack, person);
    else chooseFrom(stack);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    showFailure(at("failure"), "There is no connection. Check that you are online, and try again.", { again: start });
  }
}

// Sign-in

function chooseFrom(stack) {
  at("people").replaceChildren(...Object.keys(stack.users).map((person) => personItem(stack, person)));
  show("sign-in");
}

function personItem(stack, person) {
  const user = stack.users[person];
  const item = document.createElement("li");
  const button = Object.assign(document.createElement("button"), { type: "button" });
  const face = document.createElement("span");
  const name = Object.assign(document.createElement("span"), { className: "name", textContent: user.name });
  const email = Object.assign(document.createElement("span"), { className: "quiet", textContent: user.email });
  const text = document.createElement("span");
  text.append(name, email);
  button.append(face, text);
  button.addEventListener("click", () => {
    remember(person);
    signIn(stack, person);
    at("heading").focus();
  });
  item.append(button);
  showFace(face, { size: 48, user });
  clientOf(stack, person).profile().then(
    ({ avatar }) => showFace(face, { size: 48, avatar, user }),
    () => showFace(face, { size: 48, avatar: null, user }),
  );
  return item;
}

function signIn(stack, person) {
  const user = stack.users[person];
  session = { person, user };
  at("people").replaceChildren();
  for (const place of parts("name")) place.textContent = user.name;
  showPictures();
  const client = watched(clientOf(stack, person), session);
  const options = { user, client, heic: stack.accepts_heic };
  at("avatar").append(pickerOf("avatar", options));
  at("cover").append(pickerOf("coverImage", options));
  show("profile");
}

/** Return a new picker for each person: a removal that can still be undone belongs to the person who made it. */
function pickerOf(slot, { user, client, heic }) {
  const picker = document.createElement("profile-media-picker");
  picker.setAttribute("slot-name", slot);
  picker.setAttribute("name", user.name);
  picker.toggleAttribute("accept-heic", heic);
  if (slot === "avatar" && user.picture) {
    picker.className = "provided";
    picker.style.setProperty("--provided", `url("${user.picture}")`);
  }
  picker.client = client;
  return picker;
}

function signOut() {
  for (const picker of pickers()) picker.remove();
  session = null;
  remember(null);
}

/** Return the client with two additions: the page shows each profile that it reads, and other tabs learn of removals. */
function watched(client, mine) {
  return {
    ...client,
    async profile(options) {
      const profile = await client.profile(options);
      if (session === mine) showPictures(profile);
      return profile;
    },
    async remove(...given) {
      await client.remove(...given);
      changes.postMessage(mine.person);
    },
  };
}

function show(view) {
  for (const id of ["sign-in", "profile"]) at(id).hidden = id !== view;
  at("person").hidden = view !== "profile";
}

// How others see the person

/** Show the pictures of a profile, or empty places while it is not known. */
function showPictures(profile = {}) {
  const { user } = session;
  for (const [place, size] of Object.entries(FACES)) {
    const alt = place === "avatar" ? `Profile picture of ${user.name}` : "";
    showFace(part(place), { size, avatar: profile.avatar, user, alt });
  }
  const { coverImage } = profile;
  const cover = coverImage && pictureOf(coverImage, {
    sizes: "(min-width: 60rem) 24rem, 100vw",
    alt: `Cover image of ${user.name}`,
    unreachable: ({ target }) => target.remove(),
  });
  part("cover").replaceChildren(...(cover ? [cover] : []));
}

// Events

document.addEventListener("profile-media-change", ({ detail }) => {
  showPictures(detail.profile);
  changes.postMessage(session.person);
});

changes.addEventListener("message", ({ data }) => {
  if (session?.person === data) for (const picker of pickers()) picker.refresh();
});

at("switch").addEventListener("click", async () => {
  signOut();
  at("person").hidden = at("profile").hidden = true;
  await start();
  at("sign-in-heading").focus();
});

// A file that is dropped beside a picker would replace the page.
for (const type of ["dragover", "drop"]) document.addEventListener(type, (event) => event.preventDefault());

await start();
