#include "db/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/wire/topic.h"
#include "broker/wire/utf8.h"
#include "db/connection.h"
#include "db/statement.h"

static bool key_valid(const char *key)
{
	size_t len = strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789_.-");

	return len > 0 && len <= DB_SETTING_KEY_MAX && !key[len];
}

int db_settings_get(struct db_config *config, const char *key, char **out)
{
	struct statement s;
	int r;

	statement_open(&s, db_config_sqlite(config),
		       "SELECT value FROM settings WHERE key = ?");
	statement_text(&s, key);
	r = statement_step(&s);
	if (r == 0)
		r = -ENOENT;
	if (r > 0) {
		struct slice value = statement_bytes_at(&s, 0);

		*out = strndup((const char *)value.data, value.len);
		r = *out ? 0 : -ENOMEM;
	}
	statement_close(&s);

	return r;
}

int db_settings_set(struct db_config *config, const char *key,
		    const char *value)
{
	struct slice text = slice_str(value);
	struct statement s;

	if (!key_valid(key) || text.len > DB_SETTING_VALUE_MAX ||
	    !utf8_valid(text))
		return -EINVAL;

	statement_open(
		&s, db_config_sqlite(config),
		"INSERT INTO settings (key, value) VALUES (?, ?)"
		" ON CONFLICT (key) DO UPDATE SET value = excluded.value");
	statement_text(&s, key);
	statement_text(&s, value);

	return statement_finish(&s);
}

int db_settings_remove(struct db_config *config, const char *key)
{
	struct statement s;

	statement_open(&s, db_config_sqlite(config),
		       "DELETE FROM settings WHERE key = ? RETURNING 1");
	statement_text(&s, key);
	return statement_finish_found(&s);
}

/* Split text, which follows the pointers in the same memory, into its lines. */
static size_t split(char *text, char **lines)
{
	size_t count = 0;
	char *line;

	while (count < DB_HISTORY_FILTERS_MAX &&
	       (line = strsep(&text, "\n")) != NULL) {
		if (*line && topic_filter_valid(slice_str(line)))
			lines[count++] = line;
	}
	lines[count] = NULL;

	return count;
}

int db_settings_history_filters(struct db_config *config, const char *node,
				char ***out, size_t *count)
{
	size_t room = sizeof(char *) * (DB_HISTORY_FILTERS_MAX + 1);
	char *text;
	char **lines;
	size_t size;
	int r;

	r = db_settings_get(config, DB_SETTING_HISTORY_FILTERS, &text);
	if (r == -ENOENT)
		r = asprintf(&text, "hearth/%s/#", node) < 0 ? -ENOMEM : 0;
	if (r)
		return r;

	size = strlen(text) + 1;
	lines = malloc(room + size);
	if (lines) {
		memcpy((char *)lines + room, text, size);
		*count = split((char *)lines + room, lines);
		*out = lines;
	}
	free(text);

	return lines ? 0 : -ENOMEM;
}
