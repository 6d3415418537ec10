/* What every page says: buttons, errors, the way between pages, the banner. */
import type { common as En } from '../en/common';
import type { Same } from '../same';

export const common: Same<typeof En> = {
  close: '关闭',
  cancel: '取消',
  save: '保存',
  saved: '已保存',
  delete: '删除',
  done: '完成',
  copy: '复制',
  copied: '已复制。',
  retry: '重试',
  loading: '加载中…',
  skip: '跳到正文',
  topic: '主题',
  payload: '内容',
  password: '密码',

  'password.hint': '至少 {n} 个字符。',

  edit_what: '编辑 {what}',
  delete_what: '删除 {what}',

  'error.unreachable': '无法连接到主机。',
  'error.unexpected': '发生意外错误：{what}',
  'error.slow_down': '尝试次数过多，请在 {seconds} 秒后重试。',

  'nav.label': '页面',
  'nav.home': '首页',
  'nav.topics': '主题',
  'nav.history': '历史',
  'nav.pins': '引脚',
  'nav.clients': '客户端',
  'nav.users': '用户',
  'nav.protection': '防护',
  'nav.backup': '备份',
  'nav.account': '账户',
  'nav.more': '更多',

  'about.topics': '实时查看发布的所有消息。',
  'about.history': '何时发生了什么，由谁操作。',
  'about.pins': '电路板上接了什么，接在哪里。',
  'about.clients': '谁连接到了代理。',
  'about.users': '人员、设备以及各自的权限。',
  'about.protection': '需要留意的情况，以及被拒之门外的对象。',
  'about.backup': '将主机的全部数据存入一个文件，以及从中恢复。',
  'about.account': '语言、配色、密码、退出登录。',

  'link.online': '实时',
  'link.connecting': '连接中…',
  'link.offline': '离线',

  'banner.offline': '与主机的连接已断开，显示的内容可能已过时，正在重试。',
  'banner.refused': '代理拒绝了此账户。',
  'banner.board': '电路板“{node}”已离线，显示的是最后已知的状态。',
  'banner.store': '主机写入磁盘时出现问题。已确认的内容是安全的，新的确认需要等待。',
  'banner.refusing':
    '磁盘已满或出现故障。灯光、引脚和实时数值照常工作，但发给离线设备的消息和保留消息会被拒绝。请腾出空间或更换存储卡。',
  'banner.memory':
    '主机启动时磁盘无法写入，目前在内存中运行：任何内容都不会保存，设置无法更改。请修复磁盘后重新启动。',
};
