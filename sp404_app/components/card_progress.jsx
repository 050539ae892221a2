// Progress of work on a card: files and bytes.

const MB = 2 ** 20;

export const plural = (count, word) => `${count.toLocaleString()} ${word}${count === 1 ? "" : "s"}`;

// Writes a size as the server does: "12 kB", "12.3 MB", "1.5 GB".
export function formatSize(bytes) {
  if (bytes > 0 && bytes < MB / 10) return `${Math.max(1, Math.round(bytes / 1024))} kB`;
  const isLarge = bytes >= 1024 * MB;
  return `${(bytes / (isLarge ? 1024 * MB : MB)).toFixed(1).replace(/\.0$/, "")} ${isLarge ? "GB" : "MB"}`;
}

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
