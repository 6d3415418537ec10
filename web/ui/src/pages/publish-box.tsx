import { useEffect, useState } from 'preact/hooks';
import { linkState } from '../data/link';
import { t } from '../i18n';
import { Check, Field, Select, Text } from '../ui/form';
import { Icon } from '../ui/icon';
import { publishText } from './publish-text';

const QOS = [
  ['0', '0'],
  ['1', '1'],
  ['2', '2'],
] as const;

export function PublishBox({ topic: chosen }: { topic: string }) {
  const [topic, setTopic] = useState(chosen);
  const [payload, setPayload] = useState('');
  const [qos, setQos] = useState<'0' | '1' | '2'>('1');
  const [retain, setRetain] = useState(false);
  const [busy, setBusy] = useState(false);
  const [result, setResult] = useState({ ok: true, text: '' });
  useEffect(() => {
    if (chosen !== '') setTopic(chosen);
  }, [chosen]);

  const submit = async (e: Event) => {
    e.preventDefault();
    setBusy(true);
    const level = Number(qos) as 0 | 1 | 2;
    setResult(await publishText(topic, payload, level, retain));
    setBusy(false);
  };
  return (
    <section class="card" aria-label={t('publish.title')}>
      <h2>{t('publish.title')}</h2>
      <form onSubmit={submit}>
        <Text
          label={t('topic')}
          value={topic}
          onValue={setTopic}
          required
          mono
        />
        <Field label={t('payload')}>
          {(a) => (
            <textarea
              {...a}
              class="mono"
              rows={3}
              value={payload}
              spellcheck={false}
              onInput={(e) => setPayload(e.currentTarget.value)}
            />
          )}
        </Field>
        <div class="form-row">
          <Select label="QoS" value={qos} options={QOS} onValue={setQos} />
          <Check
            label={t('publish.retain')}
            value={retain}
            onValue={setRetain}
          />
          <button
            class="button button-main"
            disabled={busy || linkState.value !== 'online'}
          >
            <Icon name="send" size={18} />
            {t('publish.do')}
          </button>
        </div>
        <p role="status" class={result.ok ? 'good' : 'bad'}>
          {result.text}
        </p>
      </form>
    </section>
  );
}
