// On the library's page: the service worker keeps its names for offline use, and a line offers
// recordings shared from the phone.

import { useEffect, useState } from "react";
import * as queue from "../player/upload_queue.js";
import { tell } from "./worker_messages.js";

const WORKER_URL = "/service-worker.js";
const SHARED = "shared";
const MAX_SHOWN = 3;

const loaded = () => document.readyState === "complete" || new Promise((resolve) => window.addEventListener("load", resolve, { once: true }));

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
