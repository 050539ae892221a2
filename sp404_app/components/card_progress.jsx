// Progress of work on a card: files and bytes.

import { formatSize } from "./byte_size.js";

export const plural = (count, word) => `${count.toLocaleString()} ${word}${count === 1 ? "" : "s"}`;

export function Progress({ progress, text = "", onCancel, cancelText = "Cancel" }) {
  const { doing = "Reading", path = "", files = 0, allFiles = 0, bytes = 0, allBytes = 0 } = progress || {};
  const share = progress?.share ?? (allBytes ? bytes / allBytes : allFiles ? files / allFiles : 0);
  return (
    <div className="card-progress" data-testid="card-progress">
      <span className="row">
        <strong role="status">{text || `${doing} …`}</strong>
        <span className="mono muted grow">{allFiles ? `${Math.min(files + 1, allFiles)} of ${allFiles}` : ""}</span>
        <span className="mono muted">{allBytes ? `${formatSize(bytes)} of ${formatSize(allBytes)}` : ""}</span>
      </span>
      <span className="bar" role="progressbar" aria-label={text || doing} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(100 * share)}>
        <span style={{ width: `${100 * share}%` }} />
      </span>
      <span className="row">
        <small className="muted grow card-path">{path}</small>
        {onCancel && (
          <button type="button" className="button small ghost" onClick={onCancel} data-testid="cancel-card">
            {cancelText}
          </button>
        )}
      </span>
    </div>
  );
}
