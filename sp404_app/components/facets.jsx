// Filters with the number of sounds beside each value. Values that no sound has are left out, unless
// they are chosen.

import { useEffect } from "react";

export function FacetSelects({ filters, query, counts, onChoose }) {
  const isCounted = (field, value) => counts[field] && value;
  const numberOf = (field, value) => (isCounted(field, value) ? ` (${counts[field][value] ?? 0})` : "");
  const isOffered = (field, value) => !isCounted(field, value) || counts[field][value] || value === String(query[field] ?? "");
  return filters.map(([label, field, options]) => {
    const offered = options.filter(([, value]) => isOffered(field, value));
    return (
      <label key={field} className="filter">
        {label}
        <select className="input" value={query[field] ?? ""} disabled={offered.length < 2} onChange={(event) => onChoose(field, event.target.value)} data-testid={field}>
          {offered.map(([text, value]) => <option key={value} value={value}>{text + numberOf(field, value)}</option>)}
        </select>
      </label>
    );
  });
}

export function FacetWatch({ isOpen, version, onCount }) {
  useEffect(() => {
    if (isOpen) onCount();
  }, [isOpen, version]);
  return null;
}
