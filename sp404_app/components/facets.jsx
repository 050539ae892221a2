// Filters with the number of sounds beside each value.

import { useEffect } from "react";

export function FacetSelects({ filters, query, counts, onChoose }) {
  const numberOf = (field, value) => (counts[field] && value ? ` (${counts[field][value] ?? 0})` : "");
  return filters.map(([label, field, options]) => (
    <label key={field} className="filter">
      {label}
      <select className="input" value={query[field] ?? ""} onChange={(event) => onChoose(field, event.target.value)} data-testid={field}>
        {options.map(([text, value]) => <option key={value} value={value}>{text + numberOf(field, value)}</option>)}
      </select>
    </label>
  ));
}

export function FacetWatch({ isOpen, version, onCount }) {
  useEffect(() => {
    if (isOpen) onCount();
  }, [isOpen, version]);
  return null;
}
