// Service worker: what the app does without a connection, and recordings shared from the phone.
// The server writes BUILD (a hash of what was built) and SHELL (the files of the offline page)
// before this text (`api/routes/installed_app.py`).
//
// It keeps nothing before a signed-in person opens the library, and nothing after they sign out:
//   static-<BUILD>     files of the offline page, and built files, whose names contain a hash
//   account-<user id>  names of sounds, and the sounds that the player fetched
//   shared             recordings from the phone, until the library adds or discards them
// Of the API it keeps only these names and sounds, and it reads them only if the network fails.

const STATIC = `static-${BUILD}`;
const ACCOUNT = "account-";
const SHARED = "shared";
const NAMES_URL = "/api/samples/names";
const SHARE_URL = "/share-target"; // also a page: it says that sharing did not work
const AUDIO = /^\/api\/samples\/[\w-]{36}\/audio$/; // with ?format=play
const NO_PAGES = /^\/(api|auth|metrics|ping|s|_\w+)(\/|$)/; // the server answers these itself
const SIGN_IN = ["/auth/session", "/auth/session/code", "/auth/session/confirmed"];
const SIGN_OUT = ["/auth/session/end", "/auth/account/end"];
const MAX_ASSETS = 300;
const MAX_AUDIO_BYTES = 30e6;
const MAX_SOUND_BYTES = 10e6;
const TRIM_EVERY_BYTES = 2e6; // looking at every sound takes long, so not after each of them
const KEEP_AFTER_MS = 500; // playing comes first
const MAX_SHARED = 50;
const SHARED_TTL_MS = 24 * 3600e3;
const DOCUMENT_TIMEOUT_MS = 5000;

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const isAccount = (name) => name.startsWith(ACCOUNT);
const isAny = () => true;
const isNotShared = (name) => name !== SHARED; // what was shared is offered to its owner only
const accountName = async () => (await caches.keys()).find(isAccount);

// Changes of the caches run one after the other, so none undoes that another erased.
let queue = Promise.resolve();
function serially(task) {
  queue = queue.then(task, task);
  return queue.catch(() => {}); // a full disk is no reason to fail
}

let erasures = 0; // an answer that was requested before an erasure is not kept

function erase(matches) {
  erasures += 1;
  return serially(async () => {
    const names = (await caches.keys()).filter(matches);
    await Promise.all(names.map((name) => caches.delete(name)));
  });
}

// --- Files and pages

async function keepShell() {
  const cache = await caches.open(STATIC);
  if (!(await cache.match("/offline"))) await cache.addAll(SHELL);
}

async function keepAsset(request, answer) {
  if (!(await caches.has(STATIC))) return; // nobody is signed in
  const cache = await caches.open(STATIC);
  await cache.put(request, answer);
  const assets = (await cache.keys()).filter(({ url }) => new URL(url).pathname.startsWith("/assets/"));
  await Promise.all(assets.slice(0, -MAX_ASSETS).map((key) => cache.delete(key)));
}

const fromShell = (key) => caches.match(key, { cacheName: STATIC, ignoreVary: true });

async function loadAsset(event) {
  const known = await fromShell(event.request);
  if (known) return known;
  const answer = await fetch(event.request);
  const copy = answer.status === 200 && answer.clone();
  if (copy) event.waitUntil(serially(() => keepAsset(event.request, copy)));
  return answer;
}

async function openPage(request) {
  const network = fetch(request);
  const answer = await Promise.race([network, pause(DOCUMENT_TIMEOUT_MS)]).catch(() => undefined);
  return answer || (await fromShell("/offline")) || network;
}

// --- Sounds

let untrimmedBytes = Infinity; // kept since the last look; what was kept before a start is not known

async function keepSound(owner, request, answer) {
  const size = Number(answer.headers.get("Content-Length"));
  if (!size || size > MAX_SOUND_BYTES) return;
  await pause(KEEP_AFTER_MS);
  const content = await answer.arrayBuffer();
  await serially(async () => {
    if (!(await caches.has(owner))) return; // erased in the meantime
    const cache = await caches.open(owner);
    const headers = { "Content-Type": answer.headers.get("Content-Type"), "Content-Length": content.byteLength };
    await cache.put(request.url, new Response(content, { headers })); // a known one moves to the end
    untrimmedBytes += content.byteLength;
    if (untrimmedBytes > TRIM_EVERY_BYTES) await dropOldestSounds(cache);
  });
}

async function dropOldestSounds(cache) {
  untrimmedBytes = 0;
  let bytes = 0;
  for (const key of (await cache.keys()).reverse()) {
    if (new URL(key.url).pathname === NAMES_URL) continue;
    const kept = await cache.match(key);
    bytes += Number(kept.headers.get("Content-Length"));
    if (bytes > MAX_AUDIO_BYTES) await cache.delete(key);
  }
}

async function loadSound(event) {
  const owner = accountName(); // of the request, not of the time of its answer
  try {
    const answer = await fetch(event.request);
    const copy = answer.status === 200 && (await owner) && answer.clone();
    if (answer.status === 401) event.waitUntil(erase(isNotShared));
    if (copy) event.waitUntil(owner.then((name) => keepSound(name, event.request, copy)));
    return answer;
  } catch (error) {
    const name = await owner;
    const kept = name && (await caches.match(event.request.url, { cacheName: name }));
    if (!kept) throw error;
    return partOf(kept, event.request.headers.get("Range"));
  }
}

// The part of a whole answer that a Range header asks for (RFC 9110, section 14); media need it.
async function partOf(answer, range) {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(range || "") || [];
  if (!first && !last) return answer;
  const content = await answer.blob();
  const start = first ? Number(first) : Math.max(0, content.size - Number(last));
  const end = first && last ? Math.min(content.size, Number(last) + 1) : content.size;
  if (start >= end) return new Response(null, { status: 416, headers: { "Content-Range": `bytes */${content.size}` } });
  const headers = {
    "Content-Type": answer.headers.get("Content-Type"),
    "Content-Range": `bytes ${start}-${end - 1}/${content.size}`,
    "Content-Length": end - start,
  };
  return new Response(content.slice(start, end), { status: 206, headers });
}

// --- Whose names are kept

async function refreshNames() {
  const before = erasures;
  const answer = await fetch(NAMES_URL, { cache: "no-store" });
  if (answer.status === 401) return erase(isNotShared);
  if (!answer.ok) return undefined;
  const names = await answer.json();
  const owner = ACCOUNT + names.account;
  return serially(async () => {
    if (erasures !== before) return;
    const others = (await caches.keys()).filter((name) => isAccount(name) && name !== owner);
    await Promise.all(others.map((name) => caches.delete(name)));
    const cache = await caches.open(owner);
    await cache.put(NAMES_URL, new Response(JSON.stringify(names), { headers: { "Content-Type": "application/json" } }));
    await dropSharedBy((by) => by !== "" && by !== owner);
    await keepShell();
  });
}

// "library": a person sees their library. "sign-in": a session may have ended.
async function onPage(said) {
  if (said === "library" || (said === "sign-in" && (await accountName()))) await refreshNames();
}

// --- Recordings shared from the phone

async function dropSharedBy(isForeign) {
  if (!(await caches.has(SHARED))) return;
  const cache = await caches.open(SHARED);
  for (const key of await cache.keys()) {
    const { headers } = await cache.match(key);
    const isOld = Date.now() - Number(headers.get("X-Shared-At")) > SHARED_TTL_MS;
    if (isOld || isForeign(headers.get("X-Owner"))) await cache.delete(key);
  }
}

async function keepShared(file, owner) {
  const cache = await caches.open(SHARED);
  const headers = {
    "Content-Type": file.type || "application/octet-stream",
    "X-Name": encodeURIComponent(file.name),
    "X-Owner": owner,
    "X-Shared-At": Date.now(),
  };
  await cache.put(`/shared/${crypto.randomUUID()}`, new Response(file, { headers }));
  const kept = await cache.keys();
  await Promise.all(kept.slice(0, -MAX_SHARED).map((key) => cache.delete(key)));
}

// Nothing is uploaded here: another site may send this request, too, so the library asks the person.
async function takeShared(request) {
  try {
    const files = (await request.formData()).getAll("sounds").filter(({ name }) => name);
    const owner = (await accountName()) || "";
    for (const file of files) {
      queue = queue.catch(() => {}).then(() => keepShared(file, owner));
      await queue;
    }
    return Response.redirect(files.length ? "/library" : SHARE_URL, 303);
  } catch {
    return Response.redirect(SHARE_URL, 303);
  }
}

// --- Events

function onPost(event, path) {
  if (path === SHARE_URL) event.respondWith(takeShared(event.request));
  else if (SIGN_OUT.includes(path)) event.waitUntil(erase(isAny));
  else if (SIGN_IN.includes(path)) event.waitUntil(erase(isAccount));
}

function onGet(event, { pathname, search }) {
  const { request } = event;
  if (AUDIO.test(pathname) && search === "?format=play") event.respondWith(loadSound(event));
  else if (NO_PAGES.test(pathname)) return;
  else if (request.mode === "navigate") event.respondWith(openPage(request));
  else if (pathname.startsWith("/assets/")) event.respondWith(loadAsset(event));
  else if (SHELL.includes(pathname)) event.respondWith(fetch(request).catch(() => fromShell(request).then((kept) => kept || Response.error())));
}

async function start() {
  const former = (await caches.keys()).filter((name) => name.startsWith("static-") && name !== STATIC);
  if (former.length) await keepShell().catch(() => {});
  await Promise.all(former.map((name) => caches.delete(name)));
  await clients.claim();
}

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(serially(start)));
self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (url.origin !== location.origin) return;
  if (event.request.method === "POST") onPost(event, url.pathname);
  if (event.request.method === "GET") onGet(event, url);
});
self.addEventListener("message", (event) => {
  const answer = () => event.ports[0]?.postMessage("done");
  event.waitUntil(onPage(event.data).then(answer, answer)); // without a connection there is nothing to do
});
