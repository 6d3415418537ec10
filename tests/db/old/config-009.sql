PRAGMA user_version = 9;
BEGIN TRANSACTION;
CREATE TABLE audit (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	time INTEGER NOT NULL, -- ms since 1970 UTC
	user TEXT NOT NULL,
	address TEXT NOT NULL,
	what TEXT NOT NULL
) STRICT;
INSERT INTO audit VALUES(1,1795251600005,'anna','192.0.2.7','user lock: made');
INSERT INTO audit VALUES(2,1795251600006,'','','started');
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
INSERT INTO bans VALUES(1,'address','192.0.2.0/24','noise',0,1795251600003,'anna');
INSERT INTO bans VALUES(2,'client','bad','',1795251700000,1795251600004,'');
CREATE TABLE counter (
	id INTEGER PRIMARY KEY CHECK (id = 1),
	value INTEGER NOT NULL
) STRICT;
INSERT INTO counter VALUES(1,7);
CREATE TABLE history_policies (
	filter TEXT PRIMARY KEY,
	keep INTEGER NOT NULL CHECK (keep IN (0, 1)),
	on_change INTEGER NOT NULL CHECK (on_change IN (0, 1)),
	averages INTEGER NOT NULL CHECK (averages IN (0, 1)),
	min_interval INTEGER NOT NULL CHECK (min_interval >= 0), -- ms
	days INTEGER NOT NULL CHECK (days >= 0), -- 0: as long as usual
	rows INTEGER NOT NULL CHECK (rows >= 0) -- 0: no limit
) STRICT, WITHOUT ROWID;
INSERT INTO history_policies VALUES('#',0,0,0,0,0,0);
INSERT INTO history_policies VALUES('+/temperature',1,1,1,60000,365,0);
CREATE TABLE rules (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	user TEXT NOT NULL, -- '*' for everyone
	filter TEXT NOT NULL,
	action TEXT NOT NULL CHECK (action IN ('read', 'write', 'readwrite')),
	effect TEXT NOT NULL CHECK (effect IN ('allow', 'deny')),
	UNIQUE (user, filter, action, effect)
) STRICT;
INSERT INTO rules VALUES(2,'lock','lock/%c/#','readwrite','allow');
CREATE TABLE secrets (
	name TEXT PRIMARY KEY,
	value BLOB NOT NULL CHECK (length(value) = 32)
) STRICT, WITHOUT ROWID;
INSERT INTO secrets VALUES('scram',X'000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f');
CREATE TABLE settings (
	key TEXT PRIMARY KEY,
	value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO settings VALUES('name','Casa');
INSERT INTO settings VALUES('tz','Europe/Rome');
CREATE TABLE users (
	name TEXT PRIMARY KEY,
	hash TEXT NOT NULL,
	kind TEXT NOT NULL CHECK (kind IN ('person', 'device')),
	admin INTEGER NOT NULL CHECK (admin IN (0, 1)),
	enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
	created INTEGER NOT NULL, -- ms since 1970 UTC
	version INTEGER NOT NULL
, scram TEXT NOT NULL DEFAULT '') STRICT, WITHOUT ROWID;
INSERT INTO users VALUES('anna','$scrypt$a','person',1,1,1795251600000,3,'');
INSERT INTO users VALUES('gone','$scrypt$c','person',0,0,1795251600002,5,'');
INSERT INTO users VALUES('lock','$token$b','device',0,1,1795251600001,4,'4096$x$y$z');
CREATE TABLE nodes (
	id INTEGER PRIMARY KEY AUTOINCREMENT, -- numbers its rules; never used again
	name TEXT NOT NULL UNIQUE,
	hash TEXT NOT NULL,
	created INTEGER NOT NULL -- ms since 1970 UTC
) STRICT;
INSERT INTO nodes VALUES(1,'garage','$token$g',1795251600007);
INSERT INTO nodes VALUES(2,'shed','$token$s',1795251600008);
CREATE TABLE IF NOT EXISTS "pins" (
	node TEXT NOT NULL,
	name TEXT NOT NULL,
	chip TEXT NOT NULL, -- label; '' for the board's header
	line INTEGER NOT NULL CHECK (line >= 0),
	document TEXT NOT NULL,
	PRIMARY KEY (node, name),
	UNIQUE (node, chip, line)
) STRICT, WITHOUT ROWID;
INSERT INTO pins VALUES('','door','pinctrl-bcm2711',4,'{"name":"door","dir":"in","line":4,"chip":"pinctrl-bcm2711","kind":"contact","label":"Door ''a''","room":"","active_low":true,"bias":"up","debounce_ms":20}');
INSERT INTO pins VALUES('','pump','',17,'{"name":"pump","dir":"out","line":17,"chip":null,"kind":"relay","label":"Pump","room":"Cellar","active_low":true,"safe":"off","boot":"restore","interlock":"valves","dead_ms":500,"locked":true,"cycles":6,"max_on":60000,"min_on":1000,"min_off":2000,"auto_off":30000,"command_timeout":5000,"failsafe":10000}');
INSERT INTO pins VALUES('garage','door','',17,'{"name":"door","dir":"in","line":17}');
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('rules',2);
INSERT INTO sqlite_sequence VALUES('bans',2);
INSERT INTO sqlite_sequence VALUES('audit',2);
INSERT INTO sqlite_sequence VALUES('nodes',2);
COMMIT;
