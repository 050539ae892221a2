// Upload panel with the progress of every file, the drop target of the page, and the file chooser.

import { useEffect, useRef, useState, useSyncExternalStore } from "react";
import { openDrop } from "../cards/card_drop.js";
import * as queue from "./upload_queue.js";

const STATE_ORDER = { failed: 0, gone: 1, sending: 2, paused: 3, refused: 4, duplicate: 5, waiting: 6, cancelled: 7, done: 8 };
const FAILED = ["failed", "gone"];
const isActive = ({ state }) => ["waiting", "sending", "paused"].includes(state);
const MAX_SHOWN = 100;
const sum = (items, field) => items.reduce((total, item) => total + item[field], 0);
const plural = (n, word) => `${n.toLocaleString()} ${word}${n === 1 ? "" : "s"}`;

function headline(items) {
  const count = (...states) => items.filter((item) => states.includes(item.state)).length;
  const active = count("waiting", "sending", "paused");
  const done = count("done");
  const sounds = items.reduce((total, item) => total + (item.added || 0), 0); // an archive contains several
  const parts = [active ? `Uploading ${done} of ${items.length}` : `${plural(sounds, "sound")} uploaded`];
  if (count(...FAILED)) parts.push(`${count(...FAILED)} failed`);
  if (count("duplicate")) parts.push(`${plural(count("duplicate"), "duplicate")} skipped`);
  if (count("refused")) parts.push(`${count("refused")} not added`);
  return parts.join(" · ");
}

function UploadRow({ item }) {
  const active = isActive(item);
  return (
    <li className={`upload ${item.state}`} data-testid="upload" data-state={item.state}>
      <span className="upload-name" title={item.folder ? `${item.folder}/${item.name}` : item.name}>
        {item.folder && `${item.folder.split("/").at(-1)}/`}
        {item.name}
      </span>
      {item.state === "sending" && (item.sent >= item.size ? <span className="muted">processing…</span> : <span className="mono muted">{Math.round((100 * item.sent) / (item.size || 1))} %</span>)}
      {item.state === "done" && <span className="upload-ok">{item.added > 1 ? `${plural(item.added, "sound")} added` : "added"}</span>}
      {item.state === "waiting" && <span className="muted">waiting</span>}
      {active && (
        <button type="button" className="icon-button small" aria-label={`Cancel ${item.name}`} onClick={() => queue.cancelOne(item.key)}>
          ×
        </button>
      )}
      {item.reason && (
        <span className="upload-reason">
          {item.reason}{" "}
          {item.state === "duplicate" && (
            <a className="link" href={`/samples/${item.sampleId}`}>
              Show
            </a>
          )}
        </span>
      )}
      {item.state === "sending" && (
        <span className="bar">
          <span style={{ width: `${(100 * item.sent) / (item.size || 1)}%` }} />
        </span>
      )}
    </li>
  );
}

// Where the browser refuses it, as on pages without https, the text of a field is copied.
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const field = document.createElement("textarea");
    field.value = text;
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
}

// Copies which files did not arrive and why, a line each.
function CopyList({ items }) {
  const [isCopied, setCopied] = useState(false);
  const line = ({ folder, name, reason }) => `${folder ? `${folder}/` : ""}${name}: ${reason}`;
  const copy = () => copyText(items.map(line).join("\n")).then(() => setCopied(true));
  return (
    <button type="button" className="button small" onClick={copy} data-testid="copy-refusals">
      {isCopied ? "Copied" : "Copy list"}
    </button>
  );
}

// Which folder names become tags: of the folder that was added, only if the person wants.
function FolderTags({ items, active, folderTags, rootTag, tagProblem }) {
  const roots = new Set(items.filter((item) => item.folder && (isActive(item) || item.state === "done")).map(queue.rootOf));
  const asksForRoot = roots.size > 0 && folderTags;
  return (active || asksForRoot) && (
    <div className="uploads-tags">
      {active && (
        <label className="check">
          <input type="checkbox" checked={folderTags} onChange={(event) => queue.setFolderTags(event.target.checked)} /> Folder names become tags
        </label>
      )}
      {asksForRoot && (
        <label className="check">
          <input type="checkbox" checked={rootTag} onChange={(event) => queue.setRootTag(event.target.checked)} data-testid="root-tag" /> {active ? "Also" : "Tag them with"} {roots.size === 1 ? `“${[...roots][0]}”` : "the outer folders"}
        </label>
      )}
      {tagProblem && <span role="alert">{tagProblem}</span>}
    </div>
  );
}

function Panel({ items, folderTags, rootTag, tagProblem }) {
  const active = items.some(isActive);
  const paused = items.some((item) => item.state === "paused");
  const notSent = items.filter((item) => ["refused", ...FAILED].includes(item.state));
  const relevant = items.filter((item) => item.state !== "cancelled");
  const fraction = relevant.filter((item) => !["refused", "duplicate", ...FAILED].includes(item.state));
  const sorted = [...items].sort((a, b) => STATE_ORDER[a.state] - STATE_ORDER[b.state] || a.key - b.key);
  return (
    <section aria-label="Uploads" data-testid="uploads">
      <header className="uploads-head">
        <strong role="status">{headline(items)}</strong>
        {paused && (
          <button type="button" className="button small" onClick={queue.resume}>
            Resume
          </button>
        )}
        {notSent.length > 0 && !active && <CopyList items={notSent} />}
        {items.some(queue.canRetry) && !active && (
          <button type="button" className="button small" onClick={queue.retry} data-testid="retry-uploads">
            Try again
          </button>
        )}
        {active ? (
          <button type="button" className="button small ghost" onClick={queue.cancel} data-testid="cancel-uploads">
            Cancel
          </button>
        ) : (
          <button type="button" className="icon-button" aria-label="Close" onClick={queue.clear} data-testid="close-uploads">
            ×
          </button>
        )}
      </header>
      {active && (
        <span className="bar whole">
          <span style={{ width: `${(100 * sum(fraction, "sent")) / (sum(fraction, "size") || 1)}%` }} />
        </span>
      )}
      <ul className="uploads-list">
        {sorted.slice(0, MAX_SHOWN).map((item) => (
          <UploadRow key={item.key} item={item} />
        ))}
      </ul>
      {sorted.length > MAX_SHOWN && <p className="muted uploads-more">and {plural(sorted.length - MAX_SHOWN, "more file")}</p>}
      <FolderTags items={items} active={active} folderTags={folderTags} rootTag={rootTag} tagProblem={tagProblem} />
    </section>
  );
}

// Chooses the files that a reload interrupted, to send those again.
function ChooseAgain({ files, problem }) {
  const input = useRef(null);
  const roots = new Set(files.filter(({ folder }) => folder).map(queue.rootOf));
  const missing = roots.size === 1 ? `“${[...roots][0]}”` : `the ${roots.size ? "folders" : "files"}`;
  return (
    <div className="uploads-again">
      <button type="button" className="button small primary" onClick={() => input.current.click()} data-testid="choose-again">
        Choose {missing} again
      </button>
      <span className="muted">Only these files are sent. Sounds you already have are not added twice.</span>
      {problem && <span role="alert">{problem}</span>}
      <input
        ref={input}
        type="file"
        multiple
        hidden
        data-testid="choose-unfinished"
        {...(roots.size ? { webkitdirectory: "" } : {})}
        onChange={(event) => {
          queue.addUnfinished(event.target.files);
          event.target.value = "";
        }}
      />
    </div>
  );
}

// What a reload interrupted: under the uploads of now, if there are any.
function UnfinishedUploads({ files, problem }) {
  return (
    <>
      <header className="uploads-head">
        <strong role="status">{plural(files.length, "file")} did not arrive before the page was closed</strong>
        <button type="button" className="icon-button" aria-label="Forget them" title="Forget them" onClick={queue.forgetUnfinished} data-testid="forget-unfinished">
          ×
        </button>
      </header>
      <ul className="uploads-list">
        {files.slice(0, MAX_SHOWN).map(({ name, folder }) => (
          <li key={`${folder}/${name}`} className="upload waiting">
            <span className="upload-name" title={folder ? `${folder}/${name}` : name}>
              {name}
            </span>
          </li>
        ))}
      </ul>
      {files.length > MAX_SHOWN && <p className="muted uploads-more">and {plural(files.length - MAX_SHOWN, "more file")}</p>}
      <ChooseAgain files={files} problem={problem} />
    </>
  );
}

export function UploadPanel({ folderTags = true }) {
  const state = useSyncExternalStore(queue.subscribe, queue.getSnapshot, queue.getSnapshot);
  const [over, setOver] = useState(false);
  const depth = useRef(0);
  useEffect(() => queue.setFolderTags(folderTags), [folderTags]);
  useEffect(queue.restoreUnfinished, []);
  useEffect(() => {
    const dialogTakesDrops = () => document.querySelector("[data-takes-drops]");
    const carriesFiles = (event) => !dialogTakesDrops() && [...(event.dataTransfer?.types || [])].includes("Files");
    const handlers = {
      dragenter: (event) => {
        if (!carriesFiles(event)) return;
        depth.current += 1;
        setOver(true);
      },
      dragleave: (event) => {
        if (!carriesFiles(event)) return;
        depth.current = Math.max(0, depth.current - 1);
        if (!depth.current) setOver(false);
      },
      dragover: (event) => carriesFiles(event) && event.preventDefault(),
      drop: (event) => {
        if (!carriesFiles(event)) return;
        event.preventDefault();
        depth.current = 0;
        setOver(false);
        openDrop(event.dataTransfer, queue.addEntries);
      },
    };
    Object.entries(handlers).forEach(([name, handler]) => window.addEventListener(name, handler));
    return () => Object.entries(handlers).forEach(([name, handler]) => window.removeEventListener(name, handler));
  }, []);
  return (
    <>
      {over && (
        <div className="drop-veil" data-testid="drop-veil">
          <p>Drop sounds, folders, ZIP files or a card</p>
        </div>
      )}
      {state.items.length + state.unfinished.length > 0 && (
        <div className="uploads">
          {state.items.length > 0 && <Panel items={state.items} folderTags={state.folderTags} rootTag={state.rootTag} tagProblem={state.tagProblem} />}
          {state.unfinished.length > 0 && (
            <section aria-label="Unfinished uploads" data-testid="unfinished">
              <UnfinishedUploads files={state.unfinished} problem={state.choiceProblem} />
            </section>
          )}
        </div>
      )}
    </>
  );
}

export function ChooseFiles({ folder = false, children, className = "button primary", testId = "choose-files" }) {
  const input = useRef(null);
  return (
    <>
      <button type="button" className={className} onClick={() => input.current.click()}>
        {children}
      </button>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        data-testid={testId}
        {...(folder ? { webkitdirectory: "" } : { accept: "audio/*,.wav,.aif,.aiff,.aifc,.smp,.flac,.ogg,.opus,.mp3,.m4a,.aac,.caf,.w64,.zip" })}
        onChange={(event) => {
          queue.addChosen(event.target.files);
          event.target.value = "";
        }}
      />
    </>
  );
}
