-- Boards besides the hub's own (satellites), each with its credential, and of each pin
-- whose it is; '' is the hub's own board.
CREATE TABLE nodes (
	id INTEGER PRIMARY KEY AUTOINCREMENT, -- numbers its rules; never used again
	name TEXT NOT NULL UNIQUE,
	hash TEXT NOT NULL,
	created INTEGER NOT NULL -- ms since 1970 UTC
) STRICT;

CREATE TABLE pins_9 (
	node TEXT NOT NULL,
	name TEXT NOT NULL,
	chip TEXT NOT NULL, -- label; '' for the board's header
	line INTEGER NOT NULL CHECK (line >= 0),
	document TEXT NOT NULL,
	PRIMARY KEY (node, name),
	UNIQUE (node, chip, line)
) STRICT, WITHOUT ROWID;

INSERT INTO pins_9 (node, name, chip, line, document)
	SELECT '', name, chip, line, document FROM pins;

DROP TABLE pins;
ALTER TABLE pins_9 RENAME TO pins;
