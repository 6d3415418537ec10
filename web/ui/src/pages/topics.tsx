import { useEffect, useRef, useState } from 'preact/hooks';
import { link } from '../data/link';
import { TopicTree, visibleRows } from '../data/topic-tree';
import { number, plural, t } from '../i18n';
import { Dialog } from '../ui/dialog';
import { Check } from '../ui/form';
import { Icon } from '../ui/icon';
import { Head } from '../ui/shell';
import { Empty, Loading } from '../ui/states';
import { PublishBox } from './publish-box';
import { TopicDetail } from './topic-detail';
import { TreeView } from './tree-view';

/* Redrawing more often than this nobody can read. */
const REDRAW_MS = 200;

/* The tree of what arrives on the filter while the page is open, and a number
 * that grows with each redraw that is due. */
function useTree(filters: string) {
  const [tree, setTree] = useState(() => new TopicTree());
  const [refused, setRefused] = useState(false);
  const [, redraw] = useState(0);
  const dirty = useRef(false);

  useEffect(() => {
    const fresh = new TopicTree();
    setTree(fresh);
    setRefused(false);
    const stops = filters.split(' ').map((filter) =>
      link.subscribe(
        filter,
        (m) => {
          fresh.add(m, Date.now());
          dirty.current = true;
        },
        () => setRefused(true),
      ),
    );
    const timer = setInterval(() => {
      if (dirty.current) redraw((n) => n + 1);
      dirty.current = false;
    }, REDRAW_MS);
    return () => {
      clearInterval(timer);
      for (const stop of stops) stop();
    };
  }, [filters]);
  return { tree, refused };
}

/* True where the detail has no room beside the tree. */
function useNarrow(): boolean {
  const query = '(max-width: 900px)';
  const [narrow, setNarrow] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const m = matchMedia(query);
    const f = () => setNarrow(m.matches);
    m.addEventListener('change', f);
    return () => m.removeEventListener('change', f);
  }, []);
  return narrow;
}

/* The tree changes in place, which no comparison of properties can see: what
 * is shown of it is passed on as values. */
function Counts(p: { topics: number; messages: number; dropped: number }) {
  return (
    <p class="muted small">
      {plural('topics.count_one', 'topics.count', p.topics)}
      {' · '}
      {plural('topics.messages_one', 'topics.messages', p.messages)}
      {p.dropped > 0 && (
        <strong class="bad">
          {' · '}
          {t('topics.capped', { n: number(p.dropped) })}
        </strong>
      )}
    </p>
  );
}

function toggled(set: ReadonlySet<string>, key: string): Set<string> {
  const next = new Set(set);
  if (!next.delete(key)) next.add(key);
  return next;
}

export function TopicsPage() {
  const [filter, setFilter] = useState('');
  const [system, setSystem] = useState(false);
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set(['hearth']));
  const [chosen, setChosen] = useState<string | null>(null);
  const { tree, refused } = useTree(system ? '# $SYS/#' : '#');
  const narrow = useNarrow();
  const rows = visibleRows(tree, open, filter.trim());
  const node = chosen === null ? null : tree.find(chosen);

  const choose = (topic: string) => {
    tree.choose(topic);
    setChosen(topic);
  };
  const detail = node?.last && (
    <TopicDetail
      key={node.topic}
      topic={node.topic}
      last={node.last}
      retained={node.retained}
    />
  );

  return (
    <>
      <Head title={t('nav.topics')} text={t('about.topics')} />
      <div class="topics">
        <section class="card topics-tree" aria-label={t('topics.tree')}>
          <div class="topics-tools">
            <label class="search">
              <Icon name="search" size={18} />
              <input
                type="search"
                value={filter}
                placeholder={t('topics.filter')}
                aria-label={t('topics.filter')}
                spellcheck={false}
                autocapitalize="off"
                onInput={(e) => setFilter(e.currentTarget.value)}
              />
            </label>
            <Check
              label={t('topics.system')}
              value={system}
              onValue={setSystem}
            />
          </div>
          <Counts
            topics={tree.topics}
            messages={tree.root.messages}
            dropped={tree.dropped}
          />
          {refused && <p class="form-error">{t('topics.refused')}</p>}
          {rows.length > 0 && (
            <TreeView
              rows={rows}
              chosen={chosen}
              onChoose={choose}
              onToggle={(topic) => setOpen((o) => toggled(o, topic))}
            />
          )}
          {rows.length === 0 && filter !== '' && (
            <Empty icon="search" title={t('topics.none')} />
          )}
          {rows.length === 0 && filter === '' && !refused && <Loading />}
        </section>
        <div class="topics-side">
          {!narrow &&
            (detail ?? (
              <section class="card">
                <Empty icon="topics" title={t('topics.choose')} />
              </section>
            ))}
          <PublishBox topic={chosen ?? ''} />
        </div>
      </div>
      {narrow && detail && (
        <Dialog title={t('topics.detail')} onClose={() => setChosen(null)}>
          {detail}
        </Dialog>
      )}
    </>
  );
}
