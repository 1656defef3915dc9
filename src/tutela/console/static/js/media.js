// Peeking: nothing is in sight unless somebody asks, says why, and goes on asking. What is shown is
// drawn on a canvas from an address that works once; it has no address on the page and is not kept.

const KEY = "p";
const STEP_KEYS = { "-1": "h", 1: "j" };
const TEXT_FIELDS = "textarea, select, [contenteditable], input:not([type=checkbox], [type=radio], [type=button], [type=submit])";
const keysAreOn = () => localStorage.getItem("tutela-keys") !== "off";

function send(address, body, options = {}) {
  return fetch(address, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify(body),
    credentials: "same-origin",
    cache: "no-store",
    redirect: "manual",
    ...options,
  });
}

class Media {
  constructor(figure) {
    this.figure = figure;
    this.say = figure.dataset;
    this.button = figure.querySelector("[data-peek]");
    this.veiled = figure.querySelector("[data-veiled]");
    this.sight = figure.querySelector("[data-sight]");
    this.words = figure.querySelector("[data-words]");
    this.status = figure.querySelector("[data-status]");
    this.holds = this.say.reveal === "hold";
    this.wish = 0;
    this.veiling = 0;
    this.viewing = null;
    this.open = false;
    // The last look, from which one goes to the parts beside it; and whether one went.
    this.at = null;
    this.step = null;
    this.listen();
    this.listenForParts();
    if (this.say.veil === "yes") this.veil();
  }

  listen() {
    const button = this.button;
    if (!this.holds) {
      button.addEventListener("click", () => (this.open ? this.hide() : this.show()));
      return;
    }
    button.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      button.setPointerCapture(event.pointerId);
      this.show();
    });
    for (const name of ["pointerup", "pointercancel", "lostpointercapture", "blur"]) {
      button.addEventListener(name, () => this.hide());
    }
    button.addEventListener("contextmenu", (event) => event.preventDefault());
    button.addEventListener("keydown", (event) => {
      if (event.key !== " " && event.key !== "Enter") return;
      event.preventDefault();
      if (!event.repeat) this.show();
    });
    button.addEventListener("keyup", (event) => {
      if (event.key === " " || event.key === "Enter") this.hide();
    });
  }

  listenForParts() {
    this.parts = this.figure.querySelector("select[data-part]");
    this.steps = [...this.figure.querySelectorAll("[data-step]")];
    if (!this.parts) return;
    this.parts.addEventListener("change", () => this.choose(this.parts.value === "step" ? 0 : null));
    for (const button of this.steps) {
      button.addEventListener("click", () => this.choose(Number(button.dataset.step)));
    }
  }

  // Another part: one beside the last that was looked at, or the one that is chosen by its name.
  // What was in sight goes; a veil comes by itself, and more where it was shown before.
  async choose(step) {
    const wasOpen = this.open && !this.holds;
    this.step = step;
    if (this.open) this.close();
    this.tell(this.say.sayChosen);
    if (step) this.parts.value = "step";
    if (this.say.veil === "yes") await this.veil();
    if (wasOpen) this.show();
  }

  // What is to be looked at, as the address takes it.
  get part() {
    if (!this.parts) return {};
    if (this.step !== null && this.at !== null) return { of: this.at, step: this.step };
    return this.parts.value.startsWith("at:") ? { place: this.parts.value.slice(3) } : {};
  }

  // Learns where it is, and what is beside it.
  learn(viewing, headers) {
    if (!this.parts) return;
    this.at = viewing;
    if (this.step !== null) this.step = 0;
    this.place = decodeURIComponent(headers.get("Tutela-Place") ?? "");
    const beside = headers.get("Tutela-Steps") ?? "";
    for (const button of this.steps) {
      button.disabled = !beside.includes(Number(button.dataset.step) > 0 ? "after" : "before");
    }
    if (beside) for (const each of this.figure.querySelectorAll("[data-parts]")) each.hidden = false;
    if (this.step === null) return;
    const option = this.parts.querySelector("[data-stepped]");
    option.hidden = false;
    option.textContent = this.place;
  }

  tell(text) {
    this.status.textContent = text;
  }

  // Asks for a look; gives the answer of the address, or nothing if there is none to be had.
  async look(level, colour, why, still) {
    const asked = await send(`${this.say.address}/viewings`, { level, colour, why, ...this.part });
    if (asked.type === "opaqueredirect") location.reload();
    const said = await asked.json().catch(() => ({}));
    if (said.lead) {
      this.tell(this.say.sayProve);
      location.assign(said.lead);
      return null;
    }
    if (!asked.ok) {
      this.tell(said.rest ? this.say.sayRest : said.detail ?? this.say.sayGone);
      return null;
    }
    if (level !== "veil") {
      if (!still()) {
        this.end(said.viewing);
        return null;
      }
      this.viewing = said.viewing;
      this.every = said.every;
    }
    const address = this.words ? said.address.replace("/whole?", "/words?") : said.address;
    const answer = await this.fetch(address, still);
    // What cannot be shown can be passed by.
    if (answer.headers.has("Tutela-Steps")) this.learn(said.viewing, answer.headers);
    if (answer.ok) return answer;
    const failed = await answer.json().catch(() => ({}));
    if (still()) this.tell(failed.reason ? this.say.sayFails.replace("{reason}", failed.reason) : this.say.sayGone);
    return null;
  }

  // Where many look at once there may be no place: then it is asked for again, as long as it is wanted.
  async fetch(address, still) {
    for (let left = 10; ; left -= 1) {
      const answer = await fetch(address, {
        headers: { Accept: "application/json" }, credentials: "same-origin", cache: "no-store", redirect: "manual",
      });
      if (answer.status !== 503 || !left || !still()) return answer;
      await new Promise((done) => setTimeout(done, 500 + 500 * Math.random()));
    }
  }

  async veil() {
    const wish = ++this.veiling;
    const answer = await this.look("veil", false, "opened", () => this.veiling === wish).catch(() => null);
    const body = answer && (await answer.blob());
    if (this.veiling !== wish) return;
    if (body) await draw(this.veiled, body);
    else wipe(this.veiled);
    this.veiled.hidden = !body || this.open;
    if (body && this.place && !this.open) this.tell(this.say.sayAt.replace("{place}", () => this.place));
  }

  async show() {
    const why = this.figure.querySelector("[data-why]").value;
    if (!why) {
      this.tell(this.say.sayWhy);
      return;
    }
    if (this.open) return;
    const wish = ++this.wish;
    const still = () => this.wish === wish && this.open;
    this.open = true;
    this.button.setAttribute("aria-pressed", "true");
    this.tell(this.say.sayWait);
    const [level, colour] = (this.figure.querySelector("[data-level]")?.value ?? "whole").split(" ");
    const answer = await this.look(level, Boolean(colour), why, still).catch(() => null);
    const body = answer && (await (this.words ? answer.json() : answer.blob()));
    if (!still()) return;
    if (!body) {
      this.close();
      return;
    }
    if (this.words) {
      this.words.textContent = body.words;
      this.words.hidden = false;
      this.tell(body.more ? this.say.sayMore : "");
    } else {
      // Drawn out of sight first: it may have been let go meanwhile.
      await draw(this.sight, body);
      if (!still()) {
        wipe(this.sight);
        return;
      }
      this.sight.hidden = false;
      this.veiled.hidden = true;
      this.tell(this.facts(answer.headers, level, Boolean(colour)));
    }
    this.beat = setInterval(() => this.stillThere(), this.every * 1000);
    const longest = Number(this.say.longest);
    if (longest) this.ending = setTimeout(() => this.hide(), longest * 1000);
  }

  facts(headers, level, colour) {
    const said = [this.say.sayShown];
    if (this.place) said.push(this.say.sayAt.replace("{place}", () => this.place));
    const faces = headers.get("Tutela-Faces");
    if (headers.get("Tutela-Shown") === "sheet") {
      said.push(this.say.saySheet
        .replace("{frames}", headers.get("Tutela-Frames"))
        .replace("{seconds}", headers.get("Tutela-Seconds") || "?"));
    }
    if (level === "part" && !colour) {
      if (faces === "") said.push(this.say.sayUnsought);
      else said.push(faces === "0" ? this.say.sayNoFaces : this.say.sayFaces.replace("{count}", faces));
    }
    return said.join(" ");
  }

  hide() {
    if (!this.open) return;
    this.close();
    this.tell(this.say.sayHidden);
  }

  close() {
    this.open = false;
    clearInterval(this.beat);
    clearTimeout(this.ending);
    this.button.setAttribute("aria-pressed", "false");
    if (this.words) {
      this.words.hidden = true;
      this.words.textContent = "";
    } else {
      this.sight.hidden = true;
      wipe(this.sight);
      this.veiled.hidden = this.veiled.width === 0;
    }
    if (this.viewing !== null) this.end(this.viewing);
    this.viewing = null;
  }

  async end(viewing) {
    // Goes out even if the page is being left.
    const answer = await send(`/viewings/${viewing}/end`, {}, { keepalive: true }).catch(() => null);
    const said = answer?.ok ? await answer.json().catch(() => ({})) : {};
    if (said.much && !this.open) this.tell(this.say.sayMuch);
  }

  async stillThere() {
    const answer = await send("/viewings/heard", { viewings: [this.viewing] }).catch(() => null);
    const said = answer?.ok ? await answer.json().catch(() => null) : null;
    if (this.open && (!said || said.over.length)) {
      this.close();
      this.tell(this.say.sayGone);
    }
  }
}

async function draw(canvas, blob) {
  const image = await createImageBitmap(blob);
  canvas.width = image.width;
  canvas.height = image.height;
  canvas.getContext("2d").drawImage(image, 0, 0);
  image.close();
}

function wipe(canvas) {
  canvas.width = 0;
  canvas.height = 0;
}

const all = [...document.querySelectorAll("[data-media]")].map((figure) => new Media(figure));
const hideAll = () => all.forEach((media) => media.hide());

// The key is for the item that was used last; at first, for the first one.
let current = all[0];

function choose(media) {
  current = media;
  for (const each of all) {
    const keys = [[each.button, KEY], ...each.steps.map((step) => [step, STEP_KEYS[step.dataset.step]])];
    for (const [button, key] of keys) {
      if (each === media) button.dataset.key = key;
      else delete button.dataset.key;
    }
  }
}

if (current) choose(current);
for (const media of all) media.figure.addEventListener("focusin", () => choose(media));

const isKey = (event) => event.key.toLowerCase() === KEY || (!/^[ -~]$/.test(event.key) && event.code === "KeyP");

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") hideAll();
  if (!current?.holds || !isKey(event) || event.repeat || !keysAreOn()) return;
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.matches?.(TEXT_FIELDS)) return;
  if (document.querySelector("dialog[open]") || !current.button.checkVisibility()) return;
  current.show();
});
document.addEventListener("keyup", (event) => {
  if (current?.holds && isKey(event)) current.hide();
});
window.addEventListener("blur", hideAll);
window.addEventListener("pagehide", hideAll);
document.addEventListener("visibilitychange", () => {
  if (document.hidden) hideAll();
});
