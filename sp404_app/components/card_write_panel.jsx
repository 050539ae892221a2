// Writing an export straight to a card: what is there, what will change, progress, and what was proven.

import { useEffect, useSyncExternalStore } from "react";
import * as api from "./card_api.js";
import { explainBackup, saveBackup } from "./card_backup.js";
import { hashFile } from "./card_hasher.js";
import { withCardLock as withLock } from "./card_lock.js";
import { folderOf, nameOf } from "./card_names.js";
import { findOtherProject, keepsOtherProject, openConflicts } from "./card_plan.js";
import * as records from "./card_records.js";
import { CardWriter } from "./card_writer.js";
import { Progress, plural } from "./card_progress.jsx";

const MAX_SHOWN = 200;
const pick = () => window.showDirectoryPicker({ id: "sp404-card", mode: "readwrite" });
const writers = new Map(); // project id → writer; it goes on while the dialog is closed

function writerOf(projectId) {
  if (!writers.has(projectId)) writers.set(projectId, new CardWriter({ api, records, hashFile, saveBackup, explainBackup, withLock, pick }));
  return writers.get(projectId);
}

if (typeof window !== "undefined") window.addEventListener("beforeunload", (event) => [...writers.values()].some((writer) => writer.isBusy) && event.preventDefault());

const WHAT = { add: "New", replace: "Replaced", delete: "Deleted", conflict: "In the way" };
const TOGETHER = "It is another project, or was changed on the card. All of it is replaced or kept.";
const ORDER = ["conflict", "delete", "replace", "add"];

function Button({ children, kind = "", testId, ...rest }) {
  return (
    <button type="button" className={`button ${kind}`} data-testid={testId} {...rest}>
      {children}
    </button>
  );
}

function CardName({ card, isWritten }) {
  if (!card) return null;
  const title = isWritten && card.kind === "empty" ? "" : card.title; // as it was found
  return (
    <p className="card-name">
      <svg viewBox="0 0 16 20" aria-hidden="true">
        <path d="M4.5 1H14a1 1 0 0 1 1 1v16a1 1 0 0 1-1 1H2a1 1 0 0 1-1-1V5.2z" />
        <path d="M6 3.5v3M8.5 3.5v3M11 3.5v3" />
      </svg>
      <strong>{card.name || "Card"}</strong>
      {title && <span className="muted">{title}</span>}
    </p>
  );
}

function Conflict({ path, name = nameOf(path), why, choice, onChoose }) {
  return (
    <li className="card-change conflict">
      <span className="card-file" title={path}>
        {name}
        <small>{why}</small>
      </span>
      <span className="segments" role="group" aria-label={`What to do with ${name}`}>
        {["replace", "keep"].map((value) => (
          <button key={value} type="button" className={`segment ${choice === value ? "on" : ""}`} aria-pressed={choice === value} onClick={() => onChoose(path, value)} data-testid={`conflict-${value}`}>
            {value === "replace" ? "Replace" : "Keep"}
          </button>
        ))}
      </span>
    </li>
  );
}

function Change({ path, bank, pad }) {
  return (
    <li className="card-change">
      <span className="card-file" title={path}>
        {nameOf(path)}
        <small>{folderOf(path)}</small>
      </span>
      {bank && <span className="mono muted">{`${bank}${pad}`}</span>}
    </li>
  );
}

// Another project in this place is replaced or kept as a whole: its settings describe its sounds.
function OtherProject({ changes, choices, writer }) {
  const { path } = findOtherProject(changes);
  const choice = openConflicts(changes, choices).length ? undefined : choices[path];
  return (
    <details className="card-changes conflict" open data-testid="changes-conflict">
      <summary>
        {WHAT.conflict} <span className="mono muted">{changes.length.toLocaleString()}</span>
      </summary>
      <ul>
        <Conflict path={path} name="Project on the card" why={TOGETHER} choice={choice} onChoose={(_, value) => writer.setAllChoices(value)} />
        {changes.slice(0, MAX_SHOWN).map((change) => (
          <Change key={change.path} {...change} />
        ))}
      </ul>
      {changes.length > MAX_SHOWN && <p className="muted small">{`and ${plural(changes.length - MAX_SHOWN, "more file")}`}</p>}
    </details>
  );
}

function ChangeGroup({ what, changes, choices, writer }) {
  if (!changes.length) return null;
  const isConflict = what === "conflict";
  if (isConflict && findOtherProject(changes)) return <OtherProject changes={changes} choices={choices} writer={writer} />;
  return (
    <details className={`card-changes ${what}`} open={what !== "add"} data-testid={`changes-${what}`}>
      <summary>
        {WHAT[what]} <span className="mono muted">{changes.length.toLocaleString()}</span>
        {isConflict && changes.length > 1 && (
          <span className="card-all">
            <button type="button" className="link" onClick={(event) => (event.preventDefault(), writer.setAllChoices("replace"))} data-testid="replace-all">
              Replace all
            </button>
            <button type="button" className="link" onClick={(event) => (event.preventDefault(), writer.setAllChoices("keep"))} data-testid="keep-all">
              Keep all
            </button>
          </span>
        )}
      </summary>
      <ul>
        {changes.slice(0, MAX_SHOWN).map((change) =>
          isConflict ? (
            <Conflict key={change.path} {...change} choice={choices[change.path]} onChoose={(path, value) => writer.setChoice(path, value)} />
          ) : (
            <Change key={change.path} {...change} />
          ),
        )}
      </ul>
      {changes.length > MAX_SHOWN && <p className="muted small">{`and ${plural(changes.length - MAX_SHOWN, "more file")}`}</p>}
    </details>
  );
}

const quoted = (files) => files.map(({ name }) => `“${name}”`).join(", ");

function Backups({ backup }) {
  const proven = backup.filter(({ isProven }) => isProven);
  const started = backup.filter(({ isProven }) => !isProven);
  return (
    <>
      {proven.length > 0 && <p className="small" data-testid="backup">{`${quoted(proven)} saved, read back and compared with the card.`}</p>}
      {started.length > 0 && <p className="small" data-testid="backup-download">{`Your browser saves ${quoted(started)}. Check that it is in your downloads before you write.`}</p>}
    </>
  );
}

function NextStep({ state, writer }) {
  const { changes, choices, leftovers, toBackUp } = state;
  if (openConflicts(changes, choices).length || keepsOtherProject(changes, choices)) {
    return (
      <Button disabled testId="write-card">
        {keepsOtherProject(changes, choices) ? "Nothing to write" : "Choose what stays"}
      </Button>
    );
  }
  if (toBackUp > 0) {
    return (
      <Button kind="primary" onClick={() => writer.backUp()} testId="back-up-card">
        {`Back up ${plural(toBackUp, "file")}`}
      </Button>
    );
  }
  const written = changes.filter(({ what, path }) => what !== "conflict" || choices[path] !== "keep").length;
  return (
    <Button kind="primary" onClick={() => writer.write()} testId="write-card">
      {written || !leftovers.length ? `Write ${plural(written, "file")}` : `Remove ${plural(leftovers.length, "file")}`}
    </Button>
  );
}

function Compared({ state, writer }) {
  const { changes, choices, leftovers, backup, notice } = state;
  const groups = ORDER.map((what) => [what, changes.filter((change) => change.what === what)]);
  return (
    <>
      {groups.map(([what, found]) => (
        <ChangeGroup key={what} what={what} changes={found} choices={choices} writer={writer} />
      ))}
      {leftovers.length > 0 && <p className="small muted" data-testid="leftovers">{`${plural(leftovers.length, "half-written file")} of an interrupted write ${leftovers.length === 1 ? "is" : "are"} removed.`}</p>}
      <p className="small muted">Other files on the card stay as they are.</p>
      {keepsOtherProject(changes, choices) && <p className="small" data-testid="project-kept">The project on the card stays, so nothing is written here. Export to another place, or use another card.</p>}
      <Backups backup={backup} />
      {notice && (
        <p className="notice error" role="alert" data-testid="card-notice">
          {notice}
        </p>
      )}
      <div className="dialog-foot">
        <Button kind="ghost" onClick={() => writer.choose()} testId="other-card">
          Other card…
        </Button>
        {notice && (
          <Button kind="ghost" onClick={() => writer.goOn()} testId="read-again">
            Read again
          </Button>
        )}
        <NextStep state={state} writer={writer} />
      </div>
    </>
  );
}

function Outcome({ tone, title, children, testId }) {
  return (
    <div className={`card-outcome ${tone}`} role="status" data-testid={testId}>
      <strong>{title}</strong>
      {children}
    </div>
  );
}

// One function for each phase that shows something; it gets the state and the writer.
const PHASES = {
  idle: ({ resumable }, writer, canWrite) => {
    if (!canWrite) return <p className="small muted" data-testid="no-card-access">To write straight to a card, use Chrome, Edge or another Chromium browser over HTTPS.</p>;
    const isUnverified = resumable?.phase === "correct";
    return (
      <>
        {resumable && (
          <Outcome tone="note" title={isUnverified ? `“${resumable.name}” was written, but not checked after it was taken out.` : `Writing to “${resumable.name}” stopped after ${resumable.done} of ${plural(resumable.total, "file")}.`} testId="resumable">
            <Button kind="small" onClick={() => writer.resume()} testId="resume-card">
              {isUnverified ? "Check the card" : "Go on"}
            </Button>
          </Outcome>
        )}
        <span className="card-start">
          <Button onClick={() => writer.choose()} testId="choose-card">
            Write to card…
          </Button>
          <span className="small muted">The card is read first. You see what changes before anything is written.</span>
        </span>
      </>
    );
  },
  wrong: ({ card }, writer) => (
    <>
      <Outcome tone="warn" title="This does not look like a card of a SP-404." testId="wrong-card">
        <p>{card.note}</p>
      </Outcome>
      <div className="dialog-foot">
        <Button kind="ghost" onClick={() => writer.read(writer.root, true)} testId="use-anyway">
          Use it anyway
        </Button>
        <Button kind="primary" onClick={() => writer.choose()} testId="other-card">
          Other card…
        </Button>
      </div>
    </>
  ),
  compared: (state, writer) => <Compared state={state} writer={writer} />,
  correct: ({ written, kept, isReadAgain }, writer) => (
    <Outcome tone="good" title="Correct" testId="card-correct">
      <p>{`${plural(written, "file")} read back and compared.${kept ? ` ${plural(kept, "file")} of the card kept.` : ""} Eject the card and take it out. When this page says that it is out, put it in again to verify it.`}</p>
      {isReadAgain && <p data-testid="not-out">Read again without a difference. The card was not taken out yet.</p>}
      <Button kind="small" onClick={() => writer.verify()} testId="verify-card">
        Read again
      </Button>
    </Outcome>
  ),
  refused: (_, writer) => (
    <Outcome tone="warn" title="The browser may not use this card." testId="card-refused">
      <p>Allow this page to read and write it. If the browser does not ask, allow it in the settings beside the address, or choose the card again.</p>
      <span className="row">
        <Button kind="small primary" onClick={() => writer.allow()} testId="allow-card">
          Allow access
        </Button>
        <Button kind="small ghost" onClick={() => writer.choose()} testId="other-card">
          Choose card…
        </Button>
      </span>
    </Outcome>
  ),
  out: () => <Outcome tone="note" title="The card is out." testId="card-out"><p>Put it in again. It will be read once more.</p></Outcome>,
  verified: ({ written }) => (
    <Outcome tone="good" title="Verified on the card" testId="card-verified">
      <p>{`${plural(written, "file")} read again after the card was put in. It is ready for the SP-404.`}</p>
    </Outcome>
  ),
  different: ({ different }, writer) => (
    <Outcome tone="bad" title={`${plural(different.length, "file")} differ${different.length === 1 ? "s" : ""} from what was written.`} testId="card-different">
      <p>{different.slice(0, 5).map(nameOf).join(", ")}</p>
      <Button kind="small" onClick={() => writer.goOn()} testId="repair-card">
        Write again
      </Button>
    </Outcome>
  ),
  pulled: ({ message }, writer) => (
    <Outcome tone="warn" title="The card was taken out." testId="card-pulled">
      <p>{`${message} Put it in again to go on.`.trim()}</p>
      <Button kind="small ghost" onClick={() => writer.choose()} testId="other-card">
        Other card…
      </Button>
    </Outcome>
  ),
  returned: (_, writer) => (
    <Outcome tone="note" title="The card is back." testId="card-returned">
      <Button kind="small primary" onClick={() => writer.goOn()} testId="go-on">
        Go on
      </Button>
    </Outcome>
  ),
  failed: ({ message, failedTitle }, writer) => (
    <Outcome tone="bad" title={failedTitle} testId="card-failed">
      <p>{message}</p>
      <span className="row">
        {writer.root && (
          <Button kind="small" onClick={() => writer.goOn()} testId="go-on">
            Try again
          </Button>
        )}
        <Button kind="small ghost" onClick={() => writer.choose()} testId="other-card">
          Other card…
        </Button>
      </span>
    </Outcome>
  ),
  cancelled: (_, writer) => (
    <Outcome tone="note" title="Cancelled." testId="card-cancelled">
      <Button kind="small" onClick={() => writer.goOn()} testId="go-on">
        Go on
      </Button>
    </Outcome>
  ),
};

export function CardWritePanel({ projectId, exportId, device, place, slot }) {
  const writer = writerOf(projectId);
  const state = useSyncExternalStore(writer.subscribe, writer.getSnapshot, writer.getSnapshot);
  useEffect(() => {
    writer.open({ projectId, exportId, device, place, slot: Number(slot) });
  }, [projectId, exportId, device, place, slot]);
  const canWrite = typeof window !== "undefined" && "showDirectoryPicker" in window;
  const isBusy = ["reading", "saving", "writing", "checking"].includes(state.phase);
  return (
    <section className="card-write" data-testid="card-write" data-phase={isBusy ? "busy" : state.phase} aria-label="Write to card">
      <CardName card={state.card} isWritten={["correct", "out", "verified"].includes(state.phase)} />
      {state.card?.note && state.phase === "compared" && <p className="small muted">{state.card.note}</p>}
      {isBusy ? <Progress progress={state.progress} onCancel={() => writer.cancel()} /> : PHASES[state.phase]?.(state, writer, canWrite)}
    </section>
  );
}
