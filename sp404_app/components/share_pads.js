// Plays the pads of a public page with the engine of the pad page: pointer, touch and computer keys.

import * as engine from "./pad_engine.js";
import { listenToKeys, setKeyboard, setKeysActive } from "./pad_keys.js";
import { countPlay, showStatus } from "./share_page.js";

const faceOf = (key) => document.querySelector(`[data-pad="${key}"]`);

function showBank(letter, padCount) {
  for (const tab of document.querySelectorAll("[data-bank]")) {
    const isOpen = tab.dataset.bank === letter;
    tab.classList.toggle("on", isOpen);
    tab.setAttribute("aria-selected", String(isOpen));
    tab.tabIndex = isOpen ? 0 : -1;
  }
  for (const panel of document.querySelectorAll("[data-bank-panel]")) panel.hidden = panel.dataset.bankPanel !== letter;
  engine.setBank(letter);
  setKeyboard({ bank: letter, padCount });
}

// Moves between the tabs with the arrow keys.
function onTabKey(event, padCount) {
  const tabs = [...document.querySelectorAll("[data-bank]")];
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const next = tabs[(tabs.indexOf(event.currentTarget) + step + tabs.length) % tabs.length];
  showBank(next.dataset.bank, padCount);
  next.focus();
}

function press(event, key) {
  if (event.button > 0) return;
  const { pointerId } = event;
  engine.pressPad(key, { timeStamp: event.timeStamp });
  const release = (up) => {
    if (up.pointerId !== pointerId) return;
    engine.releasePad(key, { timeStamp: up.timeStamp });
    window.removeEventListener("pointerup", release);
    window.removeEventListener("pointercancel", release);
  };
  window.addEventListener("pointerup", release);
  window.addEventListener("pointercancel", release);
}

// Space and Enter play the pad that has the focus, for as long as they are held.
function onPadKey(event, key) {
  if (event.repeat || !["Enter", " "].includes(event.key)) return;
  event.preventDefault();
  const { code } = event;
  engine.pressPad(key, { timeStamp: event.timeStamp });
  const release = (up) => {
    if (up.code !== code) return;
    engine.releasePad(key, { timeStamp: up.timeStamp });
    window.removeEventListener("keyup", release);
  };
  window.addEventListener("keyup", release);
}

let sounding = new Set();

function update(keys) {
  const { playing, loading, ready, failed, error } = engine.getSnapshot();
  const now = new Set(playing);
  for (const key of keys) {
    const pad = faceOf(key).parentElement;
    pad.classList.toggle("sounding", now.has(key));
    pad.classList.toggle("loading", Boolean(loading[key]));
    pad.classList.toggle("ready", Boolean(ready[key]));
    pad.classList.toggle("broken", Boolean(failed[key]));
    faceOf(key).setAttribute("aria-pressed", String(now.has(key)));
  }
  if ([...now].some((key) => !sounding.has(key))) countPlay("pads");
  sounding = now;
  showStatus(error || Object.values(failed)[0] || "");
}

export function start({ id, rate, voices, padsPerBank, pads, defaults, url }) {
  const keys = pads.map(({ key }) => key);
  for (const key of keys) {
    faceOf(key).addEventListener("pointerdown", (event) => press(event, key));
    faceOf(key).addEventListener("keydown", (event) => onPadKey(event, key));
    faceOf(key).addEventListener("contextmenu", (event) => event.preventDefault());
  }
  const tabs = document.querySelectorAll("[data-bank]");
  for (const tab of tabs) {
    tab.addEventListener("click", () => showBank(tab.dataset.bank, padsPerBank));
    tab.addEventListener("keydown", (event) => onTabKey(event, padsPerBank));
  }
  engine.subscribe(() => update(keys));
  engine.openProject({ id, rate, voices });
  const address = ({ key, version }) => `${url}/pads/${key[0]}/${key.slice(1)}/audio?v=${version}`;
  engine.setPads(pads.map((pad) => ({ ...pad, url: address(pad), hash: pad.version, settings: { ...defaults, ...pad.settings } })));
  if (tabs.length) showBank(tabs[0].dataset.bank, padsPerBank);
  listenToKeys();
  setKeysActive(true);
  document.getElementById("share-stop").addEventListener("click", engine.stopAll);
  document.body.dataset.ready = "true";
}
