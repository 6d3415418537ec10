-- What is published for a client that does not come back after the hub itself has
-- died. Gone with the client's DISCONNECT, and when it was published. Sessions that
-- end with their connection have one, too.
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
