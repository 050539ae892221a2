// The computer keyboard plays the visible bank: four keys a row as on the device, by their place on
// the keyboard, not by their letter.

import { pressPad, releasePad, stopAll } from "./pad_engine.js";

// Pads 1 to 16, row by row from the top. An SX has the first three rows.
export const KEY_CODES = [
  ...["Digit1", "Digit2", "Digit3", "Digit4"],
  ...["KeyQ", "KeyW", "KeyE", "KeyR"],
  ...["KeyA", "KeyS", "KeyD", "KeyF"],
  ...["KeyZ", "KeyX", "KeyC", "KeyV"],
];
const COMPARE_CODE = "KeyB";
const TEXT_FIELDS = "input:not([type=range], [type=checkbox], [type=radio], [type=button]), textarea, select, [contenteditable]:not([contenteditable=false])";

const held = new Map(); // code → key of the pad that it pressed
let isActive = false;
let bank = "A";
let padCount = 16;
let compare = () => {};

export function setKeyboard(change) {
  ({ bank = bank, padCount = padCount, compare = compare } = change);
}

// The keys play only while the grid has focus; its component says so.
export function setKeysActive(on) {
  isActive = on;
  if (!on) releaseHeld();
}

export function padOfCode(code) {
  const index = KEY_CODES.indexOf(code);
  return index >= 0 && index < padCount ? `${bank}${index + 1}` : null;
}

const isTyping = ({ target }) => target instanceof Element && target.closest(TEXT_FIELDS) !== null;
const hasModifier = (event) => event.ctrlKey || event.metaKey || event.altKey || event.shiftKey;

function onKeyDown(event) {
  if (event.defaultPrevented || event.isComposing || hasModifier(event) || isTyping(event)) return;
  if (event.code === "Escape") stopAll();
  if (isActive) playCode(event);
}

function playCode(event) {
  const key = padOfCode(event.code);
  if (!key && event.code !== COMPARE_CODE) return;
  event.preventDefault();
  if (event.repeat || held.has(event.code)) return;
  if (!key) {
    compare();
    return;
  }
  held.set(event.code, key);
  pressPad(key, { timeStamp: event.timeStamp });
}

function onKeyUp({ code, timeStamp }) {
  if (held.has(code)) releasePad(held.get(code), { timeStamp });
  held.delete(code);
}

function releaseHeld() {
  held.forEach((key) => releasePad(key));
  held.clear();
}

// Listens until the returned function is called.
export function listenToKeys() {
  window.addEventListener("keydown", onKeyDown);
  window.addEventListener("keyup", onKeyUp);
  window.addEventListener("blur", releaseHeld);
  return () => {
    releaseHeld();
    window.removeEventListener("keydown", onKeyDown);
    window.removeEventListener("keyup", onKeyUp);
    window.removeEventListener("blur", releaseHeld);
  };
}
