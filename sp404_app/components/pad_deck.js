// Connects the pads that the page shows with the player: which pads there are, and their audio.

import { useEffect, useRef } from "react";
import * as engine from "../pad_engine/pad_engine.js";
import * as keys from "../pad_engine/pad_keys.js";
import * as midi from "../pad_engine/pad_midi.js";

const OTHER_BANKS_DELAY_MS = 600;

// Pads of the visible bank, as the player takes them.
function playerPads(cells, defaults) {
  return cells
    .filter((cell) => cell.url)
    .map((cell) => ({
      key: cell.key,
      url: cell.url,
      hash: cell.hash,
      frames: cell.frames || null,
      channels: cell.channels,
      settings: { ...defaults, ...cell.settings },
    }));
}

async function fetchOtherPads(projectId, bank, defaults) {
  const answer = await fetch(`/api/projects/${projectId}`);
  if (!answer.ok) return [];
  const { pads } = await answer.json();
  return pads
    .filter((pad) => pad.bank !== bank && pad.sample_status !== "missing")
    .map((pad) => ({
      key: `${pad.bank}${pad.pad}`,
      url: `/api/projects/${projectId}/pads/${pad.bank}/${pad.pad}/audio`,
      hash: `${pad.bank}${pad.pad}-${pad.revision}`,
      frames: pad.frames,
      channels: 2,
      settings: { ...defaults, ...pad.settings },
    }));
}

// Opens the project in the player while the page shows it. A MIDI controller plays all banks, so their
// pads are read once it is in use.
// The key B plays the original of the chosen pad and its edited sound in turns.
export function useComparison(cell) {
  const isOriginal = useRef(false);
  useEffect(() => {
    isOriginal.current = false;
  }, [cell?.key, cell?.hash]);
  keys.setKeyboard({
    compare: () => {
      if (!cell?.sample_id) return;
      isOriginal.current = !isOriginal.current;
      if (isOriginal.current) engine.playOriginal(cell.key, `/api/samples/${cell.sample_id}/audio?format=play`);
      else engine.pressPad(cell.key);
    },
  });
}

export function useDeck({ head, bank, cells, defaults, isMidiOn }) {
  const others = useRef([]);
  const shown = useRef([]);
  const apply = () => engine.setPads([...shown.current, ...others.current.filter((pad) => !pad.key.startsWith(bank))]);

  useEffect(() => {
    if (!head.id) return undefined;
    others.current = [];
    engine.openProject({ id: head.id, rate: head.rate, voices: head.voices }).then(apply);
    return engine.closeProject;
  }, [head.id, head.rate, head.voices]);

  const content = JSON.stringify(cells.map(({ key, hash, settings, frames }) => [key, hash, settings, frames]));
  useEffect(() => {
    shown.current = playerPads(cells, defaults);
    keys.setKeyboard({ bank, padCount: head.pads_per_bank });
    apply();
    engine.setBank(bank);
  }, [content, bank, head.id]);

  useEffect(() => {
    if (!isMidiOn || !head.id) return undefined;
    const timer = setTimeout(async () => {
      others.current = await fetchOtherPads(head.id, bank, defaults).catch(() => []);
      apply();
    }, OTHER_BANKS_DELAY_MS);
    return () => clearTimeout(timer);
  }, [isMidiOn, head.id, head.revision, bank]);

  // The server has finished the render of a pad.
  const ready = cells.filter((cell) => cell.ready).map((cell) => cell.hash).join();
  const known = useRef(new Set());
  useEffect(() => {
    cells.forEach((cell) => {
      if (cell.ready && !known.current.has(cell.hash)) {
        known.current.add(cell.hash);
        engine.invalidate(cell.key);
      }
    });
  }, [ready]);
}

export const useKeyboard = () => useEffect(() => keys.listenToKeys(), []);
export { engine, keys, midi };
