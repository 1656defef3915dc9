// Moments that pass: how much is left until then, and what goes away when they come.

const PARTS = [3600, 60, 1];

function inWords(seconds) {
  if (seconds <= 0) return "0:00";
  const [hours, minutes, rest] = PARTS.map((size, at) =>
    Math.floor(at ? (seconds % PARTS[at - 1]) / size : seconds / size));
  const two = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

// The server's clock counts, whatever this machine's says.
const ahead = document.body.dataset.now ? Date.parse(document.body.dataset.now) - Date.now() : 0;

function tick() {
  const now = Date.now() + ahead;
  for (const left of document.querySelectorAll("[data-until]")) {
    const seconds = Math.ceil((Date.parse(left.dataset.until) - now) / 1000);
    left.textContent = inWords(seconds);
    left.classList.toggle("soon", seconds < 120);
  }
  for (const gone of document.querySelectorAll("[data-gone-at]")) {
    if (Date.parse(gone.dataset.goneAt) <= now) {
      const section = gone.closest("section");
      gone.remove();
      if (section && !section.querySelector("[data-gone-at]")) section.remove();
    }
  }
}

tick();
setInterval(tick, 1000);
document.addEventListener("htmx:afterSettle", tick);
