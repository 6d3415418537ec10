/* What a page shows while it has nothing to show. */
import type { ComponentChildren } from 'preact';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { ApiError } from '../data/api';
import { t } from '../i18n';
import { Icon } from './icon';
import type { IconName } from './icon-paths';

export function errorText(e: unknown): string {
  if (!(e instanceof ApiError)) return t('error.unexpected', { what: `${e}` });
  if (e.status === 0) return t('error.unreachable');
  if (e.status === 429) {
    return t('error.slow_down', { seconds: e.retryAfter ?? 30 });
  }
  return e.message;
}

export function Loading() {
  return (
    <div class="loading" role="status">
      <span class="spinner" />
      {t('loading')}
    </div>
  );
}

interface EmptyProps {
  icon: IconName;
  title: string;
  children?: ComponentChildren;
}

export function Empty({ icon, title, children }: EmptyProps) {
  return (
    <div class="empty">
      <span class="empty-icon">
        <Icon name={icon} size={28} />
      </span>
      <p class="empty-title">{title}</p>
      {children && <div class="muted">{children}</div>}
    </div>
  );
}

export function Failed({ error, retry }: { error: unknown; retry: () => void }) {
  return (
    <div class="empty" role="alert">
      <span class="empty-icon empty-bad">
        <Icon name="warning" size={28} />
      </span>
      <p class="empty-title">{errorText(error)}</p>
      <button type="button" class="button" onClick={retry}>
        {t('retry')}
      </button>
    </div>
  );
}

/* Loads something when the page opens and when asked again. Data once loaded
 * stays while it is being refreshed; an answer that comes after a newer
 * question is thrown away. */
export function useLoad<T>(load: () => Promise<T>, key = '') {
  const [data, setData] = useState<T | undefined>(undefined);
  const [error, setError] = useState<unknown>(null);
  const turn = useRef(0);
  const loader = useRef(load);
  loader.current = load;

  const reload = useCallback(async () => {
    const mine = ++turn.current;
    try {
      const d = await loader.current();
      if (mine !== turn.current) return;
      setData(d);
      setError(null);
    } catch (e) {
      if (mine === turn.current) setError(e);
    }
  }, []);

  useEffect(() => {
    setData(undefined);
    setError(null);
    void reload();
    return () => void turn.current++;
  }, [key]);
  return { data, error, reload };
}

/* Calls back every so often while the page is open and in front. */
export function useEvery(ms: number, f: () => void): void {
  const latest = useRef(f);
  latest.current = f;
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') latest.current();
    }, ms);
    return () => clearInterval(timer);
  }, [ms]);
}
