// Reads a ZIP archive back, as any program that unpacks it: by the list at its end. Only what
// card_backup.js writes is known: no ZIP64, no compression, no comment.

const END_BYTES = 22;
const END_SIGNATURE = 0x06054b50;
const ENTRY_SIGNATURE = 0x02014b50;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;
const BROKEN = "The backup could not be read back. Save it again.";

const differs = (path) => new Error(`“${path}” in the backup differs from what was read on the card. Read the card again.`);

async function viewOf(blob, start, end) {
  const bytes = await blob.slice(start, end).arrayBuffer();
  if (start < 0 || bytes.byteLength < end - start) throw new Error(BROKEN);
  return new DataView(bytes);
}

function* readList(view, count) {
  for (let at = 0, left = count; left > 0; left -= 1) {
    if (at + ENTRY_BYTES > view.byteLength || view.getUint32(at, true) !== ENTRY_SIGNATURE) throw new Error(BROKEN);
    const nameLength = view.getUint16(at + 28, true);
    const path = new TextDecoder().decode(new Uint8Array(view.buffer, at + ENTRY_BYTES, nameLength));
    yield { path, method: view.getUint16(at + 10, true), bytes: view.getUint32(at + 24, true), start: view.getUint32(at + 42, true) };
    at += ENTRY_BYTES + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
}

// Returns the entries of an archive: `{path, bytes, blob}`.
export async function listEntries(archive) {
  const end = await viewOf(archive, archive.size - END_BYTES, archive.size);
  if (end.getUint32(0, true) !== END_SIGNATURE) throw new Error(BROKEN);
  const [count, size, offset] = [end.getUint16(10, true), end.getUint32(12, true), end.getUint32(16, true)];
  const entries = [];
  for (const { path, method, bytes, start } of readList(await viewOf(archive, offset, offset + size), count)) {
    if (method !== 0) throw new Error(BROKEN);
    const local = await viewOf(archive, start, start + LOCAL_BYTES);
    const data = start + LOCAL_BYTES + local.getUint16(26, true) + local.getUint16(28, true);
    entries.push({ path, bytes, blob: archive.slice(data, data + bytes) });
  }
  return entries;
}

// Throws unless the archive holds exactly these files, `[{path, sha256}]`. `onBytes` receives the bytes
// that were compared.
export async function compareArchive(archive, files, hashFile, onBytes = () => {}) {
  const entries = new Map((await listEntries(archive)).map((entry) => [entry.path, entry]));
  if (entries.size !== files.length) throw new Error(BROKEN);
  let done = 0;
  for (const { path, sha256 } of files) {
    const entry = entries.get(path);
    if (!entry || (await hashFile(entry.blob)) !== sha256) throw differs(path);
    onBytes((done += entry.bytes));
  }
}
