// Lists the controls that can be operated now. Each gets a number in `data-drive`, to locate it, and a
// name that is the same for the same control in other rows.
() => {
  const NATIVE = "a[href], button, input:not([type=hidden]), select, textarea, summary, [role=button]";
  const ACTS = /^on(Click|DoubleClick|Change|Input|KeyDown|PointerDown|Drop)$/;
  const same = (text) => text.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "*").replace(/[A-Za-z_]{2,4}_[A-Za-z0-9]{14,}/g, "*").replace(/\d+/g, "#");
  const propsOf = (element) => {
    const key = Object.keys(element).find((name) => name.startsWith("__reactProps$"));
    return key ? element[key] : {};
  };
  const nameOf = (element) => {
    const tag = element.tagName.toLowerCase();
    const { testid } = element.dataset;
    const row = element.closest("[role=row], li");
    const kind = element.className && element.className.baseVal === undefined ? `.${element.className.split(" ")[0]}` : "";
    if (row) return `${row.dataset.testid || row.className.split(" ")[0]} > ${tag}${testid ? `:${testid}` : kind}`;
    if (tag === "a" && !testid) return `a ${same(element.getAttribute("href"))}`;
    const said = element.getAttribute("aria-label") || element.name || element.id || element.innerText || element.closest("label")?.innerText || "";
    return `${tag}${testid ? `:${testid}` : `${kind} ${same(said.trim()).slice(0, 40)}`}`;
  };
  const dialogs = [...document.querySelectorAll("dialog[open], [role=dialog][aria-modal=true]")];
  const open = dialogs[dialogs.length - 1];
  const found = [];
  let number = 0;
  for (const element of document.querySelectorAll("body *")) {
    element.removeAttribute("data-drive");
    const acts = Object.entries(propsOf(element)).flatMap(([name, value]) => (value && ACTS.test(name) ? [name] : []));
    const plot = element.matches(".scope"); // has its own wheel listener
    if (!element.matches(NATIVE) && !acts.length && !plot) continue;
    if (element.matches("dialog, [role=grid]")) continue; // their keys and drops are tested separately
    const file = element.matches("input[type=file]");
    if (element.matches(":disabled, input[readonly]") || element.closest("[inert]")) continue;
    if (!file && !element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    if (element.getAttribute("aria-valuemax") === "0") continue; // the player bar without a sound
    const box = element.getBoundingClientRect();
    if (!file && (box.width < 2 || box.height < 2 || box.right < 0 || box.bottom + scrollY < 0)) continue;
    if (open && !open.contains(element) && !element.matches(".veil")) continue;
    element.setAttribute("data-drive", (number += 1));
    found.push({
      number,
      name: nameOf(element),
      tag: plot ? "plot" : element.tagName.toLowerCase(),
      type: element.type || "",
      field: element.name || element.id || element.dataset.testid || "",
      href: element.getAttribute("href") || "",
      text: (element.innerText || element.getAttribute("aria-label") || "").trim().toLowerCase(),
      folder: Boolean(element.webkitdirectory),
      double: acts.includes("onDoubleClick"),
      inDialog: Boolean(open),
    });
  }
  return found;
}
