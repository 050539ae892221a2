"""JavaScript that the tests evaluate in pages."""

from pathlib import Path

LIST_CONTROLS = Path(__file__).with_name("controls.js").read_text()
# Resolves when the page has not changed for `quiet` ms.
WAIT_UNTIL_QUIET = """(quiet) => new Promise((resolve) => {
  let timer = setTimeout(finish, quiet);
  const observer = new MutationObserver(() => {
    clearTimeout(timer);
    timer = setTimeout(finish, quiet);
  });
  observer.observe(document, { childList: true, subtree: true, characterData: true });
  const end = setTimeout(finish, 1500);
  function finish() { observer.disconnect(); clearTimeout(timer); clearTimeout(end); resolve(); }
})"""
# Returns the fields that must be filled in before the button's form can be submitted.
UNFILLED_FIELDS = """(button) => {
  const fields = [...(button.form?.elements ?? [])];
  const boxes = fields.filter((each) => each.type === "checkbox");
  const wanted = boxes.some((each) => each.checked) ? [] : boxes.slice(0, 1);
  const empty = fields.filter((each) => each.required && !each.value);
  return [...empty, ...wanted].map((each) => [each.id, each.type]);
}"""
SENT_BY_ENTER = (
    "field => Boolean(field.form && !field.form.querySelector('button:not([type=button])'))"
)
IS_BUSY = """() => {
  const text = document.body.innerText;
  return /(One moment|Please wait|Working|Drawing) ?…/.test(text)
    || document.querySelector("[data-phase=busy]") !== null;
}"""
# Hash of everything visible on the page.
PAGE_HASH = """() => {
  const body = document.body.cloneNode(true);
  body.querySelectorAll("[data-drive]").forEach((each) => each.removeAttribute("data-drive"));
  const fields = [...document.querySelectorAll("input, select, textarea")];
  const drawn = [...document.querySelectorAll("canvas")].map((each) => each.toDataURL()).join();
  const values = fields.map((each) => `${each.value}${each.checked}`).join();
  const scrolled = [...document.querySelectorAll("*")].map((each) => each.scrollTop).join();
  const focus = [...document.querySelectorAll("*")].indexOf(document.activeElement);
  const text = `${location.href} ${drawn} ${focus} ${scrolled} ${values} ${body.innerHTML}`;
  let sum = 0;
  for (let at = 0; at < text.length; at += 1) sum = (31 * sum + text.charCodeAt(at)) | 0;
  return sum;
}"""
