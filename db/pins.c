#include "db/pins.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "db/connection.h"
#include "db/rows.h"
#include "db/settings.h"
#include "db/statement.h"

static int pin_at(const struct statement *s, void *row)
{
	struct db_pin *out = row;
	if (!statement_copy_at(s, 0, out->name, sizeof(out->name)) ||
	    !statement_copy_at(s, 1, out->chip, sizeof(out->chip)) ||
	    !statement_copy_at(s, 3, out->document, sizeof(out->document)) ||
	    !statement_copy_at(s, 4, out->node, sizeof(out->node)))
		return -EBADMSG;
	out->line = (uint32_t)statement_int_at(s, 2);
	return 0;
}

static const struct rows_kind pin_rows = {
	.size = sizeof(struct db_pin),
	.read = pin_at,
};

int db_pins_list(struct db_config *config, const char *node,
		 struct db_pin **out, size_t *count)
{
	struct statement s;

	statement_open(&s, db_config_sqlite(config),
		       "SELECT name, chip, line, document, node FROM pins"
		       " WHERE node = ? ORDER BY name");
	statement_text(&s, node);
	return rows_list(&s, &pin_rows, DB_PINS_MAX, out, count);
}

/* 1: the line is free or the pin's own, else -EADDRINUSE and whose it is. */
static int line_free(struct db_config *config, const struct db_pin *pin,
		     char *holder)
{
	struct statement s;
	int r;

	statement_open(&s, db_config_sqlite(config),
		       "SELECT name FROM pins"
		       " WHERE node = ? AND chip = ? AND line = ?"
		       " AND name <> ?");
	statement_text(&s, pin->node);
	statement_text(&s, pin->chip);
	statement_int(&s, pin->line);
	statement_text(&s, pin->name);
	r = statement_step(&s);
	if (r > 0)
		r = statement_copy_at(&s, 0, holder, DB_PIN_NAME_MAX + 1)
			    ? -EADDRINUSE
			    : -EBADMSG;
	statement_close(&s);

	return r;
}

/* 1 or 0: there is a pin of this name. */
static int exists(struct db_config *config, const struct db_pin *pin)
{
	struct statement s;
	int r;

	statement_open(&s, db_config_sqlite(config),
		       "SELECT 1 FROM pins WHERE node = ? AND name = ?");
	statement_text(&s, pin->node);
	statement_text(&s, pin->name);
	r = statement_step(&s);
	statement_close(&s);
	return r;
}

/* 1: it is new and there is room; 0: it exists; -ENFILE. */
static int pin_is_new(struct db_config *config, const struct db_pin *pin)
{
	struct statement s;
	int64_t count;
	int r = exists(config, pin);

	if (r)
		return r < 0 ? r : 0;

	statement_open(&s, db_config_sqlite(config),
		       "SELECT count(*) FROM pins WHERE node = ?");
	statement_text(&s, pin->node);
	r = statement_finish_int(&s, &count);
	if (r)
		return r;

	return count < DB_PINS_MAX ? 1 : -ENFILE;
}

static int write_pin(struct db_config *config, const struct db_pin *pin)
{
	struct statement s;

	statement_open(&s, db_config_sqlite(config),
		       "REPLACE INTO pins (node, name, chip, line, document)"
		       " VALUES (?, ?, ?, ?, ?)");
	statement_text(&s, pin->node);
	statement_text(&s, pin->name);
	statement_text(&s, pin->chip);
	statement_int(&s, pin->line);
	statement_text(&s, pin->document);

	return statement_finish(&s);
}

int db_pins_put(struct db_config *config, const struct db_pin *pin,
		char holder[DB_PIN_NAME_MAX + 1])
{
	int is_new;
	int r;

	if (!pin->name[0])
		return -EINVAL;

	r = db_config_begin(config);
	if (r)
		return r;
	is_new = pin_is_new(config, pin);
	r = is_new < 0 ? is_new : line_free(config, pin, holder);
	if (!r)
		r = write_pin(config, pin);

	return db_config_finish(config, r ? r : is_new);
}

int db_pins_remove(struct db_config *config, const char *node, const char *name)
{
	struct statement s;

	statement_open(&s, db_config_sqlite(config),
		       "DELETE FROM pins WHERE node = ? AND name = ?"
		       " RETURNING 1");
	statement_text(&s, node);
	statement_text(&s, name);
	return statement_finish_found(&s);
}
