// A text field that saves when it is left or by Enter, and restores its value by Escape. A new value
// from the server shows at once, unless the user is typing.

import { useEffect, useRef, useState } from "react";

export function CommitField({ value, label, className = "input", maxLength = 200, inputMode = "text", placeholder = "", disabled = false, testId = "", onCommit }) {
  const [text, setText] = useState(value);
  const field = useRef(null);
  const isReverting = useRef(false);
  useEffect(() => {
    if (document.activeElement !== field.current) setText(value);
  }, [value]);
  const leave = () => {
    const typed = text.trim();
    if (isReverting.current || typed === value || (!typed && value)) setText(value);
    else onCommit(typed);
    isReverting.current = false;
  };
  const onKey = (event) => {
    if (event.key !== "Enter" && event.key !== "Escape") return;
    event.preventDefault();
    isReverting.current = event.key === "Escape";
    field.current.blur();
  };
  return <input ref={field} value={text} className={className} aria-label={label} title={label} maxLength={maxLength} inputMode={inputMode} placeholder={placeholder} disabled={disabled} autoComplete="off" spellCheck={false} onChange={(event) => setText(event.target.value)} onBlur={leave} onKeyDown={onKey} data-testid={testId} />;
}
