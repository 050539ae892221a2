// Messages from pages to the service worker.

// Resolves when the worker has done what the message asks for.
export function tell(worker, message) {
  const { port1, port2 } = new MessageChannel();
  const done = new Promise((resolve) => {
    port1.onmessage = resolve;
  });
  worker.postMessage(message, [port2]);
  return done;
}
