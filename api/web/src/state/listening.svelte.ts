/* Whether the workspace records who plays and downloads what. */
import { api, take } from "../api/client";

class Listening {
  recorded = $state<boolean>(); // undefined until it is known

  read = async () => {
    this.recorded = (await take(api.GET("/v1/audit/settings"))).listening;
  };

  async record(listening: boolean) {
    this.recorded = (await take(api.PATCH("/v1/audit/settings", { body: { listening } }))).listening;
  }
}

export const listening = new Listening();
