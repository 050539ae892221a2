// The address and the title of what a page shows: the room, search and filters of a list, or the trash.

import { useEffect, useRef } from "react";
import { useLocation } from "react-router";

import { rememberList } from "./list_history.js";

const addressNow = () => window.location.pathname + window.location.search;

// Shows an address without opening it: the router would load the page again. A step is a new entry of the
// browser's history. Its state has the fields of React Router's entries: Back and Forward open it as one.
function showAddress(address, isStep) {
  if (address === addressNow()) return;
  const { state } = window.history;
  const key = Math.random().toString(36).slice(2, 10);
  if (isStep) window.history.pushState({ usr: null, key, idx: (state?.idx ?? 0) + 1 }, "", address);
  else window.history.replaceState(state, "", address);
}

// Shows `address` when `version` has changed since the component was mounted: before, both are of the last
// visit, which a link to another address may have left. A page that its URL opened has no `address`.
// `onReturn` is called when Back or Forward opens the entry that the router has not left: it does nothing then.
export function useAddress({ address, isStep, version, isHydrated, onShown, onReturn }) {
  const versionOfMount = useRef(version);
  const { key } = useLocation();
  const shown = useRef("");
  useEffect(() => {
    if (version !== versionOfMount.current) versionOfMount.current = undefined;
    if (!address || !isHydrated || versionOfMount.current !== undefined) return;
    showAddress(address, isStep);
    shown.current = address;
    rememberList();
    onShown?.();
  }, [address, isHydrated, version]);

  useEffect(() => {
    shown.current = addressNow(); // of an entry that the router opened
    rememberList();
  }, [key]);

  const latest = useRef({});
  useEffect(() => {
    latest.current = { key, onReturn };
  });
  useEffect(() => {
    // The router renders while the event is dispatched: a listener that this replaces would miss it.
    const onPopState = (event) => {
      const { key, onReturn } = latest.current;
      const isOther = shown.current !== addressNow();
      shown.current = addressNow();
      rememberList();
      if (isOther && (event.state?.key ?? "default") === key) onReturn();
    };
    window.addEventListener("popstate", onPopState);
    return () => window.removeEventListener("popstate", onPopState);
  }, []);
}

export function PageAddress(props) {
  useAddress(props);
  return null;
}

// The router sets the title of a page's kind; this one names what the page shows.
export function PageTitle({ name }) {
  useEffect(() => {
    const former = document.title;
    const title = `${name} · Crate 404`;
    document.title = title;
    return () => {
      if (document.title === title) document.title = former; // else the next page has set its own
    };
  }, [name]);
  return null;
}
