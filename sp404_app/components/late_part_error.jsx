// Says that a script that is loaded when it is needed, such as a dialog's, did not arrive.

import { useEffect, useState } from "react";

const FAILED = "vite:preloadError"; // https://vite.dev/guide/build#load-error-handling

export function LatePartError() {
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    const show = () => setFailed(true);
    window.addEventListener(FAILED, show);
    return () => window.removeEventListener(FAILED, show);
  }, []);
  return failed && (
    <div role="alert" className="offline" data-testid="late-part-error">
      This part of the page can’t be loaded right now.{" "}
      <button type="button" className="offline-action" data-testid="reload-page" onClick={() => window.location.reload()}>
        Reload
      </button>
    </div>
  );
}
