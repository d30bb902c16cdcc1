/* An identity provider comes: a token is made, people and a group arrive, the group gives a role, the token is revoked. */

import { expect, signIn, test as base, watch } from "./app";
import { accessible } from "./axe";
import { Hark } from "./hark";
import { lost } from "./look";
import { camera, looks } from "./looks";

/** Nobody transcribes here: what is said is not the subject. */
const test = base.extend<object, { hark: Hark }>({
  hark: [
    async ({}, use) => {
      const hark = await Hark.start({ HARK_ENGINE: "openai", HARK_OPENAI_URL: "http://127.0.0.1:9" });
      await use(hark);
      await hark.stop();
    },
    { scope: "worker" },
  ],
});

/** Asks for something as the provider does. */
const scim = (hark: Hark, token: string, method: string, path: string, body?: unknown) =>
  fetch(`${hark.url}/scim/v2${path}`, { method, headers: { authorization: `Bearer ${token}`, "content-type": "application/scim+json" }, ...(body !== undefined && { body: JSON.stringify(body) }) });

const user = (userName: string) => ({ schemas: ["urn:ietf:params:scim:schemas:core:2.0:User"], userName, displayName: userName.split("@")[0], active: true });
const group = (displayName: string, ...ids: string[]) => ({ schemas: ["urn:ietf:params:scim:schemas:core:2.0:Group"], displayName, members: ids.map((value) => ({ value })) });

test("a provider is let in, its group gives a role, and it is kept out again", async ({ app, hark }) => {
  await app.goto(`${hark.url}/settings`);
  await app.getByRole("link", { name: "Provisioning (SCIM)" }).click();
  await expect(app.getByRole("textbox", { name: "Base URL" })).toHaveValue(/\/scim\/v2$/);
  await expect(app.getByText("No provider is connected")).toBeVisible();
  await expect(app.getByText("No groups yet")).toBeVisible();

  await app.getByRole("button", { name: "Create token" }).click();
  const dialog = app.getByRole("dialog");
  await dialog.getByRole("textbox", { name: "Name" }).fill("Entra ID");
  await dialog.getByRole("button", { name: "Create token" }).click();
  const secret = await dialog.locator("input.secret").inputValue();
  await app.keyboard.press("Escape");
  await expect(app.getByText(/^Not used yet · /)).toBeVisible();

  const made = await scim(hark, secret, "POST", "/Users", user("cy@example.org"));
  expect(made.status).toBe(201);
  const { id } = (await made.json()) as { id: string };
  expect((await scim(hark, secret, "POST", "/Groups", group("Contractors", id))).status).toBe(201);

  await app.reload();
  await expect(app.getByText(/^Last used /)).toBeVisible();
  const role = app.getByRole("combobox", { name: "Role that Contractors gives" });
  await role.selectOption("Guest");
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await expect(role).toHaveValue("none");
  await role.selectOption("Guest");
  await dialog.getByRole("button", { name: "Change role" }).click();
  await expect(app.getByText("Contractors: role changed.")).toBeVisible();
  await expect(role).toHaveValue("guest");
  await app.goto(`${hark.url}/settings/members`);
  await expect(app.getByRole("combobox", { name: "Role of cy" })).toHaveValue("guest");
  await app.goto(`${hark.url}/settings/audit`);
  await expect(app.getByText(/set the role that the group “Contractors” gives: Guest/)).toBeVisible();

  await app.goto(`${hark.url}/settings/provisioning`);
  await app.getByRole("button", { name: "Revoke: Entra ID" }).click();
  await dialog.getByRole("button", { name: "Revoke" }).click();
  await expect(app.getByText("Token revoked.")).toBeVisible();
  await expect(app.getByText("No provider is connected")).toBeVisible();
  expect((await scim(hark, secret, "GET", "/Users")).status).toBe(401);
});

test("whoever manages nobody is told so", async ({ hark, browser }) => {
  const page = await browser.newPage();
  await signIn(page, hark.command("user", "add", "Mia Member").split("\n").at(-1)!);
  await page.goto(`${hark.url}/settings/provisioning`);
  await expect(page.getByRole("heading", { name: "Only for owners and admins" })).toBeVisible();
  await page.close();
});

for (const look of looks) {
  test(`provisioning at ${look.viewport.width} px, ${look.colorScheme}: nothing is lost, axe finds nothing, German too`, async ({ hark, browser }) => {
    const token = hark.command("token", "create", "--scope", "scim", "--name", "Identitätsanbieter");
    const name = `Zwischenberichtsbesprechungsprotokolle ${look.viewport.width} ${look.colorScheme}`;
    expect((await scim(hark, token, "POST", "/Groups", group(name))).status).toBe(201);
    const context = await browser.newContext({ ...look, reducedMotion: "reduce" });
    const page = await context.newPage();
    const wrong = watch(page);
    const shot = camera(page, look.colorScheme, "provisioning-");
    const fits = async (what: string) => {
      await shot(what.replace(" ", "-"));
      expect((await lost(page)).map((one) => `${what}: ${one}`)).toEqual([]);
      await accessible(page, what);
    };
    await signIn(page, hark.signInAddress());
    for (const [language, title, create] of [["en", "Provisioning (SCIM)", "Create token"], ["de", "Provisionierung (SCIM)", "Token erstellen"]] as const) {
      await page.evaluate((chosen) => localStorage.setItem("hark.prefs", JSON.stringify({ language: chosen })), language);
      await page.goto(`${hark.url}/settings/provisioning`);
      await expect(page.getByRole("heading", { name: title, level: 1 })).toBeVisible();
      await expect(page.getByText(name)).toBeVisible();
      await fits(`page ${language}`);
      await page.getByRole("button", { name: create }).click();
      await expect(page.getByRole("dialog").getByRole("textbox")).toBeVisible();
      await fits(`token ${language}`);
    }
    expect(wrong).toEqual([]);
    await context.close();
  });
}
