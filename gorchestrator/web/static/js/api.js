/* Calls of the public API. An answer that is an error becomes a `Problem`, whose text is fit to be shown. */

const BASE = "/v1";
const SIGN_IN = "/signin"; // where whoever is not known is led to

/**
 * An error that the service answered. `type`: its last word, such as `task-unknown`; `errors`: faults of a document;
 * `retryAfter`: seconds after which it may be asked again, 0 if it did not say.
 */
export class Problem extends Error {
  constructor(status, problem, retryAfter = 0) {
    super(problem.detail || problem.title || `The service answered with status ${status}.`);
    this.name = "Problem";
    this.status = status;
    this.type = String(problem.type ?? "").replace(/^urn:gorchestrator:problem:/, "");
    this.detail = this.message;
    this.errors = problem.errors ?? [];
    this.problem = problem;
    this.retryAfter = retryAfter;
  }
}

/** The service did not answer at all. */
export class Unreachable extends Error {
  constructor(cause) {
    super("The service does not answer.", { cause });
    this.name = "Unreachable";
  }
}

/** GET and return the JSON of the answer. `options`: `query`, `headers`, `signal`. */
export async function get(path, options) {
  return read(await call("GET", path, options));
}

/** POST `body` as JSON and return the JSON of the answer. */
export async function post(path, body, options) {
  return read(await call("POST", path, { ...options, body }));
}

/** DELETE and return the JSON of the answer. */
export async function del(path, options) {
  return read(await call("DELETE", path, options));
}

/**
 * Call the API and return the `Response`. `path` is below /v1.
 *
 * `query`: an object or URLSearchParams; `body`: becomes JSON, unless it is a string already. Throws Problem,
 * Unreachable, or an AbortError of the `signal`.
 */
export async function call(method, path, { query, headers, body, signal } = {}) {
  const request = { method, signal, headers: { Accept: "application/json", ...headers } };
  if (body !== undefined) {
    request.body = typeof body === "string" ? body : JSON.stringify(body);
    request.headers["Content-Type"] = "application/json";
  }
  let answer;
  try {
    answer = await fetch(url(path, query), request);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Unreachable(error);
  }
  if (answer.status === 401 && location.pathname !== SIGN_IN) {
    const here = location.pathname + location.search + location.hash;
    location.assign(`${SIGN_IN}?next=${encodeURIComponent(here)}`);
  }
  if (!answer.ok && answer.status !== 304) {
    throw new Problem(answer.status, await problemOf(answer), Number(answer.headers.get("Retry-After")) || 0);
  }
  return answer;
}

async function read(answer) {
  try {
    return await answer.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Unreachable(error); // the connection broke in the midst of it
  }
}

/** Return the address of a path below /v1; keys of `query` that are null are left out, lists are repeated. */
export function url(path, query = {}) {
  const search = query instanceof URLSearchParams ? query : new URLSearchParams(pairs(query));
  return `${BASE}${path}${search.size ? `?${search}` : ""}`;
}

/** Return a new value for the header Idempotency-Key: a POST may be repeated with it. */
export function key() {
  // crypto.randomUUID is missing where a page comes over plain HTTP from another machine.
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function pairs(query) {
  return Object.entries(query).flatMap(([name, value]) =>
    value === null || value === undefined ? [] : [value].flat().map((item) => [name, String(item)]),
  );
}

async function problemOf(answer) {
  try {
    return await answer.json();
  } catch {
    return { title: answer.statusText }; // from a proxy in between, perhaps
  }
}
