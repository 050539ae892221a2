// Drags samples and pads onto pads, with pointer events outside of React: they work with fingers, and
// a row may scroll out of its list meanwhile.
//
// An element with `data-pad` is a target. `startDrag` begins with a pointerdown; the drag itself starts
// once the pointer has moved, for a finger on a pad after it has rested. Resting alone starts nothing,
// because the pad sounds while it is held.

const START_DISTANCE_PX = 6;
const FINGER_DISTANCE_PX = 16; // of a finger on a pad: one that holds a pad to play it moves a little
const REST_MS = 350; // before a finger on a pad drags; one that moves earlier slides while it plays
const OPEN_BANK_MS = 500; // over a bank's button, until its pads are shown
const listeners = new Set();
let drag = null;
let snapshot = { kind: "", over: "", copy: false };

export const subscribe = (listener) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};
export const getSnapshot = () => snapshot;

function setState(change) {
  snapshot = { ...snapshot, ...change };
  listeners.forEach((listener) => listener());
}

const padUnder = (element) => element?.closest("[data-pad]")?.dataset.pad || "";

// `source` is {kind: "pad" | "sample", id, label, colour}. `onDrop(target key, {copy})` is called when
// it is dropped on another target, `onBank(letter)` when it rests over the button of a bank.
// `targetUnder(element, event)` returns the key of the target, or "": that of a pad, unless given.
export function startDrag(event, source, { onStart = () => {}, onDrop, onBank = () => {}, targetUnder = padUnder }) {
  if (event.button > 0 || drag) return;
  const isFinger = event.pointerType === "touch";
  drag = { source, onStart, onDrop, onBank, targetUnder, isFinger, id: event.pointerId, x: event.clientX, y: event.clientY, begun: false, rested: !isFinger || source.kind === "sample" };
  if (event.target.hasPointerCapture?.(event.pointerId)) event.target.releasePointerCapture(event.pointerId);
  if (!drag.rested) drag.restTimer = setTimeout(() => drag && (drag.rested = true), REST_MS);
  window.addEventListener("pointermove", onMove);
  window.addEventListener("pointerup", onUp);
  window.addEventListener("pointercancel", endDrag);
  window.addEventListener("keydown", onKey, true);
  window.addEventListener("keyup", onKey, true);
}

function begin() {
  drag.begun = true;
  drag.onStart();
  drag.ghost = document.createElement("div");
  drag.ghost.className = "drag-ghost";
  drag.ghost.textContent = drag.source.label;
  drag.ghost.style.setProperty("--bank", drag.source.colour || "var(--accent)");
  document.body.append(drag.ghost);
  document.body.classList.add("is-dragging");
  moveGhost(drag.x, drag.y);
  setState({ kind: drag.source.kind });
}

function onMove(event) {
  if (!drag || event.pointerId !== drag.id) return;
  const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y];
  if (!drag.begun) {
    const isPadByFinger = drag.isFinger && drag.source.kind === "pad";
    if (Math.hypot(dx, dy) < (isPadByFinger ? FINGER_DISTANCE_PX : START_DISTANCE_PX)) return;
    // A finger that moves steeply over the list scrolls it; one that moves at once over a pad plays.
    if (!drag.rested || (drag.isFinger && !isPadByFinger && Math.abs(dy) > Math.abs(dx))) {
      endDrag();
      return;
    }
    begin();
  }
  event.preventDefault();
  moveGhost(event.clientX, event.clientY);
  const under = document.elementFromPoint(event.clientX, event.clientY);
  openBankUnder(under?.closest("[data-bank-tab]")?.dataset.bankTab);
  setState({ over: drag.targetUnder(under, event), copy: event.altKey });
}

function moveGhost(x, y) {
  drag.ghost.style.transform = `translate(${x + 12}px, ${y + 10}px)`;
}

function openBankUnder(letter) {
  if (letter === drag.bank) return;
  drag.bank = letter;
  clearTimeout(drag.bankTimer);
  if (letter) drag.bankTimer = setTimeout(() => drag && drag.onBank(letter), OPEN_BANK_MS);
}

function onUp(event) {
  if (!drag || event.pointerId !== drag.id) return;
  const { begun, source, onDrop } = drag;
  const { over } = snapshot;
  endDrag();
  if (begun && over && over !== source.id) onDrop(over, { copy: event.altKey });
}

function onKey(event) {
  if (!drag?.begun) return;
  if (event.key === "Escape") {
    event.stopPropagation();
    endDrag();
  } else if (event.key === "Alt") {
    event.preventDefault(); // it would move the focus to the browser's menu
    setState({ copy: event.type === "keydown" });
  }
}

function endDrag() {
  if (!drag) return;
  clearTimeout(drag.restTimer);
  clearTimeout(drag.bankTimer);
  drag.ghost?.remove();
  document.body.classList.remove("is-dragging");
  drag = null;
  window.removeEventListener("pointermove", onMove);
  window.removeEventListener("pointerup", onUp);
  window.removeEventListener("pointercancel", endDrag);
  window.removeEventListener("keydown", onKey, true);
  window.removeEventListener("keyup", onKey, true);
  setState({ kind: "", over: "", copy: false });
}
