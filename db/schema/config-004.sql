-- The rules of an output (db/pin_rules.h); 0 or '' for none.
ALTER TABLE pins ADD COLUMN boot TEXT NOT NULL DEFAULT 'as_read'
	CHECK (boot IN ('as_read', 'off', 'on', 'restore'));
ALTER TABLE pins ADD COLUMN interlock TEXT NOT NULL DEFAULT '';
ALTER TABLE pins ADD COLUMN locked INTEGER NOT NULL DEFAULT 0
	CHECK (locked IN (0, 1));
ALTER TABLE pins ADD COLUMN dead_ms INTEGER NOT NULL DEFAULT 0 CHECK (dead_ms >= 0);
ALTER TABLE pins ADD COLUMN cycles INTEGER NOT NULL DEFAULT 0 CHECK (cycles >= 0);
ALTER TABLE pins ADD COLUMN max_on INTEGER NOT NULL DEFAULT 0 CHECK (max_on >= 0);
ALTER TABLE pins ADD COLUMN min_on INTEGER NOT NULL DEFAULT 0 CHECK (min_on >= 0);
ALTER TABLE pins ADD COLUMN min_off INTEGER NOT NULL DEFAULT 0 CHECK (min_off >= 0);
ALTER TABLE pins ADD COLUMN auto_off INTEGER NOT NULL DEFAULT 0 CHECK (auto_off >= 0);
ALTER TABLE pins ADD COLUMN command_timeout INTEGER NOT NULL DEFAULT 0 CHECK (command_timeout >= 0);
ALTER TABLE pins ADD COLUMN failsafe INTEGER NOT NULL DEFAULT 0 CHECK (failsafe >= 0);
