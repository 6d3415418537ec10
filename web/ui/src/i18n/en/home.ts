/* Tiles, states, and what was done. */
export const home = {
  'home.morning': 'Good morning',
  'home.afternoon': 'Good afternoon',
  'home.evening': 'Good evening',
  'home.night': 'Good evening',
  'home.lights_one': '{n} light on',
  'home.lights': '{n} lights on',
  'home.relays_one': '{n} relay on',
  'home.relays': '{n} relays on',
  'home.elsewhere': 'Elsewhere',
  'home.empty': 'Nothing here yet',
  'home.add_pins': 'Set up the pins',
  'home.ask_owner': 'The owner of the box can add lights and relays.',
  'home.simulated':
    'This board is simulated. Tap a switch, button or contact to operate it.',

  'tile.history': 'History of {name}',
  'tile.brightness': 'Brightness of {name}',

  'event.pressed': 'pressed',
  'event.single': 'pressed once',
  'event.double': 'pressed twice',
  'event.triple': 'pressed three times',
  'event.long': 'held',

  'state.on': 'On',
  'state.off': 'Off',
  'state.open': 'Open',
  'state.closed': 'Closed',
  'state.motion': 'Motion',
  'state.still': 'Quiet',
  'state.pressed': 'Pressed',
  'state.pulses': '{n} pulses',
  'state.released': 'Ready',
  'state.unknown': 'No state yet',
  'state.pending': 'Switching…',
  'state.offline': 'Offline',

  'command.refused': 'not switched: {reason}',
  'command.forbidden': 'you are not allowed to do this.',
  'command.forbidden_why': 'not allowed: {reason}',
  'command.silent': 'the board did not answer. Its state is unchanged here.',
  'command.offline': 'no connection, nothing was sent.',

  'tile.color': 'Colour of {name}',

  'state.fine': 'Fine',
  'state.under_voltage': 'Too low',
  'state.throttled': 'Slowed down',

  'kind.relay': 'Relay',
  'kind.light': 'Light',
  'kind.switch': 'Switch',
  'kind.button': 'Button',
  'kind.contact': 'Contact (door, window)',
  'kind.motion': 'Motion',
  'kind.counter': 'Counter (meter)',
};
