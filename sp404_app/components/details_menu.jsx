// A panel of actions that its button opens: Escape, a press outside and a control with `data-closes` close it.

import { useEffect, useRef } from "react";

export function DetailsMenu({ label, testId, className, children }) {
  const menu = useRef(null);
  useEffect(() => {
    const onPress = (event) => {
      if (!menu.current.contains(event.target)) menu.current.open = false;
    };
    document.addEventListener("pointerdown", onPress);
    return () => document.removeEventListener("pointerdown", onPress);
  }, []);
  const close = () => {
    menu.current.open = false;
    menu.current.querySelector("summary").focus();
  };
  const onKeyDown = (event) => {
    if (event.key !== "Escape" || !menu.current.open) return;
    event.preventDefault(); // Escape has other uses on the page
    close();
  };
  return (
    <details ref={menu} className={className} onKeyDown={onKeyDown} onClick={(event) => event.target.closest("[data-closes]") && close()}>
      <summary className="button small" data-testid={testId}>
        {label}
      </summary>
      {children}
    </details>
  );
}
