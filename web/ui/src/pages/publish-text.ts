import { link } from '../data/link';
import { t } from '../i18n';
import { LinkError } from '../mqtt/client';
import { topicProblem } from '../mqtt/topic';

/* Reason codes of PUBACK and PUBREC worth an own text. */
const NO_SUBSCRIBERS = 0x10;
const NOT_AUTHORIZED = 0x87;
const QUOTA = 0x97;

/* Publishes text and says in words what came of it. */
export async function publishText(
  topic: string,
  text: string,
  qos: 0 | 1 | 2,
  retain: boolean,
): Promise<{ ok: boolean; text: string }> {
  const problem = topicProblem(topic);
  if (problem !== null) return { ok: false, text: t(problem) };
  try {
    const payload = new TextEncoder().encode(text);
    const o = await link.publish(topic, payload, qos, retain);
    return { ok: o.reason < 0x80, text: verdict(o.reason, o.reasonString, qos) };
  } catch (e) {
    if (!(e instanceof LinkError)) throw e;
    return { ok: false, text: t(`publish.${e.why}`) };
  }
}

function verdict(reason: number, why: string, qos: number): string {
  if (reason === NOT_AUTHORIZED) {
    return why ? t('command.forbidden_why', { reason: why }) : t('command.forbidden');
  }
  if (reason === QUOTA) return t('publish.quota');
  if (reason >= 0x80) {
    return t('publish.failed', { reason: why || `0x${reason.toString(16)}` });
  }
  if (qos === 0) return t('publish.sent');
  return reason === NO_SUBSCRIBERS ? t('publish.nobody') : t('publish.acknowledged');
}
