// Files on their way to the server. The queue lives outside React: it goes on while one
// browses, and after a lost connection it continues with the files it still holds.

const AT_ONCE = 3;
const LITTER = /^(\.|thumbs\.db$|desktop\.ini$)/i;
const NOT_SOUND = /\.(txt|pdf|jpe?g|png|gif|webp|zip|rar|7z|html?|mid|midi|asd|als|nki|exe|doc|xml|json|csv|url)$/i;

let items = [];
let nextKey = 1;
let folderTags = true;
let retryTimer = null;
let wait = 1000;
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

export function add(found) {
  const fresh = found
    .filter(({ file }) => !LITTER.test(file.name))
    .map(({ file, folder }) => ({
      key: nextKey++,
      file,
      folder,
      name: file.name,
      size: file.size,
      sent: 0,
      ...(NOT_SOUND.test(file.name) ? { state: "refused", reason: "Not a sound file." } : { state: "waiting", reason: "" }),
    }));
  items = [...items, ...fresh];
  changed();
  pump();
}

function pump() {
  const sending = items.filter((item) => item.state === "sending").length;
  const next = items.filter((item) => item.state === "waiting").slice(0, Math.max(0, AT_ONCE - sending));
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
  request.upload.onprogress = (event) => update(item.key, { sent: event.loaded });
  request.onload = () => answered(item, request);
  request.onerror = () => interrupted(item, 0);
  request.ontimeout = () => interrupted(item, 0);
  request.open("POST", "/api/samples");
  request.responseType = "json";
  request.send(body);
}

function answered(item, request) {
  const answer = request.response || {};
  if (request.status === 201) {
    wait = 1000;
    update(item.key, { state: "done", sent: item.size, sampleId: answer.samples[0].id, file: null });
  } else if (request.status >= 500 || (request.status === 429 && answer.code === "rate_limited")) {
    interrupted(item, Number(request.getResponseHeader("Retry-After")) * 1000);
    return;
  } else refused(item, answer, request.status);
  pump();
}

function refused(item, answer, status) {
  const [first] = answer.rejected || [];
  const reason = (first && first.error) || answer.error || `The server answered ${status}.`;
  const sampleId = first && first.details && first.details.sample_id;
  update(item.key, { state: sampleId ? "duplicate" : "refused", reason, sampleId });
  if (answer.code === "storage_quota_exceeded" || status === 401) {
    // The rest would travel for nothing: it waits until there is room, or the person is back.
    items = items.map((other) => (other.state === "waiting" ? { ...other, state: "paused", reason } : other));
    changed();
  }
}

function interrupted(item, after) {
  update(item.key, { state: "paused", sent: 0, reason: "The connection was lost; this goes on by itself." });
  clearTimeout(retryTimer);
  retryTimer = setTimeout(resume, after || wait);
  wait = Math.min(wait * 2, 15000);
}

export function resume() {
  clearTimeout(retryTimer);
  items = items.map((item) => (item.state === "paused" ? { ...item, state: "waiting", reason: "" } : item));
  changed();
  pump();
}

export function cancel() {
  items.forEach((item) => item.state === "sending" && item.request.abort());
  clearTimeout(retryTimer);
  items = items.map((item) =>
    ["waiting", "sending", "paused"].includes(item.state) ? { ...item, state: "cancelled", reason: "Cancelled." } : item,
  );
  changed();
}

export function cancelOne(key) {
  const item = items.find((one) => one.key === key);
  if (item.state === "sending") item.request.abort();
  update(key, { state: "cancelled", reason: "Cancelled." });
  pump();
}

export function clear() {
  items = items.filter((item) => ["waiting", "sending", "paused"].includes(item.state));
  changed();
}

export const underWay = () => items.some((item) => ["waiting", "sending", "paused"].includes(item.state));

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
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    return [{ file, folder }];
  }
  const inside = await readAll(entry.createReader());
  const path = folder ? `${folder}/${entry.name}` : entry.name;
  return (await Promise.all(inside.map((child) => walk(child, path)))).flat();
}

export async function addDropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry && item.webkitGetAsEntry()).filter(Boolean);
  if (!entries.length) return add([...transfer.files].map((file) => ({ file, folder: "" })));
  return add((await Promise.all(entries.map((entry) => walk(entry, "")))).flat());
}

export function addChosen(files) {
  add([...files].map((file) => ({ file, folder: (file.webkitRelativePath || "").split("/").slice(0, -1).join("/") })));
}

if (typeof window !== "undefined") {
  window.addEventListener("online", resume);
  window.addEventListener("beforeunload", (event) => underWay() && event.preventDefault());
}
