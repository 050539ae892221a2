// What a page tells the service worker, and the line that offers recordings shared from the phone.

import { useEffect, useState } from "react";
import * as queue from "../player/upload_queue.js";

const WORKER_URL = "/service-worker.js";
const SHARED = "shared";
const MAX_SHOWN = 3;

const loaded = () => document.readyState === "complete" || new Promise((resolve) => window.addEventListener("load", resolve, { once: true }));

// Resolves when the worker has done what the message asks for.
function tell(worker, message) {
  const { port1, port2 } = new MessageChannel();
  const done = new Promise((resolve) => {
    port1.onmessage = resolve;
  });
  worker.postMessage(message, [port2]);
  return done;
}

async function seeLibrary() {
  await loaded(); // the worker's requests do not delay the page's own
  await navigator.serviceWorker.register(WORKER_URL);
  const { active } = await navigator.serviceWorker.ready;
  await tell(active, "library");
}

async function readShared() {
  if (!(await caches.has(SHARED))) return [];
  const cache = await caches.open(SHARED);
  const answers = await Promise.all((await cache.keys()).map((key) => cache.match(key)));
  return Promise.all(
    answers.filter(Boolean).map(async (answer) => {
      const content = await answer.blob();
      return new File([content], decodeURIComponent(answer.headers.get("X-Name")), { type: content.type });
    }),
  );
}

function listNames(files) {
  const names = files.slice(0, MAX_SHOWN).map(({ name }) => name);
  const more = files.length - names.length;
  return names.join(", ") + (more ? ` and ${more} more` : "");
}

const plural = (n) => (n === 1 ? "this recording" : `these ${n} recordings`);

// On the library's page: keeps its names for offline use, and offers what was shared.
export function OfflineLibrary() {
  const [files, setFiles] = useState([]);
  useEffect(() => {
    let gone = false;
    if (!navigator.serviceWorker) return undefined; // a page without https, or an old browser
    seeLibrary()
      .then(readShared)
      .then((found) => gone || setFiles(found))
      .catch(() => {}); // a browser may forbid workers or storage; everything else works
    return () => {
      gone = true;
    };
  }, []);
  if (!files.length) return null;
  const end = (takes) => {
    if (takes) queue.addChosen(files);
    setFiles([]);
    caches.delete(SHARED);
  };
  return (
    <div className="waiting-note" role="status" data-testid="shared-files">
      <span>
        Add {plural(files.length)} to your library? <strong>{listNames(files)}</strong>
      </span>
      <button type="button" className="button small primary" onClick={() => end(true)} data-testid="add-shared">
        Add
      </button>
      <button type="button" className="button small ghost" onClick={() => end(false)} data-testid="discard-shared">
        Discard
      </button>
    </div>
  );
}

// On the sign-in page: a session may have ended elsewhere, then its names and sounds go.
export function SignedOutCheck() {
  useEffect(() => {
    navigator.serviceWorker
      ?.getRegistration()
      .then((registration) => registration?.active && tell(registration.active, "sign-in"))
      .catch(() => {});
  }, []);
  return null;
}
