/*
 * What stands at the foot of the page, one above the other: the recorder and
 * the player. Short notices stand above all of it.
 */
class Foot {
  /** How high it is, in pixels. */
  height = $state(0);
  private readonly parts = new Map<Element, number>();

  private readonly observer = new ResizeObserver((entries) => {
    for (const { target, borderBoxSize } of entries) if (this.parts.has(target)) this.parts.set(target, borderBoxSize[0]!.blockSize);
    this.add();
  });

  /** An attachment: its element is part of the foot for as long as it is in the page. */
  keep = (part: Element) => {
    this.parts.set(part, part.clientHeight);
    this.observer.observe(part, { box: "border-box" });
    return () => {
      this.observer.unobserve(part);
      this.parts.delete(part);
      this.add();
    };
  };

  private add() {
    this.height = [...this.parts.values()].reduce((sum, height) => sum + height, 0);
  }
}

export const foot = new Foot();
