/* What a message is called, wherever it is named. Hark's own rule for files is the same (Message.Name). */
import type { Message } from "../api/client";
import { t } from "../words";

/** Its title or, without one, its first words; while neither is known, what it is. */
export const nameOf = ({ title, first_words: words }: Pick<Message, "title" | "first_words">): string => title || words || t.message.untitled;
