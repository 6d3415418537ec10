/*
 * Settings by name, changed live through REST, dashboard or hearthctl. What they
 * mean is their readers' business.
 */
#ifndef DB_SETTINGS_H
#define DB_SETTINGS_H

#include <stddef.h>
#include <stdint.h>

struct db_config;

#define DB_SETTING_KEY_MAX 64 /* bytes: [a-z0-9_.-] */
#define DB_SETTING_VALUE_MAX 16384 /* a list of filters, a small document */

/* Keys in use. */
#define DB_SETTING_HISTORY_FILTERS "history_filters" /* one filter a line */

/* The value, NUL-terminated, in memory the caller frees. -ENOENT, -ENOMEM... */
int db_settings_get(struct db_config *config, const char *key, char **out);
/* -EINVAL: key or value out of range. */
int db_settings_set(struct db_config *config, const char *key,
		    const char *value);
/* -ENOENT. */
int db_settings_remove(struct db_config *config, const char *key);

/*
 * Filters of the messages to keep in the history: the setting history_filters,
 * or if there is none "hearth/<node>/#". A NULL ends the list, which is one
 * piece of memory that the caller frees. Lines that are no Topic Filter are
 * left out.
 */
#define DB_HISTORY_FILTERS_MAX 64
int db_settings_history_filters(struct db_config *config, const char *node,
				char ***out, size_t *count);

#endif
