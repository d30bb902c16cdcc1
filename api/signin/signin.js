// Has the sign-in page use passkeys: by its button, and among what the browser offers
// in the field for the address (conditional mediation). What the authenticator answers
// goes out with the form, as a password would.
const form = document.getElementById("with-passkey");
const note = form.querySelector("[role=alert]");
const renewed = 4 * 60 * 1000; // ms; the server takes an answer for five minutes

const say = (what) => {
  note.textContent = what;
  note.hidden = !what;
};

let asking; // ends what the browser was asked before

async function ask(mediation) {
  asking?.abort();
  asking = new AbortController();
  const { signal } = asking;
  const answer = await fetch(new URL("sign-in/passkey", import.meta.url), { method: "POST", signal });
  if (!answer.ok) throw new Error(`options: ${answer.status}`);
  const { public_key: options, state } = await answer.json();
  const credential = await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options), mediation, signal });
  if (signal.aborted) return;
  form.elements.passkey.value = JSON.stringify(credential.toJSON());
  form.elements.state.value = state;
  form.submit();
}

let waiting;

/** Has the browser offer passkeys in the field, for as long as the page is open. */
async function offer() {
  clearTimeout(waiting);
  if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
  waiting = setTimeout(offer, renewed);
  ask("conditional").catch(() => {}); // it was an offer
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  clearTimeout(waiting);
  say("");
  try {
    await ask("optional");
  } catch (thrown) {
    if (thrown.name === "AbortError") return; // it was pressed again
    say(form.dataset[thrown.name === "NotAllowedError" ? "none" : "failed"]);
    offer();
  }
});
addEventListener("pageshow", (event) => event.persisted && offer());

form.hidden = false;
if (location.origin !== form.dataset.origin) {
  form.querySelector("button").hidden = true;
  say(form.dataset.elsewhere);
} else if (!window.PublicKeyCredential?.parseRequestOptionsFromJSON) {
  form.querySelector("button").hidden = true;
  say(form.dataset.unsupported);
} else {
  offer();
}
