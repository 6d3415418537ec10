PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE counter (
	id INTEGER PRIMARY KEY CHECK (id = 1),
	value INTEGER NOT NULL
) STRICT;
INSERT INTO "counter" VALUES(1,7);
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
INSERT INTO "pins" VALUES('door','in','pinctrl-bcm2711',4,'up',1,20,'off','contact','Door ''a''','');
INSERT INTO "pins" VALUES('pump','out','',17,'as_is',1,0,'off','relay','Pump','Cellar');
CREATE TABLE rules (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	user TEXT NOT NULL, -- '*' for everyone
	filter TEXT NOT NULL,
	action TEXT NOT NULL CHECK (action IN ('read', 'write', 'readwrite')),
	effect TEXT NOT NULL CHECK (effect IN ('allow', 'deny')),
	UNIQUE (user, filter, action, effect)
) STRICT;
INSERT INTO "rules" VALUES(2,'lock','lock/%c/#','readwrite','allow');
CREATE TABLE settings (
	key TEXT PRIMARY KEY,
	value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "settings" VALUES('name','Casa');
INSERT INTO "settings" VALUES('tz','Europe/Rome');
CREATE TABLE users (
	name TEXT PRIMARY KEY,
	hash TEXT NOT NULL,
	kind TEXT NOT NULL CHECK (kind IN ('person', 'device')),
	admin INTEGER NOT NULL CHECK (admin IN (0, 1)),
	enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
	created INTEGER NOT NULL, -- ms since 1970 UTC
	version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "users" VALUES('anna','$scrypt$a','person',1,1,1795251600000,3);
INSERT INTO "users" VALUES('gone','$scrypt$c','person',0,0,1795251600002,5);
INSERT INTO "users" VALUES('lock','$token$b','device',0,1,1795251600001,4);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('rules',2);
COMMIT;
