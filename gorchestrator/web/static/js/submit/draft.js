/* Keeps the text, and the key with which it was sent, over a reload of this tab. */

const TEXT = "gorchestrator.submit.text";
const KEY = "gorchestrator.submit.key";

/** Return what is kept: `{text, key}`; empty texts where nothing is. */
export function kept() {
  try {
    return { text: sessionStorage.getItem(TEXT) ?? "", key: sessionStorage.getItem(KEY) ?? "" };
  } catch {
    return { text: "", key: "" }; // storage is switched off
  }
}

/** Keep a text and a key. Returns whether there was room. */
export function keep(text, key) {
  try {
    sessionStorage.setItem(TEXT, text);
    sessionStorage.setItem(KEY, key);
    return true;
  } catch {
    forget(); // an older text would be worse than none
    return false;
  }
}

function forget() {
  try {
    sessionStorage.removeItem(TEXT);
    sessionStorage.removeItem(KEY);
  } catch {
    // storage is switched off, so nothing is there
  }
}
