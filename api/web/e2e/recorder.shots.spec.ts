/* Pictures of the recorder in all its states, beside those of the pages. */
import { test } from "./app";
import { camera, enter, looks } from "./looks";
import { recorderStates } from "./recorder-states";
import { prompt } from "./speech";

for (const look of looks) {
  test.describe(`${look.viewport.width}, ${look.colorScheme}`, () => {
    test.use(look);

    test("the recorder", async ({ page, hark }) => {
      await enter(page, hark);
      const conversation = await hark.conversation("Telephone");
      await hark.ready((await hark.send(conversation, prompt("tt-allbusy"), { title: "At the telephone" })).id);
      await recorderStates(page, hark, conversation, camera(page, look.colorScheme, "recorder-"));
    });
  });
}
