// Reading a card: buttons that choose one, the dialog, and a line on the page while it is closed.

import { useEffect, useRef, useSyncExternalStore } from "react";
import * as api from "./card_api.js";
import { hashFile } from "./card_hasher.js";
import { CardReader } from "./card_reader.js";
import { isZip, treeOfFiles, treeOfHandle } from "./card_tree.js";
import { formatSize } from "./byte_size.js";
import { plural, Progress } from "./card_progress.jsx";
import { showPanel } from "./card_reader_place.jsx";

const DEVICES = { mk2: "SP-404MKII", sx: "SP-404SX/A" };
const MAX_LISTED = 100;
const storage = typeof window === "undefined" ? null : window.localStorage;
export const reader = new CardReader({ api, hashFile, storage });

if (typeof window !== "undefined") window.addEventListener("beforeunload", (event) => reader.isBusy && event.preventDefault());

const useReader = () => useSyncExternalStore(reader.subscribe, reader.getSnapshot, reader.getSnapshot);
const canPick = () => typeof window !== "undefined" && "showDirectoryPicker" in window;

export function openFiles(files) {
  const [first] = files;
  if (files.length === 1 && isZip(first)) reader.openZip(first);
  else reader.open(treeOfFiles(files));
}

// A button that asks for the card: by the browser's own picker, or by a list of files.
export function ReadCardButton({ className = "button", testId = "read-card", children }) {
  const folder = useRef(null);
  const choose = async () => {
    if (!canPick()) {
      folder.current.click();
      return;
    }
    try {
      reader.open(treeOfHandle(await window.showDirectoryPicker({ id: "sp404-card", mode: "read" })));
    } catch (error) {
      if (error.name !== "AbortError") folder.current.click();
    }
  };
  const onFiles = (event) => {
    if (event.target.files.length) openFiles([...event.target.files]);
    event.target.value = "";
  };
  return (
    <>
      <button type="button" className={className} onClick={choose} data-testid={testId}>
        {children}
      </button>
      <input ref={folder} type="file" hidden webkitdirectory="" onChange={onFiles} data-testid={`${testId}-folder`} />
    </>
  );
}

export function ReadZipButton({ className = "button ghost", testId = "read-zip", children }) {
  const input = useRef(null);
  const onFiles = (event) => {
    if (event.target.files.length) openFiles([...event.target.files]);
    event.target.value = "";
  };
  return (
    <>
      <button type="button" className={className} onClick={() => input.current.click()} data-testid={testId}>
        {children}
      </button>
      <input ref={input} type="file" hidden accept=".zip,application/zip" onChange={onFiles} data-testid={`${testId}-file`} />
    </>
  );
}

function ProjectRow({ project, isChosen }) {
  const { folder, device, name, pads, bytes, why } = project;
  return (
    <li className={`card-project ${why ? "broken" : ""}`}>
      <label>
        <input type="checkbox" checked={isChosen} disabled={Boolean(why)} onChange={(event) => reader.setChosen(folder, event.target.checked)} data-testid="card-project" />
        <span className="card-file">
          <strong>{name || folder}</strong>
          <small>{why || folder}</small>
        </span>
      </label>
      <span className="mono muted">{why ? "" : `${DEVICES[device]} · ${plural(pads || 0, "pad")} · ${formatSize(bytes || 0)}`}</span>
    </li>
  );
}

function AddAsSounds() {
  if (!reader.addSounds) return null;
  return (
    <button type="button" className="button ghost" onClick={() => reader.addAsSounds()} data-testid="add-as-sounds">
      Add as sounds only
    </button>
  );
}

function Offered() {
  return (
    <>
      <p className="muted">This ZIP holds a project of a SP-404.</p>
      <div className="dialog-foot">
        <AddAsSounds />
        <button type="button" className="button primary" onClick={() => reader.openZip(reader.zip)} data-testid="take-zip">
          Read as project
        </button>
      </div>
    </>
  );
}

function Found({ plan, chosen, plansUrl }) {
  const { projects, room, title, why } = plan;
  if (!projects.length) {
    return (
      <>
        <div className="card-outcome warn" role="status" data-testid="no-card">
          <strong>There is no project here.</strong>
          <p>{why}</p>
        </div>
        <div className="dialog-foot">
          <button type="button" className="button" onClick={() => reader.hide()} data-testid="close-reader">
            Close
          </button>
        </div>
      </>
    );
  }
  return (
    <>
      <p className="muted">{title}</p>
      <ul className="card-projects">
        {projects.map((project) => (
          <ProjectRow key={project.folder} project={project} isChosen={chosen.includes(project.folder)} />
        ))}
      </ul>
      {!room.ok && (
        <p className="notice error" data-testid="no-room">
          {room.message}{" "}
          {plansUrl && (
            <a className="link" href={plansUrl}>
              See plans
            </a>
          )}
        </p>
      )}
      <p className="small muted">Nothing on the card is changed. Sounds that you have already are used again.</p>
      <div className="dialog-foot">
        <button type="button" className="button ghost" onClick={() => reader.hide()} data-testid="close-reader">
          Cancel
        </button>
        <AddAsSounds />
        <button type="button" className="button primary" disabled={!chosen.length} onClick={() => reader.take()} data-testid="take-card">
          {`Read ${plural(chosen.length, "project")}`}
        </button>
      </div>
    </>
  );
}

function Listed({ title, items, testId }) {
  if (!items.length) return null;
  return (
    <details className="check-section warnings" data-testid={testId}>
      <summary>{title}</summary>
      <ul>
        {items.slice(0, MAX_LISTED).map((text) => (
          <li key={text}>{text}</li>
        ))}
      </ul>
    </details>
  );
}

function Done({ result }) {
  const { projects = [], samples = 0, duplicates = 0, missing = [], problems = [] } = result;
  return (
    <>
      <div className="card-outcome good" role="status" data-testid="card-read">
        <strong>{`${plural(projects.length, "project")} read`}</strong>
        <p>{`${plural(samples, "new sound")}${duplicates ? `, ${duplicates.toLocaleString()} that you had already` : ""}.`}</p>
      </div>
      <ul className="card-projects">
        {projects.map(({ id, name }) => (
          <li key={id} className="card-project">
            <strong>{name}</strong>
            <a className="button small" href={`/projects/${id}`} onClick={() => reader.hide()} data-testid="open-read-project">
              Open
            </a>
          </li>
        ))}
      </ul>
      <Listed title={`${plural(missing.length, "missing sound")}`} items={missing} testId="missing-files" />
      <Listed title={`${plural(problems.length, "file")} could not be read`} items={problems.map(({ path, why }) => `${path}: ${why}`)} testId="broken-files" />
      <div className="dialog-foot">
        <button type="button" className="button" onClick={() => reader.hide()} data-testid="close-reader">
          Close
        </button>
      </div>
    </>
  );
}

function Ended({ phase, message, canGoOn }) {
  return (
    <>
      <div className={`card-outcome ${phase === "failed" ? "bad" : "note"}`} role="status" data-testid="card-not-read">
        <strong>{phase === "failed" ? "The card was not read." : phase === "pulled" ? "The card was taken out." : "Cancelled."}</strong>
        <p>{`${message} ${canGoOn ? "Choose the same folder again to go on where it stopped." : ""}`.trim()}</p>
      </div>
      <div className="dialog-foot">
        <button type="button" className="button ghost" onClick={() => reader.hide()} data-testid="close-reader">
          Close
        </button>
      </div>
    </>
  );
}

const TITLES = { listing: "Looking at the names …", looking: "Reading the settings …", sending: "Sending …", reading: "Making the projects …" };

function Body({ state, plansUrl }) {
  const { phase } = state;
  if (phase in TITLES) return <Progress text={state.progress?.doing && phase === "sending" ? `${state.progress.doing} …` : TITLES[phase]} progress={state.progress} onCancel={() => reader.cancel()} />;
  if (phase === "offered") return <Offered />;
  if (phase === "found") return <Found plan={state.plan} chosen={state.chosen} plansUrl={plansUrl} />;
  if (phase === "done") return <Done result={state.result} />;
  return <Ended phase={phase} message={state.message} canGoOn={state.canGoOn} />;
}

function Dialog({ state, plansUrl }) {
  const box = useRef(null);
  useEffect(() => {
    const dialog = box.current;
    const opener = document.activeElement;
    dialog.showModal();
    return () => {
      dialog.close();
      if (opener?.isConnected) opener.focus();
    };
  }, []);
  const close = (event) => {
    event.preventDefault();
    reader.hide();
  };
  return (
    <dialog ref={box} className="modal" aria-label="Read a card" data-testid="card-reader" onCancel={close} onKeyDown={(event) => event.stopPropagation()}>
      <div className="modal-body">
        <div className="card-reader" data-phase={reader.isBusy ? "busy" : state.phase}>
          <header className="row">
            <h2>Read a card</h2>
            <span className="muted grow export-name">{state.name}</span>
            <button type="button" className="icon-button" aria-label={reader.isBusy ? "Go on in the background" : "Close"} onClick={() => reader.hide()} data-testid="hide-reader">
              ×
            </button>
          </header>
          <Body state={state} plansUrl={plansUrl} />
        </div>
      </div>
    </dialog>
  );
}

function Line({ state }) {
  const { bytes = 0, allBytes = 0 } = state.progress || {};
  return (
    <button type="button" className="button card-line" onClick={() => reader.show()} data-testid="show-reader">
      <span className="pulse" />
      {`Reading ${state.name || "card"} ${allBytes ? `${Math.round((100 * bytes) / allBytes)} %` : "…"}`}
    </button>
  );
}

// What every page shows of the reading of a card. Without `plansUrl` no larger plan is offered.
showPanel(({ plansUrl }) => {
  const state = useReader();
  if (state.phase === "idle") return null;
  return (
    <>
      <link rel="stylesheet" href="/cards.css" precedence="default" />
      {state.isOpen ? <Dialog state={state} plansUrl={plansUrl} /> : <Line state={state} />}
    </>
  );
});
