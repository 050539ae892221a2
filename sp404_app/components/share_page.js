// The script of a public page: it reads what the page shows and starts its player. It runs without
// React, as an ES module that the server sends as it is.

const data = JSON.parse(document.getElementById("share-data").textContent);

const player = data.kind === "project" ? import("./share_pads.js") : import("./share_sounds.js");
player.then(({ start }) => start(data)).catch(() => showStatus("Playing didn’t start. Reload the page."));

export function showStatus(text) {
  const status = document.getElementById("share-status");
  status.textContent = text;
  status.hidden = !text;
}

const counted = new Set();

// Reports a play, each sound once a visit.
export function countPlay(name) {
  if (counted.has(name)) return;
  counted.add(name);
  fetch(data.playsUrl, { method: "POST", keepalive: true }).catch(() => counted.delete(name));
}
