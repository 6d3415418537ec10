import { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { preview, visible } from '../data/payload';
import type { Row } from '../data/topic-tree';
import { number, t } from '../i18n';
import { Icon } from '../ui/icon';

interface TreeProps {
  rows: Row[];
  chosen: string | null;
  onChoose: (topic: string) => void;
  onToggle: (topic: string) => void;
}

/* Must be the height of .tree-row in topics.css. */
const ROW_PX = 40;
/* Rows drawn beyond what is seen, so that scrolling shows no gaps. */
const SPARE = 8;

function RowView({ row, id, active, chosen, onPress, onToggle }: {
  row: Row;
  id: string;
  active: boolean;
  chosen: boolean;
  onPress: () => void;
  onToggle: () => void;
}) {
  const { node } = row;
  const folder = node.children.size > 0;
  const name = visible(node.name) || t('topics.empty_level');
  return (
    <div
      id={id}
      role="treeitem"
      class={`tree-row${active ? ' tree-active' : ''}`}
      aria-level={row.level}
      aria-posinset={row.position}
      aria-setsize={row.siblings}
      aria-selected={chosen}
      aria-expanded={folder ? row.open : undefined}
      style={{ paddingInlineStart: `${Math.min(row.level, 12) * 16}px` }}
      onClick={onPress}
    >
      <span
        class={row.open ? 'twist twist-open' : 'twist'}
        onClick={(e) => {
          if (!folder) return;
          e.stopPropagation();
          onToggle();
        }}
      >
        {folder && <Icon name="right" size={16} />}
      </span>
      <bdi class="tree-name">{name}</bdi>
      {node.last ? (
        <bdi class="tree-value">
          {preview(node.last.payload, node.last.size)}
        </bdi>
      ) : (
        <span class="tree-value" />
      )}
      {node.retained && <span class="chip">{t('topics.retained')}</span>}
      <span class="tree-count">{number(node.messages)}</span>
    </div>
  );
}

/* Where the list is scrolled to and how high its window is. */
function useWindow() {
  const ref = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(600);
  useLayoutEffect(() => {
    const box = ref.current;
    if (box === null) return;
    const observer = new ResizeObserver(() => setHeight(box.clientHeight));
    observer.observe(box);
    return () => observer.disconnect();
  }, []);
  return { ref, top, height, onScroll: () => setTop(ref.current!.scrollTop) };
}

/* Draws only the rows that are in sight: the tree may have thousands. The
 * focus stays on the list, as rows come and go. */
export function TreeView({ rows, chosen, onChoose, onToggle }: TreeProps) {
  const prefix = useId();
  const { ref, top, height, onScroll } = useWindow();
  const [active, setActive] = useState<string | null>(null);
  const at = Math.max(0, rows.findIndex((r) => r.node.topic === active));
  const first = Math.max(0, Math.floor(top / ROW_PX) - SPARE);
  const last = Math.ceil((top + height) / ROW_PX) + SPARE;

  useEffect(() => {
    const box = ref.current;
    if (box === null || active === null) return;
    const y = at * ROW_PX;
    if (y < box.scrollTop) box.scrollTop = y;
    const bottom = y + ROW_PX - box.clientHeight;
    if (bottom > box.scrollTop) box.scrollTop = bottom;
  }, [active]);

  const press = (row: Row) => {
    setActive(row.node.topic);
    if (row.node.last) onChoose(row.node.topic);
    else if (row.node.children.size > 0) onToggle(row.node.topic);
  };
  const goTo = (i: number) => {
    const row = rows[Math.min(Math.max(i, 0), rows.length - 1)];
    if (row) setActive(row.node.topic);
  };
  const outwards = (row: Row) => {
    if (row.open) onToggle(row.node.topic);
    else goTo(rows.findLastIndex((r, i) => i < at && r.level < row.level));
  };
  const inwards = (row: Row) => {
    if (row.open) goTo(at + 1);
    else if (row.node.children.size > 0) onToggle(row.node.topic);
  };
  const onKeyDown = (e: KeyboardEvent) => {
    const row = rows[at];
    if (row === undefined) return;
    const keys: Record<string, () => void> = {
      ArrowDown: () => goTo(at + 1),
      ArrowUp: () => goTo(at - 1),
      ArrowRight: () => inwards(row),
      ArrowLeft: () => outwards(row),
      Home: () => goTo(0),
      End: () => goTo(rows.length - 1),
      Enter: () => press(row),
      ' ': () => press(row),
    };
    const f = keys[e.key];
    if (f === undefined) return;
    e.preventDefault();
    f();
  };

  return (
    <div
      ref={ref}
      class="tree"
      role="tree"
      tabIndex={0}
      aria-label={t('topics.tree')}
      aria-activedescendant={active === null ? undefined : `${prefix}-${at}`}
      onScroll={onScroll}
      onFocus={() => {
        if (active === null) goTo(0);
      }}
      onKeyDown={onKeyDown}
    >
      <div
        role="none"
        style={{
          paddingBlockStart: `${first * ROW_PX}px`,
          paddingBlockEnd: `${Math.max(0, rows.length - last) * ROW_PX}px`,
        }}
      >
        {rows.slice(first, last).map((row, i) => (
          <RowView
            key={row.node.topic}
            row={row}
            id={`${prefix}-${first + i}`}
            active={active !== null && first + i === at}
            chosen={row.node.topic === chosen}
            onPress={() => press(row)}
            onToggle={() => onToggle(row.node.topic)}
          />
        ))}
      </div>
    </div>
  );
}
