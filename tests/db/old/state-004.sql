PRAGMA user_version = 4;
BEGIN TRANSACTION;
CREATE TABLE boot (
	id INTEGER PRIMARY KEY CHECK (id = 1),
	boot TEXT NOT NULL
) STRICT;
INSERT INTO boot VALUES(1,'1b4e28ba-2fa1-11d2-883f-0016d3cca427');
CREATE TABLE inbound (
	session INTEGER NOT NULL,
	packet_id INTEGER NOT NULL,
	PRIMARY KEY (session, packet_id)
) STRICT, WITHOUT ROWID;
INSERT INTO inbound VALUES(7,33);
INSERT INTO inbound VALUES(7,65535);
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
INSERT INTO messages VALUES(100,1795251600000,NULL,NULL,1,0,'u','c','192.0.2.7','a/x',X'',X'6f6e');
INSERT INTO messages VALUES(101,1795251600001,5000,4000,2,1,'u','c','','a/y',X'0101',X'');
CREATE TABLE IF NOT EXISTS "queue" (
	message INTEGER NOT NULL, -- still names the row when the message is gone
	session INTEGER NOT NULL,
	seq INTEGER NOT NULL,
	packet_id INTEGER NOT NULL,
	state INTEGER NOT NULL,
	qos INTEGER NOT NULL,
	retain INTEGER NOT NULL,
	identifiers BLOB, share INTEGER NOT NULL DEFAULT 0,
	PRIMARY KEY (message, session, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO queue VALUES(0,7,6,6,2,2,0,NULL,0);
INSERT INTO queue VALUES(100,7,4,4,0,1,0,NULL,0);
INSERT INTO queue VALUES(101,7,5,5,0,1,0,NULL,4294967295);
INSERT INTO queue VALUES(101,9,1,1,1,2,1,X'0b05',0);
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
INSERT INTO retained VALUES('hall/light',200,1795251600002,NULL,NULL,1,'u','c','192.0.2.7',X'',X'4f4e');
INSERT INTO retained VALUES('é',201,1795251600003,9000,1000,0,'','','',X'',X'00ff');
CREATE TABLE sessions (
	id INTEGER PRIMARY KEY,
	client TEXT NOT NULL,
	user TEXT NOT NULL,
	expiry INTEGER NOT NULL, -- Session Expiry Interval, s
	version INTEGER NOT NULL
) STRICT;
INSERT INTO sessions VALUES(7,'anna','anna',4294967295,4);
INSERT INTO sessions VALUES(9,'dash "x"','',3600,5);
CREATE TABLE subscriptions (
	session INTEGER NOT NULL,
	filter TEXT NOT NULL,
	options INTEGER NOT NULL,
	identifier INTEGER NOT NULL,
	PRIMARY KEY (session, filter)
) STRICT, WITHOUT ROWID;
INSERT INTO subscriptions VALUES(7,'a/#',2,0);
INSERT INTO subscriptions VALUES(9,'$share/g/b',45,268435455);
CREATE TABLE wills (
	session INTEGER PRIMARY KEY,
	delay INTEGER NOT NULL, -- s after the connection was lost
	expiry INTEGER, -- s after its publication; NULL: never
	qos INTEGER NOT NULL,
	retain INTEGER NOT NULL,
	user TEXT NOT NULL,
	client TEXT NOT NULL,
	address TEXT NOT NULL,
	topic TEXT NOT NULL,
	properties BLOB NOT NULL,
	payload BLOB NOT NULL
) STRICT;
INSERT INTO "wills" VALUES(7,30,NULL,1,1,'anna','anna','192.0.2.7','a/state',X'',X'6F66666C696E65');
INSERT INTO "wills" VALUES(11,0,90,0,0,'','é','','é/x',X'0101',X'');
COMMIT;
