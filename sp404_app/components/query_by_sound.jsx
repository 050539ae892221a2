// Query by sound: sends a file or a recording of up to ten seconds, and receives similar samples.
// Neither the browser nor the server keeps the audio after the dialog is closed.

import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";

const MAX_RECORDING_S = 10;
const MAX_FILE_BYTES = 20 * 2 ** 20; // the server has the same limit
const ACCEPTED_TYPES = "audio/*,.wav,.aif,.aiff,.aifc,.smp,.flac,.ogg,.opus,.mp3,.m4a,.webm";
const RAW_AUDIO = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
const MICROPHONE_DENIED = "Microphone access is blocked. Allow it in your browser’s settings, or choose a file.";
const NO_MICROPHONE = "No microphone found. Choose a file instead.";
const RECORDING_UNSUPPORTED = "This browser can’t record audio. Choose a file instead.";
const CONNECTION_LOST = "Connection lost. Try again.";
const IDLE = { phase: "idle", share: 0, message: "" };

const failed = (message) => ({ phase: "failed", share: 0, message });

function recordingError(error) {
  if (error.name === "NotAllowedError" || error.name === "SecurityError") return MICROPHONE_DENIED;
  return error.name === "NotFoundError" ? NO_MICROPHONE : RECORDING_UNSUPPORTED;
}

// Sends a file as the query; returns a function that cancels the request.
function sendQuery(file, aspect, setProgress, onFound) {
  const request = new XMLHttpRequest();
  const body = new FormData();
  body.append("file", file, file.name || "recording");
  const analysing = { phase: "busy", share: 1, message: "Analysing…" };
  request.upload.onprogress = ({ loaded, total }) => setProgress(loaded < total ? { phase: "busy", share: loaded / total, message: `Sending… ${Math.round((100 * loaded) / total)} %` } : analysing);
  request.upload.onload = () => setProgress(analysing);
  request.onerror = () => setProgress(failed(CONNECTION_LOST));
  request.onload = () => {
    const answer = request.response || {};
    if (request.status !== 200) return setProgress(failed(answer.error || `Server error ${request.status}.`));
    setProgress({ phase: "done", share: 1, message: file.name ? `Compared with ${file.name}` : "Compared with your recording" });
    return onFound({ samples: answer.samples.map(({ sample, distance }) => ({ id: sample.id, distance })), heard: answer.heard });
  };
  request.open("POST", `/api/samples/similar?aspect=${encodeURIComponent(aspect)}`);
  request.responseType = "json";
  setProgress({ phase: "busy", share: 0, message: "Sending…" });
  request.send(body);
  return () => request.abort();
}

// Records until `stop` is called or the time is up; reports the elapsed seconds.
async function record(onSeconds) {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: RAW_AUDIO });
  const recorder = new MediaRecorder(stream);
  const parts = [];
  recorder.ondataavailable = (event) => parts.push(event.data);
  const began = performance.now();
  const timer = setInterval(() => {
    const seconds = (performance.now() - began) / 1000;
    if (seconds >= MAX_RECORDING_S) recorder.stop();
    else onSeconds(seconds);
  }, 100);
  const recorded = new Promise((resolve) => {
    recorder.onstop = () => {
      clearInterval(timer);
      stream.getTracks().forEach((track) => track.stop());
      resolve(new Blob(parts, { type: recorder.mimeType }));
    };
  });
  recorder.start();
  onSeconds(0);
  return { recorded, stop: () => recorder.state !== "inactive" && recorder.stop() };
}

function useQueryBySound(aspect, onFound) {
  const [progress, setProgress] = useState(IDLE);
  const [file, setFile] = useState(null);
  const recording = useRef(null);
  const mounted = useRef(true);

  useEffect(() => {
    mounted.current = true;
    return () => {
      mounted.current = false;
      if (recording.current) recording.current.stop();
    };
  }, []);
  // A new file or aspect cancels the request in flight.
  useEffect(() => (file ? sendQuery(file, aspect, setProgress, onFound) : undefined), [file, aspect]);

  const take = useCallback((chosen) => {
    if (!chosen) return;
    if (chosen.size > MAX_FILE_BYTES) setProgress(failed(`This file is larger than ${MAX_FILE_BYTES / 2 ** 20} MB. Trim it to the part you need.`));
    else setFile(chosen);
  }, []);

  const toggle = useCallback(async () => {
    if (recording.current) return recording.current.stop();
    if (!navigator.mediaDevices || !window.MediaRecorder) return setProgress(failed(RECORDING_UNSUPPORTED));
    setFile(null);
    setProgress({ phase: "asking", share: 0, message: "Waiting for the microphone…" });
    try {
      recording.current = await record((seconds) => setProgress({ phase: "recording", share: seconds / MAX_RECORDING_S, message: `Recording ${seconds.toFixed(1)} of ${MAX_RECORDING_S} s` }));
    } catch (error) {
      return setProgress(failed(recordingError(error)));
    }
    if (!mounted.current) recording.current.stop(); // the dialog was closed during the permission prompt
    const sound = await recording.current.recorded;
    recording.current = null;
    if (mounted.current) take(sound);
    return undefined;
  }, [take]);

  return { progress, take, toggle };
}

export function QueryBySoundDialog({ aspect, onFound, onClose, children }) {
  const dialog = useRef(null);
  const input = useRef(null);
  const [isDragOver, setDragOver] = useState(false);
  const { progress, take, toggle } = useQueryBySound(aspect, onFound);
  const { phase, share, message } = progress;
  const recording = phase === "recording";

  useLayoutEffect(() => {
    const box = dialog.current;
    const opener = document.activeElement;
    box.showModal();
    return () => {
      box.close();
      opener.focus();
    };
  }, []);

  const drop = (event) => {
    event.preventDefault();
    setDragOver(false);
    take(event.dataTransfer.files[0]);
  };
  return (
    <dialog
      ref={dialog}
      className={`finder ${isDragOver ? "over" : ""}`}
      aria-labelledby="finder-title"
      data-takes-drops=""
      data-phase={phase}
      data-testid="finder"
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => event.target === dialog.current && onClose()}
      onDragOver={(event) => {
        event.preventDefault();
        setDragOver(true);
      }}
      onDragLeave={(event) => dialog.current.contains(event.relatedTarget) || setDragOver(false)}
      onDrop={drop}
    >
      <header className="finder-head">
        <h2 id="finder-title">Find by sound</h2>
        <button type="button" className="icon-button" aria-label="Close" data-testid="finder-close" onClick={() => onClose()}>
          ×
        </button>
      </header>
      <p className="muted">Hum, tap or drop a file to find similar sounds in your library. Your recording isn’t saved.</p>
      <div className="finder-ways">
        <button type="button" className={`button ${recording ? "danger" : "primary"}`} disabled={phase === "asking"} data-testid="finder-record" onClick={toggle}>
          <span className={recording ? "finder-dot on" : "finder-dot"} aria-hidden="true" />
          {recording ? "Stop and compare" : `Record up to ${MAX_RECORDING_S} s`}
        </button>
        <button type="button" className="button" disabled={recording} onClick={() => input.current.click()}>
          Choose a file
        </button>
        <span className="muted finder-drop">or drop one here</span>
        <input
          ref={input}
          type="file"
          hidden
          accept={ACCEPTED_TYPES}
          data-testid="finder-file"
          onChange={(event) => {
            take(event.target.files[0]);
            event.target.value = "";
          }}
        />
      </div>
      <div className="finder-progress" data-phase={phase} data-testid="finder-progress">
        {["recording", "busy"].includes(phase) && (
          <span className="bar">
            <span className={phase === "busy" && share === 1 ? "waiting" : ""} style={{ width: `${100 * share}%` }} />
          </span>
        )}
        <p role={phase === "failed" ? "alert" : "status"} className={phase === "failed" ? "field-error" : "muted"}>
          {message}
        </p>
      </div>
      {children}
    </dialog>
  );
}
