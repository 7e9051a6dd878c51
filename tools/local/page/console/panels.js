/** The five contracts' panels: a tab, a form, and the last request and response. */

import { ME, send } from "./contracts.js";
import { answerText, requestText } from "./wire.js";

const ADMINISTRATOR = "admin";

/** By key: the number of tabs to move. */
const STEPS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -1, ArrowDown: 1 };

/**
 * Set up the panels. `session` returns the signed-in user, `record` is called with each exchange, and `changed` after
 * each successful one. `open` empties the panels for a user who has signed in; `offer` fills in a ready upload.
 */
export function contractPanels(card, { session, record, changed }) {
  const forms = [...card.querySelectorAll("form")];
  chooseByTab(card);
  for (const form of forms) {
    form.append(card.querySelector("template").content.cloneNode(true));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!form.ariaBusy) submit(form, event.submitter.value, session(), { session, record, changed });
    });
  }

  return {
    open() {
      for (const form of forms) {
        form.reset();
        form.querySelector(".sent").hidden = true;
        if (form.elements.user) offerUsers(form.elements.user, session());
      }
    },
    offer({ slot, publicId, uploadId, derivatives }) {
      const { full } = derivatives;
      const fields = { slot, publicId, ...(slot === "avatar" && { uploadId, avatarUrl: full.url }) };
      for (const form of forms) {
        for (const [name, value] of Object.entries(fields)) {
          if (form.elements[name]) form.elements[name].value = value;
        }
      }
    },
  };
}

async function submit(form, operation, { api, users, person }, { session, record, changed }) {
  const fields = Object.fromEntries(new FormData(form));
  const { token } = users[fields.administrator ? ADMINISTRATOR : person];
  form.ariaBusy = "true";
  // The form is free as soon as its response is there: a click while the profile is read again is not lost.
  const { exchange, picture } = await send(operation, fields, { api, token }).finally(() => (form.ariaBusy = null));
  record(exchange);
  if (session().person !== person) return;
  showExchange(form, exchange);
  showPicture(form.querySelector(".sent img"), picture);
  if (exchange.status === 200) await changed();
}

function showExchange(form, exchange) {
  const sent = form.querySelector(".sent");
  const put = (name, text) => (sent.querySelector(`[data-part="${name}"]`).textContent = text);
  sent.dataset.outcome = exchange.status >= 200 && exchange.status < 300 ? "fine" : "failed";
  put("status", exchange.status ? `Answered ${exchange.status}` : "No answer");
  put("time", `${exchange.milliseconds} ms`);
  put("request", requestText(exchange));
  put("answer", answerText(exchange));
  showPicture(sent.querySelector("img"), null);
  sent.hidden = false;
}

/** Show the response's picture, if the browser can load it. */
function showPicture(image, url) {
  image.hidden = true;
  image.onload = () => (image.hidden = false);
  if (url) image.src = url;
  else image.removeAttribute("src");
}

/** Fill a list with the development users, the signed-in one first, after "me" if the list has that. */
function offerUsers(select, { users, person }) {
  const others = Object.keys(users).filter((key) => key !== person);
  const me = [...select.options].filter(({ value }) => value === ME);
  const option = ({ name, user_id: userId }) => new Option(`${name} · ${userId}`, userId);
  select.replaceChildren(...me, ...[person, ...others].map((key) => option(users[key])));
  select.selectedIndex = 0;
}

// The ARIA tabs pattern: one Tab stop; arrow keys, Home and End move between the tabs.
function chooseByTab(card) {
  const tabs = [...card.querySelectorAll('[role="tab"]')];
  const choose = (chosen) => {
    for (const tab of tabs) {
      tab.ariaSelected = String(tab === chosen);
      tab.tabIndex = tab === chosen ? 0 : -1;
      document.getElementById(tab.getAttribute("aria-controls")).hidden = tab !== chosen;
    }
  };
  for (const [number, tab] of tabs.entries()) {
    tab.addEventListener("click", () => choose(tab));
    tab.addEventListener("keydown", (event) => {
      const step = STEPS[event.key];
      const next = step ? tabs.at((number + step) % tabs.length) : { Home: tabs[0], End: tabs.at(-1) }[event.key];
      if (!next) return;
      event.preventDefault();
      choose(next);
      next.focus();
    });
  }
}
