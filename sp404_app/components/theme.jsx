// The control of the theme, and the report of which theme is shown. The script in the document's
// head (theme.py) applies the choice, before the first paint and whenever it changes.

import { useEffect, useSyncExternalStore } from "react";

const CHANGED = "themechange";
const CHOICES = ["system", "dark", "light"];
const KEY = "sp404-theme";

const subscribe = (listener) => {
  window.addEventListener(CHANGED, listener);
  return () => window.removeEventListener(CHANGED, listener);
};
const root = () => document.documentElement.dataset;
const useChoice = () => useSyncExternalStore(subscribe, () => root().themeChoice, () => "");
const useShown = () => useSyncExternalStore(subscribe, () => root().theme, () => "");

// Shows a theme and keeps it for this browser: "system", "dark" or "light".
export function chooseTheme(choice) {
  try {
    localStorage.setItem(KEY, choice);
  } catch {
    root().themeChoice = choice; // the browser keeps nothing: it lasts until the page is left
  }
  window.dispatchEvent(new Event("storage"));
}

export function ThemeChoice({ onChosen }) {
  const chosen = useChoice();
  return (
    <fieldset className="theme-choice" data-testid="theme-choice">
      <legend className="visually-hidden">Theme</legend>
      {CHOICES.map((choice) => (
        <label key={choice}>
          <input
            type="radio"
            name="theme"
            checked={chosen === choice}
            onChange={() => {
              chooseTheme(choice);
              onChosen?.(choice);
            }}
            data-testid={`theme-${choice}`}
          />
          <span>{choice[0].toUpperCase() + choice.slice(1)}</span>
        </label>
      ))}
    </fieldset>
  );
}

// Tells the server which theme is shown, for figures that it draws. A browser in which nothing was
// chosen takes the choice of the account.
export function ThemeReport({ drawn, preferred, onShown }) {
  const shown = useShown();
  useEffect(() => {
    if (CHOICES.includes(preferred) && !root().themeKept) chooseTheme(preferred);
  }, [preferred]);
  useEffect(() => {
    if (shown && drawn && shown !== drawn) onShown?.(shown);
  }, [shown, drawn]);
  return null;
}
