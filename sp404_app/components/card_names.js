// Names on a card. FAT ignores case, forbids some characters and reserves some names.

const FORBIDDEN = /[<>:"|?*\\\u0000-\u001f\u007f]/;
const RESERVED = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?$/i;
const MAX_NAME_LENGTH = 255;
const SYSTEM_NAMES = /^(\.ds_store|\.spotlight-v100|\.trashes|\.fseventsd|\.temporaryitems|\._.*|system volume information|thumbs\.db|desktop\.ini|\$recycle\.bin)$/i;
const PHONE_NAMES = /^(lost\.dir|android)$/i; // a phone makes these at the root of a card
const CARD_FOLDERS = /^(import|export|bkup|project)$/i;
const SWAP_ENDING = ".crswap"; // Chromium writes to this file first, and renames it at the end

export const foldPath = (path) => path.normalize("NFC").toLowerCase();
export const nameOf = (path) => path.slice(path.lastIndexOf("/") + 1);
export const folderOf = (path) => path.slice(0, Math.max(0, path.lastIndexOf("/")));

// Whether an operating system made this file or folder, not a person or a sampler.
export const isSystemName = (name) => SYSTEM_NAMES.test(name);
export const isSystemPath = (path) => path.split("/").some(isSystemName);

// Whether a phone made this folder at the root of a card. Elsewhere it is a project with this name.
export const isPhoneName = (name) => PHONE_NAMES.test(name);

// Whether a path that begins with the chosen folder leads to what no sampler reads.
export function isForeignPath(path) {
  const [chosen, name = ""] = path.split("/");
  return isSystemPath(path) || (isPhoneName(name) && !CARD_FOLDERS.test(chosen));
}
export const isSwapFile = (path) => path.toLowerCase().endsWith(SWAP_ENDING);

// Returns the file that a swap file would have become.
export const swapTarget = (path) => path.slice(0, -SWAP_ENDING.length);

// Returns why a card can’t hold this path, or "".
export function pathProblem(path) {
  for (const name of path.split("/")) {
    if (!name || name === "." || name === "..") return `“${path}” is not a path.`;
    if (FORBIDDEN.test(name)) return `“${name}” has a character that a card can’t hold.`;
    if (/[. ]$/.test(name)) return `“${name}” ends with a dot or a space.`;
    if (RESERVED.test(name)) return `“${name}” is a reserved name.`;
    if (name.length > MAX_NAME_LENGTH) return `“${name.slice(0, 40)}…” is too long.`;
    if (isSystemName(name) || isSwapFile(name)) return `“${name}” is not a file of a project.`;
  }
  return "";
}

// Returns the first problem of all paths together: a path that can’t be, or two that differ by case.
export function findPathProblem(paths) {
  const known = new Map();
  for (const path of paths) {
    const problem = pathProblem(path);
    if (problem) return problem;
    const folded = foldPath(path);
    if (known.has(folded)) return `“${known.get(folded)}” and “${path}” are one file on a card.`;
    known.set(folded, path);
  }
  return "";
}

// Returns the folder that holds all paths: "IMPORT/PROJECT_01". Their names without it differ.
export function commonFolder(paths) {
  const [first = "", ...others] = paths.map((path) => folderOf(path).split("/"));
  let length = first.length;
  for (const parts of others) {
    while (length && !(parts.length >= length && first.slice(0, length).every((part, at) => part === parts[at]))) length -= 1;
  }
  return first ? first.slice(0, length).join("/") : "";
}
