// Keeps what it hears from "start" on, and counts the frames since its first sound.

class PadRecorder extends AudioWorkletProcessor {
  constructor() {
    super();
    this.blocks = null;
    this.heard = 0;
    this.port.onmessage = ({ data }) => {
      if (data === "start") {
        this.blocks = [];
        this.heard = 0;
      }
      this.port.postMessage(data === "stop" ? this.blocks : this.heard);
    };
  }
  process([input]) {
    if (!this.blocks || !input.length) return true;
    const [left, right] = [input[0], input[1] || input[0]];
    if (this.heard || left.some(Boolean) || right.some(Boolean)) {
      this.blocks.push([Float32Array.from(left), Float32Array.from(right)]);
      this.heard += left.length;
    }
    return true;
  }
}

registerProcessor("pad-recorder", PadRecorder);
