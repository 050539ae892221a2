// The veil beside a sheet that lies over the page. A tap on it closes the sheet, as do Escape and
// Android's Back where the browser tells of them: https://developer.mozilla.org/docs/Web/API/CloseWatcher

import { useEffect, useRef } from "react";

export function SheetVeil({ className, onClose, ...others }) {
  const veil = useRef(null);
  const close = useRef(onClose);
  close.current = onClose;
  useEffect(() => {
    // On wide screens the sheet is a part of the page: the veil is hidden, and Escape has other uses.
    if (!window.CloseWatcher || !veil.current.checkVisibility()) return undefined;
    const watcher = new window.CloseWatcher();
    watcher.onclose = () => close.current();
    return () => watcher.destroy();
  }, []);
  return <button ref={veil} type="button" className={`veil ${className}`} aria-hidden="true" tabIndex={-1} onClick={onClose} {...others} />;
}
