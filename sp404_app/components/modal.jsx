// A modal dialog, open while it is on the page. Escape and a click beside it close it.

import { useEffect, useRef } from "react";

// A button that is disabled while its dialog loads has lost the focus when the dialog opens.
let lastFocused = null;
if (typeof document !== "undefined") {
  document.addEventListener("focusin", ({ target }) => {
    lastFocused = target;
  });
}

const focused = () => (document.activeElement === document.body ? lastFocused : document.activeElement);

export function Modal({ label, testId, onClose, children }) {
  const dialog = useRef(null);

  useEffect(() => {
    const box = dialog.current;
    const opener = focused();
    box.showModal(); // focuses the first control, and ignores React's `autoFocus`
    box.querySelector("[data-autofocus]")?.focus();
    // The focus stays in the dialog when what had it is replaced, as when an export begins.
    const watcher = new MutationObserver(() => {
      if (document.activeElement !== document.body) return;
      box.tabIndex = -1;
      box.focus({ preventScroll: true });
    });
    watcher.observe(box, { childList: true, subtree: true });
    return () => {
      watcher.disconnect();
      box.close();
      if (opener?.isConnected) opener.focus();
      else document.querySelector("main")?.focus({ preventScroll: true }); // its button is gone
    };
  }, []);

  return (
    <dialog
      ref={dialog}
      className="modal"
      aria-label={label}
      data-testid={testId}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onKeyDown={(event) => event.stopPropagation()} // the page has shortcuts, too
      // The second press of a double click on what opened it falls beside it.
      onMouseDown={(event) => event.target === dialog.current && event.detail < 2 && onClose()}
    >
      <div className="modal-body">{children}</div>
    </dialog>
  );
}
