// Steps through the sounds that are similar to a pad's, and plays each.

import { useEffect, useRef } from "react";
import { engine } from "./pad_deck.js";

export function SimilarSwap({ padKey, sampleId, place, onStep }) {
  const awaited = useRef(false); // the next sample is the answer to a step
  useEffect(() => {
    if (awaited.current && sampleId) engine.playOriginal(padKey, `/api/samples/${sampleId}/audio?format=play`);
    awaited.current = false;
  }, [sampleId]);
  const step = (by) => {
    awaited.current = true;
    onStep(by);
  };
  const onKey = (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    step(by);
  };
  return (
    <span className="similar-swap" role="group" aria-label="Similar sounds" title="Swap for a similar sound (← →)" onKeyDown={onKey}>
      <button type="button" className="segment" aria-label="Previous similar sound" onClick={() => step(-1)} data-testid="similar-previous">
        ‹
      </button>
      <span className="similar-text" role="status">
        Similar{place && <span className="mono"> {place}</span>}
      </span>
      <button type="button" className="segment" aria-label="Next similar sound" onClick={() => step(1)} data-testid="similar-next">
        ›
      </button>
    </span>
  );
}
