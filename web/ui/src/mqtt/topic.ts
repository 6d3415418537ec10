/* Whether a topic name matches a filter (MQTT 5, section 4.7). */
export function matches(filter: string, topic: string): boolean {
  if (topic.startsWith('$') && /^[+#]/.test(filter)) return false;
  const f = filter.split('/');
  const t = topic.split('/');
  for (let i = 0; i < f.length; i++) {
    if (f[i] === '#') return true;
    if (i >= t.length) return false;
    if (f[i] !== '+' && f[i] !== t[i]) return false;
  }
  return f.length === t.length;
}

export type TopicProblem =
  | 'topic.empty'
  | 'topic.wildcard'
  | 'topic.nul'
  | 'topic.long';

/* Null when a message may be published to it, else why not. */
export function topicProblem(topic: string): TopicProblem | null {
  if (topic === '') return 'topic.empty';
  if (/[+#]/.test(topic)) return 'topic.wildcard';
  if (topic.includes('\0')) return 'topic.nul';
  if (new TextEncoder().encode(topic).length > 65535) return 'topic.long';
  return null;
}
