// What a write to a card does, in which order, computed from the comparison.

import { commonFolder, foldPath, isSwapFile, nameOf, swapTarget } from "./card_names.js";

// The project refers to its sounds, so these files come last: a half-written card shows no pad
// whose sound is not there yet.
const CONFIG_FILES = ["padconf.bin", "pad_info.bin"];
const TARGET_DEPTHS = { import: 2, sx: 2 }; // "IMPORT/My project", "ROLAND/SP-404SX"
const ORDER = { remove: 0, write: 1, config: 2, delete: 3 };

export const isConfigFile = (path) => CONFIG_FILES.includes(nameOf(path).toLowerCase());

// Returns the folder of the card that the files of an export belong to.
export function targetFolder(device, paths) {
  const common = commonFolder(paths).split("/");
  return common.slice(0, TARGET_DEPTHS[device] || common.length).join("/");
}

// Splits the files of a folder into those to compare and what an interrupted write left behind:
// swap files and empty files of our own list.
export function splitLeftovers(files, manifest) {
  const own = new Set(manifest.map(({ path }) => foldPath(path)));
  const isOurs = ({ path, bytes }) => (isSwapFile(path) ? own.has(foldPath(swapTarget(path))) : bytes === 0 && own.has(foldPath(path)));
  const isEmptyOnPurpose = ({ path }) => manifest.some((each) => each.bytes === 0 && foldPath(each.path) === foldPath(path));
  const leftovers = files.filter((file) => isOurs(file) && !isEmptyOnPurpose(file));
  return { leftovers, files: files.filter((file) => !leftovers.includes(file) && !isSwapFile(file.path)) };
}

// Whether a change writes or deletes, given the person's choices of conflicts: "replace" or "keep".
const isDone = (change, choices) => change.what !== "conflict" || choices[change.path] === "replace";

// Returns the steps of a write: `{step, path, bytes, sha256}`.
export function orderSteps({ changes, choices, leftovers, manifest }) {
  const wanted = new Map(manifest.map((file) => [foldPath(file.path), file]));
  const steps = changes.filter((change) => isDone(change, choices)).map((change) => stepOf(change, wanted));
  const removals = leftovers.map(({ path }) => ({ step: "remove", path, bytes: 0, sha256: "" }));
  const all = [...removals, ...steps];
  return all.sort((a, b) => ORDER[a.step] - ORDER[b.step] || (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

function stepOf({ path }, wanted) {
  const file = wanted.get(foldPath(path));
  if (!file) return { step: "delete", path, bytes: 0, sha256: "" };
  return { step: isConfigFile(path) ? "config" : "write", path: file.path, bytes: file.bytes, sha256: file.sha256 };
}

// Returns the files on the card that the steps replace or delete and that are not backed up yet.
// `existing` and `backedUp` are keyed by folded path; `backedUp` holds hashes.
export function filesToBackUp(steps, existing, backedUp) {
  return steps
    .filter(({ step }) => step !== "remove")
    .map(({ path }) => existing.get(foldPath(path)))
    .filter((file) => file && backedUp[foldPath(file.path)] !== file.sha256);
}

// Returns the conflict about the settings of a project, if another one is in its place. The settings
// describe the sounds beside them, so all conflicts have one answer then.
export const findOtherProject = (changes) => changes.find(({ what, path }) => what === "conflict" && isConfigFile(path));

// Whether another project stays in this place, so nothing can be written there.
export const keepsOtherProject = (changes, choices) => choices[findOtherProject(changes)?.path] === "keep";

export const openConflicts = (changes, choices) => changes.filter(({ what, path }) => what === "conflict" && !choices[path]);

// Returns the choices that were made for the very same files: a conflict asks again if its file changed.
export function keptChoices(changes, existing, chosen) {
  const choices = {};
  for (const { what, path } of changes) {
    const before = chosen[foldPath(path)];
    if (what === "conflict" && before && isSameFile(before, existing.get(foldPath(path)))) choices[path] = before.choice;
  }
  const isDivided = new Set(Object.values(choices)).size > 1 || openConflicts(changes, choices).length;
  return findOtherProject(changes) && isDivided ? {} : choices;
}

// Whether a file has the size and hash of one that was seen before. A hash that was not needed is "".
const isSameFile = (before, now) => before.bytes === (now?.bytes ?? 0) && (!before.sha256 || !now?.sha256 || before.sha256 === now.sha256);

export function countChanges(changes) {
  const counts = { add: 0, replace: 0, delete: 0, conflict: 0 };
  for (const { what } of changes) counts[what] += 1;
  return counts;
}

const REASONS = {
  QuotaExceededError: "The card is full.",
  NoModificationAllowedError: "The card is write-protected, or another program is writing this file.",
  InvalidModificationError: "The card refused this change. It may be write-protected or damaged.",
  NotAllowedError: "The browser may not write to this card. Choose it again and allow it.",
  SecurityError: "The browser may not write to this card. Choose it again and allow it.",
  NotReadableError: "The card could not be read.",
  NotFoundError: "It is not on the card any more.",
};

// Returns a sentence about a failure. `path` is the file that was worked on.
export function explainError(error, path) {
  const reason = REASONS[error.name] || error.message || "The card could not be written.";
  return path ? `${nameOf(path)}: ${reason}` : reason;
}
