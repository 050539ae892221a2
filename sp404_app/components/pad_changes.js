// What a change of pads will do to the visible bank, as far as the page can tell: pads by key.

const EMPTY = {
  revision: 0,
  name: "",
  device_name: "",
  status: "",
  sample_id: "",
  wave: "",
  bpm: "",
  music_key: "",
  length: "",
  frames: 0,
  channels: 2,
  kind: "",
  edited: false,
  chops: 0,
  error: "",
  url: "",
  hash: "",
  ready: false,
  settings: {},
};

const find = (cells, key) => cells.find((cell) => cell.key === key);
const emptied = ({ key, number }) => ({ ...EMPTY, key, number });
// A pad's content on another pad; its audio has another address there.
const placed = (cell, { key, number }) => ({ ...cell, key, number, url: "", hash: "", ready: false });

export function clearedPads(cells, key) {
  const cell = find(cells, key);
  return cell?.name ? { [key]: emptied(cell) } : {};
}

// `how` is "swap" or "copy". Of a move to another bank nothing is known here.
export function movedPads(cells, source, target, how) {
  const [from, to] = [find(cells, source), find(cells, target)];
  if (!from?.name || !to || from === to) return {};
  const left = to.name ? placed(to, from) : emptied(from);
  return { [target]: placed(from, to), ...(how === "swap" && { [source]: left }) };
}

// A pad keeps its settings when it gets another sound; what depends on the audio is not known here.
export function filledPads(cells, key, { id, name }) {
  const cell = find(cells, key);
  if (!cell || cell.sample_id === id) return {};
  return { [key]: { ...emptied(cell), name, sample_id: id, settings: cell.settings } };
}

// What each step of the undo history did to the pads of the visible bank, from what the page saw.
// `position` is the number of the last step in force, `redo` the label of the one that was undone last.
// Each step, its undo and its redo make one new revision of the project, and of the pads that are written.
export class StepRecord {
  constructor() {
    this.steps = new Map(); // position → {bank, before, after}, both pads by key
    this.last = null;
  }

  observe(now) {
    const { last } = this;
    this.last = now;
    if (!now.redo) for (const position of this.steps.keys()) if (position > now.position) this.steps.delete(position);
    if (!last || last.project !== now.project) {
      this.steps.clear();
      return;
    }
    if (last.position === now.position) {
      if (last.revision !== now.revision) this.steps.clear(); // undone, and another step made
      return;
    }
    const isForward = now.position === last.position + 1;
    const isOneStep = now.revision === last.revision + 1 && (isForward || now.position === last.position - 1);
    if (!isOneStep || last.bank !== now.bank) {
      this.steps.clear();
      return;
    }
    const changed = now.cells.filter((cell, index) => cell.revision !== last.cells[index]?.revision);
    const [then, since] = [last, now].map(({ cells }) => Object.fromEntries(changed.map(({ key }) => [key, find(cells, key)])));
    const step = isForward ? { before: then, after: since } : { before: since, after: then };
    this.steps.set(Math.max(last.position, now.position), { bank: now.bank, ...step });
  }

  // Returns the pads after an undo or redo at a position, or null if the page has not seen that step.
  padsAfter(way, position, bank) {
    const step = this.steps.get(way === "undo" ? position : position + 1);
    if (step?.bank !== bank) return null;
    return way === "undo" ? step.before : step.after;
  }
}
