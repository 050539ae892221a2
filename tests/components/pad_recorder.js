// Keeps what it hears.

class PadRecorder extends AudioWorkletProcessor {
  constructor() {
    super();
    this.blocks = null;
    this.port.onmessage = ({ data }) => {
      if (data === "start") this.blocks = [];
      this.port.postMessage({ blocks: this.blocks, firstFrame: this.firstFrame });
    };
  }
  process([input]) {
    if (!this.blocks || !input.length) return true;
    if (!this.blocks.length) this.firstFrame = currentFrame;
    this.blocks.push([Float32Array.from(input[0]), Float32Array.from(input[1] || input[0])]);
    return true;
  }
}

registerProcessor("pad-recorder", PadRecorder);
