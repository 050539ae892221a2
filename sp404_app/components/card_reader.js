// Reads a card, a project's folder or a backup into projects: names first, then the settings of its
// projects, and then only what these use and the server does not have. It lives outside React and
// goes on while the person browses.

import { isReachable } from "./card_folder.js";
import { cancelled, CardTask } from "./card_task.js";
import { isConfig, isPadSound } from "./card_tree.js";

const MAX_PARALLEL = 3;
const RESUME_KEY = "card-import"; // in localStorage: the import that was not finished, by its tree
const ENDED_WELL = "done";
const START = { phase: "idle", name: "", plan: null, chosen: [], progress: null, known: 0, result: null, message: "", canGoOn: false, isOpen: false };
const BUSY = ["listing", "looking", "sending", "reading"];

export class CardReader extends CardTask {
  // `services`: `api` (card_api.js), `hashFile`, `storage` (localStorage).
  constructor(services) {
    super(START, services);
    this.requests = new Set();
  }

  get isBusy() {
    return BUSY.includes(this.snapshot.phase);
  }

  show() {
    this.set({ isOpen: true });
  }

  hide() {
    if (this.isBusy) this.set({ isOpen: false });
    else this.reset();
  }

  reset() {
    this.begin();
    this.addSounds = null;
    this.set(START);
  }

  cancel() {
    this.begin();
    this.requests.forEach((request) => request.abort());
    if (this.jobId) this.api.cancelJob(this.jobId).catch(() => {});
    this.jobId = "";
    this.set({ phase: "cancelled", progress: null });
  }

  // Lists the names and reads the settings of the projects; then the person chooses. `addSounds`
  // adds the same files to the library instead, where that was possible.
  async open(tree, addSounds = null) {
    if (this.isBusy) return this.show();
    const isWanted = this.begin();
    this.addSounds = addSounds;
    this.root = tree.handle || null;
    this.set({ ...START, phase: "listing", name: tree.name, isOpen: true });
    try {
      this.files = new Map((await tree.list(isWanted)).map((file) => [file.path, file]));
      if (!isWanted()) return undefined;
      this.set({ phase: "looking", progress: null });
      await this.look(tree, isWanted);
    } catch (error) {
      await this.fail(error, isWanted);
    }
    return undefined;
  }

  async look(tree, isWanted) {
    const job = await this.findImport(tree, isWanted);
    this.set({ canGoOn: true });
    if (job) {
      await this.follow(job, isWanted);
      return;
    }
    const names = [...this.files.keys()].map((path) => ({ path, bytes: 0, sha256: "" }));
    const first = await this.api.planImport(this.importId, { files: names });
    await this.sendFiles("Reading settings", first.send.filter(isConfig), isWanted);
    const second = await this.api.planImport(this.importId, { files: names });
    const { projects, bytes, room } = second.projects.length ? await this.api.planImport(this.importId, { files: await this.withSizes(second.send) }) : second;
    if (!isWanted()) return;
    const plan = { ...second, projects, bytes, room };
    const chosen = plan.projects.filter(({ why }) => !why).map(({ folder }) => folder);
    this.set({ phase: "found", plan, chosen, progress: null });
  }

  // Goes on with the import of the last time, if the same folder was chosen again: also if the server
  // failed to read it. Returns the job that reads it now, if any.
  async findImport(tree, isWanted) {
    const key = await this.treeKey(tree);
    const kept = this.parseKept();
    this.have = new Map();
    this.listed = new Set();
    if (kept && kept.key === key) {
      const found = await this.api.findOpenImport(kept.id);
      if (found) this.importId = kept.id;
      if (found?.files) await this.refresh(found.files, isWanted);
      if (found) return found.job;
    }
    const { id } = await this.api.createImport("");
    this.importId = id;
    this.storage?.setItem(RESUME_KEY, JSON.stringify({ key, id }));
    return undefined;
  }

  // The card may have been in its sampler since, or be another one with the same names: what was sent
  // or listed then is compared with what is there now, and sent or listed again where it differs.
  async refresh(before, isWanted) {
    this.listed = new Set(before.map(({ path }) => path));
    const known = new Map(before.filter(({ sha256 }) => sha256).map((file) => [file.path, file]));
    const files = await this.withHashes([...known.keys()], isWanted);
    const changed = files.filter(({ path, sha256 }) => known.get(path).sha256 !== sha256);
    const paths = new Set(changed.map(({ path }) => path));
    this.have = new Map(before.filter(({ sent, path }) => sent && !paths.has(path)).map((file) => [file.path, file]));
    const [sent, listed] = [true, false].map((isSent) => changed.filter(({ path }) => Boolean(known.get(path).sent) === isSent));
    if (listed.length) await this.api.listFiles(this.importId, listed);
    await this.sendFiles("Sending", sent.map(({ path }) => path), isWanted);
  }

  parseKept() {
    try {
      return JSON.parse(this.storage?.getItem(RESUME_KEY) || "null");
    } catch {
      return null;
    }
  }

  treeKey(tree) {
    return this.hashFile(new File([tree.name, "\n", [...this.files.keys()].join("\n")], "names"));
  }

  // Looks at the sizes of wanted files only: each asks the browser process.
  async withSizes(paths) {
    const sized = [];
    for (const path of paths) {
      const file = await this.fileAt(path);
      if (file) sized.push({ path, bytes: file.size, sha256: "" });
    }
    return sized;
  }

  // Returns a file, or null if this one can't be read.
  async fileAt(path) {
    const found = this.files.get(path);
    if (!found) return null;
    found.file ||= await found.getFile().catch((error) => this.skipBroken(error));
    return found.file;
  }

  // Leaves out a file that can't be read: the server names it as missing. Not if the card is gone.
  async skipBroken(error) {
    if (!this.root || !(await isReachable(this.root))) throw error;
    return null;
  }

  // Returns files with their hashes, without those that can't be read.
  async withHashes(paths, isWanted) {
    const files = await this.withSizes(paths);
    await this.eachFile("Comparing", files, isWanted, async (each) => {
      each.sha256 = await this.hashFile(await this.fileAt(each.path)).catch((error) => this.skipBroken(error));
    });
    return files.filter(({ sha256 }) => sha256);
  }

  setChosen(folder, isChosen) {
    const others = this.snapshot.chosen.filter((each) => each !== folder);
    this.set({ chosen: isChosen ? [...others, folder] : others });
  }

  // Sends what the chosen projects need, and lets the server read it.
  async take() {
    const isWanted = this.begin();
    const { chosen, plan } = this.snapshot;
    const folders = chosen.length === plan.projects.length ? undefined : chosen;
    this.set({ phase: "sending", message: "" });
    try {
      const needed = await this.api.planImport(this.importId, { files: await this.withSizes(plan.send), folders });
      if (!needed.room.ok) {
        this.set({ phase: "found", plan: { ...plan, room: needed.room }, progress: null });
        return;
      }
      const unknown = await this.listHashes(needed.send, folders, isWanted);
      await this.sendFiles("Sending", unknown, isWanted);
      const { job } = await this.api.finishImport(this.importId, folders ? { folders } : {});
      await this.follow(job, isWanted);
    } catch (error) {
      await this.fail(error, isWanted);
    }
  }

  // Returns the sounds of the chosen projects that no pad uses. Those that the server knows from an
  // earlier visit are left out: a pad may use them.
  unusedSounds() {
    const { chosen, plan } = this.snapshot;
    const others = new Set([...plan.send, ...this.listed]);
    const isChosen = (path) => chosen.some((folder) => !folder || path.startsWith(`${folder}/`));
    return [...this.files.keys()].filter((path) => isPadSound(path) && !others.has(path) && isChosen(path));
  }

  // Lists the hashes of all wanted files, and sounds that no pad uses, which the check of the card
  // names. Returns the paths of those that have to be sent.
  async listHashes(paths, folders, isWanted) {
    const files = await this.withHashes(paths, isWanted);
    const listed = [...files, ...(await this.withSizes(this.unusedSounds()))];
    if (listed.length) await this.api.listFiles(this.importId, listed);
    if (!files.length) return [];
    const readable = new Set(files.map(({ path }) => path));
    const plan = await this.api.planImport(this.importId, { files, folders });
    const send = plan.send.filter((path) => readable.has(path));
    this.set({ known: files.length - send.length });
    return send;
  }

  async sendFiles(doing, paths, isWanted) {
    const files = [];
    for (const { path, bytes } of await this.withSizes(paths)) if (this.have.get(path)?.bytes !== bytes) files.push({ path, bytes });
    const allBytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
    const waiting = [...files];
    const sent = new Map();
    let done = 0;
    const report = (path) => isWanted() && this.set({ progress: { doing, path, files: done, allFiles: files.length, bytes: [...sent.values()].reduce((sum, bytes) => sum + bytes, 0), allBytes } });
    const lane = async () => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        const { path } = next;
        await this.sendFile(next, isWanted, (bytes) => (sent.set(path, Math.min(bytes, next.bytes)), report(path)));
        done += 1;
        sent.set(path, next.bytes);
        report(path);
      }
    };
    await Promise.all(Array.from({ length: MAX_PARALLEL }, lane));
  }

  async sendFile({ path, bytes }, isWanted, onBytes) {
    const file = await this.fileAt(path);
    await this.api.persist(async () => {
      if (!isWanted()) throw cancelled();
      let request = null;
      try {
        await this.api.putFile(this.importId, path, file, { onBytes, onRequest: (made) => this.requests.add((request = made)) });
      } catch (error) {
        this.doing = path;
        if (error.status === 0) await file.slice(0, 1).arrayBuffer(); // a card that is gone looks as a lost connection
        throw error;
      } finally {
        this.requests.delete(request);
      }
    }, () => !isWanted());
    this.doing = "";
    this.have.set(path, { path, bytes });
  }

  // Asks what a dropped ZIP is, before it is sent.
  offerZip(zip, addSounds) {
    if (this.isBusy) return this.show();
    this.begin();
    this.addSounds = addSounds;
    this.zip = zip;
    return this.set({ ...START, phase: "offered", name: zip.name, isOpen: true });
  }

  addAsSounds() {
    const add = this.addSounds;
    this.reset();
    add();
  }

  async openZip(file) {
    if (this.isBusy) return this.show();
    const isWanted = this.begin();
    const report = (bytes) => isWanted() && this.set({ progress: { doing: "Sending", path: file.name, files: 0, allFiles: 1, bytes: Math.min(bytes, file.size), allBytes: file.size } });
    this.root = null;
    this.set({ ...START, phase: "sending", name: file.name, isOpen: true });
    try {
      let request = null;
      const { job } = await this.api.importZip(file, { onBytes: report, onRequest: (made) => this.requests.add((request = made)) });
      this.requests.delete(request);
      await this.follow(job, isWanted);
    } catch (error) {
      await this.fail(error, isWanted);
    }
    return undefined;
  }

  async follow(job, isWanted) {
    this.jobId = job.id;
    this.set({ phase: "reading", progress: null });
    const ended = await this.api.waitForJob(job.id, (progress) => isWanted() && this.set({ progress: { share: progress } }));
    this.jobId = "";
    if (!isWanted()) return;
    if (ended.status === ENDED_WELL) {
      this.storage?.removeItem(RESUME_KEY);
      this.set({ phase: "done", result: ended.result, progress: null, isOpen: true });
    } else this.set({ phase: "failed", message: ended.error || "The card could not be read.", progress: null, isOpen: true });
  }
}
