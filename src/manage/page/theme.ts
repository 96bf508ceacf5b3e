// Light, dark, or as the system has it; remembered where the browser lets us.
import { find, say } from "./dom";

const key = "steelyard-theme";
const themes = ["system", "light", "dark"] as const;
type Theme = (typeof themes)[number];

function remembered(): Theme {
  try {
    return themes.find((theme) => theme === localStorage.getItem(key)) ?? "system";
  } catch {
    return "system";
  }
}

function remember(theme: Theme): void {
  try {
    localStorage.setItem(key, theme);
  } catch {
    // Then it holds for this page.
  }
}

export function begin_theme(changed: () => void): void {
  let theme = remembered();
  const button = find("theme");
  const show = () => {
    document.documentElement.dataset["theme"] = theme;
    say(button, `Theme: ${theme}`);
  };
  show();
  button.addEventListener("click", () => {
    theme = themes[(themes.indexOf(theme) + 1) % themes.length] ?? "system";
    remember(theme);
    show();
    changed();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
}
