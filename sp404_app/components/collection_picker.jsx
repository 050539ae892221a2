// The list of a dialog that adds sounds to a collection: type to filter, ↑ ↓ choose, Enter adds.

import { useId, useState } from "react";

const MOVES = { ArrowDown: 1, ArrowUp: -1 };
const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

export function CollectionPicker({ choices, onChoose, onCreate }) {
  const [text, setText] = useState("");
  const [chosen, setChosen] = useState(0);
  const listId = useId();
  const wanted = fold(text.trim());
  const found = choices.filter((each) => fold(each.name).includes(wanted));
  const isNew = !found.some((each) => fold(each.name) === wanted);
  const options = [...found, ...(isNew ? [{ id: "", name: text.trim(), colour: "" }] : [])];
  const at = Math.min(chosen, options.length - 1);
  const take = (option) => (option.id ? onChoose(option.id) : onCreate(option.name));

  const onKeyDown = (event) => {
    if (event.key in MOVES) setChosen((at + MOVES[event.key] + options.length) % options.length);
    else if (event.key === "Enter") take(options[at]);
    else return;
    event.preventDefault();
  };
  const onType = (event) => {
    setText(event.target.value);
    setChosen(0);
  };
  const scrollIntoView = (element) => element?.scrollIntoView({ block: "nearest" });

  return (
    <div className="picker">
      <input
        className="input"
        role="combobox"
        aria-expanded="true"
        aria-controls={listId}
        aria-activedescendant={`${listId}-${at}`}
        aria-label="Collection"
        placeholder="Find or create a collection"
        value={text}
        maxLength={200}
        autoComplete="off"
        spellCheck={false}
        autoFocus
        onChange={onType}
        onKeyDown={onKeyDown}
        data-testid="picker-text"
      />
      <ul id={listId} role="listbox" aria-label="Collections" className="picker-list">
        {options.map((option, index) => (
          <li key={option.id} id={`${listId}-${index}`} ref={index === at ? scrollIntoView : null} role="option" aria-selected={index === at} className={`picker-option ${index === at ? "on" : ""}`} style={{ "--bank": option.colour || "var(--faint)" }} onClick={() => take(option)} data-testid={option.id ? "picker-choice" : "picker-new"}>
            {option.id ? <i className="collection-dot" /> : <span className="picker-plus">+</span>}
            <span className="picker-name">{option.id ? option.name : option.name ? `New collection “${option.name}”` : "New collection"}</span>
            <span className="mono muted">{option.is_full ? "added" : option.count}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
