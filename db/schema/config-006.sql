-- What the history keeps of which topics (broker/history_rules.h).
CREATE TABLE history_policies (
	filter TEXT PRIMARY KEY,
	keep INTEGER NOT NULL CHECK (keep IN (0, 1)),
	on_change INTEGER NOT NULL CHECK (on_change IN (0, 1)),
	averages INTEGER NOT NULL CHECK (averages IN (0, 1)),
	min_interval INTEGER NOT NULL CHECK (min_interval >= 0), -- ms
	days INTEGER NOT NULL CHECK (days >= 0), -- 0: as long as usual
	rows INTEGER NOT NULL CHECK (rows >= 0) -- 0: no limit
) STRICT, WITHOUT ROWID;
