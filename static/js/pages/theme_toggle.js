// [data-theme-toggle]: light or dark, remembered for this kind of page (the workstation keeps its own).

export const isDark = () => {
  const { theme } = document.documentElement.dataset;
  return theme ? theme === "dark" : window.matchMedia("(prefers-color-scheme: dark)").matches;
};

function label(button) {
  button.textContent = isDark() ? "Light" : "Dark";
  button.setAttribute("aria-label", isDark() ? "Switch to the light theme" : "Switch to the dark theme");
}

export function bindThemeToggle() {
  const buttons = document.querySelectorAll("[data-theme-toggle]");
  for (const button of buttons) {
    label(button);
    button.addEventListener("click", () => {
      const root = document.documentElement;
      root.dataset.theme = isDark() ? "light" : "dark";
      if (root.dataset.themeStore !== "none") localStorage.setItem(root.dataset.themeKey, root.dataset.theme);
      buttons.forEach(label);
    });
  }
}
