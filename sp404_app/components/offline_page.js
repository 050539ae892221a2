// The offline page: names of the library that was last seen here, and those sounds that the player
// fetched. The service worker keeps both; it also answers the requests for the sounds.

const NAMES_URL = "/api/samples/names";
const CHECK_EVERY_MS = 5000;
const PROBE_URL = "/offline.css";
const audioUrl = (id) => `/api/samples/${id}/audio?format=play`;
const byId = (id) => document.getElementById(id);

async function readAccount() {
  const name = (await caches.keys()).find((each) => each.startsWith("account-"));
  const cache = name && (await caches.open(name));
  const kept = cache && (await cache.match(NAMES_URL));
  if (!kept) return { samples: [], playable: new Set() };
  const urls = (await cache.keys()).map(({ url }) => new URL(url));
  return { samples: (await kept.json()).samples, playable: new Set(urls.map((url) => url.pathname + url.search)) };
}

function element(tag, className, text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text; // names are text, never markup
  return made;
}

const player = new Audio();
let pressed = null;

function showPlaying(button) {
  pressed?.setAttribute("aria-pressed", "false");
  pressed = button;
  pressed?.setAttribute("aria-pressed", "true");
}

function toggle(button, id) {
  player.pause();
  if (pressed === button) return showPlaying(null);
  player.src = audioUrl(id);
  player.play().catch(() => showPlaying(null));
  return showPlaying(button);
}

player.addEventListener("ended", () => showPlaying(null));

function row({ id, name, bpm, key }, canPlay) {
  const made = element("li", canPlay ? "offline-name" : "offline-name silent");
  if (canPlay) {
    const button = element("button", "offline-play");
    button.type = "button";
    button.setAttribute("aria-label", `Play ${name}`);
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", () => toggle(button, id));
    made.append(button);
  } else made.append(element("span", "offline-play"));
  made.append(element("span", "offline-title", name));
  made.append(element("span", "mono muted", bpm ? `${Math.round(bpm * 10) / 10} BPM` : ""));
  made.append(element("span", "mono muted offline-key", key || ""));
  return made;
}

async function showNames() {
  const { samples, playable } = await readAccount();
  if (!samples.length) return;
  const canPlay = ({ id }) => playable.has(audioUrl(id));
  const heard = samples.filter(canPlay).length;
  byId("summary").textContent = heard
    ? `${heard} of ${samples.length} sounds can be played here: those you played before.`
    : "Sounds that you play while there is a connection can be played here, too.";
  byId("names").replaceChildren(...samples.map((sample) => row(sample, canPlay(sample))));
  byId("library").hidden = false;
}

const leave = () => (location.pathname === "/offline" ? location.replace("/library") : location.reload());

async function isConnected() {
  try {
    // The service worker answers no HEAD request, so this one reaches the server or fails.
    return (await fetch(PROBE_URL, { method: "HEAD", cache: "no-store", signal: AbortSignal.timeout(CHECK_EVERY_MS) })).ok;
  } catch {
    return false;
  }
}

async function check() {
  if (await isConnected()) leave();
  else setTimeout(check, CHECK_EVERY_MS);
}

byId("again").addEventListener("click", async () => (await isConnected()) && leave());
addEventListener("online", async () => (await isConnected()) && leave());

if (await isConnected()) leave();
else {
  await showNames();
  setTimeout(check, CHECK_EVERY_MS);
}
