// The way back from a sample to the list or map that it was opened from, as it was left.

import { useEffect, useState } from "react";
import { useNavigate } from "react-router";

import { LIBRARY, entryIndex, readList } from "./list_history.js";

const opensElsewhere = (event) => event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;

export function ListLink({ className }) {
  const [list, setList] = useState(LIBRARY);
  const navigate = useNavigate();
  useEffect(() => setList(readList()), []);

  const goBack = (event) => {
    if (opensElsewhere(event)) return;
    event.preventDefault();
    const steps = list.index - entryIndex();
    if (list.index >= 0 && steps < 0) navigate(steps); // its entry has kept the place
    else navigate(list.address);
  };

  return <a href={list.address} className={className} onClick={goBack} data-testid="back-to-list">← {list.name}</a>;
}
