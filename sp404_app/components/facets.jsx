// Filters with the number of sounds beside each value.

import { useEffect } from "react";

export function FacetSelect({ field, value, options, counts, onChoose }) {
  const numberOf = (each) => (counts && each ? ` (${counts[each] ?? 0})` : "");
  return (
    <select className="input" aria-label={field.replaceAll("_", " ")} value={value ?? ""} onChange={(event) => onChoose(field, event.target.value)} data-testid={field}>
      {options.map(([text, each]) => <option key={each} value={each}>{text + numberOf(each)}</option>)}
    </select>
  );
}

export function FacetWatch({ isOpen, version, onCount }) {
  useEffect(() => {
    if (isOpen) onCount();
  }, [isOpen, version]);
  return null;
}
