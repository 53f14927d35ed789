// Theme, before the first paint: the choice of this browser for this kind of page, else the page's own default, else
// the system's. Not a module, so that it runs before anything is drawn.
(() => {
  const root = document.documentElement;
  try {
    const chosen = localStorage.getItem(root.dataset.themeKey);
    if (chosen === "dark" || chosen === "light") root.dataset.theme = chosen;
  } catch {
    root.dataset.themeStore = "none"; // storage is closed: the choice holds for this page only
  }
})();
