// What reading and writing of cards share: a state outside React, progress, and failures in sentences.

import { isReachable, openFolder, walk } from "./card_folder.js";
import { foldPath } from "./card_names.js";
import { explainError } from "./card_plan.js";

export const cancelled = () => new DOMException("Cancelled.", "AbortError");
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const sumBytes = (files) => files.reduce((sum, { bytes }) => sum + bytes, 0);

export class CardTask {
  constructor(start, services) {
    Object.assign(this, services);
    this.start = start;
    this.listeners = new Set();
    this.snapshot = start;
    this.run = 0; // number of the present piece of work; an older one stops
    this.doing = ""; // path of the file that is worked on
  }

  subscribe = (listener) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  getSnapshot = () => this.snapshot;

  set(change) {
    this.snapshot = { ...this.snapshot, ...change };
    this.listeners.forEach((listener) => listener());
  }

  // Ends the present work; returns whether a piece of work is still wanted.
  begin() {
    this.run += 1;
    const { run } = this;
    return () => run === this.run;
  }

  // Calls `act` with each file and a function that reports the bytes of it that are done.
  async eachFile(doing, files, isWanted, act) {
    const allBytes = sumBytes(files);
    let before = 0;
    for (const [at, file] of files.entries()) {
      if (!isWanted()) throw cancelled();
      this.doing = file.path;
      const report = (bytes) => isWanted() && this.set({ progress: { doing, path: file.path, files: at, allFiles: files.length, bytes: before + bytes, allBytes } });
      report(0);
      await act(file, report, files[at + 1]);
      before += file.bytes;
    }
    this.doing = "";
  }

  // Returns the files below a folder of the card: `{path, bytes, sha256, file}`, without hashes.
  async listFolder(folderPath) {
    const folder = await openFolder(this.root, this.relative(folderPath));
    const found = [];
    if (!folder) return found;
    for await (const { path, handle } of walk(folder)) {
      const file = await handle.getFile();
      found.push({ path: `${folderPath}/${path}`, bytes: file.size, sha256: "", file });
    }
    return found;
  }

  async hashFiles(files, isWanted) {
    await this.eachFile("Reading", files, isWanted, async (each) => {
      each.sha256 = await this.hashFile(each.file);
    });
  }

  // Returns a path from the chosen folder; `base` is that folder from the root of the card.
  relative(path) {
    return this.base && foldPath(path).startsWith(foldPath(this.base)) ? path.slice(this.base.length + 1) : path;
  }

  // Asks for permission again where the browser wants that; needs a click.
  async isAllowed(handle, mode = "readwrite") {
    if (!handle.queryPermission || (await handle.queryPermission({ mode })) === "granted") return true;
    return (await handle.requestPermission({ mode }).catch(() => "denied")) === "granted";
  }

  // Shows why the work ended, unless it is not wanted any more.
  async fail(error, isWanted) {
    if (!isWanted()) return;
    const isGone = this.root && error.name !== "ApiError" && !(await isReachable(this.root));
    const message = isGone ? "" : explainError(error, this.doing);
    this.doing = "";
    this.set(isGone ? { phase: "pulled" } : { phase: "failed", message });
  }
}
