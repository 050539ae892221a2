// Drags rows of the sample table with a mouse or pen: onto a collection in the rail, and within a
// collection that has an order of its own to another place. Menus and keys do the same without a drag.
//
// An element with `data-collection` is a target. The target under the pointer gets `data-drop`:
// "into" a collection, "before" or "after" a row.

import { useEffect } from "react";
import * as drag from "../pads/pad_drag.js";

const EDGE_PX = 48; // at the top and bottom of the table, in which a drag scrolls it
const SCROLL_PX = 14; // per step
const SCROLL_STEP_MS = 30;

const draggedRow = (event) => (event.target.closest("button, a, input") ? null : event.target.closest(".library .sample-row"));
const labelOf = (row) => {
  const marked = row.classList.contains("marked") ? Number(document.querySelector("[data-testid=bulk] strong .mono")?.textContent) : 1;
  return marked > 1 ? `${marked.toLocaleString("en")} sounds` : row.querySelector("[data-testid=name]")?.textContent || "Sound";
};

// Returns the target as a key and its element: {key: "into:<id>" | "before:<id>" | "after:<id>", element}.
function findTarget(element, event, movable) {
  const collection = element?.closest("[data-collection]");
  if (collection) return { key: `into:${collection.dataset.collection}`, element: collection };
  const row = movable ? element?.closest(".sample-row") : null;
  if (!row) return { key: "", element: null };
  const box = row.getBoundingClientRect();
  return { key: `${event.clientY < box.top + box.height / 2 ? "before" : "after"}:${row.dataset.id}`, element: row };
}

function createMarks() {
  let marked = null;
  let scrolling = null;
  const clear = () => {
    if (marked) delete marked.dataset.drop;
    clearInterval(scrolling);
    marked = scrolling = null;
  };
  const show = ({ key, element }, event, movable) => {
    clear();
    if (element) element.dataset.drop = key.split(":")[0];
    marked = element;
    const table = movable && document.querySelector(".library .table-scroll");
    if (!table) return;
    const box = table.getBoundingClientRect();
    const speed = event.clientY < box.top + EDGE_PX ? -SCROLL_PX : event.clientY > box.bottom - EDGE_PX ? SCROLL_PX : 0;
    if (speed) scrolling = setInterval(() => table.scrollBy(0, speed), SCROLL_STEP_MS);
  };
  return { show, clear };
}

export function RowDrag({ movable, onCollect, onPlace }) {
  useEffect(() => {
    const marks = createMarks();
    const onDown = (event) => {
      if (event.pointerType === "touch") return; // a finger scrolls the list
      const row = event.button === 0 && draggedRow(event);
      if (!row) return;
      const { id } = row.dataset;
      drag.startDrag(event, { kind: "sample", id: `before:${id}`, label: labelOf(row) }, {
        targetUnder: (element, move) => {
          const target = findTarget(element, move, movable);
          marks.show(target, move, movable);
          return target.key;
        },
        onDrop: (key) => {
          const [where, target] = key.split(":");
          if (where === "into") onCollect(target, id);
          else if (target !== id) onPlace(id, target, where);
        },
      });
    };
    const unsubscribe = drag.subscribe(() => drag.getSnapshot().kind || marks.clear());
    document.addEventListener("pointerdown", onDown);
    return () => {
      document.removeEventListener("pointerdown", onDown);
      unsubscribe();
      marks.clear();
    };
  }, [movable, onCollect, onPlace]);
  return null;
}
