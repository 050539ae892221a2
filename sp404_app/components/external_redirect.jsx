// Opens an external URL. Reflex's own redirect would stay inside the built pages.

import { useEffect } from "react";

export function ExternalRedirect({ to }) {
  useEffect(() => {
    if (to) window.location.assign(to);
  }, [to]);
  return null;
}
