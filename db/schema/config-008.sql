-- Persons from before there were covers may move them, as those made since: whoever
-- still has the rule for lights, which came with them. Not more rules than a house may
-- have (DB_RULES_MAX).
INSERT OR IGNORE INTO rules (user, filter, action, effect)
	SELECT name, 'hearth/+/cover/+/set', 'write', 'allow'
	FROM users
	WHERE kind = 'person' AND EXISTS (
		SELECT 1 FROM rules
		WHERE user = name AND filter = 'hearth/+/light/+/set'
			AND action = 'write' AND effect = 'allow')
	ORDER BY name
	LIMIT max(0, 20000 - (SELECT count(*) FROM rules));
