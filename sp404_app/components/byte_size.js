// Sizes in bytes as users read them, by the rules of services/infra/byte_size.py: "12 kB",
// "12.3 MB", "1.5 GB". 1 MB is 2^20 bytes.

const KB = 2 ** 10;
const MB = 2 ** 20;
const GB = 2 ** 30;

export function formatSize(bytes) {
  if (bytes > 0 && bytes < MB / 10) return `${Math.max(1, Math.round(bytes / KB))} kB`;
  const isLarge = Math.round((bytes / MB) * 10) / 10 >= GB / MB;
  const amount = (bytes / (isLarge ? GB : MB)).toFixed(1).replace(/\.0$/, "");
  return `${amount} ${isLarge ? "GB" : "MB"}`;
}
