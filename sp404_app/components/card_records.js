// What this browser remembers about cards: writes that are not finished, with the card's handle.

const DATABASE = "cards";
const STORE = "writes";

const settled = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

async function inStore(mode, act) {
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
  const database = await settled(opening);
  try {
    return await settled(act(database.transaction(STORE, mode).objectStore(STORE)));
  } finally {
    database.close();
  }
}

// A record belongs to a project: `{handle, backedUp, chosen, files, done, total, phase, wasOut}`. Without a
// database (a private window of some browsers) nothing is remembered, and writing works.
export const readRecord = (projectId) => inStore("readonly", (store) => store.get(projectId)).catch(() => undefined);
export const saveRecord = (projectId, record) => inStore("readwrite", (store) => store.put(record, projectId)).catch(() => undefined);
export const deleteRecord = (projectId) => inStore("readwrite", (store) => store.delete(projectId)).catch(() => undefined);
