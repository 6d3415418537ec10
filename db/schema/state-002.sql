-- The queue in the order in which messages come, not session by session: what a
-- commit adds then lies side by side, for one session or for a hundred, and so do
-- the rows of a message that many wait for. By session first, each session's end
-- was a page of its own, written anew with every commit.
CREATE TABLE queue_by_message (
	message INTEGER NOT NULL, -- still names the row when the message is gone
	session INTEGER NOT NULL,
	seq INTEGER NOT NULL,
	packet_id INTEGER NOT NULL,
	state INTEGER NOT NULL,
	qos INTEGER NOT NULL,
	retain INTEGER NOT NULL,
	identifiers BLOB,
	PRIMARY KEY (message, session, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO queue_by_message
	SELECT message, session, seq, packet_id, state, qos, retain, identifiers
	FROM queue;
DROP TABLE queue;
ALTER TABLE queue_by_message RENAME TO queue;
