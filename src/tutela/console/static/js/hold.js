// Whoever still works on a case keeps it: before their time is over, it is asked for anew.

const RENEW_WITHIN = 5 * 60 * 1000;
const STILL_THERE = 2 * 60 * 1000;

let lastSign = Date.now();
for (const sign of ["keydown", "pointerdown", "pointermove", "scroll"]) {
  document.addEventListener(sign, () => { lastSign = Date.now(); }, { passive: true });
}

const ahead = Date.parse(document.body.dataset.now) - Date.now();

setInterval(() => {
  const held = document.querySelector("[data-held-until]");
  if (!held || document.hidden || Date.now() - lastSign > STILL_THERE) return;
  if (Date.parse(held.dataset.heldUntil) - Date.now() - ahead < RENEW_WITHIN) {
    document.getElementById("keep").dispatchEvent(new Event("keep"));
  }
}, 15000);
