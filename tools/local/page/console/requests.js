/** Observe the requests that this page's scripts make, without a change in the client. */

const send = globalThis.fetch.bind(globalThis);

/** Call `record` with each finished exchange of `fetch` and XMLHttpRequest. */
export function observeRequests(record) {
  globalThis.fetch = async (resource, options = {}) => {
    const request = new Request(resource, options);
    const exchange = started(request.method, request.url, Object.fromEntries(request.headers), options.body);
    try {
      const response = await send(request);
      const { status, headers } = response;
      response.clone().text().then((answer) => record(finished(exchange, status, [...headers], answer)), () => {});
      return response;
    } catch (error) {
      if (!request.signal.aborted) record(finished(exchange));
      throw error;
    }
  };
  globalThis.XMLHttpRequest = observed(globalThis.XMLHttpRequest, record);
}

/** Make a request and return its exchange, which is not recorded. Its status is 0 if there was no response. */
export async function exchange(url, options) {
  const request = new Request(url, options);
  const sent = started(request.method, request.url, Object.fromEntries(request.headers), options.body);
  try {
    const response = await send(request);
    return finished(sent, response.status, [...response.headers], await response.text());
  } catch {
    return finished(sent);
  }
}

function observed(Base, record) {
  return class extends Base {
    #exchange;

    open(method, url, ...others) {
      this.#exchange = { method, url };
      super.open(method, url, ...others);
    }

    send(body) {
      const { method, url } = this.#exchange;
      const exchange = started(method, url, {}, body);
      this.addEventListener("load", () => record(finished(exchange, this.status, headersOf(this), this.responseText)));
      this.addEventListener("error", () => record(finished(exchange)));
      super.send(body);
    }
  };
}

function started(method, url, headers, body) {
  return { method, url: new URL(url, location.href).href, headers, body: readable(body), started: performance.now() };
}

function finished({ started: since, ...request }, status = 0, headers = [], answer = "") {
  const milliseconds = Math.round(performance.now() - since);
  return { ...request, milliseconds, status, answerHeaders: Object.fromEntries(headers), answer };
}

/** Return the fields of a form, or the value of a JSON body. */
function readable(body) {
  if (body instanceof FormData) return Object.fromEntries(body);
  return typeof body === "string" ? JSON.parse(body) : body;
}

function headersOf(request) {
  const lines = request.getAllResponseHeaders().trim().split("\r\n").filter(Boolean);
  return lines.map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()]);
}
