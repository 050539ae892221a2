// The dialog with the keys of a page. "?" opens it, too, unless a field takes the key.

import { Fragment, useEffect, useState } from "react";
import { createPortal } from "react-dom"; // the player may be hidden, and all within it
import { Modal } from "../menus/modal.jsx";

const TITLE = "Keyboard shortcuts";
const FIELDS = "input, textarea, select, [contenteditable]";

const opens = (event) => event.key === "?" && !event.defaultPrevented && !event.target.closest?.(FIELDS) && !document.querySelector("dialog[open]");

// Returns the dialog, or null while it is closed, and the function that opens it.
export function useKeyboardHelp(keys) {
  const [isOpen, setOpen] = useState(false);
  useEffect(() => {
    if (!keys.length) return undefined;
    const onKeyDown = (event) => {
      if (!opens(event)) return;
      event.preventDefault();
      setOpen(true);
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, [keys.length]);
  const dialog = isOpen ? createPortal(<KeyboardHelp keys={keys} onClose={() => setOpen(false)} />, document.body) : null;
  return [dialog, () => setOpen(true)];
}

function KeyboardHelp({ keys, onClose }) {
  return (
    <Modal label={TITLE} testId="shortcuts" onClose={onClose}>
      <h2>{TITLE}</h2>
      <dl className="keys">
        {keys.map(([key, what]) => (
          <Fragment key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </Fragment>
        ))}
      </dl>
      <div className="dialog-foot">
        <button type="button" className="button" onClick={onClose} data-testid="shortcuts-close">
          Close
        </button>
      </div>
    </Modal>
  );
}
