#include "db/history_insert.h"

#include <sqlite3.h>
#include <stdio.h>

#include "broker/wire/utf8.h"
#include "db/history.h"
#include "db/history_days.h"
#include "db/history_table.h"

void history_insert_init(struct history_insert *insert, struct sqlite3 *sqlite)
{
	*insert = (struct history_insert){ .sqlite = sqlite };
	history_ids_init(&insert->ids);
}

void history_insert_close(struct history_insert *insert)
{
	statement_close(&insert->statement);
}

void history_insert_forget(struct history_insert *insert)
{
	statement_close(&insert->statement);
	insert->day = 0;
}

int history_insert_day(struct history_insert *insert, uint32_t day)
{
	char table[HISTORY_TABLE_SIZE];
	char sql[128];
	int r;

	if (day == insert->day)
		return 0;

	r = history_days_add(insert->sqlite, day);
	if (r)
		return r;
	history_table(day, table);
	(void)snprintf(sql, sizeof(sql),
		       "INSERT OR IGNORE INTO %s (id, topic, origin, payload)"
		       " VALUES (?, ?, ?, ?)",
		       table);
	statement_close(&insert->statement);
	r = statement_keep(&insert->statement, insert->sqlite, sql);
	insert->day = r ? 0 : day;

	return r;
}

/* At most max bytes, and no half character at the end of a text. */
static struct slice cut(struct slice payload, size_t max)
{
	struct slice text = payload;

	if (payload.len <= max)
		return payload;
	text.len = max;
	for (int i = 0; i < 4; i++, text.len--) {
		if (utf8_valid(text))
			return text;
	}

	return slice_of(payload.data, max);
}

int history_insert_row(struct history_insert *insert,
		       const struct message *message, int64_t time,
		       int64_t topic, int64_t origin)
{
	struct slice payload =
		cut(message_payload(message), DB_HISTORY_PAYLOAD_MAX);
	int64_t id = history_ids_first(&insert->ids, time);
	struct statement *s = &insert->statement;
	int r;

	/* When the clock was put back some are taken. */
	do {
		statement_int(s, id++);
		statement_int(s, topic);
		statement_int(s, origin);
		if (utf8_valid(payload))
			statement_text_slice(s, payload);
		else
			statement_blob(s, payload);
		r = statement_run(s);
	} while (!r && !sqlite3_changes(insert->sqlite));
	history_ids_use(&insert->ids, id - 1);

	return r;
}
