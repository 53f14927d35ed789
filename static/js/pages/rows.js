// table[data-rows]: with a .row-link focused, the arrow keys, Home and End walk the rows; Enter opens as a link does.

const STEPS = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity };

export function bindRows() {
  document.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    const link = event.target.closest?.("table[data-rows] .row-link");
    if (!link || step === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    const links = [...link.closest("table").querySelectorAll(".row-link")];
    const to = Math.max(0, Math.min(links.length - 1, links.indexOf(link) + step));
    links[to].focus();
    event.preventDefault();
  });
}
