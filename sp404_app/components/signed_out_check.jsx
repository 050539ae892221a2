// On the sign-in page: a session may have ended elsewhere, then what is kept of its account
// goes.

import { useEffect } from "react";
import { forgetLists } from "../player/list_history.js";
import { forgetMatch } from "../player/preview_match.js";
import { forgetUnfinished } from "../player/upload_queue.js";
import { tell } from "./worker_messages.js";

export function SignedOutCheck() {
  useEffect(() => {
    forgetUnfinished(); // names of files, which the next person should not see
    forgetLists();
    forgetMatch();
    navigator.serviceWorker
      ?.getRegistration()
      .then((registration) => registration?.active && tell(registration.active, "sign-in"))
      .catch(() => {}); // a browser may forbid workers; then nothing is kept
  }, []);
  return null;
}
