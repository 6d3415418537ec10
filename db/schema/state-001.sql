-- The boot whose monotonic clock "expires" is told in. After another boot, rows
-- get what was left to them when they were saved: no jump of the wall clock can
-- make a message expire.
CREATE TABLE boot (
	id INTEGER PRIMARY KEY CHECK (id = 1),
	boot TEXT NOT NULL
) STRICT;
INSERT INTO boot VALUES (1, '');

CREATE TABLE sessions (
	id INTEGER PRIMARY KEY,
	client TEXT NOT NULL,
	user TEXT NOT NULL,
	expiry INTEGER NOT NULL, -- Session Expiry Interval, s
	version INTEGER NOT NULL
) STRICT;

CREATE TABLE subscriptions (
	session INTEGER NOT NULL,
	filter TEXT NOT NULL,
	options INTEGER NOT NULL,
	identifier INTEGER NOT NULL,
	PRIMARY KEY (session, filter)
) STRICT, WITHOUT ROWID;

-- A message once, however many sessions wait for it. No counter of references:
-- the broker counts in memory and says when the row may go.
CREATE TABLE messages (
	id INTEGER PRIMARY KEY,
	time INTEGER NOT NULL, -- of arrival, ms since 1970 UTC
	expires INTEGER, -- monotonic ms of this boot; NULL: never
	remaining INTEGER, -- ms left when it was saved
	qos INTEGER NOT NULL,
	retain INTEGER NOT NULL,
	user TEXT NOT NULL,
	client TEXT NOT NULL,
	address TEXT NOT NULL,
	topic TEXT NOT NULL,
	properties BLOB NOT NULL,
	payload BLOB NOT NULL
) STRICT;

CREATE TABLE queue (
	session INTEGER NOT NULL,
	seq INTEGER NOT NULL,
	message INTEGER NOT NULL,
	packet_id INTEGER NOT NULL,
	state INTEGER NOT NULL,
	qos INTEGER NOT NULL,
	retain INTEGER NOT NULL,
	identifiers BLOB,
	PRIMARY KEY (session, seq)
) STRICT, WITHOUT ROWID;

-- Packet identifiers of QoS 2 messages received and not yet released.
CREATE TABLE inbound (
	session INTEGER NOT NULL,
	packet_id INTEGER NOT NULL,
	PRIMARY KEY (session, packet_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE retained (
	topic TEXT PRIMARY KEY,
	id INTEGER NOT NULL,
	time INTEGER NOT NULL,
	expires INTEGER,
	remaining INTEGER,
	qos INTEGER NOT NULL,
	user TEXT NOT NULL,
	client TEXT NOT NULL,
	address TEXT NOT NULL,
	properties BLOB NOT NULL,
	payload BLOB NOT NULL
) STRICT, WITHOUT ROWID;
