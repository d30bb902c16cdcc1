import { expect, test, vi } from "vitest";

import { en } from "./en";
import { speak, t } from "./index";

vi.mock("../state/prefs.svelte", () => ({ prefs: {} }));
vi.stubGlobal("document", { documentElement: { lang: "" } });
vi.stubGlobal("navigator", { languages: ["en"] });

test("the language that was asked for last is spoken, though the dictionary of another comes later", async () => {
  const late = speak("de");
  expect(await speak("en")).toBe(true);
  expect(await late).toBe(false);
  expect(t).toBe(en);
  expect(document.documentElement.lang).toBe("en");
  expect(await speak("de")).toBe(true);
  expect(t).not.toBe(en);
});
