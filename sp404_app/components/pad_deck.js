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
      revision: cell.revision,
      url: cell.url,
      hash: cell.hash,
      frames: cell.frames || null,
      channels: cell.channels,
      settings: { ...defaults, ...cell.settings },
    }));
}

async function fetchOtherPads(projectId, bank, defaults) {
  const answer = await fetch(`/api/projects/${projectId}`);
  if (!answer.ok) return null;
  const { pads } = await answer.json();
  return pads
    .filter((pad) => pad.bank !== bank && pad.audio_version)
    .map((pad) => ({
      key: `${pad.bank}${pad.pad}`,
      revision: pad.revision,
      url: `/api/projects/${projectId}/pads/${pad.bank}/${pad.pad}/audio?v=${pad.audio_version}`,
      hash: pad.audio_version,
      frames: pad.frames,
      channels: 2,
      settings: { ...defaults, ...pad.settings },
    }));
}

// Returns the pads of the other banks as they are now. A pad that was shown and has not changed stays
// the same, so that its audio is not loaded again and its sound goes on.
const keepShown = (fetched, shown) =>
  fetched.map((pad) => shown.find(({ key, revision }) => key === pad.key && revision === pad.revision) || pad);

// The key B plays the original of the chosen pad and its edited sound in turns; it stops a loop.
export function useComparison(cell, defaults) {
  const isOriginal = useRef(false);
  const isLooping = useRef(false); // started by this key
  useEffect(() => {
    isOriginal.current = false;
  }, [cell?.key, cell?.hash]);
  keys.setKeyboard({
    compare: () => {
      if (!cell?.sample_id) return;
      if (!isOriginal.current && cell.settings.loop && isLooping.current && engine.getSnapshot().playing.includes(cell.key)) {
        isLooping.current = false; // nobody holds the pad that this key started
        if (cell.settings.gate ?? defaults.gate) engine.releasePad(cell.key);
        else engine.pressPad(cell.key);
        return;
      }
      isOriginal.current = !isOriginal.current;
      if (isOriginal.current) engine.playOriginal(cell.key, `/api/samples/${cell.sample_id}/audio?format=play`);
      else engine.pressPad(cell.key);
      isLooping.current = !isOriginal.current;
    },
  });
}

// Opens the project in the player while the page shows it. Pads of banks that were shown before stay in
// it: a loop goes on while another bank is played over it. A MIDI controller and a pattern play all
// banks, so their pads are read once one is in use.
export function useDeck({ head, bank, cells, defaults, needsAllBanks }) {
  const others = useRef([]);
  const shown = useRef({ bank, pads: [] });
  const banksSeen = useRef(new Set());
  const apply = () => engine.setPads([...shown.current.pads, ...others.current.filter((pad) => !pad.key.startsWith(shown.current.bank))]);

  useEffect(() => {
    if (!head.id) return undefined;
    others.current = [];
    shown.current = { bank, pads: [] };
    banksSeen.current = new Set([bank]);
    engine.openProject({ id: head.id, rate: head.rate, voices: head.voices }).then(apply);
    return engine.closeProject;
  }, [head.id, head.rate, head.voices]);

  const content = JSON.stringify(cells.map(({ key, hash, settings, frames }) => [key, hash, settings, frames]));
  useEffect(() => {
    const { bank: former, pads } = shown.current;
    if (former !== bank) others.current = [...others.current.filter(({ key }) => !key.startsWith(former)), ...pads];
    shown.current = { bank, pads: playerPads(cells, defaults) };
    banksSeen.current.add(bank);
    keys.setKeyboard({ bank, padCount: head.pads_per_bank });
    apply();
    engine.setBank(bank);
  }, [content, bank, head.id]);

  useEffect(() => {
    if (!head.id) return undefined;
    const isWanted = ({ key }) => needsAllBanks || banksSeen.current.has(key[0]);
    let isOld = false;
    const timer = setTimeout(async () => {
      if (!needsAllBanks && banksSeen.current.size < 2) return;
      const fetched = await fetchOtherPads(head.id, bank, defaults).catch(() => null);
      if (isOld || !fetched) return;
      others.current = keepShown(fetched.filter(isWanted), others.current);
      apply();
    }, OTHER_BANKS_DELAY_MS);
    return () => {
      isOld = true;
      clearTimeout(timer);
    };
  }, [needsAllBanks, head.id, head.revision, bank]);

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
