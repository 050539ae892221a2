// Find by sound: a file or ten seconds from the microphone go out and come back as neighbours.
// Nothing of them is kept, here or there, once the dialog is closed.

import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";

const LONGEST = 10; // seconds of a recording
const LARGEST = 20 * 2 ** 20; // bytes; the server says so too
const KINDS = "audio/*,.wav,.aif,.aiff,.aifc,.flac,.ogg,.opus,.mp3,.m4a,.webm";
const PLAIN = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
const DENIED = "The microphone is closed to this page. Allow it in the browser’s settings, or choose a file.";
const MISSING = "There is no microphone here. Choose a file instead.";
const UNABLE = "This browser cannot record here. Choose a file instead.";
const LOST = "The connection was lost. Please try again.";
const IDLE = { phase: "idle", share: 0, words: "" };

const failed = (words) => ({ phase: "failed", share: 0, words });

function whyNot(error) {
  if (error.name === "NotAllowedError" || error.name === "SecurityError") return DENIED;
  return error.name === "NotFoundError" ? MISSING : UNABLE;
}

// Sends one file; returns what stops it.
function ask(file, aspect, show, onFound) {
  const request = new XMLHttpRequest();
  const body = new FormData();
  body.append("file", file, file.name || "recording");
  const listening = { phase: "busy", share: 1, words: "Listening …" };
  request.upload.onprogress = ({ loaded, total }) => show(loaded < total ? { phase: "busy", share: loaded / total, words: `Sending … ${Math.round((100 * loaded) / total)} %` } : listening);
  request.upload.onload = () => show(listening);
  request.onerror = () => show(failed(LOST));
  request.onload = () => {
    const answer = request.response || {};
    if (request.status !== 200) return show(failed(answer.error || `The server answered ${request.status}.`));
    show({ phase: "done", share: 1, words: file.name ? `Compared with ${file.name}` : "Compared with your recording" });
    return onFound({ samples: answer.samples.map(({ sample, distance }) => ({ id: sample.id, distance })), heard: answer.heard });
  };
  request.open("POST", `/api/samples/similar?aspect=${encodeURIComponent(aspect)}`);
  request.responseType = "json";
  show({ phase: "busy", share: 0, words: "Sending …" });
  request.send(body);
  return () => request.abort();
}

// Records until it is told to end or ten seconds are over; `tell` hears how far it is.
async function record(tell) {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: PLAIN });
  const recorder = new MediaRecorder(stream);
  const parts = [];
  recorder.ondataavailable = (event) => parts.push(event.data);
  const began = performance.now();
  const timer = setInterval(() => {
    const seconds = (performance.now() - began) / 1000;
    if (seconds >= LONGEST) recorder.stop();
    else tell(seconds);
  }, 100);
  const recorded = new Promise((resolve) => {
    recorder.onstop = () => {
      clearInterval(timer);
      stream.getTracks().forEach((track) => track.stop());
      resolve(new Blob(parts, { type: recorder.mimeType }));
    };
  });
  recorder.start();
  tell(0);
  return { recorded, stop: () => recorder.state !== "inactive" && recorder.stop() };
}

function useFinder(aspect, onFound) {
  const [progress, setProgress] = useState(IDLE);
  const [file, setFile] = useState(null);
  const recording = useRef(null);
  const here = useRef(true);

  useEffect(() => {
    here.current = true;
    return () => {
      here.current = false;
      if (recording.current) recording.current.stop();
    };
  }, []);
  // Another file or another aspect: what is under way is dropped.
  useEffect(() => (file ? ask(file, aspect, setProgress, onFound) : undefined), [file, aspect]);

  const take = useCallback((chosen) => {
    if (!chosen) return;
    if (chosen.size > LARGEST) setProgress(failed(`This file is larger than ${LARGEST / 2 ** 20} MB. Cut out the part you mean.`));
    else setFile(chosen);
  }, []);

  const toggle = useCallback(async () => {
    if (recording.current) return recording.current.stop();
    if (!navigator.mediaDevices || !window.MediaRecorder) return setProgress(failed(UNABLE));
    setFile(null);
    setProgress({ phase: "asking", share: 0, words: "Waiting for the microphone …" });
    try {
      recording.current = await record((seconds) => setProgress({ phase: "recording", share: seconds / LONGEST, words: `Recording ${seconds.toFixed(1)} of ${LONGEST} s` }));
    } catch (error) {
      return setProgress(failed(whyNot(error)));
    }
    if (!here.current) recording.current.stop(); // closed while the browser was asking
    const sound = await recording.current.recorded;
    recording.current = null;
    if (here.current) take(sound);
    return undefined;
  }, [take]);

  return { progress, take, toggle };
}

function Dialog({ aspect, onFound, onClose, children }) {
  const dialog = useRef(null);
  const input = useRef(null);
  const [over, setOver] = useState(false);
  const { progress, take, toggle } = useFinder(aspect, onFound);
  const { phase, share, words } = progress;
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
    setOver(false);
    take(event.dataTransfer.files[0]);
  };
  return (
    <dialog
      ref={dialog}
      className={`finder ${over ? "over" : ""}`}
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
        setOver(true);
      }}
      onDragLeave={(event) => dialog.current.contains(event.relatedTarget) || setOver(false)}
      onDrop={drop}
    >
      <header className="finder-head">
        <h2 id="finder-title">Find by sound</h2>
        <button type="button" className="icon-button" aria-label="Close" data-testid="finder-close" onClick={() => onClose()}>
          ×
        </button>
      </header>
      <p className="muted">Hum it, tap it or drop a file: you see what in your library is like it. The sound is only compared, it is not kept.</p>
      <div className="finder-ways">
        <button type="button" className={`button ${recording ? "danger" : "primary"}`} disabled={phase === "asking"} data-testid="finder-record" onClick={toggle}>
          <span className={recording ? "finder-dot on" : "finder-dot"} aria-hidden="true" />
          {recording ? "Stop and compare" : `Record up to ${LONGEST} s`}
        </button>
        <button type="button" className="button" disabled={recording} onClick={() => input.current.click()}>
          Choose a file
        </button>
        <span className="muted finder-drop">or drop one here</span>
        <input
          ref={input}
          type="file"
          hidden
          accept={KINDS}
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
          {words}
        </p>
      </div>
      {children}
    </dialog>
  );
}

export const SoundFinder = ({ open, ...rest }) => (open ? <Dialog {...rest} /> : null);
