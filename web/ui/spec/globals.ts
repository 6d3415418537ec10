/* The little of a browser that our modules touch when they are loaded. */
const browser = globalThis as Record<string, unknown>;
browser.addEventListener ??= () => {};
browser.document ??= {
  addEventListener: () => {},
  visibilityState: 'visible',
  documentElement: { dataset: {} },
};
browser.location ??= { protocol: 'http:', host: 'hearth.local', hash: '' };
browser.localStorage ??= { getItem: () => null, setItem: () => {} };

export {};
