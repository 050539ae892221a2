// Help with forms: an error disappears as its field is mended, the focus goes to the first error,
// and a button shows a password. Errors are React's; what is mended is marked beside them.

import { useEffect, useState } from "react";

const unmark = (form) => {
  delete form.dataset.mended;
  for (const field of form.querySelectorAll("[data-mended]")) {
    delete field.dataset.mended;
    // As React rendered it, so that it sets the next state.
    field.querySelector("[aria-invalid]")?.setAttribute("aria-invalid", "true");
  }
};

function mend({ target }) {
  const form = target.closest?.("form");
  if (!form) return;
  form.dataset.mended = "";
  const field = target.closest(".field");
  if (field && target.getAttribute("aria-invalid") === "true") {
    field.dataset.mended = "";
    target.setAttribute("aria-invalid", "false");
  }
}

function focusFirst(changed) {
  const form = changed.closest("form");
  const first = form?.querySelector("[aria-invalid=true]");
  const focused = document.activeElement;
  const elsewhere = focused && focused !== document.body && !form?.contains(focused);
  if (first && !elsewhere) first.focus();
}

export function FormHelp() {
  useEffect(() => {
    const observer = new MutationObserver((records) => {
      const wrong = records.filter(({ target }) => target.getAttribute("aria-invalid") === "true");
      if (wrong.length) focusFirst(wrong[0].target);
    });
    const submitted = ({ target }) => {
      unmark(target);
      observer.takeRecords();
    };
    const filter = { subtree: true, attributes: true, attributeFilter: ["aria-invalid"] };
    observer.observe(document.body, filter);
    document.addEventListener("input", mend);
    document.addEventListener("submit", submitted, true);
    return () => {
      observer.disconnect();
      document.removeEventListener("input", mend);
      document.removeEventListener("submit", submitted, true);
    };
  }, []);
  return null;
}

export function ShowPassword({ field, label }) {
  const [shown, setShown] = useState(false);
  useEffect(() => {
    const input = document.getElementById(field);
    if (input) input.type = shown ? "text" : "password";
  }, [shown, field]);
  return (
    <button
      type="button"
      className="show-password"
      aria-pressed={shown}
      aria-controls={field}
      aria-label={`Show ${label.toLowerCase()}`}
      onClick={() => setShown(!shown)}
      data-testid={`show-${field}`}
    >
      {shown ? "Hide" : "Show"}
    </button>
  );
}
