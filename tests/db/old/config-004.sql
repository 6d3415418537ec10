PRAGMA user_version = 4;
BEGIN TRANSACTION;
CREATE TABLE bans (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	kind TEXT NOT NULL CHECK (kind IN ('user', 'client', 'address')),
	what TEXT NOT NULL,
	reason TEXT NOT NULL,
	until INTEGER NOT NULL, -- ms since 1970 UTC; 0: for good
	created INTEGER NOT NULL,
	by TEXT NOT NULL, -- the user who made it
	UNIQUE (kind, what)
) STRICT;
INSERT INTO "bans" VALUES(1,'address','192.0.2.0/24','noise',0,1795251600003,'anna');
INSERT INTO "bans" VALUES(2,'client','bad','',1795251700000,1795251600004,'');
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
	room TEXT NOT NULL, boot TEXT NOT NULL DEFAULT 'as_read'
	CHECK (boot IN ('as_read', 'off', 'on', 'restore')), interlock TEXT NOT NULL DEFAULT '', locked INTEGER NOT NULL DEFAULT 0
	CHECK (locked IN (0, 1)), dead_ms INTEGER NOT NULL DEFAULT 0 CHECK (dead_ms >= 0), cycles INTEGER NOT NULL DEFAULT 0 CHECK (cycles >= 0), max_on INTEGER NOT NULL DEFAULT 0 CHECK (max_on >= 0), min_on INTEGER NOT NULL DEFAULT 0 CHECK (min_on >= 0), min_off INTEGER NOT NULL DEFAULT 0 CHECK (min_off >= 0), auto_off INTEGER NOT NULL DEFAULT 0 CHECK (auto_off >= 0), command_timeout INTEGER NOT NULL DEFAULT 0 CHECK (command_timeout >= 0), failsafe INTEGER NOT NULL DEFAULT 0 CHECK (failsafe >= 0),
	UNIQUE (chip, line)
) STRICT, WITHOUT ROWID;
INSERT INTO "pins" VALUES('door','in','pinctrl-bcm2711',4,'up',1,20,'off','contact','Door ''a''','','as_read','',0,0,0,0,0,0,0,0,0);
INSERT INTO "pins" VALUES('pump','out','',17,'as_is',1,0,'off','relay','Pump','Cellar','restore','valves',1,500,6,60000,1000,2000,30000,5000,10000);
CREATE TABLE rules (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	user TEXT NOT NULL, -- '*' for everyone
	filter TEXT NOT NULL,
	action TEXT NOT NULL CHECK (action IN ('read', 'write', 'readwrite')),
	effect TEXT NOT NULL CHECK (effect IN ('allow', 'deny')),
	UNIQUE (user, filter, action, effect)
) STRICT;
INSERT INTO "rules" VALUES(2,'lock','lock/%c/#','readwrite','allow');
CREATE TABLE secrets (
	name TEXT PRIMARY KEY,
	value BLOB NOT NULL CHECK (length(value) = 32)
) STRICT, WITHOUT ROWID;
INSERT INTO "secrets" VALUES('scram',X'000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F');
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
, scram TEXT NOT NULL DEFAULT '') STRICT, WITHOUT ROWID;
INSERT INTO "users" VALUES('anna','$scrypt$a','person',1,1,1795251600000,3,'');
INSERT INTO "users" VALUES('gone','$scrypt$c','person',0,0,1795251600002,5,'');
INSERT INTO "users" VALUES('lock','$token$b','device',0,1,1795251600001,4,'4096$x$y$z');
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('rules',2);
INSERT INTO "sqlite_sequence" VALUES('bans',2);
COMMIT;
