import { useState } from 'preact/hooks';
import { asHex, asJson, asText, bestView, visible } from '../data/payload';
import type { View } from '../data/payload';
import type { Last } from '../data/topic-tree';
import { bytes, dateTime, number, t } from '../i18n';
import { Confirm } from '../ui/dialog';
import { Icon } from '../ui/icon';
import { href } from '../ui/route';
import { toast } from '../ui/toast';
import { publishText } from './publish-text';

const VIEWS: readonly View[] = ['json', 'text', 'hex'];

const isCut = (last: Last) => last.payload.length < last.size;

function shown(last: Last, view: View): string {
  if (view === 'hex') return asHex(last.payload);
  const text = asText(last.payload, isCut(last));
  if (view === 'json') return asJson(last.payload) ?? text ?? '';
  return text ?? new TextDecoder().decode(last.payload);
}

function PayloadView({ last }: { last: Last }) {
  const [picked, setPicked] = useState<View | null>(null);
  const view = picked ?? bestView(last.payload, isCut(last));
  return (
    <>
      <div class="segments" role="group" aria-label={t('topics.view')}>
        {VIEWS.map((v) => (
          <button
            type="button"
            key={v}
            aria-pressed={v === view}
            onClick={() => setPicked(v)}
          >
            {t(`topics.view_${v}`)}
          </button>
        ))}
      </div>
      <pre class="payload" tabIndex={0} aria-label={t('payload')}>
        {last.size === 0 ? t('topics.no_payload') : shown(last, view)}
      </pre>
      {isCut(last) && (
        <p class="note">
          {t('topics.cut', {
            shown: bytes(last.payload.length),
            size: bytes(last.size),
          })}
        </p>
      )}
    </>
  );
}

function ClearRetained({ topic }: { topic: string }) {
  const [asking, setAsking] = useState(false);
  const clear = async () => {
    const { ok, text } = await publishText(topic, '', 1, true);
    toast(ok ? t('topics.cleared') : text, !ok);
    setAsking(false);
  };
  return (
    <>
      <button type="button" class="button" onClick={() => setAsking(true)}>
        <Icon name="clear" size={18} />
        {t('topics.clear')}
      </button>
      {asking && (
        <Confirm
          title={t('topics.clear')}
          text={t('topics.clear_sure', { topic: visible(topic) })}
          action={t('topics.clear_do')}
          onConfirm={clear}
          onClose={() => setAsking(false)}
        />
      )}
    </>
  );
}

/* The last message of one topic. Whatever a stranger put into it is only ever
 * text here. */
export function TopicDetail({ topic, last, retained }: {
  topic: string;
  last: Last;
  retained: boolean;
}) {
  return (
    <section class="card topic-detail" aria-label={t('topics.detail')}>
      <h2 class="topic-name mono">
        <bdi>{visible(topic)}</bdi>
      </h2>
      <p class="chips">
        {retained && <span class="chip">{t('topics.retained')}</span>}
        <span class="chip">QoS {last.qos}</span>
        <span class="chip">{number(last.size)} B</span>
        <span class="chip">{dateTime(last.time)}</span>
      </p>
      <PayloadView last={last} />
      <div class="actions">
        <a class="button" href={href('history', { topic })}>
          <Icon name="history" size={18} />
          {t('nav.history')}
        </a>
        {retained && <ClearRetained topic={topic} />}
      </div>
    </section>
  );
}
