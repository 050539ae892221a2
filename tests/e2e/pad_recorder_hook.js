// Puts a recorder behind everything that a page sends to its audio output; runs before its scripts.

(() => {
  const connect = AudioNode.prototype.connect;
  const recorders = [];

  async function addRecorder(node) {
    await node.context.audioWorklet.addModule("/pad_recorder.js");
    const recorder = new AudioWorkletNode(node.context, "pad-recorder", { outputChannelCount: [2] });
    connect.call(node, recorder);
    connect.call(recorder, node.context.destination); // it is silent, but processed only if it leads there
    return recorder;
  }

  AudioNode.prototype.connect = function (...args) {
    if (this instanceof AudioWorkletNode && args[0] === this.context.destination) recorders.push(addRecorder(this));
    return connect.apply(this, args);
  };

  async function tell(message) {
    const { port } = await recorders.at(-1);
    return new Promise((resolve) => {
      port.onmessage = ({ data }) => resolve(data);
      port.postMessage(message);
    });
  }

  window.padRecorder = {
    start: () => tell("start"),
    heard: () => tell("count"),
    // Returns what was recorded as interleaved 16-bit samples.
    async stop() {
      const blocks = await tell("stop");
      return blocks.flatMap(([left, right]) => Array.from(left, (value, n) => [Math.round(value * 32768), Math.round(right[n] * 32768)]).flat());
    },
  };
})();
