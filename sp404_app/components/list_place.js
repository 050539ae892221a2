// The place in a list: how far it is scrolled, and its cursor. It is kept for the entry of the browser's
// history that shows the list, so that Back restores it, also after a reload.

import { PLACE } from "./list_history.js";

const entryName = () => `${PLACE}${window.history.state?.key || ""}:${window.location.pathname}${window.location.search}`;

let shown = ""; // the entry of the list on the screen; the address may be a later one

export function enterEntry() {
  shown = entryName();
}

// Whether the browser is at another entry than that of the list on the screen.
export const hasLeftEntry = () => entryName() !== shown;

export function savePlace(place) {
  try {
    window.sessionStorage.setItem(shown, JSON.stringify(place));
  } catch {
    // Without storage, Back opens the list at its start.
  }
}

// Returns the place saved for the present entry, or null.
export function readPlace() {
  try {
    return JSON.parse(window.sessionStorage.getItem(shown));
  } catch {
    return null;
  }
}
