// Keys without a modifier: an element says its own, as data-key="n", or data-key="g q" for two one
// after the other. A link or button is pressed by it, a field is gone to. In fields letters are
// letters. Everybody can switch the keys off (WCAG 2.2, success criterion 2.1.4).

const SECOND_KEY_WITHIN = 1500;
const SETTING = "tutela-keys";
const TEXT_FIELDS = "textarea, select, [contenteditable], input:not([type=checkbox], [type=radio], [type=button], [type=submit])";

let first = "";
let firstAt = 0;

const areOn = () => localStorage.getItem(SETTING) !== "off";

// The key by its letter, or, on a keyboard with other letters, by its place.
function keyOf(event) {
  if (event.key.length > 1 || /[ -~]/.test(event.key)) return event.key.toLowerCase();
  return /^Key[A-Z]$/.test(event.code) ? event.code.slice(3).toLowerCase() : event.key;
}

// On a tablet the navigation is out of sight until it is asked for, and its keys work all the same.
const isThere = (element) => element.checkVisibility() || element.closest("nav[popover]") !== null;

// Where a question is open, only what answers it. Of several with one key, such as those of several
// items, the first has it.
function candidates() {
  const open = document.querySelector("dialog[open], .sheet:popover-open");
  const found = new Map();
  for (const element of (open ?? document).querySelectorAll("[data-key]")) {
    const key = element.dataset.key;
    if (!found.has(key) && !element.disabled && isThere(element)) found.set(key, element);
  }
  return [...found.values()];
}

function use(element) {
  if (element.matches(TEXT_FIELDS)) {
    element.focus();
    return;
  }
  if (element.matches("input")) element.focus();
  element.click();
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && event.target.matches?.(TEXT_FIELDS) && !event.target.closest("dialog")) {
    event.target.blur();
    return;
  }
  if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || event.isComposing) return;
  if (event.target.matches?.(TEXT_FIELDS) || !areOn()) return;
  const key = keyOf(event);
  const both = first && event.timeStamp - firstAt < SECOND_KEY_WITHIN ? `${first} ${key}` : "";
  const known = candidates();
  const found = (both && known.find((each) => each.dataset.key === both)) ||
    known.find((each) => each.dataset.key === key);
  first = found ? "" : key;
  firstAt = event.timeStamp;
  if (!found) return;
  event.preventDefault();
  use(found);
});

// The cheat sheet is written from what the page has.

const sheet = document.getElementById("keys");

function nameOf(element) {
  const shown = (element.labels?.[0] ?? element).cloneNode(true);
  for (const key of shown.querySelectorAll("kbd")) key.remove();
  const name = element.dataset.keyName ?? element.getAttribute("aria-label") ?? shown.textContent;
  return name.trim().replace(/\s+/g, " ");
}

function showSheet() {
  const list = document.getElementById("keys-list");
  list.replaceChildren();
  for (const element of candidates()) {
    const key = document.createElement("dt");
    for (const part of element.dataset.key.split(" ")) {
      const kbd = document.createElement("kbd");
      kbd.textContent = part;
      key.append(kbd, " ");
    }
    const meaning = document.createElement("dd");
    meaning.textContent = nameOf(element);
    list.append(key, meaning);
  }
  document.getElementById("keys-switch").checked = areOn();
  sheet.showModal();
}

if (sheet) {
  document.getElementById("show-keys").addEventListener("click", showSheet);
  document.getElementById("keys-switch").addEventListener("change", (event) => {
    localStorage.setItem(SETTING, event.target.checked ? "on" : "off");
    const said = document.createElement("p");
    said.className = "said";
    said.textContent = document.body.dataset[event.target.checked ? "keysOn" : "keysOff"];
    document.getElementById("said").replaceChildren(said);
    document.documentElement.classList.toggle("no-keys", !event.target.checked);
  });
  document.documentElement.classList.toggle("no-keys", !areOn());
}
