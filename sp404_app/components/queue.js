// Files on their way to the server. The queue lives outside React: it goes on while one
// browses. A file that fails is tried again after growing pauses while the others go on, a few
// times only: then it is said that it was not sent, and one click tries again.

const AT_ONCE = 3;
const PAUSES = [1000, 3000, 8000, 20000]; // ms before each further try
const DOUBTFUL = 3; // failures in a row, after which one file at a time probes the connection
const LITTER = /^(\.|thumbs\.db$|desktop\.ini$)/i;
const NOT_SOUND = /\.(txt|pdf|jpe?g|png|gif|webp|html?|mid|midi|asd|als|nki|exe|doc|xml|json|csv|url)$/i;
const OTHER_ARCHIVE = /\.(rar|7z|tar|gz|tgz)$/i;
const ACTIVE = ["waiting", "sending", "paused"];
const NOT_SENT = ["failed", "gone"];
const GONE = "This file was moved, changed or deleted after you added it. Add it again.";
const OFFLINE = "You are offline; this goes on by itself.";
const BUSY = "The server asks to wait; this goes on by itself.";

let items = [];
let nextKey = 1;
let folderTags = true;
let failures = 0; // in a row
let heldUntil = 0;
let snapshot = { items, folderTags };
const listeners = new Set();

export const subscribe = (listener) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};
export const getSnapshot = () => snapshot;

function changed() {
  snapshot = { items, folderTags };
  listeners.forEach((listener) => listener());
}

function update(key, change) {
  items = items.map((item) => (item.key === key ? { ...item, ...change } : item));
  changed();
}

export function setFolderTags(on) {
  folderTags = on;
  changed();
}

const initial = ({ file, name }) => {
  if (!file) return { state: "gone", reason: GONE };
  if (NOT_SOUND.test(name)) return { state: "refused", reason: "Not a sound file." };
  if (OTHER_ARCHIVE.test(name)) return { state: "refused", reason: "Unpack this archive and add its sounds." };
  return { state: "waiting", reason: "" };
};

// `file` is null where a file vanished while its folder was read.
export function add(found) {
  const fresh = found
    .filter(({ name }) => !LITTER.test(name))
    .map(({ file, name, folder }) => ({ key: nextKey++, file, folder, name, size: file ? file.size : 0, sent: 0, tries: 0, ...initial({ file, name }) }));
  items = [...items, ...fresh];
  changed();
  pump();
}

function pump() {
  if (Date.now() < heldUntil) return;
  const sending = items.filter((item) => item.state === "sending").length;
  const slots = failures >= DOUBTFUL ? 1 : AT_ONCE;
  const next = items.filter((item) => item.state === "waiting").slice(0, Math.max(0, slots - sending));
  next.forEach(send);
}

function send(item) {
  const request = new XMLHttpRequest();
  update(item.key, { state: "sending", sent: 0, reason: "", request });
  const body = new FormData();
  body.append("folder", item.folder);
  body.append("folders_become_tags", folderTags);
  body.append("filename", item.name); // a part's header has no exact place for quotation marks
  body.append("file", item.file, item.name);
  request.upload.onprogress = (event) => update(item.key, { sent: Math.min(event.loaded, item.size) });
  request.onload = () => answered(item, request);
  request.onerror = () => missed(item, "The connection was lost.", 0);
  request.ontimeout = request.onerror;
  request.open("POST", "/api/samples");
  request.responseType = "json";
  request.send(body);
}

function answered(item, request) {
  const { status } = request;
  const answer = request.response || {};
  const after = Number(request.getResponseHeader("Retry-After")) * 1000 || 0;
  if (status === 429 && answer.code === "rate_limited") return held(item, after || PAUSES[0]);
  if (status >= 500 || status === 408) return missed(item, answer.error || `The server answered ${status}.`, after);
  if (status === 201 && !answer.samples) return missed(item, "The answer was lost.", after);
  failures = 0;
  if (status === 201) finished(item, answer);
  else refused(item, answer, status);
  return pump();
}

function finished(item, answer) {
  update(item.key, { state: "done", sent: item.size, added: answer.samples.length, sampleId: answer.samples[0].id, file: null });
  listInside(item, answer.rejected || []);
}

const outcome = ({ error, details }) => (details && details.sample_id ? { state: "duplicate", sampleId: details.sample_id, reason: error } : { state: "refused", reason: error });

// What was not taken of the sounds in an archive, each in a line of its own.
function listInside(item, rejected) {
  const lines = rejected.map((one) => ({ key: nextKey++, file: null, folder: item.folder, name: one.filename, size: 0, sent: 0, tries: 0, ...outcome(one) }));
  items = [...items, ...lines];
  changed();
}

function refused(item, answer, status) {
  const rejected = answer.rejected || [];
  const [first] = rejected;
  if (rejected.length > 1) {
    update(item.key, { state: "refused", reason: "Nothing in this archive was added." });
    listInside(item, rejected);
  } else update(item.key, first ? outcome(first) : { state: "refused", reason: answer.error || `The server answered ${status}.` });
  if (answer.code === "storage_quota_exceeded" || status === 401) {
    // The rest would travel for nothing: it waits until there is room, or the person is back.
    const reason = (first && first.error) || answer.error;
    items = items.map((other) => (other.state === "waiting" ? { ...other, state: "paused", reason } : other));
    changed();
  }
}

// The server asks everybody to wait: that is no failure of this file.
function held(item, after) {
  heldUntil = Date.now() + after;
  later(item.key, after, BUSY);
}

async function readable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

async function missed(item, reason, after) {
  const there = await readable(item.file);
  if (current(item.key).state !== "sending") return pump(); // cancelled meanwhile
  if (!there) {
    update(item.key, { state: "gone", sent: 0, reason: GONE });
    return pump();
  }
  if (!navigator.onLine) return update(item.key, { state: "paused", sent: 0, reason: OFFLINE });
  failures += 1;
  const tries = item.tries + 1;
  if (tries > PAUSES.length) update(item.key, { state: "failed", sent: 0, tries: 0, reason: `Not sent after ${tries} tries. ${reason}` });
  else {
    update(item.key, { tries });
    later(item.key, Math.max(after, PAUSES[tries - 1]), `${reason} This is tried again by itself.`);
  }
  return pump();
}

const current = (key) => items.find((item) => item.key === key) || {};

function later(key, pause, reason) {
  update(key, { state: "paused", sent: 0, reason });
  setTimeout(() => {
    if (current(key).state === "paused") update(key, { state: "waiting", reason: "" });
    pump();
  }, pause + 10);
}

function again(states) {
  items = items.map((item) => (states.includes(item.state) && item.file ? { ...item, state: "waiting", reason: "", tries: 0 } : item));
  failures = 0;
  changed();
  pump();
}

export const resume = () => again(["paused"]);
export const retry = () => again(NOT_SENT);

export function cancel() {
  items.forEach((item) => item.state === "sending" && item.request.abort());
  items = items.map((item) =>
    ACTIVE.includes(item.state) ? { ...item, state: "cancelled", reason: "Cancelled." } : item,
  );
  changed();
}

export function cancelOne(key) {
  const item = current(key);
  if (item.state === "sending") item.request.abort();
  update(key, { state: "cancelled", reason: "Cancelled." });
  pump();
}

export function clear() {
  items = items.filter((item) => ACTIVE.includes(item.state));
  changed();
}

export const underWay = () => items.some((item) => ACTIVE.includes(item.state));

const readAll = (reader) =>
  new Promise((resolve, reject) => {
    const found = [];
    const more = () =>
      reader.readEntries((batch) => {
        if (!batch.length) return resolve(found);
        found.push(...batch); // a browser hands out a hundred at a time
        return more();
      }, reject);
    more();
  });

async function walk(entry, folder) {
  if (entry.isFile) {
    const file = await new Promise((resolve) => entry.file(resolve, () => resolve(null)));
    return [{ file, name: entry.name, folder }];
  }
  const inside = await readAll(entry.createReader()).catch(() => []);
  const path = folder ? `${folder}/${entry.name}` : entry.name;
  return (await Promise.all(inside.map((child) => walk(child, path)))).flat();
}

const plain = (file) => ({ file, name: file.name, folder: (file.webkitRelativePath || "").split("/").slice(0, -1).join("/") });

export async function addDropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry && item.webkitGetAsEntry()).filter(Boolean);
  if (!entries.length) return add([...transfer.files].map(plain));
  return add((await Promise.all(entries.map((entry) => walk(entry, "")))).flat());
}

export const addChosen = (files) => add([...files].map(plain));

if (typeof window !== "undefined") {
  window.addEventListener("online", resume);
  window.addEventListener("beforeunload", (event) => underWay() && event.preventDefault());
}
