/* What the list shows, as the page's URL says it: so it can be kept, sent to others, and survives a reload. */

export const LIMIT = 100; // tasks of one page
export const DEFAULT_SORT = "-accepted";

const RANGES = { "1h": 3600, "24h": 86_400, "7d": 7 * 86_400, "30d": 30 * 86_400 }; // seconds

/**
 * Return what a query string asks for.
 *
 * `states`: names; `labels`: `key` or `key=value`; `range`: how far back, such as `24h`, else `since` and `until`
 * (RFC 3339); `cursor`: where the page begins, as the service said it.
 */
export function read(search) {
  const query = new URLSearchParams(search);
  return {
    states: query.getAll("state").flatMap((value) => value.split(",")).filter(Boolean),
    name: query.get("name") ?? "",
    labels: query.getAll("label").filter(Boolean),
    range: Object.hasOwn(RANGES, query.get("range")) ? query.get("range") : "",
    since: query.get("since") ?? "",
    until: query.get("until") ?? "",
    sort: query.get("sort") ?? DEFAULT_SORT,
    cursor: query.get("cursor") ?? "",
  };
}

/** Return the path of the page that shows this. */
export function write(wanted) {
  const query = asked(wanted);
  if (wanted.range) query.set("range", wanted.range);
  else for (const key of ["since", "until"]) if (wanted[key]) query.set(key, wanted[key]);
  return query.size ? `/?${query}` : "/";
}

/** Return the query of the API for this. */
export function forApi(wanted) {
  const query = asked(wanted);
  query.set("limit", LIMIT);
  if (wanted.range) query.set("since", new Date(Date.now() - RANGES[wanted.range] * 1000).toISOString());
  else for (const key of ["since", "until"]) if (wanted[key]) query.set(key, wanted[key]);
  return query;
}

/** Whether anything but the order is asked for. */
export function isFiltered({ states, name, labels, range, since, until }) {
  return Boolean(states.length || name || labels.length || range || since || until);
}

/** Return the same without filters, from the first page on. */
export function unfiltered(wanted) {
  return { ...read(""), sort: wanted.sort };
}

function asked({ states, name, labels, sort, cursor }) {
  const query = new URLSearchParams();
  if (states.length) query.set("state", states.join(","));
  if (name) query.set("name", name);
  for (const label of labels) query.append("label", label);
  if (sort !== DEFAULT_SORT) query.set("sort", sort);
  if (cursor) query.set("cursor", cursor);
  return query;
}
