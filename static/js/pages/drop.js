// [data-drop]: a file may be dropped on the zone; the chosen file's name and size are said.

const size = (bytes) => (
  bytes >= 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${Math.max(1, Math.round(bytes / 1e3))} kB`);

function show(zone) {
  const files = [...zone.querySelector("input[type=file]").files];
  const words = files.map((file) => `${file.name} (${size(file.size)})`).join(", ");
  const line = zone.querySelector(".drop-name");
  if (line) line.textContent = words;
}

export function bindDrop() {
  for (const zone of document.querySelectorAll("[data-drop]")) {
    const input = zone.querySelector("input[type=file]");
    input.addEventListener("change", () => show(zone));
    zone.addEventListener("dragover", (event) => {
      event.preventDefault();
      zone.classList.add("over");
    });
    zone.addEventListener("dragleave", () => zone.classList.remove("over"));
    zone.addEventListener("drop", (event) => {
      event.preventDefault();
      zone.classList.remove("over");
      input.files = event.dataTransfer.files;
      show(zone);
    });
  }
}
