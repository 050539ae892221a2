// The list or map that the tab showed last, with its search: the way back from a sample.

const KEY = "list"; // in the tab's storage
const LISTS = [[/^\/library\/?$/, "Library"], [/^\/map\/?$/, "Map"], [/^\/collections\/./, "Collection"]];
export const LIBRARY = { address: "/library", name: "Library", index: -1 };

export const PLACE = "place:"; // before the names of what `list_place.js` keeps

// React Router numbers the entries of the browser's history.
export const entryIndex = () => window.history.state?.idx ?? -1;

export function rememberList() {
  const { pathname, search } = window.location;
  const [, name] = LISTS.find(([pattern]) => pattern.test(pathname)) || [];
  if (!name) return;
  try {
    window.sessionStorage.setItem(KEY, JSON.stringify({ address: pathname + search, name, index: entryIndex() }));
  } catch {
    // Without storage, the way back leads to the whole library.
  }
}

// Returns the list that was shown last. Its `index` is -1 if the history may no longer have its entry.
export function readList() {
  try {
    const list = JSON.parse(window.sessionStorage.getItem(KEY)) || LIBRARY;
    return entryIndex() > list.index ? list : { ...list, index: -1 };
  } catch {
    return LIBRARY;
  }
}

// Searches, and where their lists were left, are nothing for the next person.
export function forgetLists() {
  try {
    const names = Object.keys(window.sessionStorage).filter((name) => name === KEY || name.startsWith(PLACE));
    names.forEach((name) => window.sessionStorage.removeItem(name));
  } catch {
    // Without storage, nothing was kept.
  }
}
