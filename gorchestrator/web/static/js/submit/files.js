/* Opening a file: picked, or dropped anywhere on the page. */

import { byId } from "../dom.js";
import { bytes } from "../format.js";

/** `opened(text, name)` is called with a file's text, `refused(message)` with why it is not taken; `limit` in bytes. */
export function takeFiles({ limit, opened, refused }) {
  const open = async (file) => {
    if (!file) return;
    if (file.size > limit) refused(`${file.name} has ${bytes(file.size)}; this service takes at most ${bytes(limit)} (setting body_limit).`);
    else {
      const text = await read(file);
      if (text === null) refused(`${file.name} is no text in UTF-8.`);
      else opened(text, file.name);
    }
  };
  const input = byId("file");
  byId("pick").addEventListener("click", () => input.click());
  input.addEventListener("change", async () => {
    await open(input.files[0]);
    input.value = ""; // so that the same file can be opened again after a change
  });
  takeDrops((files) => {
    if (files.length > 1) refused("One file at a time can be opened.");
    else open(files[0]);
  });
}

/** A file that is dropped beside the editor is not to replace the page either. */
function takeDrops(dropped) {
  const hint = byId("drop");
  let leaving = 0;
  document.addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    hint.hidden = false;
    clearTimeout(leaving);
    leaving = setTimeout(() => (hint.hidden = true), 300); // these events come all the time while a file is held
  });
  document.addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    hint.hidden = true;
    dropped(event.dataTransfer.files);
  });
}

function hasFiles(event) {
  return event.dataTransfer?.types.includes("Files");
}

async function read(file) {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
  } catch {
    return null;
  }
}
