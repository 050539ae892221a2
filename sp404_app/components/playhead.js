// The position of a pad while it plays, for what is drawn outside of React.

import { useLayoutEffect, useRef, useSyncExternalStore } from "react";
import * as engine from "../pad_engine/pad_engine.js";

// Calls `draw` with the frame at which a pad plays, once per frame of the screen, and with null when it
// does not play. A pad that does not play costs nothing.
export function usePlayhead(key, draw) {
  const isPlaying = useSyncExternalStore(engine.subscribe, () => engine.getSnapshot().playing.includes(key), () => false);
  const latest = useRef(draw);
  useLayoutEffect(() => {
    latest.current = draw;
  });
  // A layout effect: it ends when the elements are removed, before another frame is drawn into them.
  useLayoutEffect(() => {
    if (!isPlaying) {
      latest.current(null);
      return undefined;
    }
    let request;
    const follow = () => {
      latest.current(engine.padPosition(key));
      request = requestAnimationFrame(follow);
    };
    follow();
    return () => cancelAnimationFrame(request);
  }, [key, isPlaying]);
}
