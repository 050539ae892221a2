// Sliders for the weights of a comparison. A change is sent once a slider has come to rest.

import { useEffect, useRef } from "react";
import { useLocalEdit } from "../pads/local_edit.js";

const PAUSE_MS = 250; // of keys, and of a slider that was let go
const FULL = 100;

export function LikenessSliders({ aspects, scope, weights, confirmed, onWeigh }) {
  const box = useRef(null);
  const { edit, shown } = useLocalEdit({ scope, saved: weights, confirmed, send: onWeigh });

  useEffect(() => {
    // React's onChange is the event `input`, which comes with each step of a drag.
    const onRest = () => edit.commitAfter(PAUSE_MS);
    const sliders = box.current;
    sliders.addEventListener("change", onRest);
    return () => sliders.removeEventListener("change", onRest);
  }, [edit]);

  const set = (index, value) => edit.preview(edit.read().map((each, place) => (place === index ? value : each)));
  const reset = () => {
    edit.preview(aspects.map(() => FULL));
    edit.commit();
    box.current.querySelector("input").focus(); // the button goes
  };
  return (
    <div ref={box} className="likeness-sliders" role="group" aria-label="Weights of the comparison">
      {aspects.map((aspect, index) => (
        <label key={aspect} className="likeness-slider">
          <span>{aspect}</span>
          <input type="range" min="0" max={FULL} step="5" value={shown[index]} aria-label={aspect} aria-valuetext={`${shown[index]} percent`} onChange={(event) => set(index, Number(event.target.value))} onBlur={edit.flush} data-testid={`weight-${aspect.toLowerCase()}`} />
          <span className="mono" aria-hidden="true">{shown[index]} %</span>
        </label>
      ))}
      {shown.some((each) => each !== FULL) && (
        <button type="button" className="chip" onClick={reset} data-testid="reset-weights">
          Reset
        </button>
      )}
    </div>
  );
}
