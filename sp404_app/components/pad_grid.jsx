// The pads of one bank: they play, and they are moved, filled and chosen here.

import { useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { createPortal } from "react-dom";
import { commitEdits } from "./local_edit.js";
import { Pad } from "./pad_cell.jsx";
import { clearedPads, filledPads, movedPads } from "./pad_changes.js";
import * as drag from "./pad_drag.js";
import { engine, keys, midi, useComparison, useDeck, useKeyboard } from "./pad_deck.js";
import { PadMenu } from "./pad_menu.jsx";
import { usePadPreview } from "./pad_preview.js";

const BANKS = [..."ABCDEFGHIJ"];
const COLUMNS = 4;
const FOCUS_DELAY_MS = 150; // until the panel of a phone is open
const ACTIONS_ELSEWHERE = ["rename", "search", "fit", "open"]; // of the menu; after others the pad has the focus again
const focusSearch = () => setTimeout(() => document.getElementById("q")?.focus(), FOCUS_DELAY_MS);
const PLAY_MS = 2000; // a gated pad that nobody holds
function playForAMoment(key) {
  engine.pressPad(key);
  setTimeout(() => engine.releasePad(key), PLAY_MS);
}
function saveFile(href) {
  Object.assign(document.createElement("a"), { href, download: "" }).click();
}
const isDialogOpen = () => document.querySelector("dialog[open]");
const TEXT_FIELDS = "input:not([type=range], [type=checkbox], [type=radio]), textarea, select, [contenteditable]";
const isOutsideFields = (element) => !element?.closest?.(`dialog, ${TEXT_FIELDS}`);

// The keys play unless the focus is in the drawer, in a field or in a dialog.
const playsWithKeys = (element) => !element?.closest?.(`[data-drawer], dialog, ${TEXT_FIELDS}`);

export function PadGrid({ head, bank, colour, cells: saved, chosen, confirmed, defaults, onChoose, onMove, onPut, onClear, onStep, onBank, onAct }) {
  const player = useSyncExternalStore(engine.subscribe, engine.getSnapshot, engine.getSnapshot);
  const dragging = useSyncExternalStore(drag.subscribe, drag.getSnapshot, drag.getSnapshot);
  const [menu, setMenu] = useState(null);
  const [cut, setCut] = useState(null); // {key, how} after Cut or Copy
  const grid = useRef(null);
  const held = useRef(""); // pad that the space bar or Enter plays
  const latest = useRef({}); // functions of this render, for what is not made again at each
  const actions = useMemo(() => Object.fromEntries(["press", "choose", "menu"].map((name) => [name, (...given) => latest.current[name](...given)])), []);
  const { preview, shown: cells } = usePadPreview({ head, bank, cells: saved, confirmed });
  useDeck({ head, bank, cells: saved, defaults, needsAllBanks: player.needsAllBanks || player.midi.state === "on" });
  useKeyboard();

  const byKey = new Map(cells.map((cell) => [cell.key, cell]));
  useComparison(saved.find(({ key }) => key === chosen), defaults);
  const move = (source, target, how) => onMove(source, target, how, preview.change(movedPads(cells, source, target, how)));
  const clear = (key) => onClear(key, preview.change(clearedPads(cells, key)));
  const step = (way) => {
    commitEdits();
    onStep(way, preview.step(way));
  };
  const choose = (key) => key !== chosen && onChoose(key);
  const focusPad = (key) => {
    choose(key);
    grid.current?.querySelector(`[data-pad="${key}"] .pad-face`)?.focus({ preventScroll: true });
  };

  const press = (event, pad) => {
    if (event.button > 0) return;
    const pointer = event.pointerId;
    choose(pad.key);
    engine.pressPad(pad.key, { timeStamp: event.timeStamp });
    const release = (up) => {
      if (up.pointerId !== pointer) return;
      engine.releasePad(pad.key, { timeStamp: up.timeStamp });
      window.removeEventListener("pointerup", release);
      window.removeEventListener("pointercancel", release);
    };
    window.addEventListener("pointerup", release);
    window.addEventListener("pointercancel", release);
    if (!pad.name) return;
    const source = { kind: "pad", id: pad.key, label: `${pad.key}  ${pad.name}`, colour };
    drag.startDrag(event, source, {
      onStart: () => engine.releasePad(pad.key, {}),
      onDrop: (target, { copy }) => latest.current.move(pad.key, target, copy ? "copy" : "swap"),
      onBank,
    });
  };

  const run = (action, key) => {
    setMenu(null);
    if (!ACTIONS_ELSEWHERE.includes(action)) focusPad(key);
    if (action === "play") playForAMoment(key);
    else if (action === "clear") clear(key);
    else if (action === "cut" || action === "copy") setCut({ key, how: action === "cut" ? "swap" : "copy" });
    else if (action === "paste") paste(key);
    else if (action === "learn") {
      midi.enableMidi();
      midi.learnPad(key);
    } else {
      onAct(action, key);
      if (action === "search") focusSearch();
      else if (action === "rename") setTimeout(() => document.querySelector("[data-testid=pad-name]")?.select(), FOCUS_DELAY_MS);
    }
  };

  const paste = (key) => {
    if (!cut || cut.key === key) return;
    move(cut.key, key, cut.how);
    if (cut.how === "swap") setCut(null);
  };

  const openBankBeside = (tab, key) => {
    const at = BANKS.indexOf(tab.dataset.bankTab);
    const last = BANKS.length - 1;
    const next = { ArrowLeft: (at + last) % BANKS.length, ArrowRight: (at + 1) % BANKS.length, Home: 0, End: last }[key];
    document.querySelector(`[data-bank-tab="${BANKS[next]}"]`)?.focus();
    onBank(BANKS[next]);
  };

  // Shortcuts of the page. The keys that play pads are in pad_keys.js.
  useEffect(() => {
    const perBank = head.pads_per_bank;
    const moves = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -COLUMNS, ArrowDown: COLUMNS };
    const onKey = (event) => {
      // React listens on the document, too, so a knob or handle cannot stop the event before it is here.
      if (event.defaultPrevented || !isOutsideFields(event.target) || isDialogOpen() || menu) return;
      const command = event.ctrlKey || event.metaKey;
      const isHistory = command && (event.code === "KeyZ" || event.code === "KeyY");
      if (!isHistory && !playsWithKeys(event.target)) return;
      // The focused pad: `chosen` follows only when the server has answered.
      const current = event.target.closest?.("[data-pad]")?.dataset.pad || chosen;
      const isFilled = Boolean(byKey.get(current)?.name);
      const number = Number((current || `${bank}1`).slice(1));
      const done = () => event.preventDefault();
      if (command && event.code === "KeyZ") {
        done();
        step(event.shiftKey ? "redo" : "undo");
      } else if (command && event.code === "KeyY") {
        done();
        step("redo");
      } else if (command && isFilled && (event.code === "KeyC" || event.code === "KeyX")) {
        done();
        setCut({ key: current, how: event.code === "KeyX" ? "swap" : "copy" });
      } else if (command && event.code === "KeyV" && cut && current) {
        done();
        paste(current);
      } else if (command || event.altKey) {
        // other shortcuts are the browser's
      } else if (event.key in moves && event.target.closest?.("[data-pads]")) {
        done();
        const next = number + moves[event.key];
        if (next >= 1 && next <= perBank) focusPad(`${bank}${next}`);
      } else if (event.target.closest?.("[data-bank-tab]") && ["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) {
        done();
        openBankBeside(event.target.closest("[data-bank-tab]"), event.key);
      } else if (event.key === "PageUp" || event.key === "PageDown") {
        done();
        const index = BANKS.indexOf(bank) + (event.key === "PageDown" ? 1 : -1);
        if (index in BANKS) onBank(BANKS[index]);
      } else if ((event.key === "Delete" || event.key === "Backspace") && isFilled) {
        done();
        clear(current);
      } else if ((event.key === " " || event.key === "Enter") && event.target.closest?.(".pad-face")) {
        done();
        if (event.repeat) return;
        held.current = current;
        engine.pressPad(current, { timeStamp: event.timeStamp });
      } else if (event.code === "KeyP") {
        done();
        if (!event.repeat) saveFile(`/api/projects/${head.id}/sheet`);
      } else if (event.code === "KeyT") {
        done();
        onAct("patterns", "");
      } else if (event.key === "/") {
        done();
        onAct("search", "");
        focusSearch();
      } else if (event.key === "?") {
        done();
        onAct("help", "");
      }
    };
    const onKeyUp = (event) => {
      if (event.key === " " || event.key === "Enter") releaseHeld(event.timeStamp);
    };
    const releaseHeld = (timeStamp) => {
      if (held.current) engine.releasePad(held.current, { timeStamp });
      held.current = "";
    };
    const onLeave = () => releaseHeld(0);
    const onFocus = () => keys.setKeysActive(playsWithKeys(document.activeElement));
    document.addEventListener("keydown", onKey);
    document.addEventListener("keyup", onKeyUp);
    document.addEventListener("focusin", onFocus);
    document.addEventListener("focusout", onFocus);
    window.addEventListener("blur", onLeave);
    onFocus();
    return () => {
      document.removeEventListener("keydown", onKey);
      document.removeEventListener("keyup", onKeyUp);
      document.removeEventListener("focusin", onFocus);
      document.removeEventListener("focusout", onFocus);
      window.removeEventListener("blur", onLeave);
    };
  });

  // Samples are dragged from the rows of the drawer.
  useEffect(() => {
    const onDown = (event) => {
      const row = event.target.closest?.("[data-drawer] .sample-row");
      if (!row || event.target.closest("button, a, input")) return;
      const source = { kind: "sample", id: row.dataset.id, label: row.querySelector("[data-testid=name]")?.textContent || "Sound", colour };
      // Of several marked sounds, the page does not know on which pads they will be.
      const isOne = row.getAttribute("aria-selected") !== "true";
      drag.startDrag(event, source, { onDrop: (target) => latest.current.put(target, source, isOne), onBank });
    };
    document.addEventListener("pointerdown", onDown);
    return () => document.removeEventListener("pointerdown", onDown);
  }, [colour, onBank]);

  const openMenu = (event, pad) => {
    event.preventDefault();
    if (event.type === "contextmenu" && event.nativeEvent.pointerType === "touch") return; // a finger that rests plays
    choose(pad.key);
    const box = event.currentTarget.closest(".pad").getBoundingClientRect();
    setMenu({ key: pad.key, x: event.clientX || box.left + 20, y: event.clientY || box.top + 30 });
  };
  const put = (target, { id, label }, isOne) => onPut(target, id, preview.change(isOne ? filledPads(cells, target, { id, name: label }) : {}));
  latest.current = { press, choose, menu: openMenu, move, put };
  const playing = new Set(player.playing);
  const rows = cells.filter((_, index) => index % COLUMNS === 0).map((_, row) => cells.slice(row * COLUMNS, (row + 1) * COLUMNS));
  const entry = byKey.has(chosen) ? chosen : cells[0]?.key; // the pad that Tab reaches
  return (
    <>
      <div ref={grid} id="pads" className={`pads pads-${head.device} ${dragging.kind ? "receiving" : ""}`} role="grid" aria-label={`Pads of bank ${bank}`} style={{ "--bank": colour }} data-pads data-testid="pads" data-bank={bank} data-copy={dragging.copy}>
        {rows.map((row) => (
          <div key={row[0].number} role="row" className="pad-row">
            {row.map((pad) => (
              <Pad key={pad.number} cell={pad} chosen={pad.key === chosen} entry={pad.key === entry} over={dragging.over === pad.key} ready={player.ready[pad.key] || false} loading={player.loading[pad.key] || ""} failed={player.failed[pad.key] || ""} playing={playing.has(pad.key)} actions={actions} />
            ))}
          </div>
        ))}
      </div>
      {menu && createPortal(<PadMenu {...menu} cell={byKey.get(menu.key)} canPaste={cut !== null && cut.key !== menu.key} onRun={run} onClose={() => setMenu(null)} />, document.body)}
    </>
  );
}
