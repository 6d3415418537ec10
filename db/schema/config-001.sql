-- Values handed out once only: the versions of users (ETag).
CREATE TABLE counter (
	id INTEGER PRIMARY KEY CHECK (id = 1),
	value INTEGER NOT NULL
) STRICT;
INSERT INTO counter VALUES (1, 0);

CREATE TABLE settings (
	key TEXT PRIMARY KEY,
	value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE users (
	name TEXT PRIMARY KEY,
	hash TEXT NOT NULL,
	kind TEXT NOT NULL CHECK (kind IN ('person', 'device')),
	admin INTEGER NOT NULL CHECK (admin IN (0, 1)),
	enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
	created INTEGER NOT NULL, -- ms since 1970 UTC
	version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- AUTOINCREMENT: a log line that names a rule must not come to mean another.
CREATE TABLE rules (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	user TEXT NOT NULL, -- '*' for everyone
	filter TEXT NOT NULL,
	action TEXT NOT NULL CHECK (action IN ('read', 'write', 'readwrite')),
	effect TEXT NOT NULL CHECK (effect IN ('allow', 'deny')),
	UNIQUE (user, filter, action, effect)
) STRICT;

CREATE TABLE pins (
	name TEXT PRIMARY KEY,
	dir TEXT NOT NULL CHECK (dir IN ('in', 'out')),
	chip TEXT NOT NULL, -- label; '' for the board's header
	line INTEGER NOT NULL CHECK (line >= 0),
	bias TEXT NOT NULL CHECK (bias IN ('none', 'up', 'down', 'as_is')),
	active_low INTEGER NOT NULL CHECK (active_low IN (0, 1)),
	debounce_ms INTEGER NOT NULL CHECK (debounce_ms >= 0),
	safe TEXT NOT NULL CHECK (safe IN ('off', 'on', 'hold')),
	kind TEXT NOT NULL CHECK (kind IN ('relay', 'light', 'switch',
					   'button', 'contact', 'motion')),
	label TEXT NOT NULL,
	room TEXT NOT NULL,
	UNIQUE (chip, line)
) STRICT, WITHOUT ROWID;
