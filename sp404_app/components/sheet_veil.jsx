// The veil beside a sheet that lies over the page. A tap on it closes the sheet, as do Escape and
// Android's Back where the browser tells of them: https://developer.mozilla.org/docs/Web/API/CloseWatcher

import { useEffect, useRef } from "react";

// A sheet that is open before anybody has touched the page is open since the visit before, as after a
// reload, and hides what one came for.
let isTouched = false;
if (typeof window !== "undefined") {
  for (const kind of ["pointerdown", "keydown"]) {
    window.addEventListener(kind, () => (isTouched = true), { capture: true, once: true });
  }
}

export function SheetVeil({ className, onClose, ...others }) {
  const veil = useRef(null);
  const close = useRef(onClose);
  close.current = onClose;
  useEffect(() => {
    // On wide screens the sheet is a part of the page: the veil is hidden, and Escape has other uses.
    if (!veil.current.checkVisibility()) return undefined;
    if (!isTouched) {
      close.current();
      return undefined;
    }
    const watcher = window.CloseWatcher && new window.CloseWatcher();
    if (watcher) watcher.onclose = () => close.current();
    return () => {
      watcher?.destroy();
      close.current(); // the page may have been left with it open
    };
  }, []);
  return <button ref={veil} type="button" className={`veil ${className}`} aria-hidden="true" tabIndex={-1} onClick={onClose} {...others} />;
}
