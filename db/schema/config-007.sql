-- A pin as one JSON object (gpio/pins.h): what can be said of one grows.
CREATE TABLE pins_7 (
	name TEXT PRIMARY KEY,
	chip TEXT NOT NULL, -- label; '' for the board's header
	line INTEGER NOT NULL CHECK (line >= 0),
	document TEXT NOT NULL,
	UNIQUE (chip, line)
) STRICT, WITHOUT ROWID;

INSERT INTO pins_7 (name, chip, line, document)
	SELECT name, chip, line, json_patch(
		json_object('name', name, 'dir', dir, 'line', line,
			'chip', nullif(chip, ''), 'kind', kind,
			'label', label, 'room', room,
			'active_low', json(iif(active_low, 'true', 'false'))),
		iif(dir = 'in',
			json_object('bias', bias, 'debounce_ms', debounce_ms),
			json_object('safe', safe, 'boot', boot,
				'interlock', interlock, 'dead_ms', dead_ms,
				'locked', json(iif(locked, 'true', 'false')),
				'cycles', cycles, 'max_on', max_on,
				'min_on', min_on, 'min_off', min_off,
				'auto_off', auto_off,
				'command_timeout', command_timeout,
				'failsafe', failsafe)))
	FROM pins;

DROP TABLE pins;
ALTER TABLE pins_7 RENAME TO pins;
