// A drop on a page: a card or backup is offered as projects, everything else is uploaded.

import { recogniseDrop } from "./card_tree.js";

// `addSounds` receives the dropped entries and files. They are taken here, because a drop event holds
// them only until it ends.
export async function openDrop(transfer, addSounds) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry && item.webkitGetAsEntry()).filter(Boolean);
  const files = [...transfer.files];
  const card = entries.length ? await recogniseDrop(entries) : null;
  if (!card) {
    addSounds(entries, files);
    return;
  }
  const { reader } = await import("./card_reader_panel.jsx");
  if (card.zip) reader.offerZip(card.zip, () => addSounds(entries, files));
  else reader.open(card.tree, () => addSounds(entries, files));
}
