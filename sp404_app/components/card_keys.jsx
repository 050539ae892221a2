// Keys of the pad page for its card: Shift E exports, Shift K checks.

import { useEffect } from "react";

const TEXT_FIELDS = "input, textarea, select, [contenteditable]:not([contenteditable=false])";

export function CardKeys({ onExport, onCheck }) {
  useEffect(() => {
    const actions = { KeyE: onExport, KeyK: onCheck };
    const onKeyDown = (event) => {
      const { code, shiftKey, ctrlKey, metaKey, altKey, target } = event;
      if (!shiftKey || ctrlKey || metaKey || altKey || event.repeat || !(code in actions)) return;
      if (target instanceof Element && target.closest(TEXT_FIELDS)) return;
      if (document.querySelector("dialog[open]")) return;
      event.preventDefault();
      actions[code]();
    };
    window.addEventListener("keydown", onKeyDown);
    return () => window.removeEventListener("keydown", onKeyDown);
  }, [onExport, onCheck]);
  return null;
}
