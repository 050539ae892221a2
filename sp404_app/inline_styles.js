// Takes the place of "@emotion/react", which the compiled pages import for their `css` property: what our pages
// give is plain, so it is React's `style`.

import { createElement } from "react";

// Selectors and media queries inside of a style are for style sheets.
const isPlain = ([, value]) => value === null || typeof value !== "object";

export function jsx(type, props, ...children) {
  if (!props?.css) return createElement(type, props, ...children);
  const { css, style, ...rest } = props;
  return createElement(type, { ...rest, style: { ...Object.fromEntries(Object.entries(css).filter(isPlain)), ...style } }, ...children);
}

// Reflex's own sign of a lost connection pulses; ours is a banner.
export const keyframes = () => "none";
