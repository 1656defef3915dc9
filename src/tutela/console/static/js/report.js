// On the page of a report: what is typed and not saved yet is said, and nothing is signed before.

const form = document.getElementById("writing");

function typed() {
  for (const each of document.querySelectorAll(".unsaved")) each.hidden = false;
  for (const button of document.querySelectorAll(".signing button")) button.disabled = true;
  window.addEventListener("beforeunload", (event) => {
    if (!form.dataset.sent) event.preventDefault();
  });
}

form?.addEventListener("input", typed, { once: true });
form?.addEventListener("submit", () => {
  form.dataset.sent = "yes";
});

// Whoever is led to a field goes on typing there. Later than the browser itself goes to the place in
// the address, since that takes the focus away.
function lead() {
  const goal = document.getElementById(location.hash.slice(1));
  for (let box = goal?.closest("details"); box; box = box.parentElement.closest("details")) {
    box.open = true;
  }
  const fields = "input:not([type=hidden]), select, textarea";
  const field = goal?.matches(fields) ? goal : goal?.querySelector(fields) ?? goal?.querySelector("button");
  field?.focus();
}
window.addEventListener("load", () => setTimeout(lead));
