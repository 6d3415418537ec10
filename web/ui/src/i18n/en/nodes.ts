/* The boards of the house: the hub's own, and satellites. */
export const nodes = {
  'nodes.title': 'Boards',
  'nodes.text': 'Pins and devices below are those of the board that is chosen.',
  'nodes.own': 'this hub',
  'nodes.simulated': 'simulated',
  'nodes.never': 'has not been here yet',
  'nodes.online': 'Online',
  'nodes.offline': 'Offline',
  'nodes.pins_one': '{n} pin',
  'nodes.pins': '{n} pins',
  'nodes.devices_one': '{n} device',
  'nodes.devices': '{n} devices',
  'nodes.pending': 'has not answered yet',
  'nodes.errors_one': '{n} fault',
  'nodes.errors': '{n} faults',
  'nodes.add': 'Add a satellite',
  'nodes.add_text':
    'A satellite is another Raspberry Pi in the house whose pins are set up here. It reaches this hub by MQTT over TLS, may use its own topics only, and goes on safely by itself when the hub is gone.',
  'nodes.name': 'Name of the board',
  'nodes.name_hint': 'Small letters, digits and -. It stands in the topics and cannot be changed later.',
  'nodes.hub': 'Address of this hub',
  'nodes.hub_hint': 'As the satellite reaches it: mqtts://hearth.local:8883. Empty: as you do now.',
  'nodes.no_listener':
    'This hub has no listener for MQTT over TLS yet. Add one to hearth.conf ([listener NAME], type = tls) and start it anew.',
  'nodes.joins': '{name} may join',
  'nodes.join_text':
    'Put this into a file on the satellite, /etc/hearth/satellite.conf, that only its service may read. It is shown this one time.',
  'nodes.join_how':
    'sudo install -m 600 -o hearth satellite.conf /etc/hearth/ && sudo systemctl enable --now hearth-satellite',
  'nodes.join_label': 'The file',
  'nodes.download': 'Download',
  'nodes.renew': 'New credential for {name}',
  'nodes.renew_text':
    'The satellite is cut off at once, and comes back when it has the new file.',
  'nodes.renew_do': 'Make a new one',
  'nodes.delete': 'Remove satellite',
  'nodes.delete_sure':
    '{name} is cut off at once. Its pins, devices and topics are taken away; its outputs go to their safe states by their own rules.',
};
