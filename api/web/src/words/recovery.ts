/* What is said of recovery codes. It comes with them. */
import { en as plain } from "./en";
import { t } from "./index";

const en = {
  title: "Recovery codes",
  hint: "Each signs you in once when your password, passkey and mail are out of reach. Keep them somewhere safe.",
  left: (n: number) => (n === 1 ? "1 code left" : `${n} codes left`),
  make: "Create recovery codes",
  again: "Create new codes",
  againTitle: "Create new recovery codes?",
  againText: (n: number) => (n === 1 ? "The code that you have left stops working." : `The ${n} codes that you have left stop working.`),
  keep: "Save these codes now; you won’t see them again. Each works once, under “Use a recovery code” on the sign-in page.",
  download: "Download",
  done: "Done",
  fileName: "hark-recovery-codes",
  fileHead: (host: string) => `Recovery codes for Hark at ${host}. Each works once.`,
};

const de: typeof en = {
  title: "Wiederherstellungscodes",
  hint: "Jeder meldet dich einmal an, wenn Passwort, Passkey und Mails nicht zur Hand sind. Bewahre sie sicher auf.",
  left: (n) => (n === 1 ? "Noch 1 Code" : `Noch ${n} Codes`),
  make: "Codes erstellen",
  again: "Neue Codes erstellen",
  againTitle: "Neue Wiederherstellungscodes erstellen?",
  againText: (n) => (n === 1 ? "Der Code, den du noch hast, gilt dann nicht mehr." : `Die ${n} Codes, die du noch hast, gelten dann nicht mehr.`),
  keep: "Sichere diese Codes jetzt; du siehst sie nicht wieder. Jeder gilt einmal, auf der Anmeldeseite unter „Wiederherstellungscode benutzen“.",
  download: "Herunterladen",
  done: "Fertig",
  fileName: "hark-wiederherstellungscodes",
  fileHead: (host) => `Wiederherstellungscodes für Hark auf ${host}. Jeder gilt einmal.`,
};

/** These words, in the language that is spoken. */
export const recoveryWords = () => (t === plain ? en : de);
