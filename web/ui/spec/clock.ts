/* Timers that run when the test says so. */
interface Timer {
  id: number;
  at: number;
  every: number | null;
  f: () => void;
}

export class Clock {
  private now = 0;
  private last = 0;
  private timers: Timer[] = [];
  private readonly real = {
    setTimeout: globalThis.setTimeout,
    clearTimeout: globalThis.clearTimeout,
    setInterval: globalThis.setInterval,
    clearInterval: globalThis.clearInterval,
  };

  constructor() {
    const add = (every: boolean) => (f: () => void, ms = 0) => {
      const id = ++this.last;
      this.timers.push({ id, at: this.now + ms, every: every ? ms : null, f });
      return id;
    };
    const remove = (id: unknown) => {
      this.timers = this.timers.filter((t) => t.id !== id);
    };
    Object.assign(globalThis, {
      setTimeout: add(false),
      setInterval: add(true),
      clearTimeout: remove,
      clearInterval: remove,
    });
  }

  /* Lets time pass, calling what becomes due, in order. */
  pass(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const due = this.timers
        .filter((t) => t.at <= end)
        .sort((a, b) => a.at - b.at || a.id - b.id)[0];
      if (due === undefined) break;
      this.now = due.at;
      if (due.every === null) this.timers = this.timers.filter((t) => t !== due);
      else due.at += due.every;
      due.f();
    }
    this.now = end;
  }

  /* When the next timer is due, from now; null: none runs. */
  next(): number | null {
    if (this.timers.length === 0) return null;
    return Math.min(...this.timers.map((t) => t.at)) - this.now;
  }

  restore(): void {
    Object.assign(globalThis, this.real);
  }
}
