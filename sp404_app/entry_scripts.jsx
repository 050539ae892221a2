// React Router's <Scripts> without the preloads of the modules that its scripts import. Loading and
// compiling all of them competes with the first paint; these are found a moment later. The entry, which
// is imported last, stays preloaded.

import { cloneElement } from "react";
import { Scripts } from "react-router";

export function EntryScripts() {
  const scripts = Scripts({});
  if (!scripts) return null; // after hydration
  return cloneElement(scripts, {}, ...scripts.props.children.filter((child) => !Array.isArray(child)));
}
