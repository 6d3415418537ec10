/* Backups. */
import type { backup as En } from '../en/backup';
import type { Same } from '../same';

export const backup: Same<typeof En> = {
  'backup.take': '下载备份',
  'backup.take_text': '此刻的用户、规则、引脚、待发送的消息、证书和密钥。',
  'backup.passphrase': '口令',
  'backup.passphrase_hint':
    '用于加密。没有口令谁都无法读取，包括您自己。留空：拿到文件的人都能读取。',
  'backup.passphrase_again': '再次输入口令',
  'backup.passphrase_if': '如果备份有口令。',
  'backup.differ': '两次输入不一致。',
  'backup.history': '包含历史记录',
  'backup.download': '下载',
  'backup.download_what': '下载 {what} 的备份',
  'backup.restore_what': '恢复 {what} 的备份',
  'backup.working': '处理中…',
  'backup.kept': '主机上保存的备份',
  'backup.nights': '每晚一份，保留最新的 {n} 份。下一次：{when}。',
  'backup.no_nights': '夜间不做备份：见 hearth.conf 的 [backup]。',
  'backup.last_failed': '最近一次失败（{when}）：{why}。',
  'backup.none': '还没有备份。',
  'backup.make': '立即备份',
  'backup.back': '恢复备份',
  'backup.back_text': '先进行检查；在您看到内容并确认之前，不会改变任何数据。',
  'backup.file': '文件',
  'backup.file_missing': '请选择文件。',
  'backup.check': '检查',
  'backup.confirm': '替换全部数据？',
  'backup.confirm_text':
    '{when} 的备份，来自 {node}：{files}。主机将以此重新启动，所有客户端重新连接。现有数据会另外保留。',
  'backup.replace': '替换并重新启动',
  'backup.begins': '主机正在重新启动。',
};
