/* What is said of switching between workspaces. It comes with what needs it. */
import { en as plain } from "./en";
import { t } from "./index";

const en = {
  title: "Switch workspace",
  gone: "Access turned off",
  waiting: (n: number) => (n === 1 ? "1 recording waits here" : `${n} recordings wait here`),
  create: "New workspace",
  name: "Workspace name",
  createHint: "You’ll be its owner. Nobody else sees it until you invite them.",
  createYes: "Create workspace",
  needsEmail: "Set an email address in Settings first: you switch between workspaces by it.",
  busy: "Finish or discard your recording first.",
  missing: "You’re not in this workspace any more.",
  noWay: "Only your organization’s sign-in says who you are. Add a passkey or a password in Settings first.",
};

const de: typeof en = {
  title: "Arbeitsbereich wechseln",
  gone: "Zugang abgeschaltet",
  waiting: (n) => (n === 1 ? "1 Aufnahme wartet hier" : `${n} Aufnahmen warten hier`),
  create: "Neuer Arbeitsbereich",
  name: "Name des Arbeitsbereichs",
  createHint: "Er gehört dir. Niemand sonst sieht ihn, bis du jemanden einlädst.",
  createYes: "Arbeitsbereich anlegen",
  needsEmail: "Lege zuerst in den Einstellungen eine E-Mail-Adresse fest: Über sie wechselst du zwischen Arbeitsbereichen.",
  busy: "Beende oder verwirf erst deine Aufnahme.",
  missing: "Du bist in diesem Arbeitsbereich nicht mehr dabei.",
  noWay: "Wer du bist, sagt nur die Anmeldung deiner Organisation. Füge erst in den Einstellungen einen Passkey oder ein Passwort hinzu.",
};

/** These words, in the language that is spoken. */
export const switcherWords = () => (t === plain ? en : de);
