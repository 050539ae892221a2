// Prints every undefined name in the sources of a built web folder, using the parser that the build
// has installed: `node undefined_names.mjs <web folder>`.

import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join, relative } from "node:path";

const web = process.argv[2];
const load = createRequire(join(web, "package.json"));
const { parse } = load("@babel/parser");
const traverse = load("@babel/traverse").default;

// Names defined by the browser or the language.
const KNOWN = new Set(
  `AbortController AbortSignal Array Audio AudioBufferSourceNode AudioContext AudioWorkletNode AudioWorkletProcessor BigInt Blob Boolean Cookies
  CustomEvent DOMException DataTransfer DataView Date Element Error Event EventTarget File FileReader Float32Array Float64Array FormData GainNode
  Infinity Int16Array IntersectionObserver Intl JSON KeyboardEvent Map Math MessageChannel MediaRecorder MutationObserver NaN Number Object Promise
  Proxy RegExp ResizeObserver Set String Symbol TextDecoder TextEncoder TypeError URL URLSearchParams Uint8Array WeakMap WeakSet WebAssembly Worker
  XMLHttpRequest atob btoa caches cancelAnimationFrame clearInterval clearTimeout console crypto currentFrame
  decodeURIComponent document encodeURIComponent eval fetch getComputedStyle globalThis indexedDB isNaN localStorage location
  matchMedia navigator parseFloat parseInt performance process queueMicrotask registerProcessor self
  requestAnimationFrame sampleRate sessionStorage setInterval setTimeout structuredClone undefined window`.split(/\s+/),
);

function* sources(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* sources(path);
    else if (/\.m?jsx?$/.test(entry.name)) yield path;
  }
}

let files = 0;
for (const part of ["app", "app_components", "components", "utils", "public/external"]) {
  for (const path of sources(join(web, part))) {
    files += 1;
    const tree = parse(readFileSync(path, "utf8"), { sourceType: "module", plugins: ["jsx"] });
    traverse(tree, {
      Program({ scope }) {
        for (const [name, node] of Object.entries(scope.globals)) {
          if (!KNOWN.has(name)) console.log(`${relative(web, path)}:${node.loc.start.line}: ${name}`);
        }
        scope.path.stop();
      },
    });
  }
}
console.error(`${files} files`);
