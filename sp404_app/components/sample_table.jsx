// The sample table: a virtual list, with selection and keyboard shortcuts.

import { useCallback, useEffect, useRef, useSyncExternalStore } from "react";
import * as player from "./audio_player.js";
import { enterEntry, hasLeftEntry, readPlace, savePlace } from "./list_place.js";
import { openMenu } from "./menu_button.jsx";
import { useAddress } from "./page_address.jsx";
import { useCells } from "../columns/sample_columns.jsx";
import { useVirtualWindow } from "./virtual_list.js";

// Fields, menus and panels have keys of their own.
const OWN_KEYS = "input, textarea, select, [contenteditable], [role=menu], [role=dialog]";
const isTyping = (target) => target.closest && target.closest(OWN_KEYS);
const LONG_PRESS_MS = 450; // a touch selects; browsers take half a second for their menus
const STEPS = { ArrowUp: -1, ArrowDown: 1 };
const isPhone = () => window.matchMedia("(max-width: 700px)").matches;
const isDialogOpen = () => document.querySelector("dialog[open]");

let anchor = -1; // the row that was selected last without Shift, or -1 for the cursor

export function SampleRow({ index, track, marked, opensOnTap, onMark, onOpen, children, ...rest }) {
  useEffect(() => player.registerRow(index, track), [index, ...Object.values(track)]);
  const classes = useSyncExternalStore(
    player.subscribe,
    () => player.rowClasses(index, track.id),
    () => "",
  );
  const press = useRef({ timer: 0, isTouch: false, isLong: false });
  const onPointerDown = (event) => {
    press.current.isTouch = event.pointerType === "touch";
    press.current.isLong = false;
    if (!press.current.isTouch || !onMark || event.target.closest("button, a, input")) return;
    press.current.timer = setTimeout(() => {
      press.current.isLong = true;
      navigator.vibrate?.(10);
      onMark("toggle", index, index);
    }, LONG_PRESS_MS);
  };
  const endPress = () => clearTimeout(press.current.timer); // also when the list scrolls
  const isTap = () => press.current.isTouch && isPhone();
  const onClick = (event) => {
    if (event.target.matches(".tick")) {
      // The box itself toggles its row; the rows between are those of the range.
      if (event.shiftKey && anchor >= 0 && anchor !== index) onMark("range", anchor, anchor < index ? index - 1 : index + 1);
      anchor = index;
    }
    if (press.current.isLong || event.target.closest("button, a, input")) return;
    const isSelecting = document.querySelector("[data-any-marked='true']");
    if (press.current.isTouch && isSelecting) onMark("toggle", index, index);
    else if (event.shiftKey) onMark("range", index, Math.max(0, anchor < 0 ? player.getSnapshot().cursor : anchor));
    else if (event.ctrlKey || event.metaKey) {
      anchor = index;
      onMark("toggle", index, index);
    } else {
      anchor = -1;
      if (isSelecting) onMark("none", 0, 0);
      const isWave = event.target.closest(".row-cell")?.querySelector(".mini-wave, .no-wave");
      if (opensOnTap && isTap() && !isWave) onOpen(track.id);
      else if (isTap() && isWave && classes.includes("playing")) player.pause(); // as its sign says
      else player.moveCursor(index);
    }
  };
  return (
    <div
      role="row"
      aria-rowindex={index + 1}
      aria-selected={marked}
      className={`sample-row ${classes} ${marked ? "marked" : ""}`}
      data-testid="sample-row"
      data-id={track.id}
      onClick={onClick}
      onClickCapture={(event) => event.detail > 1 && event.target.closest(".add") && event.stopPropagation()} // a double click puts the sound on one pad
      onKeyDown={(event) => event.repeat && event.key === "Enter" && event.target.closest("button") && event.preventDefault()} // a held key presses a button once
      onPointerDown={onPointerDown}
      onPointerUp={endPress}
      onPointerCancel={endPress}
      onContextMenu={(event) => (press.current.isTouch ? event.preventDefault() : openMenu(event))}
      onDoubleClick={(event) => (opensOnTap && isTap()) || event.target.closest("button, a, input") || onOpen(track.id)}
      {...rest}
    >
      {useCells(children).map(([key, cell]) => cell && <div key={key} role="gridcell" className="row-cell">{cell}</div>)}
    </div>
  );
}

export function SampleTable({ total, start, count, size, rowHeight, epoch, answered, anyMarked, address, isStep, isHydrated, drawer, trashed, collection, removable, refreshed, cursorRow, cursorId, onWindow, onReturn, onMark, onOpen, onAct, onPut, onCollect, onRemove, onStep, children }) {
  const scroller = useRef(null);
  const place = useRef({ top: 0, restored: null, isLoaded: null, isReturn: false });
  const isShown = !drawer;
  const currentPlace = () => ({ top: place.current.top, cursor: player.getSnapshot().cursor, cursorId: player.getSnapshot().cursorId });

  // Of the sample that the address names: in the middle of the list.
  const placeOfAddress = () => cursorRow >= 0 && { top: Math.max(0, cursorRow * rowHeight - scroller.current.clientHeight / 2), cursor: cursorRow, cursorId };

  const leaveEntry = () => isShown && place.current.isLoaded && savePlace(currentPlace());

  // The scroll offset of a new list: where the visitor left it, or its start.
  // While a page loads, each list belongs to its address; later ones are new searches.
  const topOfEpoch = () => {
    if (isHydrated || hasLeftEntry()) leaveEntry(); // a page that loads has no place yet
    enterEntry();
    const isOpened = !isHydrated || place.current.isReturn;
    place.current.isReturn = false;
    place.current.restored = isShown && isOpened ? readPlace() || placeOfAddress() : null;
    place.current.isLoaded = place.current.isLoaded !== null; // the first list is of the last visit
    place.current.top = place.current.restored?.top ?? 0;
    return place.current.top;
  };
  const requestVisible = useVirtualWindow({ scroller, total, start, count, size, rowHeight, epoch, answered, onWindow, topOfEpoch });
  const onScroll = () => {
    place.current.top = scroller.current.scrollTop;
    requestVisible();
  };

  const open = () => {
    place.current.isReturn = true;
    onReturn?.();
  };
  useAddress({ address: isShown && address, isStep, version: epoch, isHydrated, onShown: enterEntry, onReturn: open });

  useEffect(() => {
    const { restored } = place.current;
    if (restored) player.restoreCursor(restored.cursor, restored.cursorId);
    else player.keepCursor();
    anchor = -1;
  }, [epoch]); // runs after the rows have registered
  useEffect(() => player.followCursor(), [refreshed]);

  useEffect(() => {
    if (!isShown) return undefined;
    window.addEventListener("pagehide", leaveEntry);
    return () => {
      window.removeEventListener("pagehide", leaveEntry);
      leaveEntry();
    };
  }, []);

  const moveTo = useCallback(
    (index) => {
      const to = Math.max(0, Math.min(total - 1, index));
      if (total === 0) return;
      const box = scroller.current;
      const top = to * rowHeight;
      if (top < box.scrollTop) box.scrollTop = top;
      else if (top + rowHeight > box.scrollTop + box.clientHeight) box.scrollTop = top + rowHeight - box.clientHeight;
      player.moveCursor(to);
    },
    [total, rowHeight],
  );

  useEffect(() => (drawer ? undefined : player.registerList({ total, moveTo })), [total, drawer, moveTo]);
  useEffect(() => player.endThrough, []); // when the list is left

  useEffect(() => {
    const onKey = (event) => {
      // Beside the pads, the keys belong to the list only while the focus is in it.
      if (drawer && !scroller.current.closest("[data-drawer]").contains(event.target)) return;
      if (event.target.id === "q" && (event.key === "ArrowDown" || event.key === "Enter")) {
        event.preventDefault(); // from the search field to the first result
        scroller.current.focus();
        moveTo(0);
        return;
      }
      if (isDialogOpen() && event.key === "Escape") onAct("close", "");
      if (event.key === "Escape" && event.target.closest(".rename")) event.target.blur(); // keeps the old name
      if (event.target.matches("[data-saves-on-blur]") && (event.key === "Escape" || event.key === "Enter")) {
        if (event.key === "Escape") event.target.value = event.target.defaultValue;
        event.preventDefault();
        event.target.blur();
      }
      if (event.defaultPrevented || isTyping(event.target) || isDialogOpen()) return;
      const { cursor, cursorId, track } = player.getSnapshot();
      if (event.altKey) {
        if (removable && cursorId && event.key in STEPS) {
          event.preventDefault();
          onStep(cursorId, STEPS[event.key]);
        }
        return;
      }
      const page = Math.floor(scroller.current.clientHeight / rowHeight) - 1;
      const here = player.trackAt(cursor);
      const command = event.ctrlKey || event.metaKey;
      const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -total, End: total };
      const acts = { f: "favourite" };
      if (!drawer && !trashed) Object.assign(acts, { t: "tag", F2: "rename" });
      // In a collection this key removes; where nothing can be removed it must not delete.
      if (!drawer && !trashed && !collection) Object.assign(acts, { Delete: "delete", Backspace: "delete" });
      const onButton = event.target.closest("button, a");
      const done = () => event.preventDefault();
      if (event.key in moves && !command) {
        done();
        const next = cursor < 0 && moves[event.key] > 0 ? 0 : cursor + moves[event.key];
        if (event.shiftKey) onMark("range", Math.max(0, Math.min(total - 1, next)), Math.max(0, cursor));
        anchor = -1;
        moveTo(next);
      } else if (event.key === " " && !onButton) {
        done();
        if (track) player.toggle();
        else moveTo(Math.max(0, cursor));
      } else if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
        done();
        player.seek(player.position() + (event.key === "ArrowLeft" ? -1 : 1) * Math.max(0.1, (track ? track.seconds : 0) / 20));
      } else if (event.key === "Enter" && here && !onButton) {
        done();
        if (!event.repeat) onOpen(here.id);
      } else if (event.key === "Escape") onMark("none", 0, 0);
      else if (command && event.key === "a") {
        done();
        onMark("all", 0, 0);
      } else if (event.key === "/" && !command) {
        done();
        document.getElementById("q").focus();
      } else if (!command && !drawer && !trashed && event.key === "p") {
        done();
        onPut(here ? here.id : "");
      } else if (!command && !drawer && !trashed && event.key === "c") {
        done();
        onCollect(here ? here.id : "");
      } else if (!command && removable && (event.key === "Delete" || event.key === "Backspace")) {
        done();
        onRemove(here ? here.id : "");
      } else if (!command && /^[0-5]$/.test(event.key) && here) onAct(`rate-${event.key}`, here.id);
      else if (!command && event.key in acts) {
        done(); // the server knows the current selection, even if its render has not arrived
        onAct(acts[event.key], here ? here.id : "");
      }
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [total, rowHeight, drawer, trashed, collection, removable, moveTo, onAct, onMark, onOpen, onPut, onCollect, onRemove, onStep]);

  return (
    <div ref={scroller} className="table-scroll" onScroll={onScroll} role="grid" aria-rowcount={total} aria-label="Samples" tabIndex={0} data-testid="table" data-total={total} data-any-marked={anyMarked}>
      <div className="rows-to-come" style={{ height: total * rowHeight }}>
        <div className="rows-here" style={{ transform: `translateY(${start * rowHeight}px)` }}>
          {children}
        </div>
      </div>
    </div>
  );
}
