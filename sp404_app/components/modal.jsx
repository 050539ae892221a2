// A modal dialog, open while it is on the page. Escape and a click beside it close it.

import { useEffect, useRef } from "react";

export function Modal({ label, testId, onClose, children }) {
  const dialog = useRef(null);

  useEffect(() => {
    const box = dialog.current;
    const opener = document.activeElement;
    box.showModal(); // focuses the first control, and ignores React's `autoFocus`
    box.querySelector("[data-autofocus]")?.focus();
    return () => {
      box.close();
      if (opener && opener.isConnected) opener.focus();
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
