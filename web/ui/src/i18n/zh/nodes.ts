/* The boards of the house: the hub's own, and satellites. */
import type { nodes as En } from '../en/nodes';
import type { Same } from '../same';

export const nodes: Same<typeof En> = {
  'nodes.title': '主板',
  'nodes.text': '下面的引脚和设备属于所选的主板。',
  'nodes.own': '本中枢',
  'nodes.simulated': '模拟',
  'nodes.never': '尚未连接过',
  'nodes.online': '在线',
  'nodes.offline': '离线',
  'nodes.pins_one': '{n} 个引脚',
  'nodes.pins': '{n} 个引脚',
  'nodes.devices_one': '{n} 个设备',
  'nodes.devices': '{n} 个设备',
  'nodes.pending': '尚未应答',
  'nodes.errors_one': '{n} 个故障',
  'nodes.errors': '{n} 个故障',
  'nodes.add': '添加卫星板',
  'nodes.add_text':
    '卫星板是家中另一台树莓派，它的引脚在这里设置。它通过 TLS 上的 MQTT 连接本中枢，只能使用自己的主题；中枢离线时仍能自行安全工作。',
  'nodes.name': '主板名称',
  'nodes.name_hint': '小写字母、数字和 -。它出现在主题中，以后不能更改。',
  'nodes.hub': '本中枢的地址',
  'nodes.hub_hint': '卫星板访问它的地址：mqtts://hearth.local:8883。留空：与您现在使用的相同。',
  'nodes.no_listener':
    '本中枢还没有 TLS 上的 MQTT 监听器。请在 hearth.conf 中添加（[listener 名称]，type = tls），然后重新启动。',
  'nodes.joins': '{name} 可以加入',
  'nodes.join_text':
    '把它保存到卫星板上的文件 /etc/hearth/satellite.conf，只允许其服务读取。它只显示这一次。',
  'nodes.join_how':
    'sudo install -m 600 -o hearth satellite.conf /etc/hearth/ && sudo systemctl enable --now hearth-satellite',
  'nodes.join_label': '文件',
  'nodes.download': '下载',
  'nodes.renew': '{name} 的新凭据',
  'nodes.renew_text': '卫星板会立即断开，得到新文件后再回来。',
  'nodes.renew_do': '生成新凭据',
  'nodes.delete': '移除卫星板',
  'nodes.delete_sure':
    '{name} 会立即断开。它的引脚、设备和主题将被清除；它的输出按自己的规则进入安全状态。',
};
