// Help with forms: an error disappears as its field is mended, the focus goes to the first error,
// what a browser refuses is said at its field, and a button shows a password. Other errors are React's;
// what is mended is marked beside them.

import { useEffect, useState } from "react";

// Fields are invalid as React rendered them again, so that it sets their next state.
function restore(form) {
  for (const input of form.querySelectorAll(".field[data-mended] [aria-invalid]")) input.setAttribute("aria-invalid", "true");
}

function unmark(form) {
  delete form.dataset.mended;
  form.querySelectorAll("[data-mended]").forEach((field) => delete field.dataset.mended);
}

// Says in our words, below the field, what browsers say in a bubble.
function refuse(event) {
  const { validity, validationMessage } = event.target;
  const field = event.target.closest(".field");
  const said = field?.querySelector("p");
  if (!said) return;
  event.preventDefault();
  delete field.dataset.mended;
  said.dataset.refused = validity.valueMissing ? "Fill this in." : validity.typeMismatch ? "Enter a valid email address." : validationMessage;
  event.target.setAttribute("aria-invalid", "true");
}

function mend({ target }) {
  const refused = target.closest?.(".field")?.querySelector("[data-refused]");
  if (refused) {
    delete refused.dataset.refused;
    // React's own error is mended below.
    if (!refused.matches(".field-error")) target.setAttribute("aria-invalid", "false");
  }
  const form = target.closest?.("form");
  if (!form) return;
  form.dataset.mended = "";
  const isOne = "oneAnswer" in form.dataset; // the error is about all fields together
  for (const input of isOne ? form.querySelectorAll("[aria-invalid]") : [target]) {
    const field = input.closest(".field");
    if (!field || input.getAttribute("aria-invalid") !== "true" || field.querySelector("[data-refused]")) continue;
    field.dataset.mended = "";
    input.setAttribute("aria-invalid", "false");
  }
}

function focusFirst(changed) {
  const form = changed.closest("form");
  const first = form?.querySelector("[aria-invalid=true]");
  const focused = document.activeElement;
  const elsewhere = focused && focused !== document.body && !form?.contains(focused);
  if (first && !elsewhere) first.focus();
}

// A form is answered when its button is enabled again. Until then what was mended stays mended: the
// former error would look like the answer. Forms without such a button are given this time.
const ANSWER_MS = 1000;
const isBusy = (form) => form.querySelector("button[type=submit]:disabled") !== null;

export function FormHelp() {
  useEffect(() => {
    const answered = (form) => {
      if (!("sent" in form.dataset) || isBusy(form)) return;
      delete form.dataset.sent;
      unmark(form);
      focusFirst(form);
    };
    const observer = new MutationObserver((records) => {
      const changed = new Set(records.map(({ target }) => target.closest("form")));
      changed.delete(null);
      changed.forEach(answered);
      const wrong = records.filter(({ target }) => target.getAttribute("aria-invalid") === "true");
      if (wrong.length) focusFirst(wrong[0].target);
    });
    const submitted = ({ target }) => {
      target.dataset.sent = "";
      restore(target);
      observer.takeRecords();
      setTimeout(() => answered(target), ANSWER_MS);
    };
    const filter = { subtree: true, attributes: true, attributeFilter: ["aria-invalid", "disabled"] };
    observer.observe(document.body, filter);
    document.addEventListener("input", mend);
    document.addEventListener("submit", submitted, true);
    document.addEventListener("invalid", refuse, true);
    return () => {
      observer.disconnect();
      document.removeEventListener("input", mend);
      document.removeEventListener("submit", submitted, true);
      document.removeEventListener("invalid", refuse, true);
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
