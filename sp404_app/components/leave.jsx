// Leaves for another page as a link would: Reflex's own redirect stays inside the built pages.

import { useEffect } from "react";

export function Leave({ to }) {
  useEffect(() => {
    if (to) window.location.assign(to);
  }, [to]);
  return null;
}
