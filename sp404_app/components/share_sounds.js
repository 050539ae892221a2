// Plays the sounds of a public page, one at a time: play, stop, and seek in the waveform.

import { countPlay, showStatus } from "./share_page.js";

const SEEK_STEPS = { ArrowLeft: -0.05, ArrowDown: -0.05, ArrowRight: 0.05, ArrowUp: 0.05 }; // of the length
const audio = new Audio();
audio.preload = "none";
let current = null; // {element, url, seconds}

const clock = (seconds) => {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
};

const lengthOf = (sound) => (Number.isFinite(audio.duration) && audio.duration) || sound.seconds || 0;

function show(sound, { playing, part }) {
  const { element } = sound;
  const button = element.querySelector("[data-play]");
  element.classList.toggle("playing", playing);
  element.style.setProperty("--played", `${part * 100}%`);
  button.setAttribute("aria-pressed", String(playing));
  const slider = element.querySelector("[role=slider]");
  const text = clock(part * sound.seconds);
  slider?.setAttribute("aria-valuenow", String(Math.round(part * 100)));
  slider?.setAttribute("aria-valuetext", text);
  const elapsed = element.querySelector("[data-elapsed]");
  if (elapsed) elapsed.textContent = text;
}

function update() {
  if (!current) return;
  const length = lengthOf(current);
  show(current, { playing: !audio.paused, part: length ? Math.min(1, audio.currentTime / length) : 0 });
  if (!audio.paused) requestAnimationFrame(update);
}

function choose(sound) {
  if (current === sound) return;
  if (current) show(current, { playing: false, part: 0 });
  current = sound;
  audio.src = sound.url;
}

async function play(sound) {
  choose(sound);
  showStatus("");
  try {
    await audio.play();
    countPlay(sound.url);
  } catch (error) {
    if (error.name !== "AbortError") showStatus("This sound can’t be played. Reload the page.");
  }
}

function toggle(sound) {
  if (current === sound && !audio.paused) audio.pause();
  else play(sound);
}

function seek(sound, part) {
  const wanted = Math.max(0, Math.min(part, 1));
  choose(sound);
  const apply = () => {
    audio.currentTime = wanted * lengthOf(sound);
    update();
  };
  if (audio.readyState > 0) apply();
  else audio.addEventListener("loadedmetadata", apply, { once: true });
  if (audio.paused) play(sound);
}

function listen(sound) {
  sound.element.querySelector("[data-play]").addEventListener("click", () => toggle(sound));
  const slider = sound.element.querySelector("[role=slider]");
  slider?.addEventListener("click", (event) => {
    const { left, width } = slider.getBoundingClientRect();
    seek(sound, (event.clientX - left) / width);
  });
  slider?.addEventListener("keydown", (event) => {
    const step = SEEK_STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    const length = lengthOf(sound);
    const part = current === sound && length ? audio.currentTime / length : 0;
    seek(sound, part + step);
  });
}

export function start({ sounds }) {
  for (const sound of sounds) {
    const element = document.querySelector(`[data-sound="${sound.number}"]`);
    if (element) listen({ ...sound, element });
  }
  for (const name of ["play", "pause", "ended"]) audio.addEventListener(name, update);
  document.body.dataset.ready = "true";
}
