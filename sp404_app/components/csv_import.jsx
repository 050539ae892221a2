// Import of values from a CSV file: choose a file, see what would change, then apply it.

import { useRef, useState } from "react";

const MAX_BYTES = 20 * 2 ** 20; // the server has the same limit
const CONNECTION_LOST = "Connection lost. Try again.";
const EXPORT_URL = "/api/samples/export?format=csv";
const LABELS = { tags: "Tags", rating: "Rating", favourite: "Favourite", bpm: "Tempo", key: "Key", note: "Note" };
const START = { phase: "choose", file: null, report: null, error: "" };

const sounds = (count) => `${count.toLocaleString("en")} ${count === 1 ? "sound" : "sounds"}`;

async function sendFile(file, isPreview) {
  if (file.size > MAX_BYTES) throw new Error("This file is larger than 20 MB.");
  const body = new FormData();
  body.append("file", file);
  const response = await fetch(`/api/samples/import-csv?preview=${isPreview}`, { method: "POST", body }).catch(() => {
    throw new Error(CONNECTION_LOST);
  });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.error || `Server error ${response.status}.`);
  return answer;
}

function formatValue(value) {
  if (value === null || value === "" || value?.length === 0) return "none";
  if (typeof value === "boolean") return value ? "yes" : "no";
  return Array.isArray(value) ? value.join(", ") : String(value);
}

function Section({ title, count, listed, testId, open, children }) {
  if (!count) return null;
  return (
    <details className="csv-section" open={open} data-testid={testId}>
      <summary>
        {title} <span className="mono">{count.toLocaleString("en")}</span>
      </summary>
      <ul>
        {children}
        {count > listed && <li className="muted">and {(count - listed).toLocaleString("en")} more</li>}
      </ul>
    </details>
  );
}

function Change({ change }) {
  return (
    <li>
      <strong>{change.name}</strong>
      {Object.entries(change.fields).map(([name, [before, after]]) => (
        <span key={name}>
          <span className="muted">{LABELS[name]}:</span> {formatValue(before)} → {formatValue(after)}
        </span>
      ))}
    </li>
  );
}

const Skipped = ({ row }) => (
  <li>
    <span className="muted">Line {row.line}:</span> <strong>{row.wanted}</strong>
    <span>{row.error}</span>
  </li>
);

const Faulty = ({ cell }) => (
  <li>
    <span className="muted">
      Line {cell.line}, {cell.column}:
    </span>
    <strong>{cell.text}</strong>
    <span>{cell.error}</span>
  </li>
);

function Preview({ report }) {
  return (
    <div className="csv-report" data-testid="csv-report">
      <Section title="Changed" count={report.changed} listed={report.changes.length} testId="csv-changed" open>
        {report.changes.map((change) => (
          <Change key={change.id} change={change} />
        ))}
      </Section>
      <Section title="Not found" count={report.not_found} listed={report.rows_not_found.length} testId="csv-not-found">
        {report.rows_not_found.map((row) => (
          <Skipped key={row.line} row={row} />
        ))}
      </Section>
      <Section title="Not clear which sound" count={report.ambiguous} listed={report.ambiguous_rows.length} testId="csv-ambiguous">
        {report.ambiguous_rows.map((row) => (
          <Skipped key={row.line} row={row} />
        ))}
      </Section>
      <Section title="Invalid values" count={report.faulty} listed={report.faulty_cells.length} testId="csv-faulty">
        {report.faulty_cells.map((cell) => (
          <Faulty key={`${cell.line} ${cell.column}`} cell={cell} />
        ))}
      </Section>
      {report.ignored_columns.length > 0 && <p className="field-hint">Columns that are not imported: {report.ignored_columns.join(", ")}</p>}
    </div>
  );
}

function summarise(report) {
  const unchanged = report.unchanged ? ` ${sounds(report.unchanged)} ${report.unchanged === 1 ? "has" : "have"} these values already.` : "";
  if (!report.changed) return `No sound changes.${unchanged}`;
  return `${sounds(report.changed)} ${report.changed === 1 ? "changes" : "change"}.${unchanged}`;
}

export function CsvImport({ onClose }) {
  const [{ phase, file, report, error }, setState] = useState(START);
  const input = useRef(null);
  const isBusy = phase === "busy";

  async function send(chosen, isPreview) {
    setState({ phase: "busy", file: chosen, report: isPreview ? null : report, error: "" });
    try {
      setState({ phase: isPreview ? "preview" : "done", file: chosen, report: await sendFile(chosen, isPreview), error: "" });
    } catch (problem) {
      setState({ phase: isPreview ? "choose" : "preview", file: chosen, report: isPreview ? null : report, error: problem.message });
    }
  }

  const choose = (event) => {
    const [chosen] = event.target.files;
    event.target.value = ""; // the same file can be chosen again
    if (chosen) send(chosen, true);
  };

  return (
    <div className="csv-import">
      <input ref={input} type="file" accept=".csv,.tsv,.txt,text/csv" hidden onChange={choose} data-testid="csv-file" />
      {phase === "choose" && (
        <p>
          A row names its sound by a column <code>id</code>, <code>filename</code> or <code>name</code>, and changes its <code>tags</code>, <code>rating</code>, <code>favourite</code>, <code>bpm</code>, <code>key</code> and <code>note</code>. Empty cells change nothing. Tags replace those of the sound.
        </p>
      )}
      {file && phase !== "choose" && <p className="csv-name mono">{file.name}</p>}
      <p role="status" data-testid="csv-status">
        {isBusy && "Reading…"}
        {phase === "preview" && summarise(report)}
        {phase === "done" && `${sounds(report.changed)} changed.`}
      </p>
      {error && (
        <p role="alert" className="notice bad" data-testid="csv-error">
          {error}
        </p>
      )}
      {phase === "preview" && <Preview report={report} />}
      {phase === "preview" && report.changed > 0 && (
        <p className="field-hint">
          This can’t be undone.{" "}
          <a href={EXPORT_URL} download="" data-testid="csv-backup">
            Export the present values
          </a>{" "}
          first if you may need them.
        </p>
      )}
      <div className="dialog-foot">
        <button type="button" className="button ghost" onClick={onClose} data-testid="csv-close">
          {phase === "done" ? "Close" : "Cancel"}
        </button>
        {phase !== "done" && (
          <button type="button" autoFocus className={phase === "preview" ? "button" : "button primary"} disabled={isBusy} onClick={() => input.current.click()} data-testid="csv-choose">
            {phase === "choose" ? "Choose a file" : "Choose another file"}
          </button>
        )}
        {phase === "preview" && report.changed > 0 && (
          <button type="button" className="button primary" onClick={() => send(file, false)} data-testid="csv-apply">
            Change {sounds(report.changed)}
          </button>
        )}
      </div>
    </div>
  );
}
