// The navigation of the account page: links to its sections; the one that is read is marked.
// And the sender of a picture that is chosen or dropped.

import { useEffect, useRef, useState } from "react";

// A section is read once its heading is in the upper part of the page, in pixels from its top.
const READING_LINE = 140;

function currentSection(scroller, ids) {
  const atEnd = scroller.scrollTop + scroller.clientHeight >= scroller.scrollHeight - 2;
  const top = scroller.getBoundingClientRect().top + READING_LINE;
  const passed = ids.filter((id) => {
    const section = document.getElementById(id);
    return section && section.getBoundingClientRect().top <= top;
  });
  return (atEnd && scroller.scrollTop > 0 ? ids.at(-1) : passed.at(-1)) ?? ids[0];
}

export function SectionNav({ sections }) {
  const [current, setCurrent] = useState(sections[0][0]);
  const nav = useRef(null);
  useEffect(() => {
    const ids = sections.map(([id]) => id);
    const scroller = nav.current.closest("main");
    const update = () => setCurrent(currentSection(scroller, ids));
    const follow = () => {
      document.getElementById(location.hash.slice(1))?.scrollIntoView();
      update();
    };
    follow(); // the sections were not there when the browser looked for the anchor
    scroller.addEventListener("scroll", update, { passive: true });
    window.addEventListener("hashchange", follow);
    return () => {
      scroller.removeEventListener("scroll", update);
      window.removeEventListener("hashchange", follow);
    };
  }, []);
  useEffect(() => {
    const link = nav.current.querySelector("[aria-current]");
    const row = nav.current;
    row.scrollLeft = link.offsetLeft - (row.clientWidth - link.clientWidth) / 2;
  }, [current]);
  return (
    <nav className="section-nav" aria-label="Account sections" ref={nav}>
      {sections.map(([id, label]) => (
        <a
          key={id}
          href={`#${id}`}
          aria-current={current === id ? "location" : undefined}
          data-testid={`to-${id}`}
        >
          {label}
        </a>
      ))}
    </nav>
  );
}

const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");

// A picture is sent once it is chosen, or dropped anywhere on the page; `data-takes-drops` tells the upload
// panel so.
export function PictureDrop({ children, field }) {
  const [over, setOver] = useState(false);
  useEffect(() => {
    const hold = (isOver) => (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault(); // the browser would open the file
      setOver(isOver);
    };
    const drop = (event) => {
      hold(false)(event);
      const input = document.getElementById(field);
      const files = [...(event.dataTransfer?.files ?? [])];
      // The server says what is wrong with a file that is no picture.
      const dropped = files.find(({ type }) => type.startsWith("image/")) ?? files[0];
      if (!dropped || !input) return;
      const chosen = new DataTransfer();
      chosen.items.add(dropped);
      input.files = chosen.files;
      input.form.requestSubmit();
    };
    const change = ({ target }) => target.id === field && target.files.length && target.form.requestSubmit();
    const listeners = { dragover: hold(true), dragleave: hold(false), drop, change };
    const each = Object.entries(listeners);
    for (const [name, listener] of each) window.addEventListener(name, listener);
    return () => {
      for (const [name, listener] of each) window.removeEventListener(name, listener);
    };
  }, [field]);
  return (
    <div className={`picture-drop${over ? " over" : ""}`} data-takes-drops="" data-testid="picture-drop">
      {children}
    </div>
  );
}
