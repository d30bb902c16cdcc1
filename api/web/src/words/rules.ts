/* What the page about the rules says. It comes with the page. */
import { en as plain } from "./en";
import { t } from "./index";

const en = {
  title: "Rules",
  hint: "What people may do in this workspace. Owners and admins may do all of it, guests none. Changes apply at once.",
  members: "Everyone except guests",
  admins: "Owners and admins only",
  invite_members: "Invite members",
  invite_guests: "Invite guests and add them to channels",
  create_channels: "Create channels",
  see_directory: "See everyone in the workspace",
  hints: {
    invite_members: "Members see and revoke only the invitations they made. When you limit this, their open invitations end.",
    invite_guests: "Members can bring guests only into channels they are in.",
    create_channels: "Everyone except guests can always talk to people directly.",
    see_directory: "Others see only the people they share a conversation with. Everyone in General sees each other.",
  },
  saved: "Rule saved.",
};

const de: typeof en = {
  title: "Regeln",
  hint: "Was Personen in diesem Arbeitsbereich dürfen. Eigentümer:innen und Admins dürfen alles davon, Gäste nichts. Änderungen gelten sofort.",
  members: "Alle außer Gästen",
  admins: "Nur Eigentümer:innen und Admins",
  invite_members: "Mitglieder einladen",
  invite_guests: "Gäste einladen und zu Kanälen hinzufügen",
  create_channels: "Kanäle erstellen",
  see_directory: "Alle im Arbeitsbereich sehen",
  hints: {
    invite_members: "Mitglieder sehen und widerrufen nur ihre eigenen Einladungen. Wenn du das einschränkst, enden ihre offenen Einladungen.",
    invite_guests: "Mitglieder können Gäste nur in Kanäle holen, in denen sie selbst sind.",
    create_channels: "Direkt miteinander sprechen können alle außer Gästen immer.",
    see_directory: "Andere sehen nur Personen, mit denen sie ein Gespräch teilen. Alle in „General“ sehen einander.",
  },
  saved: "Regel gespeichert.",
};

/** The words of the page, in the language that is spoken. */
export const ruleWords = () => (t === plain ? en : de);
