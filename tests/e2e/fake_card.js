// A folder of the private file system stands for the card: the picker needs a person. `cards` lets a
// test take the card out, lets a write fail, cancels the picker of the backup, and refuses access.
(() => {
  const root = () => navigator.storage.getDirectory();
  const card = async () => (await root()).getDirectoryHandle("card", { create: true });
  window.showDirectoryPicker = card;
  let place = null; // the file that the last backup was saved into
  window.showSaveFilePicker = async ({ suggestedName }) => {
    if (window.cards.cancelsPicker) throw new DOMException("The user aborted a request.", "AbortError");
    place = await (await (await root()).getDirectoryHandle("saved", { create: true })).getFileHandle(suggestedName, { create: true });
    return place;
  };
  const backup = async () => [...new Uint8Array(await (await place.getFile()).arrayBuffer())];
  const permission = (state) => {
    FileSystemHandle.prototype.queryPermission = async () => (state === "granted" ? state : "prompt");
    FileSystemHandle.prototype.requestPermission = async () => state;
  };
  const { keys } = FileSystemDirectoryHandle.prototype;
  const { write } = FileSystemWritableFileStream.prototype;
  const takeOut = () => { FileSystemDirectoryHandle.prototype.keys = () => { throw new DOMException("gone", "NotFoundError"); }; };
  const putIn = () => { FileSystemDirectoryHandle.prototype.keys = keys; FileSystemWritableFileStream.prototype.write = write; };
  const failAt = (count, name, isOut) => {
    let left = count;
    FileSystemWritableFileStream.prototype.write = function failing(data) {
      left -= 1;
      if (left > 0) return write.call(this, data);
      if (isOut) takeOut();
      return Promise.reject(new DOMException("failed", name));
    };
  };
  const hex = (digest) => [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  async function list(folder, prefix = "") {
    const found = {};
    for await (const entry of folder.values()) {
      if (entry.kind === "directory") Object.assign(found, await list(entry, `${prefix}${entry.name}/`));
      else found[prefix + entry.name] = hex(await crypto.subtle.digest("SHA-256", await (await entry.getFile()).arrayBuffer()));
    }
    return found;
  }
  async function put(path, bytes) {
    let folder = await card();
    const parts = path.split("/");
    for (const part of parts.slice(0, -1)) folder = await folder.getDirectoryHandle(part, { create: true });
    const writable = await (await folder.getFileHandle(parts.at(-1), { create: true })).createWritable();
    await write.call(writable, new Uint8Array(bytes));
    await writable.close();
  }
  window.cards = { takeOut, putIn, failAt, put, backup, permission, files: async () => list(await card()) };
})();
