// The pages around signing in: what a passkey fills in, a password shown, codes copied or printed.

const decode = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));

function encode(buffer) {
  const letters = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
  return btoa(letters).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

const known = (credentials) => (credentials ?? []).map((each) => ({ ...each, id: decode(each.id) }));

function asked(options) {
  const publicKey = { ...options, challenge: decode(options.challenge) };
  if (options.user) {
    publicKey.user = { ...options.user, id: decode(options.user.id) };
    publicKey.excludeCredentials = known(options.excludeCredentials);
  } else {
    publicKey.allowCredentials = known(options.allowCredentials);
  }
  return publicKey;
}

function answered(credential) {
  const response = {};
  for (const part of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[part]) response[part] = encode(credential.response[part]);
  }
  return JSON.stringify({
    id: credential.id,
    rawId: encode(credential.rawId),
    type: credential.type,
    response,
    clientExtensionResults: {},
  });
}

// A passkey is bound to a name: an address of numbers is none.
const possible = window.PublicKeyCredential !== undefined && !/^[\d.]+$|^\[/.test(location.hostname);

async function fillIn(form) {
  const asking = await fetch(form.dataset.ask, { method: "POST", headers: { Accept: "application/json" } });
  if (asking.status === 429) throw new Error(form.dataset.wait);
  if (asking.redirected || !asking.ok) {
    // The session has ended meanwhile: the page itself knows where to go on.
    location.reload();
    return false;
  }
  const publicKey = asked(await asking.json());
  const credential = form.dataset.passkey === "create"
    ? await navigator.credentials.create({ publicKey })
    : await navigator.credentials.get({ publicKey });
  form.elements.answer.value = answered(credential);
  return true;
}

function wordsFor(error, form) {
  if (error.name === "InvalidStateError") return form.dataset.known;
  return error.name === "Error" ? error.message : form.dataset.failed;
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const button = form.querySelector("button");
  const error = form.querySelector("[data-error]");
  if (!possible) {
    form.querySelector("[data-missing]").hidden = false;
    continue;
  }
  button.disabled = false;
  form.addEventListener("submit", async (event) => {
    if (form.elements.answer.value) return;
    event.preventDefault();
    error.hidden = true;
    button.disabled = true;
    try {
      if (await fillIn(form)) form.submit();
    } catch (failure) {
      error.textContent = wordsFor(failure, form);
      error.hidden = false;
      button.disabled = false;
      button.focus();
    }
  });
}

for (const button of document.querySelectorAll("[data-reveals]")) {
  const field = document.getElementById(button.dataset.reveals);
  button.hidden = false;
  button.addEventListener("click", () => {
    const shown = field.type === "text";
    field.type = shown ? "password" : "text";
    button.setAttribute("aria-pressed", String(!shown));
  });
}

for (const button of document.querySelectorAll("[data-copies]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.copies);
    const parts = source.querySelectorAll("code");
    const text = parts.length ? Array.from(parts, (part) => part.textContent).join("\n") : source.textContent;
    await navigator.clipboard.writeText(text.trim());
    document.getElementById("copied").textContent = button.dataset.done;
  });
}

for (const button of document.querySelectorAll("[data-prints]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}
