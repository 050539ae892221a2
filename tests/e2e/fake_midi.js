// A MIDI controller for tests; runs before the page's scripts.

(() => {
  const input = new EventTarget();
  Object.assign(input, { name: "Sixteen pads", state: "connected", onmidimessage: null });
  const access = Object.assign(new EventTarget(), { inputs: new Map([["1", input]]), outputs: new Map(), onstatechange: null });
  Navigator.prototype.requestMIDIAccess = async () => access;
  window.sendMidi = (bytes) => {
    const event = Object.assign(new Event("midimessage"), { data: new Uint8Array(bytes) });
    input.onmidimessage?.(event);
  };
})();
