/* What is said of passkeys. It comes with what needs it. */
import { en as plain } from "./en";
import { t } from "./index";

const en = {
  title: "Passkeys",
  hint: "Sign in by fingerprint, face or PIN, without a password. A passkey is kept by your device or password manager.",
  add: "Add a passkey",
  done: "Passkey added.",
  name: "Name of the passkey",
  rename: "Rename",
  remove: "Remove",
  removed: "Passkey removed.",
  removeTitle: (name: string) => `Remove the passkey “${name}”?`,
  removeText: "It won’t sign you in any more. Delete it in your device or password manager, too.",
  added: (when: string) => `Added ${when}`,
  synced: "synced",
  use: "Use a passkey",
  declined: "No passkey was added.",
  notUsed: "No passkey was used. Try again.",
  hasOne: "This device or password manager already has a passkey of yours.",
  failed: "The passkey couldn’t be added. Try again, or use another device.",
  stepUpTitle: "Use your passkey",
  stepUpText: "This change needs your passkey again.",
  elsewhere: (origin: string) => `Passkeys only work at this server’s own address: ${origin}`,
  without: {
    insecure: "Passkeys need https, and this server is set up without it.",
    no_domain: "Passkeys need a domain name, and this server’s address has none.",
    unsupported: "This browser is too old for passkeys.",
  },
};

const de: typeof en = {
  title: "Passkeys",
  hint: "Melde dich per Fingerabdruck, Gesicht oder PIN an, ohne Passwort. Ein Passkey liegt auf deinem Gerät oder in deinem Passwortmanager.",
  add: "Passkey hinzufügen",
  done: "Passkey hinzugefügt.",
  name: "Name des Passkeys",
  rename: "Umbenennen",
  remove: "Entfernen",
  removed: "Passkey entfernt.",
  removeTitle: (name) => `Passkey „${name}“ entfernen?`,
  removeText: "Du kannst dich damit nicht mehr anmelden. Lösche ihn auch auf deinem Gerät oder in deinem Passwortmanager.",
  added: (when) => `Hinzugefügt ${when}`,
  synced: "synchronisiert",
  use: "Passkey benutzen",
  declined: "Es wurde kein Passkey hinzugefügt.",
  notUsed: "Es wurde kein Passkey benutzt. Versuche es noch einmal.",
  hasOne: "Auf diesem Gerät oder in diesem Passwortmanager hast du schon einen Passkey.",
  failed: "Der Passkey ließ sich nicht hinzufügen. Versuche es noch einmal oder nimm ein anderes Gerät.",
  stepUpTitle: "Passkey benutzen",
  stepUpText: "Für diese Änderung brauchen wir noch einmal deinen Passkey.",
  elsewhere: (origin) => `Passkeys gelten nur unter der Adresse dieses Servers: ${origin}`,
  without: {
    insecure: "Passkeys brauchen https, und dieser Server ist ohne eingerichtet.",
    no_domain: "Passkeys brauchen einen Domainnamen, und die Adresse dieses Servers hat keinen.",
    unsupported: "Dieser Browser ist zu alt für Passkeys.",
  },
};

/** These words, in the language that is spoken. */
export const passkeyWords = () => (t === plain ? en : de);
