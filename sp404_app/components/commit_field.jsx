// A text field that saves when it is left or by Enter, and restores its value by Escape. A new value
// from the server shows at once, unless the user is typing. A refused value is replaced by the saved one.
// `onDraft` gets what is typed, and "" when the field is left.

import { useEffect, useRef, useState } from "react";

const ANSWER_TIMEOUT_MS = 2000;

export function CommitField({ value, label, className = "input", maxLength = 200, inputMode = "text", placeholder = "", disabled = false, testId = "", onCommit, onDraft }) {
  const [text, setText] = useState(value);
  const field = useRef(null);
  const isReverting = useRef(false);
  const saved = useRef(value);
  saved.current = value;
  const timer = useRef(null);
  const showSaved = () => document.activeElement !== field.current && setText(saved.current);
  useEffect(showSaved, [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const leave = () => {
    const typed = text.trim();
    if (isReverting.current || typed === value || (!typed && value)) setText(value);
    else {
      onCommit(typed);
      clearTimeout(timer.current);
      timer.current = setTimeout(showSaved, ANSWER_TIMEOUT_MS);
    }
    isReverting.current = false;
    onDraft?.("");
  };
  const type = (event) => {
    setText(event.target.value);
    onDraft?.(event.target.value);
  };
  const onKey = (event) => {
    if (event.key !== "Enter" && event.key !== "Escape") return;
    event.preventDefault();
    isReverting.current = event.key === "Escape";
    field.current.blur();
  };
  return <input ref={field} value={text} className={className} aria-label={label} title={label} maxLength={maxLength} inputMode={inputMode} placeholder={placeholder} disabled={disabled} autoComplete="off" spellCheck={false} onChange={type} onBlur={leave} onKeyDown={onKey} data-testid={testId} />;
}
