/** The five contracts' panels: one tab and one form each, and beneath it what its last request and answer were. */

import { MediaFailure } from "./api.js";
import { ME, send } from "./contracts.js";
import { answerText, requestText } from "./wire.js";

const ADMINISTRATOR = "admin";

/** How far an arrow key goes along the tabs. */
const STEPS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -1, ArrowDown: 1 };

/**
 * Brings the card's panels to life. `session` gives who is signed in, `record` is told of each exchange, and `changed`
 * is called after each that succeeded. `open` empties the panels for whoever has just signed in; `offer` fills an
 * upload that can be bound into their fields.
 */
export function contractPanels(card, { session, record, changed }) {
  const forms = [...card.querySelectorAll("form")];
  chooseByTab(card);
  for (const form of forms) {
    form.append(card.querySelector("template").content.cloneNode(true));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!form.ariaBusy) submit(form, event.submitter.value, session(), { record, changed });
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

async function submit(form, operation, session, { record, changed }) {
  const fields = Object.fromEntries(new FormData(form));
  const { api, users, signal } = session;
  const token = users[fields.administrator ? ADMINISTRATOR : session.person].token;
  const observe = (exchange) => {
    record(exchange);
    showExchange(form, exchange);
  };
  form.ariaBusy = "true";
  try {
    const { status, picture } = await send(operation, fields, { api, token, signal, observe });
    showPicture(form.querySelector(".sent img"), picture);
    if (status === 200) await changed();
  } catch (error) {
    // Signed out meanwhile; or no answer, which is what the exchange shows.
    if (error.name !== "AbortError" && !(error instanceof MediaFailure)) throw error;
  } finally {
    form.ariaBusy = null;
  }
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

/** Shows the picture an answer names, if the browser can get at it: another host's may be out of reach. */
function showPicture(image, url) {
  image.hidden = true;
  image.onload = () => (image.hidden = false);
  if (url) image.src = url;
  else image.removeAttribute("src");
}

/** Fills a list with the development users, the signed-in one first; where it starts with "me", that stays first. */
function offerUsers(select, { users, person }) {
  const others = Object.keys(users).filter((key) => key !== person);
  const me = [...select.options].filter(({ value }) => value === ME);
  const option = ({ name, user_id: userId }) => new Option(`${name} · ${userId}`, userId);
  select.replaceChildren(...me, ...[person, ...others].map((key) => option(users[key])));
  select.selectedIndex = 0;
}

// As tabs are used everywhere: one stop for the Tab key, and arrows, Home and End within.
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
