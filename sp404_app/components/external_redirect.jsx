// Opens an address that is no page of the application. Reflex's own redirect would stay in it.

import { useEffect } from "react";

export function ExternalRedirect({ to }) {
  useEffect(() => {
    if (to) window.location.replace(to);
  }, [to]);
  return null;
}
