/* A finger on the screen, which may slide off, or be taken away by the system; and what else moves a page. */
import { expect, type Locator, type Page } from "@playwright/test";

export interface Point {
  x: number;
  y: number;
}

export class Finger {
  private constructor(private readonly send: (type: string, points: Point[]) => Promise<unknown>) {}

  static async of(page: Page): Promise<Finger> {
    const session = await page.context().newCDPSession(page);
    return new Finger((type, touchPoints) => session.send("Input.dispatchTouchEvent", { type: type as "touchStart", touchPoints }));
  }

  down(at: Point) {
    return this.send("touchStart", [at]);
  }
  /** Moves there in a few steps, as fingers do. */
  async move(from: Point, to: Point) {
    for (let i = 1; i <= 6; i++) await this.send("touchMove", [{ x: from.x + ((to.x - from.x) * i) / 6, y: from.y + ((to.y - from.y) * i) / 6 }]);
  }
  up() {
    return this.send("touchEnd", []);
  }
  cancel() {
    return this.send("touchCancel", []);
  }
  async swipe(from: Point, to: Point) {
    await this.down(from);
    await this.move(from, to);
    await this.up();
  }
}

/** A point in an element, by its share of the width, once it stays where it is. */
export async function pointIn(element: Locator, across = 0.5): Promise<Point> {
  const box = await element.evaluate(async (node) => {
    const frame = () => new Promise((next) => requestAnimationFrame(next));
    for (let last = node.getBoundingClientRect(), still = 0; ; ) {
      await frame();
      const now = node.getBoundingClientRect();
      still = now.x === last.x && now.y === last.y ? still + 1 : 0;
      if (still > 3) return { x: now.x, y: now.y, width: now.width, height: now.height };
      last = now;
    }
  });
  return { x: box.x + box.width * across, y: box.y + box.height / 2 };
}

/** Waits until something stays where it is. */
export async function atRest(element: Locator) {
  let last = await pointIn(element);
  await expect
    .poll(async () => {
      const now = await pointIn(element);
      const still = now.x === last.x && now.y === last.y;
      last = now;
      return still;
    }, { intervals: [200] })
    .toBe(true);
}

/** Scrolls what is under the pointer, and waits until that is drawn: a slow machine takes several turns of a wheel as one. */
export async function wheel(page: Page, by: number) {
  await page.mouse.wheel(0, by);
  await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
}
