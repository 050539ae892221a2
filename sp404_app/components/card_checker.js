// Reads a written card again. "Verified" is said only after everything was read again from a card that
// had been taken out: this page saw it go, and come back.

import { describeCard } from "./card_layout.js";
import { findPathProblem } from "./card_names.js";
import { isReachable, listNames, openFile, openFolder } from "./card_folder.js";
import { targetFolder } from "./card_plan.js";
import { CardTask, pause } from "./card_task.js";

const REACHABLE_POLL_MS = 1000;
const FAILED_TITLES = { reading: "The card was not read.", checking: "The card was not read again." };
const NOT_WRITTEN = "The card was not written completely.";

export class CardChecker extends CardTask {
  // `root` is the chosen folder, `folder` where the files belong, from the root of the card, and
  // `written` the files that must be there.

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

  // Whether the card is there: a mount point that stays behind is an empty folder.
  async isPresent() {
    if (!(await isReachable(this.root))) return false;
    return !this.folder || Boolean(await openFolder(this.root, this.relative(this.folder)).catch(() => null));
  }

  // Asks for access if the browser wants that; shows a refusal. `retry` is what the person wanted.
  async ensureAllowed(retry) {
    if (await this.isAllowed(this.root)) return true;
    this.retry = retry;
    this.set({ phase: "refused", card: { name: this.root.name }, progress: null });
    return false;
  }

  // Asks for access once more, after a click.
  allow() {
    return this.retry();
  }

  // What follows a write: the card is correct, and may be taken out.
  async watchForRemoval() {
    const isWanted = this.begin();
    while (isWanted() && (await this.isPresent())) await pause(REACHABLE_POLL_MS);
    if (isWanted()) await this.noteRemoval();
  }

  async noteRemoval() {
    this.wasOut = true;
    await this.saveWritten();
    await this.awaitReturn({ phase: "out" });
  }

  // Waits until the card is there again; then reads it again, or offers to go on.
  async awaitReturn(change) {
    const isWanted = this.begin();
    const isThere = () => (change.phase === "out" ? this.isPresent() : isReachable(this.root));
    this.set({ progress: null, ...change });
    while (isWanted() && !(await isThere())) await pause(REACHABLE_POLL_MS);
    if (!isWanted()) return;
    if (change.phase === "out") await this.verify();
    else this.set({ phase: "returned" });
  }

  // Reads all files again. Without having seen the card out, this does not verify it.
  async verify() {
    if (!(await this.ensureAllowed(() => this.verify()))) return;
    if (!(await this.isPresent())) {
      await this.noteRemoval();
      return;
    }
    const isWanted = this.begin();
    this.set({ phase: "checking", different: [] });
    try {
      await this.describe(this.written);
      this.showVerdict(await this.listDifferences(isWanted));
    } catch (error) {
      if (isWanted() && !(await this.isPresent())) await this.noteRemoval();
      else await this.failAt("checking", error, isWanted);
    }
  }

  async listDifferences(isWanted) {
    const different = [];
    await this.eachFile("Reading", this.written, isWanted, async (file) => {
      if (!(await this.isSame(file))) different.push(file.path);
    });
    return different;
  }

  showVerdict(different) {
    const isVerified = this.wasOut && !different.length;
    this.set({ phase: different.length ? "different" : isVerified ? "verified" : "correct", different, isReadAgain: true, written: this.written.length, progress: null, resumable: null });
    if (isVerified) this.records.deleteRecord(this.target.projectId);
    else if (!different.length) this.watchForRemoval();
  }

  async isSame({ path, bytes, sha256 }) {
    const handle = await openFile(this.root, this.relative(path));
    const file = handle && (await handle.getFile());
    return Boolean(file) && file.size === bytes && (await this.hashFile(file)) === sha256;
  }

  // Shows a failure while `phase` went on; waits for a card that was taken out.
  async failAt(phase, error, isWanted) {
    if (!isWanted()) return;
    const { progress } = this.snapshot;
    this.set({ failedTitle: FAILED_TITLES[phase] || NOT_WRITTEN });
    await this.fail(error, isWanted);
    if (!isWanted() || this.snapshot.phase !== "pulled") return;
    const message = progress?.doing === "Writing" ? `${progress.files} of ${progress.allFiles} files were written.` : "";
    this.awaitReturn({ phase: "pulled", message });
  }
}
