// Writes an export to a card, in steps that a person sees: read, compare, back up, write, read back,
// and read all again after the card was put in again. It lives outside React, so a closed dialog
// does not interrupt it.

import { findPathProblem, foldPath, isSwapFile } from "./card_names.js";
import { describeCard } from "./card_layout.js";
import { isReachable, listNames, openFile, removeFile, writeFile } from "./card_folder.js";
import { countChanges, explainError, filesToBackUp, keptChoices, openConflicts, orderSteps, splitLeftovers, targetFolder } from "./card_plan.js";
import { CardTask, pause } from "./card_task.js";

const REACHABLE_POLL_MS = 1000;
const BUSY = ["reading", "saving", "writing", "checking"];
const DAMAGED = "What was read back differs from what was written. The card may be damaged.";
const CHANGED = "It was changed on the card since it was read. It was left as it is; read the card again.";
const START = { phase: "idle", card: null, progress: null, changes: [], counts: null, leftovers: [], choices: {}, backup: [], toBackUp: 0, kept: 0, different: [], written: 0, message: "", resumable: null };

const contentOf = (files) => files.map(({ path, sha256 }) => `${path} ${sha256}`).join("\n");
const plain = ({ path, bytes, sha256 }) => ({ path, bytes, sha256 });

export class CardWriter extends CardTask {
  // `services`: `api` (card_api.js), `records` (card_records.js), `hashFile`, `saveBackup`, `pick`.
  constructor(services) {
    super(START, services);
    this.forget();
  }

  get isBusy() {
    return BUSY.includes(this.snapshot.phase);
  }

  forget() {
    this.backedUp = {}; // folded path → hash of the file that was backed up
    this.chosen = {}; // folded path → {choice, sha256}
    this.ahead = new Map(); // path → file that is being fetched
    this.begun = null; // content of the export whose write was begun by a click
  }

  // Sets what is to be written: `{projectId, exportId, device, place, slot}`.
  async open(target) {
    if (this.isBusy || (this.target && this.target.exportId === target.exportId)) return;
    this.begin();
    this.target = target;
    this.set(START);
    const record = await this.records.readRecord(target.projectId);
    if (this.target === target && record) this.set({ resumable: { name: record.handle.name, phase: record.phase, done: record.done, total: record.total } });
  }

  // Asks for the card; the browser demands a click.
  async choose() {
    let root;
    try {
      root = await this.pick();
    } catch (error) {
      if (error.name !== "AbortError") this.set({ phase: "failed", message: explainError(error) });
      return;
    }
    this.forget();
    await this.read(root);
  }

  // Goes on with the card of the last time; also a click, because the browser may ask again.
  async resume() {
    const record = await this.records.readRecord(this.target.projectId);
    if (!record) return;
    const { handle: root, backedUp, chosen, phase, files } = record;
    if (!(await this.isAllowed(root))) return;
    Object.assign(this, { root, backedUp, chosen, manifest: files, begun: contentOf(files) });
    if (!(await isReachable(root))) this.awaitReturn({ phase: "pulled", card: { name: root.name } });
    else if (phase === "correct") await this.recheck(files);
    else await this.goOn();
  }

  // Compares again, and writes what is missing if this write was begun and nothing new has to be
  // decided.
  async goOn() {
    await this.read(this.root);
    const wasBegun = this.manifest && this.begun === contentOf(this.manifest);
    if (this.snapshot.phase === "compared" && wasBegun && this.isReady) await this.write();
  }

  async recheck(files) {
    const isWanted = this.begin();
    try {
      await this.describe(files);
      this.written = files;
    } catch (error) {
      await this.fail(error, isWanted);
      return;
    }
    await this.verify();
  }

  // Reads what is on the card, and compares. `isForced`: also if it does not look like a card.
  async read(root, isForced = false) {
    const isWanted = this.begin();
    this.root = root;
    this.set({ ...START, phase: "reading", card: { name: root.name }, resumable: this.snapshot.resumable });
    try {
      const { files } = await this.api.getManifest(this.target.exportId);
      this.manifest = files;
      const card = await this.describe(files);
      if (card.kind === "other" && !isForced) this.set({ phase: "wrong", card });
      else await this.compare(isWanted);
    } catch (error) {
      await this.failWriting(error, isWanted);
    }
  }

  // Finds out what the chosen folder is, and where on it the files belong.
  async describe(files) {
    const paths = files.map(({ path }) => path);
    const problem = findPathProblem(paths);
    if (problem) throw new Error(problem);
    this.folder = targetFolder(this.target.device, paths);
    const card = { name: this.root.name, ...describeCard({ handleName: this.root.name, names: await listNames(this.root), target: this.folder, device: this.target.device }) };
    this.base = card.base;
    this.set({ card });
    return card;
  }

  async compare(isWanted) {
    const { leftovers, files } = splitLeftovers(await this.readFiles(this.folder, isWanted), this.manifest);
    this.existing = new Map(files.map((file) => [foldPath(file.path), file]));
    const changes = await this.askServer(files);
    if (!isWanted()) return;
    const choices = keptChoices(changes, this.existing, this.chosen);
    this.set({ changes, leftovers, choices, counts: countChanges(changes), progress: null });
    if (!changes.length && !leftovers.length) await this.finish(0);
    else this.set({ phase: "compared", toBackUp: this.listBackUp().length });
  }

  async askServer(files) {
    const { projectId, device, place, slot } = this.target;
    const { id } = await this.api.createImport("");
    await this.api.listFiles(id, files.map(plain));
    const { changes } = await this.api.compare(projectId, { import_id: id, device, ...(device === "mk2" && { place, slot }) });
    return changes;
  }

  setChoice(path, choice) {
    this.remember([path], choice);
  }

  setAllChoices(choice) {
    const conflicts = this.snapshot.changes.filter(({ what }) => what === "conflict");
    this.remember(conflicts.map(({ path }) => path), choice);
  }

  remember(paths, choice) {
    for (const path of paths) this.chosen[foldPath(path)] = { choice, sha256: this.existing.get(foldPath(path))?.sha256 || "" };
    this.set({ choices: { ...this.snapshot.choices, ...Object.fromEntries(paths.map((path) => [path, choice])) } });
    this.set({ toBackUp: this.listBackUp().length });
  }

  listSteps() {
    return orderSteps({ ...this.snapshot, manifest: this.manifest });
  }

  listBackUp() {
    return filesToBackUp(this.listSteps(), this.existing, this.backedUp);
  }

  // Whether nothing more has to be decided or backed up.
  get isReady() {
    const { changes, choices } = this.snapshot;
    return !openConflicts(changes, choices).length && !this.listBackUp().length;
  }

  async backUp() {
    const isWanted = this.begin();
    const files = this.listBackUp();
    const allBytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
    const report = (bytes) => isWanted() && this.set({ progress: { doing: "Saving", path: "", files: 0, allFiles: files.length, bytes, allBytes } });
    this.set({ phase: "saving" });
    try {
      const backup = await this.saveBackup(files, `${this.root.name || "Card"} backup`, report);
      for (const { path, sha256 } of files) this.backedUp[foldPath(path)] = sha256;
      if (isWanted()) this.set({ phase: "compared", backup, toBackUp: 0, progress: null });
    } catch (error) {
      await this.failWriting(error, isWanted);
    }
  }

  // Writes; each file is read back before the next one.
  async write() {
    if (!this.isReady) return;
    const isWanted = this.begin();
    const steps = this.listSteps();
    this.begun = contentOf(this.manifest);
    this.ahead.clear();
    this.set({ phase: "writing", message: "" });
    try {
      let done = 0;
      await this.save("writing", done, steps.length);
      await this.eachFile("Writing", steps, isWanted, async (step, report, next) => {
        await this.takeStep(step, report, isWanted, next);
        await this.save("writing", (done += 1), steps.length);
      });
      await this.finish(steps.length);
    } catch (error) {
      await this.failWriting(error, isWanted);
    }
  }

  async takeStep({ step, path, sha256 }, report, isWanted, next) {
    if (step === "remove" || step === "delete") {
      await this.ensureUnchanged(path);
      await removeFile(this.root, this.relative(path));
      return;
    }
    const blob = await this.fetchAhead(path);
    if (next && next.sha256) this.fetchAhead(next.path);
    await this.ensureUnchanged(path);
    const handle = await writeFile(this.root, this.relative(path), blob, { onBytes: report, isCancelled: () => !isWanted() });
    this.ahead.delete(path);
    if ((await this.hashFile(await handle.getFile())) !== sha256) throw new Error(DAMAGED);
  }

  // Refuses to touch a file that is not the one that was read and shown: the card may have been in
  // its sampler meanwhile. An empty file is what an interrupted write of ours left behind.
  async ensureUnchanged(path) {
    if (isSwapFile(path)) return;
    const handle = await openFile(this.root, this.relative(path));
    const file = handle && (await handle.getFile());
    const known = this.existing.get(foldPath(path));
    if (!file || (!known && !file.size)) return;
    if (!known || known.bytes !== file.size || (await this.hashFile(file)) !== known.sha256) throw new Error(CHANGED);
  }

  // The next file arrives while this one is written.
  fetchAhead(path) {
    if (!this.ahead.has(path)) {
      const fetching = this.api.getExportFile(this.target.exportId, path);
      fetching.catch(() => this.ahead.delete(path));
      this.ahead.set(path, fetching);
    }
    return this.ahead.get(path);
  }

  async finish(steps) {
    const { changes, choices } = this.snapshot;
    const kept = new Set(changes.filter(({ what, path }) => what === "conflict" && choices[path] === "keep").map(({ path }) => foldPath(path)));
    this.written = this.manifest.filter(({ path }) => !kept.has(foldPath(path)));
    await this.api.recordCard(this.target.projectId, this.written.map(plain));
    await this.save("correct", steps, steps);
    this.set({ phase: "correct", progress: null, changes: [], leftovers: [], resumable: null, kept: kept.size, written: this.written.length });
    this.watchForRemoval();
  }

  // "Verified" is said only after everything was read again from a card that had been taken out.

  async watchForRemoval() {
    const isWanted = this.begin();
    while (isWanted() && (await isReachable(this.root))) await pause(REACHABLE_POLL_MS);
    if (isWanted()) await this.awaitReturn({ phase: "out" });
  }

  // Waits until the card is there again; then verifies, or offers to go on.
  async awaitReturn(change) {
    const isWanted = this.begin();
    this.set({ progress: null, ...change });
    while (isWanted() && !(await isReachable(this.root))) await pause(REACHABLE_POLL_MS);
    if (!isWanted()) return;
    if (change.phase === "out") await this.verify();
    else this.set({ phase: "returned" });
  }

  // Reads all files again. After a click on "Check again", too, if the browser did not notice.
  async verify() {
    const isWanted = this.begin();
    const different = [];
    this.set({ phase: "checking", different });
    try {
      await this.eachFile("Reading", this.written, isWanted, async (file) => {
        if (!(await this.isSame(file))) different.push(file.path);
      });
      if (!different.length) await this.records.deleteRecord(this.target.projectId);
      this.set({ phase: different.length ? "different" : "verified", written: this.written.length, progress: null, resumable: null });
    } catch (error) {
      await this.failWriting(error, isWanted);
    }
  }

  async isSame({ path, bytes, sha256 }) {
    const handle = await openFile(this.root, this.relative(path));
    const file = handle && (await handle.getFile());
    return Boolean(file) && file.size === bytes && (await this.hashFile(file)) === sha256;
  }

  cancel() {
    this.begin();
    this.set({ phase: "cancelled", progress: null });
  }

  save(phase, done, total) {
    const files = phase === "correct" ? this.written.map(plain) : this.manifest.map(plain);
    return this.records.saveRecord(this.target.projectId, { handle: this.root, backedUp: this.backedUp, chosen: this.chosen, files, done, total, phase });
  }

  async failWriting(error, isWanted) {
    const { progress } = this.snapshot;
    await this.fail(error, isWanted);
    if (!isWanted() || this.snapshot.phase !== "pulled") return;
    const message = progress?.doing === "Writing" ? `${progress.files} of ${progress.allFiles} files were written.` : "";
    this.awaitReturn({ phase: "pulled", message });
  }
}
