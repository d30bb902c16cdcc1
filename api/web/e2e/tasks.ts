/*
 * How long a page works at once. A task counts with the processor's time that
 * its thread had, not with the time that passed: on a machine that is short of
 * time, most of that is waiting, which is not the page's doing.
 */
import type { CDPSession, Page } from "@playwright/test";

interface TraceEvent {
  name: string;
  ph: string;
  pid: number;
  tid: number;
  dur?: number; // µs that passed
  tdur?: number; // µs of the thread's own; left out by some for tasks of a few µs
  args: { name?: string };
}

export class Tasks {
  private constructor(private readonly session: CDPSession) {}

  static async of(page: Page): Promise<Tasks> {
    return new Tasks(await page.context().newCDPSession(page));
  }

  start() {
    return this.session.send("Tracing.start", { transferMode: "ReportEvents", traceConfig: { includedCategories: ["toplevel"] } });
  }

  /** Ends what was started; the tasks of the page's main thread, the longest first, in ms. */
  async stop(): Promise<number[]> {
    const events: TraceEvent[] = [];
    this.session.on("Tracing.dataCollected", ({ value }) => events.push(...(value as unknown as TraceEvent[])));
    const complete = new Promise((resolve) => this.session.once("Tracing.tracingComplete", resolve));
    await this.session.send("Tracing.end");
    await complete;
    const thread = ({ pid, tid }: TraceEvent) => `${pid} ${tid}`;
    const main = new Set(events.filter((event) => event.name === "thread_name" && event.args.name === "CrRendererMain").map(thread));
    const tasks = events.filter((event) => event.ph === "X" && event.name.endsWith("RunTask") && main.has(thread(event)));
    return tasks.map(({ tdur, dur }) => (tdur ?? dur ?? 0) / 1000).toSorted((a, b) => b - a);
  }
}
