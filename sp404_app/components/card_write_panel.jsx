// Writing an export straight to a card: what is there, what will change, progress, and what was proven.

import { useEffect, useSyncExternalStore } from "react";
import * as api from "./card_api.js";
import { saveBackup } from "./card_backup.js";
import { hashFile } from "./card_hasher.js";
import { folderOf, nameOf } from "./card_names.js";
import * as records from "./card_records.js";
import { CardWriter } from "./card_writer.js";
import { Progress, plural } from "./card_progress.jsx";

const MAX_SHOWN = 200;
const pick = () => window.showDirectoryPicker({ id: "sp404-card", mode: "readwrite" });
const writers = new Map(); // project id → writer; it goes on while the dialog is closed

function writerOf(projectId) {
  if (!writers.has(projectId)) writers.set(projectId, new CardWriter({ api, records, hashFile, saveBackup, pick }));
  return writers.get(projectId);
}

if (typeof window !== "undefined") window.addEventListener("beforeunload", (event) => [...writers.values()].some((writer) => writer.isBusy) && event.preventDefault());

const WHAT = { add: "New", replace: "Replaced", delete: "Deleted", conflict: "In the way" };
const ORDER = ["conflict", "delete", "replace", "add"];

function Button({ children, kind = "", testId, ...rest }) {
  return (
    <button type="button" className={`button ${kind}`} data-testid={testId} {...rest}>
      {children}
    </button>
  );
}

function CardName({ card }) {
  if (!card) return null;
  return (
    <p className="card-name">
      <svg viewBox="0 0 16 20" aria-hidden="true">
        <path d="M4.5 1H14a1 1 0 0 1 1 1v16a1 1 0 0 1-1 1H2a1 1 0 0 1-1-1V5.2z" />
        <path d="M6 3.5v3M8.5 3.5v3M11 3.5v3" />
      </svg>
      <strong>{card.name || "Card"}</strong>
      {card.title && <span className="muted">{card.title}</span>}
    </p>
  );
}

function Conflict({ path, why, choice, onChoose }) {
  return (
    <li className="card-change conflict">
      <span className="card-file" title={path}>
        {nameOf(path)}
        <small>{why}</small>
      </span>
      <span className="segments" role="group" aria-label={`What to do with ${nameOf(path)}`}>
        {["replace", "keep"].map((value) => (
          <button key={value} type="button" className={`segment ${choice === value ? "on" : ""}`} aria-pressed={choice === value} onClick={() => onChoose(path, value)} data-testid={`conflict-${value}`}>
            {value === "replace" ? "Replace" : "Keep"}
          </button>
        ))}
      </span>
    </li>
  );
}

function ChangeGroup({ what, changes, choices, writer }) {
  if (!changes.length) return null;
  const isConflict = what === "conflict";
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
            <li key={change.path} className="card-change">
              <span className="card-file" title={change.path}>
                {nameOf(change.path)}
                <small>{folderOf(change.path)}</small>
              </span>
              {change.bank && <span className="mono muted">{`${change.bank}${change.pad}`}</span>}
            </li>
          ),
        )}
      </ul>
      {changes.length > MAX_SHOWN && <p className="muted small">{`and ${plural(changes.length - MAX_SHOWN, "more file")}`}</p>}
    </details>
  );
}

function Compared({ state, writer }) {
  const { changes, choices, leftovers, backup, toBackUp } = state;
  const isOpen = changes.some(({ what, path }) => what === "conflict" && !choices[path]);
  const groups = ORDER.map((what) => [what, changes.filter((change) => change.what === what)]);
  const written = changes.filter(({ what, path }) => what !== "conflict" || choices[path] !== "keep").length;
  return (
    <>
      {groups.map(([what, found]) => (
        <ChangeGroup key={what} what={what} changes={found} choices={choices} writer={writer} />
      ))}
      {leftovers.length > 0 && <p className="small muted" data-testid="leftovers">{`${plural(leftovers.length, "half-written file")} of an interrupted write ${leftovers.length === 1 ? "is" : "are"} removed.`}</p>}
      <p className="small muted">Other files on the card stay as they are.</p>
      {backup.length > 0 && <p className="small" data-testid="backup">{`Your browser saves ${backup.map((name) => `“${name}”`).join(", ")}. Check that it is in your downloads before you write.`}</p>}
      <div className="dialog-foot">
        <Button kind="ghost" onClick={() => writer.choose()} testId="other-card">
          Other card…
        </Button>
        {isOpen ? (
          <Button disabled testId="write-card">
            Choose what stays
          </Button>
        ) : toBackUp > 0 ? (
          <Button kind="primary" onClick={() => writer.backUp()} testId="back-up-card">
            {`Back up ${plural(toBackUp, "file")}`}
          </Button>
        ) : (
          <Button kind="primary" onClick={() => writer.write()} testId="write-card">
            {`Write ${plural(written, "file")}`}
          </Button>
        )}
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
  correct: ({ written, kept }, writer) => (
    <Outcome tone="good" title="Correct" testId="card-correct">
      <p>{`${plural(written, "file")} read back and compared.${kept ? ` ${plural(kept, "file")} of the card kept.` : ""} Eject the card, take it out and put it in again to verify it.`}</p>
      <Button kind="small" onClick={() => writer.verify()} testId="verify-card">
        I put it in again
      </Button>
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
  pulled: ({ message }) => <Outcome tone="warn" title="The card was taken out." testId="card-pulled"><p>{`${message} Put it in again to go on.`.trim()}</p></Outcome>,
  returned: (_, writer) => (
    <Outcome tone="note" title="The card is back." testId="card-returned">
      <Button kind="small primary" onClick={() => writer.goOn()} testId="go-on">
        Go on
      </Button>
    </Outcome>
  ),
  failed: ({ message }, writer) => (
    <Outcome tone="bad" title="The card was not written completely." testId="card-failed">
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
      <CardName card={state.card} />
      {state.card?.note && state.phase === "compared" && <p className="small muted">{state.card.note}</p>}
      {isBusy ? <Progress progress={state.progress} onCancel={() => writer.cancel()} /> : PHASES[state.phase]?.(state, writer, canWrite)}
    </section>
  );
}
