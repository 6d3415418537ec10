/* The same keys, in another language. */
export type Same<En> = Record<keyof En, string>;
