// Shows a change of pads at once. It is shown until the server has handled it, whether it saved or
// refused it; then the pads are shown as the server knows them.

import { useLayoutEffect, useRef, useState } from "react";
import { LOST_ANSWER_MS, nextNumber } from "./local_edit.js";
import { StepRecord } from "./pad_changes.js";

class PadPreview {
  constructor(onShow) {
    this.onShow = onShow;
    this.record = new StepRecord();
    this.props = null; // {project, bank, cells, position, confirmed} of the last render
    this.waiting = []; // changes on their way: {number, project, bank, position, before, after}
  }

  shownCells = () => {
    const { bank, cells } = this.props;
    const pads = this.#open().filter((change) => change.bank === bank);
    if (!pads.length) return cells;
    const after = Object.assign({}, ...pads.map((change) => change.after));
    return cells.map((cell) => after[cell.key] || cell);
  };

  // Shows `after`, pads by key, and returns the number to confirm. A change is one step of the history.
  change = (after) => {
    const shown = this.shownCells();
    const before = Object.fromEntries(shown.filter(({ key }) => key in after).map((cell) => [cell.key, cell]));
    return this.#show({ position: this.#position() + 1, before, after });
  };

  // Shows an undo or redo, if the page has seen its step.
  step = (way) => {
    const position = this.#position();
    const { bank } = this.props;
    const change = this.#open().findLast((each) => each.bank === bank && each.before && each.position === position);
    const after = way === "undo" && change ? change.before : this.record.padsAfter(way, position, bank);
    return this.#show({ position: position + (way === "undo" ? -1 : 1), after: after || {} });
  };

  #open = () => this.waiting.filter(({ number, project }) => number > this.props.confirmed && project === this.props.project);

  // The position in the history when the server has handled what is on its way.
  #position = () => this.#open().at(-1)?.position ?? this.props.position;

  #show = (change) => {
    const number = nextNumber(this.props.confirmed);
    const { project, bank } = this.props;
    this.waiting = [...this.#open(), { number, project, bank, ...change }];
    setTimeout(() => this.#drop(number), LOST_ANSWER_MS);
    this.onShow((count) => count + 1);
    return number;
  };

  #drop = (number) => {
    if (!this.#open().some((change) => change.number === number)) return;
    this.waiting = this.waiting.filter((change) => change.number !== number);
    this.onShow((count) => count + 1);
  };
}

// Returns the pads to show, and the preview that takes changes.
export function usePadPreview({ head, bank, cells, confirmed }) {
  const [, onShow] = useState(0);
  const held = useRef(null);
  held.current ||= new PadPreview(onShow);
  const preview = held.current;
  preview.props = { project: head.id, bank, cells, position: head.position, confirmed };
  useLayoutEffect(() => {
    preview.record.observe({ project: head.id, bank, cells, position: head.position, revision: head.revision, redo: head.redo });
  }, [bank, cells, head]);
  return { preview, shown: preview.shownCells() };
}
