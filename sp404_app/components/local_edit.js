// A value that the user changes here and that the server keeps. What the user sees is the user's value
// until the server has handled the last change: neither the answer to an earlier change nor news from
// another tab replaces it. Each change that is sent has a number; `confirmed` is the last one that the
// server has handled, whether it saved or refused it.

import { useEffect, useLayoutEffect, useRef, useState } from "react";

export const LOST_ANSWER_MS = 10_000; // then the saved value is shown, as the server does not answer

let lastNumber = 0;

// Returns a number that is larger than all before, also those of an earlier load of this page.
export function nextNumber(confirmed) {
  lastNumber = Math.max(Date.now(), lastNumber + 1, confirmed + 1);
  return lastNumber;
}

const live = new Set(); // the edits of what the page shows

// Saves every change that would be saved later, before something that needs them: undo.
export const commitEdits = () => live.forEach((edit) => edit.commit());

const isEqual = (one, other) => JSON.stringify(one) === JSON.stringify(other);

class LocalEdit {
  constructor(onShow) {
    this.onShow = onShow;
    this.props = null; // {scope, saved, confirmed, send} of the last render
    this.draft = undefined; // what the user set; undefined: the saved value is shown
    this.sent = undefined;
    this.number = 0; // of the change that is on its way
    this.isChanged = false; // since the last change was sent
    this.timer = null; // of a gesture that ends by itself
    this.lost = null;
  }

  // The value as it is now, also before the page is drawn again.
  read = () => (this.draft === undefined ? this.props.saved : this.draft);

  // Shows a value that will be saved by `commit`.
  preview = (value) => {
    this.isChanged = true;
    this.#show(value);
  };

  // Saves what was previewed, unless the server has it or will have it.
  commit = () => {
    this.#stopTimer();
    if (!this.isChanged) return;
    this.isChanged = false;
    if (isEqual(this.draft, this.number ? this.sent : this.props.saved)) {
      if (!this.number) this.#show(undefined);
      return;
    }
    this.sent = this.draft;
    this.number = nextNumber(this.props.confirmed);
    clearTimeout(this.lost);
    this.lost = setTimeout(this.#finish, LOST_ANSWER_MS);
    this.props.send(this.sent, this.number);
  };

  commitAfter = (pauseMs) => {
    this.#stopTimer();
    this.timer = setTimeout(this.commit, pauseMs);
  };

  // Saves now what a gesture would save later.
  flush = () => this.timer !== null && this.commit();

  // Drops what was previewed and not sent.
  cancel = () => {
    this.#stopTimer();
    this.isChanged = false;
    this.#show(this.number ? this.sent : undefined);
  };

  confirm = (confirmed) => this.number && confirmed >= this.number && this.#finish();

  // Saves what is left and forgets it: the page shows another value here.
  leave = () => {
    this.commit();
    clearTimeout(this.lost);
    this.number = 0;
    this.draft = this.sent = undefined;
  };

  #finish = () => {
    clearTimeout(this.lost);
    this.number = 0;
    if (!this.isChanged) this.#show(undefined);
  };

  #show = (value) => {
    this.draft = value;
    this.onShow((count) => count + 1);
  };

  #stopTimer = () => {
    clearTimeout(this.timer);
    this.timer = null;
  };
}

// Returns the edit of a value, and what to show; `scope` says whose value it is, for example the key of a pad.
export function useLocalEdit({ scope = "", saved, confirmed = 0, send }) {
  const [, onShow] = useState(0);
  const held = useRef(null);
  held.current ||= new LocalEdit(onShow);
  const edit = held.current;
  const props = { scope, saved, confirmed, send };
  edit.props ||= props;
  // Cleanup comes first: what is left is saved by the `send` of the former scope.
  useLayoutEffect(() => () => edit.leave(), [scope]);
  useLayoutEffect(() => {
    edit.props = props;
  });
  useLayoutEffect(() => {
    edit.confirm(confirmed);
  }, [confirmed]);
  useEffect(() => {
    live.add(edit);
    return () => live.delete(edit);
  }, []);
  const isShown = edit.draft !== undefined && edit.props.scope === scope;
  return { edit, shown: isShown ? edit.draft : saved };
}

if (typeof window !== "undefined") window.addEventListener("pagehide", commitEdits);
