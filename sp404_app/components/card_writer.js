// Writes an export to a card, in steps that a person sees: read, compare, back up, write, read back,
// and read all again after the card was put in again. It lives outside React, so a closed dialog
// does not interrupt it.

import { foldPath, isSwapFile } from "./card_names.js";
import { isReachable, openFile, removeFile, writeFile } from "./card_folder.js";
import { countChanges, explainError, filesToBackUp, findOtherProject, isConfigFile, keepsOtherProject, keptChoices, openConflicts, orderSteps, splitLeftovers } from "./card_plan.js";
import { cancelled } from "./card_task.js";
import { CardChecker } from "./card_checker.js";
import { OTHER_WRITE } from "./card_lock.js";

const BUSY = ["reading", "saving", "writing", "checking"];
const DAMAGED = "What was read back differs from what was written. The card may be damaged.";
const CHANGED = "It was changed on the card since it was read. It was left as it is; read the card again.";
const START = { phase: "idle", card: null, progress: null, changes: [], counts: null, leftovers: [], choices: {}, backup: [], toBackUp: 0, kept: 0, different: [], written: 0, message: "", notice: "", failedTitle: "", isReadAgain: false, resumable: null };

const contentOf = (files) => files.map(({ path, sha256 }) => `${path} ${sha256}`).join("\n");
const plain = ({ path, bytes, sha256 }) => ({ path, bytes, sha256 });

// Returns the local time as a part of a file name, so that no backup replaces another one.
function timestamp() {
  const now = new Date();
  const time = new Date(now - now.getTimezoneOffset() * 60_000).toISOString();
  return time.slice(0, 19).replace("T", " ").replaceAll(":", "-");
}

export class CardWriter extends CardChecker {
  // `services`: `api` (card_api.js), `records` (card_records.js), `hashFile`, `saveBackup` and
  // `explainBackup` (card_backup.js), `withLock` (card_lock.js), `pick`.
  constructor(services) {
    super(START, services);
    this.forget();
  }

  get isBusy() {
    return BUSY.includes(this.snapshot.phase);
  }

  forget() {
    this.backedUp = {}; // folded path → hash of the file that was backed up
    this.chosen = {}; // folded path → {choice, bytes, sha256}
    this.ahead = new Map(); // path → file that is being fetched
    this.begun = null; // content of the export whose write was begun by a click
    this.wasOut = false; // whether the card was taken out since it was written
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
      if (error.name !== "AbortError") this.set({ phase: "failed", failedTitle: "The card was not read.", message: explainError(error) });
      return;
    }
    this.forget();
    await this.read(root);
  }

  // Goes on with the card of the last time; also a click, because the browser may ask again.
  async resume() {
    const record = await this.records.readRecord(this.target.projectId);
    if (!record) return;
    const { handle: root, backedUp, chosen, phase, files, wasOut = false } = record;
    Object.assign(this, { root, backedUp, chosen, manifest: files, begun: contentOf(files), wasOut });
    if (!(await this.ensureAllowed(() => this.resume()))) return;
    if (phase === "correct") await this.verifyLater(files);
    else if (await isReachable(root)) await this.goOn();
    else this.awaitReturn({ phase: "pulled", message: "", card: { name: root.name } });
  }

  // Reads a card again that was written at an earlier visit; waits for it if it is out.
  async verifyLater(files) {
    this.written = files;
    this.set({ card: { name: this.root.name } });
    await this.verify();
  }

  // Compares again, and writes what is missing if this write was begun and nothing new has to be
  // decided.
  async goOn() {
    if (!(await this.ensureAllowed(() => this.goOn()))) return;
    await this.read(this.root);
    const wasBegun = this.manifest && this.begun === contentOf(this.manifest);
    if (this.snapshot.phase === "compared" && wasBegun && this.isReady) await this.write();
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
      await this.failAt("reading", error, isWanted);
    }
  }

  async compare(isWanted) {
    const { leftovers, files } = splitLeftovers(await this.listFolder(this.folder), this.manifest);
    this.existing = new Map(files.map((file) => [foldPath(file.path), file]));
    const changes = await this.askServer(files, isWanted);
    if (!isWanted()) return;
    const choices = keptChoices(changes, this.existing, this.chosen);
    this.set({ changes, leftovers, choices, counts: countChanges(changes), progress: null });
    if (!changes.length && !leftovers.length) await this.finish();
    else this.set({ phase: "compared", toBackUp: this.listBackUp().length });
  }

  // Compares by sizes first; only files about which these do not decide are read, and those that were
  // backed up.
  async askServer(files, isWanted) {
    const { projectId, device, place, slot } = this.target;
    const { id } = await this.api.createImport("");
    const compare = () => this.api.compare(projectId, { import_id: id, device, ...(device === "mk2" && { place, slot }) });
    await this.hashFiles(files.filter(({ path }) => this.backedUp[foldPath(path)]), isWanted);
    await this.api.listFiles(id, files.map(plain));
    const { changes } = await compare();
    const open = changes.filter(({ needs_hash: needsHash }) => needsHash).map(({ path }) => this.existing.get(foldPath(path)));
    if (!open.length) return changes;
    await this.hashFiles(open, isWanted);
    await this.api.listFiles(id, open.map(plain));
    return (await compare()).changes;
  }

  setChoice(path, choice) {
    if (findOtherProject(this.snapshot.changes)) this.setAllChoices(choice);
    else this.remember([path], choice);
  }

  setAllChoices(choice) {
    const conflicts = this.snapshot.changes.filter(({ what }) => what === "conflict");
    this.remember(conflicts.map(({ path }) => path), choice);
  }

  remember(paths, choice) {
    for (const path of paths) {
      const { bytes = 0, sha256 = "" } = this.existing.get(foldPath(path)) || {};
      this.chosen[foldPath(path)] = { choice, bytes, sha256 };
    }
    this.set({ notice: "", choices: { ...this.snapshot.choices, ...Object.fromEntries(paths.map((path) => [path, choice])) } });
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
    return !openConflicts(changes, choices).length && !keepsOtherProject(changes, choices) && !this.listBackUp().length;
  }

  // Saves what will be replaced or deleted, as much of it as one archive holds. Must follow a click.
  async backUp() {
    const isWanted = this.begin();
    const { backup } = this.snapshot;
    const card = this.root.name.replace(/[^\p{L}\p{N} _-]/gu, "").trim(); // the root of a drive is called "\"
    const name = `${card || "Card"} backup ${timestamp()}.zip`;
    const report = (doing, bytes, allBytes) => {
      if (!isWanted()) throw cancelled();
      this.set({ progress: { doing, path: "", files: 0, allFiles: 0, bytes, allBytes } });
    };
    const isOnCard = async (handle) => Boolean(await this.root.resolve(handle));
    this.set({ phase: "saving", notice: "", progress: { doing: "Saving" } });
    try {
      const saved = await this.saveBackup(this.listBackUp(), name, { hashFile: this.hashFile, isOnCard, report });
      for (const { path, sha256 } of saved.files) this.backedUp[foldPath(path)] = sha256;
      if (isWanted()) this.set({ phase: "compared", backup: [...backup, { name: saved.name, isProven: saved.isProven }], toBackUp: this.listBackUp().length, progress: null });
    } catch (error) {
      await this.failBackUp(error, isWanted);
    }
  }

  async failBackUp(error, isWanted) {
    if (!isWanted()) return;
    if (await isReachable(this.root)) this.set({ phase: "compared", notice: this.explainBackup(error), progress: null });
    else await this.failAt("saving", error, isWanted);
  }

  // Writes, if no other tab does; each file is read back before the next one.
  async write() {
    if (!this.isReady || this.isBusy) return;
    this.set({ phase: "writing", message: "", notice: "" });
    const isAlone = await this.withLock(() => this.writeSteps());
    if (!isAlone) this.set({ phase: "compared", notice: OTHER_WRITE });
  }

  async writeSteps() {
    const isWanted = this.begin();
    const steps = this.listSteps();
    this.begun = contentOf(this.manifest);
    this.wasOut = false;
    this.ahead.clear();
    try {
      let done = 0;
      await this.save("writing", done, steps.length);
      await this.ensureRestUnchanged(steps, isWanted);
      await this.eachFile("Writing", steps, isWanted, async (step, report, next) => {
        await this.takeStep(step, report, isWanted, next);
        await this.save("writing", (done += 1), steps.length);
      });
      await this.finish();
    } catch (error) {
      await this.failAt("writing", error, isWanted);
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

  // Refuses to write beside files that are not as they were read: those that stay belong to the
  // project that will be called correct. Settings are read again, because samplers without a clock
  // change them and leave size and time.
  async ensureRestUnchanged(steps, isWanted) {
    const written = new Set(steps.map(({ path }) => foldPath(path)));
    const isLeft = ({ path, sha256 }) => this.existing.get(foldPath(path))?.sha256 === sha256 && !written.has(foldPath(path));
    await this.eachFile("Checking", this.manifest.filter(isLeft), isWanted, async ({ path, sha256 }) => {
      const known = this.existing.get(foldPath(path));
      const handle = await openFile(this.root, this.relative(path));
      const file = handle && (await handle.getFile());
      const isUntouched = file && file.size === known.bytes && file.lastModified === known.file.lastModified;
      if (isUntouched && !isConfigFile(path)) return;
      if (!file || (await this.hashFile(file)) !== sha256) throw new Error(CHANGED);
    });
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

  async finish() {
    const { changes, choices } = this.snapshot;
    const kept = new Set(changes.filter(({ what, path }) => what === "conflict" && choices[path] === "keep").map(({ path }) => foldPath(path)));
    this.written = this.manifest.filter(({ path }) => !kept.has(foldPath(path)));
    this.wasOut = false;
    await this.api.recordCard(this.target.projectId, this.written.map(plain));
    await this.saveWritten();
    this.set({ phase: "correct", progress: null, changes: [], leftovers: [], resumable: null, kept: kept.size, written: this.written.length });
    this.watchForRemoval();
  }

  cancel() {
    this.begin();
    this.set({ phase: "cancelled", progress: null });
  }

  save(phase, done, total, files = this.manifest) {
    const { root: handle, backedUp, chosen, wasOut } = this;
    return this.records.saveRecord(this.target.projectId, { handle, backedUp, chosen, files: files.map(plain), done, total, phase, wasOut });
  }

  saveWritten() {
    return this.save("correct", this.written.length, this.written.length, this.written);
  }
}
