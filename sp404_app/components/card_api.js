// The server's part in reading and writing cards. Each call answers JSON, or throws an `ApiError`.

const RETRY_PAUSES_MS = [1000, 3000, 8000, 20000];
const POLL_MS = 700;
const OFFLINE = "Connection lost.";
const ENDED = ["done", "failed", "cancelled"];
const UNREAD = ["failed", "cancelled"]; // an import whose job ended so keeps its files

export class ApiError extends Error {
  constructor(message, { status = 0, code = "", details = {}, waitMs = 0 } = {}) {
    super(message);
    Object.assign(this, { name: "ApiError", status, code, details, waitMs });
  }
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const encodePath = (path) => path.split("/").map(encodeURIComponent).join("/");

function errorOf(status, answer, retryAfter) {
  const waitMs = Number(retryAfter) * 1000 || 0;
  return new ApiError((answer && answer.error) || `Server error ${status}.`, { status, code: answer?.code, details: answer?.details, waitMs });
}

const errorOfResponse = async (response) => errorOf(response.status, await response.json().catch(() => null), response.headers.get("Retry-After"));

async function call(method, path, body, headers = {}) {
  const options = { method, headers: body === undefined ? headers : { "Content-Type": "application/json", ...headers }, body: body === undefined ? undefined : JSON.stringify(body) };
  let response;
  try {
    response = await fetch(`/api${path}`, options);
  } catch {
    throw new ApiError(OFFLINE);
  }
  if (!response.ok) throw await errorOfResponse(response);
  return response.json().catch(() => null);
}

const isTemporary = ({ name, status }) => name === "ApiError" && (status === 0 || status === 429 || status >= 500);

// Tries again after temporary errors, with growing pauses. A rate limit is no failure: it is waited for.
export async function persist(act, isCancelled = () => false) {
  for (let failures = 0; ; ) {
    try {
      return await act();
    } catch (error) {
      const isLimited = error.status === 429;
      if (!isTemporary(error) || isCancelled() || failures >= RETRY_PAUSES_MS.length) throw error;
      await pause(Math.max(error.waitMs, RETRY_PAUSES_MS[failures]));
      failures += isLimited ? 0 : 1;
    }
  }
}

// Exports.

export const getManifest = (exportId) => call("GET", `/exports/${exportId}/manifest`);

// Returns a file of an export as a Blob.
export async function getExportFile(exportId, path) {
  return persist(async () => {
    let response;
    try {
      response = await fetch(`/api/exports/${exportId}/files/${encodePath(path)}`);
      if (response.ok) return await response.blob();
    } catch {
      throw new ApiError(OFFLINE);
    }
    throw await errorOfResponse(response);
  });
}

// Imports. Files are `{path, bytes, sha256}`.

export const createImport = (kind) => call("POST", "/imports", kind ? { kind } : {});
export const getImport = (importId) => call("GET", `/imports/${importId}`);

// Returns an import of an earlier visit that goes on: `{files}`, or `{job}` that reads it now. Null if it
// was read or deleted.
export async function findOpenImport(importId) {
  try {
    const { files, job_id: jobId } = await getImport(importId);
    const job = jobId ? await getJob(jobId) : null;
    if (job && !ENDED.includes(job.status)) return { job };
    return !job || UNREAD.includes(job.status) ? { files } : null;
  } catch (error) {
    if (error.status === 404) return null;
    throw error;
  }
}

export const planImport = (importId, body) => call("POST", `/imports/${importId}/plan`, body); // {files, folders?}
export const listFiles = (importId, files) => call("POST", `/imports/${importId}/listing`, { files });
export const finishImport = (importId, body) => call("POST", `/imports/${importId}/finish`, body);
export const compare = (projectId, body) => call("POST", `/projects/${projectId}/compare`, body);
export const recordCard = (projectId, files) => call("PUT", `/projects/${projectId}/card`, { files });

// Sends a file; `onBytes` receives the bytes sent so far. `onRequest` receives the request, to abort it.
function send(method, path, body, { onBytes = () => {}, onRequest = () => {} } = {}) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    onRequest(request);
    request.upload.onprogress = ({ loaded }) => onBytes(loaded);
    request.onerror = () => reject(new ApiError(OFFLINE));
    request.onabort = () => reject(new DOMException("Cancelled.", "AbortError"));
    request.onload = () => {
      if (request.status < 300) resolve(request.response);
      else reject(errorOf(request.status, request.response, request.getResponseHeader("Retry-After")));
    };
    request.open(method, `/api${path}`);
    request.responseType = "json";
    request.send(body);
  });
}

export const putFile = (importId, path, file, hooks) => send("PUT", `/imports/${importId}/files/${encodePath(path)}`, file, hooks);

export function importZip(file, hooks) {
  const body = new FormData();
  body.append("file", file, file.name);
  return send("POST", "/projects/import", body, hooks);
}

// Jobs.

export const getJob = (jobId) => call("GET", `/jobs/${jobId}`);
export const cancelJob = (jobId) => call("DELETE", `/jobs/${jobId}`);

// Returns the job when it has ended; `onProgress` receives its progress, 0 to 1.
export async function waitForJob(jobId, onProgress = () => {}) {
  for (;;) {
    const job = await persist(() => getJob(jobId));
    if (ENDED.includes(job.status)) return job;
    onProgress(job.progress || 0);
    await pause(POLL_MS);
  }
}
