// Upload queue. Its state lives outside React, so uploads continue while the user browses. A failed
// file is retried a few times with growing delays while other files continue; after the last retry
// it is marked as failed and can be retried by hand.

const MAX_PARALLEL = 3;
const RETRY_DELAYS_MS = [1000, 3000, 8000, 20000];
const PROBE_AFTER_FAILURES = 3; // in a row; then one file at a time tests the connection
const SYSTEM_FILES = /^(\.|thumbs\.db$|desktop\.ini$)/i;
const OTHER_FILE_TYPES = /\.(txt|pdf|jpe?g|png|gif|webp|html?|mid|midi|asd|als|nki|exe|doc|xml|json|csv|url|bin|bmp|chn)$/i;
const UNSUPPORTED_ARCHIVES = /\.(rar|7z|tar|gz|tgz)$/i;
const ACTIVE = ["waiting", "sending", "paused"];
const FAILED = ["failed", "gone"];
const OF_THE_FILE = ["bad_audio", "invalid", "too_large"]; // error codes: a second try would end the same
const FILE_GONE = "This file was moved, changed or deleted after you added it. Add it again.";
const OFFLINE = "You’re offline. The upload continues when you’re back online.";
const RATE_LIMITED = "Too many uploads at once. The upload continues shortly.";

// Until a file has arrived, this tab remembers it: after a reload the person can send the rest.
const UNFINISHED_KEY = "crate404.unfinished";
const MAX_REMEMBERED = 5000;
const ROOT_TAG_KEY = "crate404.root-tag"; // remembered by this browser
const MAX_TAGGED = 500; // files at once; an archive has several sounds
const NOT_AMONG_THEM = "None of the chosen files is one of these.";
const NOT_TAGGED = "The sounds could not be tagged. Try again.";

let items = [];
let unfinished = []; // { name, folder, size } of files that a reload interrupted
let nextKey = 1;
let folderTags = true;
let rootTag = false; // whether the folder that was added is a tag, too
let tagProblem = "";
let choiceProblem = ""; // why choosing the interrupted files again added none
let failures = 0; // in a row
let rateLimitedUntil = 0;
let snapshot = { items, folderTags, rootTag, tagProblem, unfinished, choiceProblem };
const listeners = new Set();

export const subscribe = (listener) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};
export const getSnapshot = () => snapshot;

function notify() {
  snapshot = { items, folderTags, rootTag, tagProblem, unfinished, choiceProblem };
  listeners.forEach((listener) => listener());
}

const arrives = (item) => ACTIVE.includes(item.state) || item.state === "failed";

function remember() {
  const open = [...unfinished, ...items.filter(arrives)].slice(0, MAX_REMEMBERED);
  try {
    if (open.length) sessionStorage.setItem(UNFINISHED_KEY, JSON.stringify(open.map(({ name, folder, size }) => ({ name, folder, size }))));
    else sessionStorage.removeItem(UNFINISHED_KEY);
  } catch {
    // Storage is full or refused: after a reload the person adds the folder again.
  }
}

function readUnfinished() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(UNFINISHED_KEY)) || [];
    return kept.filter(({ name, folder, size }) => typeof name === "string" && typeof folder === "string" && typeof size === "number");
  } catch {
    return [];
  }
}

// Called once a page is shown: what the server rendered knows of no unfinished files.
export function restoreUnfinished() {
  if (!items.length) unfinished = readUnfinished();
  try {
    rootTag = localStorage.getItem(ROOT_TAG_KEY) === "1";
  } catch {
    // Storage is refused: it stays off.
  }
  notify();
}

export function forgetUnfinished() {
  unfinished = [];
  choiceProblem = "";
  remember();
  notify();
}

const isSame = (one, other) => one.name === other.name && one.size === other.size && one.folder === other.folder;

function update(key, change) {
  items = items.map((item) => (item.key === key ? { ...item, ...change } : item));
  if ("state" in change) remember();
  notify();
}

export function setFolderTags(on) {
  folderTags = on;
  notify();
}

function keepRootTag(on) {
  rootTag = on;
  try {
    localStorage.setItem(ROOT_TAG_KEY, on ? "1" : "");
  } catch {
    // Storage is refused: the choice holds until the page is left.
  }
}

export function setRootTag(on) {
  keepRootTag(on);
  tagArrived();
}

export const rootOf = ({ folder }) => folder.split("/")[0];

async function tagSamples(action, name, ids) {
  const body = JSON.stringify({ action, ids, tags: [name] });
  const request = { method: "POST", headers: { "Content-Type": "application/json" }, body };
  const answer = await fetch("/api/samples/bulk", request).catch(() => null);
  return answer?.ok;
}

// The choice is for the sounds that have arrived, too: most do before the person makes it.
async function tagNext() {
  const wanted = rootTag;
  const isBehind = (item) => item.state === "done" && item.folder && item.tagged && item.rootTag !== wanted;
  const first = items.find(isBehind);
  if (!first) return;
  const alike = items.filter((item) => isBehind(item) && rootOf(item) === rootOf(first));
  const some = alike.slice(0, MAX_TAGGED);
  if (await tagSamples(wanted ? "tag" : "untag", rootOf(first), some.flatMap(({ sampleIds }) => sampleIds))) {
    const keys = new Set(some.map(({ key }) => key));
    items = items.map((item) => (keys.has(item.key) ? { ...item, rootTag: wanted } : item));
    await tagNext();
  } else {
    keepRootTag(!wanted);
    tagProblem = NOT_TAGGED;
  }
}

let tagging = Promise.resolve(); // one request after the other

function tagArrived() {
  tagProblem = "";
  notify();
  tagging = tagging.then(tagNext).then(notify);
}

const initialState = ({ file, name }) => {
  if (!file) return { state: "gone", reason: FILE_GONE };
  if (OTHER_FILE_TYPES.test(name)) return { state: "refused", reason: "Not an audio file." };
  if (UNSUPPORTED_ARCHIVES.test(name)) return { state: "refused", reason: "Only ZIP archives are supported. Extract this one and add its sounds." };
  return { state: "waiting", reason: "" };
};

// `file` is null if the file vanished while its folder was read.
export function add(found) {
  const fresh = found
    .filter(({ name }) => !SYSTEM_FILES.test(name))
    .map(({ file, name, folder }) => ({ key: nextKey++, file, folder, name, size: file ? file.size : 0, sent: 0, tries: 0, ...initialState({ file, name }) }));
  items = [...items, ...fresh];
  unfinished = unfinished.filter((one) => !fresh.some((item) => isSame(one, item)));
  if (fresh.length) choiceProblem = "";
  remember();
  notify();
  startNext();
}

function startNext() {
  if (Date.now() < rateLimitedUntil) return;
  const sending = items.filter((item) => item.state === "sending").length;
  const slots = failures >= PROBE_AFTER_FAILURES ? 1 : MAX_PARALLEL;
  const next = items.filter((item) => item.state === "waiting").slice(0, Math.max(0, slots - sending));
  next.forEach(upload);
}

function upload(item) {
  const request = new XMLHttpRequest();
  update(item.key, { state: "sending", sent: 0, reason: "", request, tagged: folderTags, rootTag });
  const body = new FormData();
  body.append("folder", item.folder);
  body.append("folders_become_tags", folderTags);
  body.append("root_becomes_tag", rootTag);
  body.append("filename", item.name); // browsers escape quotation marks in a part's header differently
  body.append("file", item.file, item.name);
  request.upload.onprogress = (event) => update(item.key, { sent: Math.min(event.loaded, item.size) });
  request.onload = () => onResponse(item, request);
  request.onerror = () => onFailure(item, "Connection lost.", 0);
  request.ontimeout = request.onerror;
  request.open("POST", "/api/samples");
  request.responseType = "json";
  request.send(body);
}

function onResponse(item, request) {
  const { status } = request;
  const answer = request.response || {};
  const after = Number(request.getResponseHeader("Retry-After")) * 1000 || 0;
  if (status === 429 && answer.code === "rate_limited") return onRateLimited(item, after || RETRY_DELAYS_MS[0]);
  if (status >= 500 || status === 408) return onFailure(item, answer.error || `Server error ${status}.`, after);
  if (status === 201 && !answer.samples) return onFailure(item, "No valid response from the server.", after);
  failures = 0;
  if (status === 201) onAdded(item, answer);
  else onRefused(item, answer, status);
  return startNext();
}

function onAdded(item, answer) {
  update(item.key, { state: "done", sent: item.size, added: answer.samples.length, sampleId: answer.samples[0].id, sampleIds: answer.samples.map(({ id }) => id), file: null });
  if (findItem(item.key).rootTag !== rootTag) tagArrived(); // chosen while it was sent
  addRejectedMembers(item, answer.rejected || []);
}

const outcome = ({ error, code, details }) => (details && details.sample_id ? { state: "duplicate", sampleId: details.sample_id, reason: error } : { state: "refused", reason: error, isFinal: OF_THE_FILE.includes(code) });

// Adds a row for every sound of an archive that was not added.
function addRejectedMembers(item, rejected) {
  const lines = rejected.map((one) => ({ key: nextKey++, archive: item.key, file: null, folder: item.folder, name: one.filename, size: 0, sent: 0, tries: 0, ...outcome(one) }));
  items = [...items, ...lines];
  notify();
}

function onRefused(item, answer, status) {
  const rejected = answer.rejected || [];
  const [first] = rejected;
  if (rejected.length > 1) {
    const isFinal = rejected.every((one) => outcome(one).isFinal);
    update(item.key, { state: "refused", reason: "No sounds in this archive were added.", isFinal });
    addRejectedMembers(item, rejected);
  } else update(item.key, outcome(first || { ...answer, error: answer.error || `Server error ${status}.` }));
  if (answer.code === "storage_quota_exceeded" || status === 401) {
    // The other files would be refused too: pause them until the user resumes.
    const reason = (first && first.error) || answer.error;
    items = items.map((other) => (other.state === "waiting" ? { ...other, state: "paused", reason } : other));
    notify();
  }
}

// A rate limit does not count as a failure of the file.
function onRateLimited(item, after) {
  rateLimitedUntil = Date.now() + after;
  retryAfter(item.key, after, RATE_LIMITED);
}

async function isReadable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

async function onFailure(item, reason, after) {
  const exists = await isReadable(item.file);
  if (findItem(item.key).state !== "sending") return startNext(); // cancelled in the meantime
  if (!exists) {
    update(item.key, { state: "gone", sent: 0, reason: FILE_GONE });
    return startNext();
  }
  if (!navigator.onLine) return update(item.key, { state: "paused", sent: 0, reason: OFFLINE });
  failures += 1;
  const tries = item.tries + 1;
  if (tries > RETRY_DELAYS_MS.length) update(item.key, { state: "failed", sent: 0, tries: 0, reason: `Upload failed after ${tries} tries. ${reason}` });
  else {
    update(item.key, { tries });
    retryAfter(item.key, Math.max(after, RETRY_DELAYS_MS[tries - 1]), `${reason} Retrying soon.`);
  }
  return startNext();
}

const findItem = (key) => items.find((item) => item.key === key) || {};

function retryAfter(key, pause, reason) {
  update(key, { state: "paused", sent: 0, reason });
  setTimeout(() => {
    if (findItem(key).state === "paused") update(key, { state: "waiting", reason: "" });
    startNext();
  }, pause + 10);
}

// Whether a file may be sent again: not if it is refused for what it is, by this page or by the server.
export const canRetry = (item) => [...FAILED, "refused"].includes(item.state) && item.file && !item.isFinal && initialState(item).state === "waiting";

function requeue(isMeant) {
  const again = new Set(items.filter(isMeant).map(({ key }) => key));
  items = items
    .filter(({ archive }) => !again.has(archive)) // the archive will name them anew
    .map((item) => (again.has(item.key) ? { ...item, state: "waiting", reason: "", tries: 0 } : item));
  failures = 0;
  notify();
  startNext();
}

export const resume = () => requeue((item) => item.state === "paused");
export const retry = () => requeue(canRetry);

export function cancel() {
  items.forEach((item) => item.state === "sending" && item.request.abort());
  items = items.map((item) =>
    ACTIVE.includes(item.state) ? { ...item, state: "cancelled", reason: "Cancelled." } : item,
  );
  remember();
  notify();
}

export function cancelOne(key) {
  const item = findItem(key);
  if (item.state === "sending") item.request.abort();
  update(key, { state: "cancelled", reason: "Cancelled." });
  startNext();
}

export function clear() {
  items = items.filter((item) => ACTIVE.includes(item.state));
  remember();
  notify();
}

export const hasActive = () => items.some((item) => ACTIVE.includes(item.state));

const readDirectory = (reader) =>
  new Promise((resolve, reject) => {
    const found = [];
    const more = () =>
      reader.readEntries((batch) => {
        if (!batch.length) return resolve(found);
        found.push(...batch); // browsers return 100 entries per call
        return more();
      }, reject);
    more();
  });

async function readEntry(entry, folder) {
  if (entry.isFile) {
    const file = await new Promise((resolve) => entry.file(resolve, () => resolve(null)));
    return [{ file, name: entry.name, folder }];
  }
  const entries = await readDirectory(entry.createReader()).catch(() => []);
  const path = folder ? `${folder}/${entry.name}` : entry.name;
  return (await Promise.all(entries.map((child) => readEntry(child, path)))).flat();
}

const fromFile = (file) => ({ file, name: file.name, folder: (file.webkitRelativePath || "").split("/").slice(0, -1).join("/") });

// Adds what was dropped: the entries, or the files where a browser has no entries.
export async function addEntries(entries, files) {
  if (!entries.length) return add(files.map(fromFile));
  return add((await Promise.all(entries.map((entry) => readEntry(entry, "")))).flat());
}

export const addChosen = (files) => add([...files].map(fromFile));

// Adds only those of the chosen files that a reload interrupted.
export function addUnfinished(files) {
  const found = [...files].map((file) => ({ ...fromFile(file), size: file.size }));
  const meant = found.filter((each) => unfinished.some((one) => isSame(one, each)));
  choiceProblem = meant.length ? "" : NOT_AMONG_THEM;
  add(meant);
}

if (typeof window !== "undefined") {
  window.addEventListener("online", resume);
  window.addEventListener("beforeunload", (event) => hasActive() && event.preventDefault());
}
