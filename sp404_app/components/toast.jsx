// A message about the last action, with Open and Undo. It closes after ten seconds without a pointer or
// the focus on it.

import { useEffect, useState } from "react";

export function Toast({ text, tone, undo, link, stamp, onUndo, onClose }) {
  const [isHeld, setHeld] = useState(false);
  useEffect(() => {
    if (!text || isHeld) return undefined;
    const timer = setTimeout(onClose, 10000);
    return () => clearTimeout(timer);
  }, [stamp, isHeld]);
  useEffect(() => setHeld(false), [text]); // one that closes under the pointer says nothing more
  const hold = () => setHeld(true);
  const release = () => setHeld(false);
  return (
    <div role="status" aria-live="polite">
      {text && (
        <div className={`toast notice ${tone}`} data-testid="notice" onMouseEnter={hold} onMouseLeave={release} onFocus={hold} onBlur={release}>
          <span>{text}</span>
          {link && (
            <a className="button small" href={link} onClick={onClose} data-testid="notice-open">
              Open
            </a>
          )}
          {undo && (
            <button type="button" className="button small" onClick={onUndo} data-testid="undo">
              Undo
            </button>
          )}
          <button type="button" className="icon-button small" aria-label="Close" onClick={onClose} data-testid="close-notice">
            ×
          </button>
        </div>
      )}
    </div>
  );
}
