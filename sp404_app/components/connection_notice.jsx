// Says that the server can’t be reached: at once if the browser lost its network, else when the
// websocket is given up (`isLost`), which takes up to a minute.

import { useEffect, useState } from "react";

const PROBE_URL = "/ping";
const PROBE_TIMEOUT_MS = 3000;
const PROBE_EVERY_MS = 5000; // while the server can’t be reached

// A computer without a network still reaches a server that runs on it.
const isReachable = () =>
  fetch(PROBE_URL, { cache: "no-store", signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) }).then(
    () => true,
    () => false,
  );

export function ConnectionNotice({ isLost }) {
  const [isCut, setCut] = useState(false);
  useEffect(() => {
    let last = 0; // of several answers the newest counts
    const check = async () => {
      const mine = ++last;
      const cut = !(await isReachable());
      if (mine === last) setCut(cut);
    };
    window.addEventListener("offline", check);
    window.addEventListener("online", check);
    const timer = isCut && setInterval(check, PROBE_EVERY_MS);
    return () => {
      last = -1;
      clearInterval(timer);
      window.removeEventListener("offline", check);
      window.removeEventListener("online", check);
    };
  }, [isCut]);
  useEffect(() => {
    if (!isLost) setCut(false); // the websocket is there again
  }, [isLost]);
  return (isLost || isCut) && (
    <div role="status" className="offline" data-testid="offline">
      <span className="pulse" />
      Connection lost. Reconnecting… Playback continues.
    </div>
  );
}
