// The button that plays a list through: the next sound starts when one ends.

import { useSyncExternalStore } from "react";
import * as player from "../player/audio_player.js";

export function PlayThrough({ disabled = false, testId = "" }) {
  const { through } = useSyncExternalStore(player.subscribe, player.getSnapshot, player.getSnapshot);
  const label = through ? "Stop" : "Play all";
  return (
    <button type="button" className="button primary" disabled={disabled} aria-pressed={through} onClick={through ? player.stopThrough : player.playThrough} data-testid={testId}>
      <svg viewBox="0 0 24 24" width="14" height="14" aria-hidden="true">
        <path fill="currentColor" d={through ? "M6 6h12v12H6z" : "M7 4.5v15l12-7.5z"} />
      </svg>
      {label}
    </button>
  );
}
