/* The page that submits: what is written is checked and drawn while one writes, and becomes a task. */

import { Problem } from "../api.js";
import { tell, tellFault } from "../banner.js";
import { byId, debounced, text } from "../dom.js";
import { bytes, count, plural } from "../format.js";
import { Check, sizeFault } from "./check.js";
import { keep, kept } from "./draft.js";
import { Drawing } from "./drawing.js";
import { Editor } from "./editor.js";
import { chooseExample } from "./examples.js";
import { takeFiles } from "./files.js";
import { locate } from "./places.js";
import { Report } from "./report.js";
import { NotJson } from "./scanner.js";
import { Sender, whyNot } from "./send.js";
import { tidy } from "./tidy.js";

const KEEPING = 300; // milliseconds after the last key
const limits = { bytes: Number(byId("text").dataset.bodyLimit), nodes: Number(byId("text").dataset.maxNodes) };

let before = null; // the text that was replaced last
const sender = new Sender();
const report = new Report((from, to) => editor.jump(from, to));
const drawing = new Drawing((place) => toNode(place));
const check = new Check(limits.bytes, (result) => {
  report.show(result);
  drawing.show(result);
  if (result.kind !== "checking") editor.mark(result.faults ?? []);
});
const keepSoon = debounced(keepNow, KEEPING);
const editor = new Editor(changed);

function changed() {
  sender.key = "";
  byId("refusal").hidden = true;
  check.text(editor.text);
  keepSoon();
}

function keepNow() {
  byId("kept").hidden = keep(editor.text, sender.key);
  text(byId("size"), `${plural(editor.lines.count, "line")} · ${bytes(new Blob([editor.text]).size)} of at most ${bytes(limits.bytes)} · at most ${count(limits.nodes)} nodes`);
}

/** Put another text in place of what is written, which can be brought back. */
function replace(next) {
  if (next === editor.text) return;
  before = editor.text.trim() ? editor.text : before;
  byId("back").hidden = before === null;
  editor.replace(next);
}

function toNode(place) {
  try {
    const pointer = `/nodes/${place}/name`;
    const { from, to } = locate(editor.text, [pointer]).get(pointer);
    editor.jump(from, to);
  } catch (error) {
    if (!(error instanceof NotJson)) throw error; // the drawing is older than a fault of the text
  }
}

async function submit() {
  const button = byId("submit");
  if (button.disabled) return;
  const fault = sizeFault(editor.text, limits.bytes);
  if (fault || !editor.text.trim()) {
    refuse(fault ? `Not accepted: the text ${fault.detail}.` : "There is nothing to submit yet.");
    return;
  }
  byId("refusal").hidden = true;
  button.disabled = true;
  try {
    const id = await sender.send(editor.text, keepNow);
    keepNow();
    location.assign(`/tasks/${id}`);
  } catch (error) {
    notTaken(error);
  } finally {
    button.disabled = false;
  }
}

function notTaken(error) {
  refuse(whyNot(error));
  if (!(error instanceof Problem) || ![400, 422].includes(error.status)) return;
  if (error.errors.length) check.refused(error);
  else check.now();
  report.focusFault();
}

function refuse(why) {
  const place = byId("refusal");
  place.hidden = false;
  text(place, why);
}

function format() {
  try {
    replace(tidy(editor.text));
  } catch (error) {
    if (!(error instanceof NotJson)) throw error;
    check.now();
    tellFault("What is no JSON yet cannot be formatted; see its fault.");
    report.focusFault();
  }
}

byId("tidy").addEventListener("click", format);
byId("submit").addEventListener("click", submit);
byId("back").addEventListener("click", () => {
  replace(before);
  byId("text").focus();
});
byId("examples").addEventListener("click", async () => {
  const example = await chooseExample();
  if (!example) return;
  replace(example.gorch);
  byId("text").focus();
});
takeFiles({
  limit: limits.bytes,
  opened: (content, name) => {
    replace(content);
    tell(`${name} is opened.`);
  },
  refused: tellFault,
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || document.querySelector("dialog[open]")) return;
  event.preventDefault();
  submit();
});
text(byId("submit-keys"), /Mac|iPhone|iPad/.test(navigator.platform) ? "⌘↵" : "Ctrl ↵");

const draft = kept();
if (draft.text && !editor.text) editor.replace(draft.text); // a browser may have restored the text itself
sender.key = draft.text === editor.text ? draft.key : "";
check.text(editor.text);
check.now();
keepNow();
