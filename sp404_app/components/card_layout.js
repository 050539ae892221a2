// Says what a chosen folder is: a card of a SP-404MKII, of a SP-404SX/A, an empty one, or none.

import { foldPath, isPhoneName, isSystemName } from "./card_names.js";

const MKII_FOLDERS = ["import", "export", "bkup"];
const SX_FOLDERS = ["roland", "fctry"];
const SX_LABEL = "sp-404sx"; // the name of the card, and of a folder on it
const SX_INNER = ["smpl", "ptn"];
const TITLES = { mk2: "SP-404MKII card", sx: "SP-404SX/A card", empty: "Empty card", folder: "Folder of a card", other: "Not a card of a SP-404" };
const MAX_LISTED_NAMES = 4;

const listed = (names) => {
  const shown = names.slice(0, MAX_LISTED_NAMES).map((name) => `“${name}”`).join(", ");
  return names.length > MAX_LISTED_NAMES ? `${shown} and ${names.length - MAX_LISTED_NAMES} more` : shown;
};

// Returns the part of `folders` (of a path from the card’s root) that ends with the chosen folder,
// if the person chose a folder inside of the card, as "IMPORT": browsers refuse the root of some.
function chosenDepth(handleName, names, folders) {
  const folded = folders.map(foldPath);
  if (names.some((name) => foldPath(name) === folded[0])) return 0;
  if (foldPath(handleName) === SX_LABEL && !names.some((name) => SX_INNER.includes(foldPath(name)))) return 0;
  return folded.indexOf(foldPath(handleName)) + 1;
}

// `target` is a folder from the card’s root, where files will be written. Returns
// `{kind, title, note, base}`: `base` is the chosen folder as a path from the root.
export function describeCard({ handleName, names, target, device }) {
  const folders = target.split("/").filter(Boolean);
  const own = names.filter((name) => !isSystemName(name) && !isPhoneName(name));
  const depth = chosenDepth(handleName, own, folders);
  const base = folders.slice(0, depth).join("/");
  const has = (wanted) => own.some((name) => wanted.includes(foldPath(name)));
  if (depth) return told("folder", `Files go into ${target}.`, base);
  if (has(SX_FOLDERS)) return told("sx", device === "sx" ? "" : "This card belongs to a SP-404SX/A. A SP-404MKII also reads the folder that is written here.", "");
  if (has(MKII_FOLDERS)) return told("mk2", device === "sx" ? "This card belongs to a SP-404MKII. It reads SX projects from IMPORT/SP-404SX." : "", "");
  if (!own.length) return told("empty", device === "sx" ? "Format the card on the SP-404 first: it gives the card the name SP-404SX." : `${folders[0]} will be made here.`, "");
  return told("other", `It has no ${device === "sx" ? "ROLAND" : "IMPORT, EXPORT or BKUP"} folder, but ${listed(own)}.`, "");
}

const told = (kind, note, base) => ({ kind, title: TITLES[kind], note, base });
