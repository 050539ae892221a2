// Where every page shows the reading of a card. What reads one is loaded by the pages that offer it, or by
// the drop of a card.

import { useSyncExternalStore } from "react";

let panel = null;
const listeners = new Set();
const subscribe = (listener) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export function showPanel(component) {
  panel = component;
  listeners.forEach((listener) => listener());
}

export function CardReaderPanel(props) {
  const Panel = useSyncExternalStore(subscribe, () => panel, () => null);
  return Panel && <Panel {...props} />;
}
