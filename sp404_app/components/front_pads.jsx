// Pads on the landing page. A loop plays until its pad is pressed again. Sounds are loaded when
// somebody reaches for the pads, so that the page itself stays small.

import { useEffect, useRef, useState } from "react";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const HEIGHT = 64;
const FADE_S = 0.008; // a sound that ends at once would click

// The outline of a waveform, mirrored at its middle line.
function outline(wave) {
  const tops = [...wave].map((letter) => ALPHABET.indexOf(letter) / 2);
  const middle = HEIGHT / 2;
  const upper = tops.map((top, at) => `${at},${middle - top}`);
  const lower = tops.map((top, at) => `${at},${middle + top + 0.5}`).reverse();
  return `M${[...upper, ...lower].join("L")}Z`;
}

class Sounds {
  constructor() {
    this.context = null;
    this.files = new Map();
    this.buffers = new Map();
    this.voices = new Map();
  }

  load(file) {
    if (!this.files.has(file)) {
      const loaded = fetch(`/sounds/${file}.mp3`).then((answer) => (answer.ok ? answer.arrayBuffer() : Promise.reject(new Error(answer.status))));
      loaded.catch(() => this.files.delete(file)); // the next press tries again
      this.files.set(file, loaded);
    }
    return this.files.get(file);
  }

  async buffer(file) {
    if (!this.buffers.has(file)) this.buffers.set(file, await this.context.decodeAudioData((await this.load(file)).slice(0)));
    return this.buffers.get(file);
  }

  async play({ file, loops, seconds }, onEnd) {
    this.context ??= new AudioContext({ latencyHint: "interactive" });
    this.context.resume();
    const buffer = await this.buffer(file);
    this.stop(file);
    const source = new AudioBufferSourceNode(this.context, { buffer, loop: loops, loopEnd: seconds });
    const gain = new GainNode(this.context, { gain: 0.7 });
    source.connect(gain).connect(this.context.destination);
    source.onended = () => this.voices.get(file)?.source === source && this.voices.delete(file) && onEnd();
    this.voices.set(file, { source, gain });
    source.start();
  }

  stop(file) {
    const voice = this.voices.get(file);
    if (!voice) return;
    this.voices.delete(file);
    const end = this.context.currentTime + FADE_S;
    voice.gain.gain.setTargetAtTime(0, this.context.currentTime, FADE_S / 4);
    voice.source.stop(end);
  }

  close() {
    this.voices.clear();
    this.context?.close();
    this.context = null;
  }
}

const takesKeys = ({ target, ctrlKey, metaKey, altKey, repeat }) => !ctrlKey && !metaKey && !altKey && !repeat && !target.closest?.("input, textarea, select");

export function FrontPads({ pads }) {
  const sounds = useRef(null);
  const [lit, setLit] = useState(() => new Set());
  const [problem, setProblem] = useState("");
  const pointer = useRef(""); // a mouse plays as it is pressed; a finger may be about to scroll
  const light = (file, on) => setLit((before) => new Set(on ? [...before, file] : [...before].filter((each) => each !== file)));

  const press = (pad) => {
    sounds.current ??= new Sounds();
    setProblem("");
    if (pad.loops && sounds.current.voices.has(pad.file)) {
      sounds.current.stop(pad.file);
      light(pad.file, false);
      return;
    }
    light(pad.file, true);
    sounds.current.play(pad, () => light(pad.file, false)).catch(() => {
      light(pad.file, false);
      setProblem("The sounds can’t be played right now.");
    });
  };
  const onPointerDown = (event, pad) => {
    pointer.current = event.pointerType;
    if (event.pointerType === "mouse" && event.button === 0) press(pad);
  };
  // Keys and assistive technology click without a pointer.
  const onClick = (event, pad) => {
    if (event.detail === 0 || pointer.current !== "mouse") press(pad);
  };
  const prepare = () => {
    sounds.current ??= new Sounds();
    pads.forEach(({ file }) => sounds.current.load(file).catch(() => {}));
  };

  useEffect(() => {
    const onKeyDown = (event) => {
      const pad = pads[Number(event.key) - 1];
      if (pad && takesKeys(event)) press(pad);
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, [pads]);
  useEffect(() => () => sounds.current?.close(), []);

  return (
    <div className="front-pads" onPointerEnter={prepare} onFocus={prepare} data-testid="front-pads">
      {pads.map((pad, index) => (
        <button key={pad.file} type="button" className={lit.has(pad.file) ? "front-pad lit" : "front-pad"} aria-pressed={lit.has(pad.file)} onPointerDown={(event) => onPointerDown(event, pad)} onClick={(event) => onClick(event, pad)} data-testid={`front-pad-${index + 1}`}>
          <kbd>{index + 1}</kbd>
          <svg viewBox={`0 0 ${pad.wave.length - 1} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
            <path d={outline(pad.wave)} />
          </svg>
          <span>{pad.name}</span>
        </button>
      ))}
      <p className="front-problem" role="status">
        {problem}
      </p>
    </div>
  );
}
