// The grid of project cards: arrow keys move between them, and keys and right-clicks act on them.

import { useEffect, useRef } from "react";
import { openMenu } from "./menu_button.jsx";

const ACTIONS = { F2: "rename", Delete: "delete", Backspace: "delete" };

// Returns how many cards are in the first row.
function columnsOf(links) {
  const tops = links.map((link) => link.closest("li").offsetTop);
  const first = tops.filter((top) => top === tops[0]);
  return first.length;
}

export function ProjectGrid({ inTrash, onAct, children }) {
  const list = useRef(null);
  const deleted = useRef(-1); // place of the card that was deleted by key

  const onKeyDown = (event) => {
    const card = event.target.closest("[data-project]");
    if (!card || event.target.closest("input") || event.ctrlKey || event.metaKey || event.altKey) return;
    const links = [...list.current.querySelectorAll("[data-card-focus]")];
    const here = links.findIndex((link) => card.contains(link));
    const columns = columnsOf(links);
    const moves = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns, Home: -here, End: links.length - 1 - here };
    if (event.key in moves) links[here + moves[event.key]]?.focus();
    else if (event.key in ACTIONS && !inTrash) {
      deleted.current = ACTIONS[event.key] === "delete" ? here : -1;
      onAct(ACTIONS[event.key], card.dataset.project);
    }
    else return;
    event.preventDefault();
  };

  useEffect(() => {
    const box = list.current;
    box.addEventListener("keydown", onKeyDown);
    return () => box.removeEventListener("keydown", onKeyDown);
  }, [inTrash, onAct]);

  // The card after a deleted one gets the focus that the deleted one had.
  useEffect(() => {
    if (deleted.current < 0 || document.activeElement !== document.body) return;
    const links = [...list.current.querySelectorAll("[data-card-focus]")];
    links[Math.min(deleted.current, links.length - 1)]?.focus();
    deleted.current = -1;
  });

  return (
    <ul ref={list} className="project-grid" data-testid="projects">
      {children}
    </ul>
  );
}

export function ProjectItem({ projectId, className = "", children, ...rest }) {
  return (
    <li className={`project-card ${className}`} data-project={projectId} data-testid="project" onContextMenu={openMenu} {...rest}>
      {children}
    </li>
  );
}
