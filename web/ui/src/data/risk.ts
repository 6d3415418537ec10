import { t } from '../i18n';
import type { Line } from './api';

/* Why one should think twice before using the line, and whether what may use it is
   switched on; '' if nothing does. */
export function riskText(line: Line): string {
  if (!line.risk) return '';
  const text = t(`risk.${line.risk}`);
  if (line.switched_on === true) return `${text} ${t('risk.is_on')}`;
  if (line.switched_on === false) return `${text} ${t('risk.is_off')}`;
  return text;
}
