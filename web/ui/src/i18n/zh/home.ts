/* Tiles, states, and what was done. */
import type { home as En } from '../en/home';
import type { Same } from '../same';

export const home: Same<typeof En> = {
  'home.morning': '早上好',
  'home.afternoon': '下午好',
  'home.evening': '晚上好',
  'home.night': '夜深了',
  'home.lights_one': '{n} 盏灯亮着',
  'home.lights': '{n} 盏灯亮着',
  'home.relays_one': '{n} 个继电器已开启',
  'home.relays': '{n} 个继电器已开启',
  'home.elsewhere': '其他',
  'home.empty': '这里还没有内容',
  'home.add_pins': '设置引脚',
  'home.ask_owner': '主机的主人可以添加灯和继电器。',
  'home.simulated': '这是模拟电路板。点按开关、按钮或门窗传感器即可操作。',

  'tile.history': '{name} 的历史',
  'tile.brightness': '{name} 的亮度',

  'event.pressed': '按下',
  'event.single': '单击',
  'event.double': '双击',
  'event.triple': '三击',
  'event.long': '长按',

  'state.on': '开',
  'state.off': '关',
  'state.open': '已打开',
  'state.closed': '已关闭',
  'state.motion': '有人移动',
  'state.still': '无动静',
  'state.pressed': '已按下',
  'state.pulses': '{n} 个脉冲',
  'state.released': '就绪',
  'state.unknown': '尚无状态',
  'state.pending': '切换中…',
  'state.offline': '离线',

  'command.refused': '未切换：{reason}',
  'command.forbidden': '你没有权限执行此操作。',
  'command.forbidden_why': '没有权限：{reason}',
  'command.silent': '电路板没有应答，此处状态未改变。',
  'command.offline': '没有连接，未发送任何内容。',

  'tile.color': '{name}的颜色',

  'state.fine': '正常',
  'state.under_voltage': '电压过低',
  'state.throttled': '已降频',

  'kind.relay': '继电器',
  'kind.light': '灯',
  'kind.switch': '开关',
  'kind.button': '按钮',
  'kind.contact': '门窗传感器',
  'kind.motion': '移动传感器',
  'kind.counter': '计数器（表计）',
};
