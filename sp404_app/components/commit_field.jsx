// A text field that saves when it is left or by Enter, and restores its value by Escape. A new value
// from the server shows at once, unless the user is typing. A refused value is replaced by the saved one.
// `onDraft` gets what is typed, and "" when the field is left.

import { useEffect, useRef, useState } from "react";
import { useLocalEdit } from "./local_edit.js";

export function CommitField({ value, scope = "", confirmed = 0, label, className = "input", maxLength = 200, inputMode = "text", placeholder = "", disabled = false, testId = "", onCommit, onDraft }) {
  const [text, setText] = useState(null); // while the user types
  const field = useRef(null);
  const isReverting = useRef(false);
  const { edit, shown } = useLocalEdit({ scope, saved: value, confirmed, send: onCommit });
  useEffect(() => setText(null), [scope]);
  const leave = () => {
    const typed = (text ?? "").trim();
    if (text !== null && !isReverting.current && (typed || !value)) {
      edit.preview(typed);
      edit.commit();
    }
    setText(null);
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
  return <input ref={field} value={text ?? shown} className={className} aria-label={label} title={label} maxLength={maxLength} inputMode={inputMode} placeholder={placeholder} disabled={disabled} autoComplete="off" spellCheck={false} onChange={type} onBlur={leave} onKeyDown={onKey} data-testid={testId} />;
}
