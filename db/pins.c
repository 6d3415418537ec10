#include "db/pins.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "broker/wire/utf8.h"
#include "db/connection.h"
#include "db/settings.h"
#include "db/statement.h"

#define COLUMNS                                                         \
	"name, dir, chip, line, bias, active_low, debounce_ms, safe, "  \
	"kind, label, room, boot, interlock, locked, dead_ms, cycles, " \
	"max_on, min_on, min_off, auto_off, command_timeout, failsafe"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* In the order of the enums. */
static const char *const dirs[] = { "in", "out" };
static const char *const biases[] = { "none", "up", "down", "as_is" };
static const char *const safes[] = { "off", "on", "hold" };
static const char *const kinds[] = { "relay",  "light",	  "switch",
				     "button", "contact", "motion" };

/* The index of the word, or -EINVAL. */
static int word(const char *const *words, size_t count, const char *text)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(words[i], text) == 0)
			return (int)i;
	}

	return -EINVAL;
}

#define WORDS(what, words)                                                   \
	const char *db_pin_##what##_text(enum db_pin_##what value)           \
	{                                                                    \
		return (size_t)value < COUNT(words) ? (words)[value] : NULL; \
	}                                                                    \
	int db_pin_##what##_parse(const char *text, enum db_pin_##what *out) \
	{                                                                    \
		int n = word(words, COUNT(words), text);                     \
                                                                             \
		if (n < 0)                                                   \
			return n;                                            \
		*out = (enum db_pin_##what)n;                                \
		return 0;                                                    \
	}

WORDS(dir, dirs)
WORDS(bias, biases)
WORDS(safe, safes)
WORDS(kind, kinds)

bool db_pin_name_valid(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-");

	return len > 0 && len <= DB_PIN_NAME_MAX && !name[len];
}

/* Shown to people: text without control characters. */
static bool text_valid(const char *text, size_t max)
{
	size_t len = strnlen(text, max + 1);

	if (len > max || !utf8_valid(slice_of(text, len)))
		return false;
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return false;
	}

	return true;
}

static bool kind_fits(const struct db_pin *pin)
{
	bool output = pin->kind == DB_PIN_RELAY || pin->kind == DB_PIN_LIGHT;

	return db_pin_kind_text(pin->kind) &&
	       output == (pin->dir == DB_PIN_OUT);
}

int db_pin_check(const struct db_pin *pin, const char **field,
		 const char **message)
{
	const struct {
		bool ok;
		const char *field;
		const char *message;
	} checks[] = {
		{ db_pin_name_valid(pin->name), "name",
		  "1 to 32 of a-z, 0-9, _ and -" },
		{ db_pin_dir_text(pin->dir) != NULL, "dir", "in or out" },
		{ text_valid(pin->chip, DB_PIN_CHIP_MAX), "chip",
		  "a chip's label of at most 64 bytes" },
		{ pin->line <= DB_PIN_LINE_MAX, "line", "0 to 511" },
		{ db_pin_bias_text(pin->bias) != NULL, "bias",
		  "none, up, down or as_is" },
		{ pin->debounce_ms <= DB_PIN_DEBOUNCE_MAX, "debounce_ms",
		  "0 to 10000" },
		{ pin->dir == DB_PIN_IN || pin->debounce_ms == 0, "debounce_ms",
		  "0 for an output" },
		{ db_pin_safe_text(pin->safe) != NULL, "safe",
		  "off, on or hold" },
		{ kind_fits(pin), "kind",
		  "relay or light for an output; switch, button, contact or "
		  "motion for an input" },
		{ text_valid(pin->label, DB_PIN_TEXT_MAX), "label",
		  "text of at most 64 bytes" },
		{ text_valid(pin->room, DB_PIN_TEXT_MAX), "room",
		  "text of at most 64 bytes" },
	};

	for (size_t i = 0; i < COUNT(checks); i++) {
		if (!checks[i].ok) {
			*field = checks[i].field;
			*message = checks[i].message;
			return -EINVAL;
		}
	}

	return db_pin_rules_check(pin, field, message);
}

/* The columns behind room, in the order of COLUMNS. */
static int rules_at(const struct statement *s, struct db_pin_rules *out)
{
	char text[16];

	if (!statement_copy_at(s, 11, text, sizeof(text)) ||
	    db_pin_boot_parse(text, &out->boot) ||
	    !statement_copy_at(s, 12, out->interlock, sizeof(out->interlock)))
		return -EBADMSG;
	out->locked = statement_int_at(s, 13) != 0;
	for (int i = 0; i < DB_PIN_LIMITS; i++)
		out->limit[i] = (uint32_t)statement_int_at(s, 14 + i);
	return 0;
}

static int words_at(const struct statement *s, struct db_pin *out)
{
	char text[16];

	if (!statement_copy_at(s, 1, text, sizeof(text)) ||
	    db_pin_dir_parse(text, &out->dir) ||
	    !statement_copy_at(s, 4, text, sizeof(text)) ||
	    db_pin_bias_parse(text, &out->bias) ||
	    !statement_copy_at(s, 7, text, sizeof(text)) ||
	    db_pin_safe_parse(text, &out->safe) ||
	    !statement_copy_at(s, 8, text, sizeof(text)) ||
	    db_pin_kind_parse(text, &out->kind))
		return -EBADMSG;

	return 0;
}

static int pin_at(const struct statement *s, struct db_pin *out)
{
	if (!statement_copy_at(s, 0, out->name, sizeof(out->name)) ||
	    !statement_copy_at(s, 2, out->chip, sizeof(out->chip)) ||
	    !statement_copy_at(s, 9, out->label, sizeof(out->label)) ||
	    !statement_copy_at(s, 10, out->room, sizeof(out->room)))
		return -EBADMSG;
	out->line = (uint32_t)statement_int_at(s, 3);
	out->active_low = statement_int_at(s, 5) != 0;
	out->debounce_ms = (uint32_t)statement_int_at(s, 6);

	if (words_at(s, out))
		return -EBADMSG;
	return rules_at(s, &out->rules);
}

int db_pins_list(struct db_config *config, struct db_pin **out, size_t *count)
{
	struct db_pin *pins = calloc(DB_PINS_MAX, sizeof(*pins));
	struct statement s;
	size_t n = 0;
	int r = 0;

	if (!pins)
		return -ENOMEM;

	statement_open(&s, db_config_sqlite(config),
		       "SELECT " COLUMNS " FROM pins ORDER BY name");
	while (n < DB_PINS_MAX && (r = statement_step(&s)) > 0) {
		r = pin_at(&s, &pins[n++]);
		if (r)
			break;
	}
	statement_close(&s);
	if (r < 0) {
		free(pins);
		return r;
	}

	*out = pins;
	*count = n;
	return 0;
}

int db_pins_get(struct db_config *config, const char *name, struct db_pin *out)
{
	struct statement s;
	int r;

	statement_open(&s, db_config_sqlite(config),
		       "SELECT " COLUMNS " FROM pins WHERE name = ?");
	statement_text(&s, name);
	r = statement_step(&s);
	if (r >= 0)
		r = r ? pin_at(&s, out) : -ENOENT;
	statement_close(&s);

	return r;
}

/* 1: the line is free or the pin's own, else -EADDRINUSE and whose it is. */
static int line_free(struct db_config *config, const struct db_pin *pin,
		     char *holder)
{
	struct statement s;
	int r;

	statement_open(&s, db_config_sqlite(config),
		       "SELECT name FROM pins"
		       " WHERE chip = ? AND line = ? AND name <> ?");
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

/* 1: it is new and there is room; 0: it exists; -ENFILE. */
static int pin_is_new(struct db_config *config, const char *name)
{
	struct db_pin pin;
	struct statement s;
	int64_t count = 0;
	int r = db_pins_get(config, name, &pin);

	if (r != -ENOENT)
		return r;

	statement_open(&s, db_config_sqlite(config),
		       "SELECT count(*) FROM pins");
	r = statement_step(&s);
	if (r > 0)
		count = statement_int_at(&s, 0);
	statement_close(&s);
	if (r < 0)
		return r;

	return count < DB_PINS_MAX ? 1 : -ENFILE;
}

static int write_pin(struct db_config *config, const struct db_pin *pin)
{
	struct statement s;

	statement_open(&s, db_config_sqlite(config),
		       "REPLACE INTO pins (" COLUMNS ")"
		       " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
		       " ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
	statement_text(&s, pin->name);
	statement_text(&s, db_pin_dir_text(pin->dir));
	statement_text(&s, pin->chip);
	statement_int(&s, pin->line);
	statement_text(&s, db_pin_bias_text(pin->bias));
	statement_int(&s, pin->active_low);
	statement_int(&s, pin->debounce_ms);
	statement_text(&s, db_pin_safe_text(pin->safe));
	statement_text(&s, db_pin_kind_text(pin->kind));
	statement_text(&s, pin->label);
	statement_text(&s, pin->room);
	statement_text(&s, db_pin_boot_text(pin->rules.boot));
	statement_text(&s, pin->rules.interlock);
	statement_int(&s, pin->rules.locked);
	for (size_t i = 0; i < DB_PIN_LIMITS; i++)
		statement_int(&s, pin->rules.limit[i]);

	return statement_finish(&s);
}

int db_pins_put(struct db_config *config, const struct db_pin *pin,
		char holder[DB_PIN_NAME_MAX + 1])
{
	const char *field;
	const char *message;
	int is_new;
	int r;

	if (db_pin_check(pin, &field, &message))
		return -EINVAL;

	r = db_config_begin(config);
	if (r)
		return r;
	is_new = pin_is_new(config, pin->name);
	r = is_new < 0 ? is_new : line_free(config, pin, holder);
	if (!r)
		r = write_pin(config, pin);

	return db_config_finish(config, r ? r : is_new);
}

int db_pins_remove(struct db_config *config, const char *name)
{
	struct statement s;
	int r;

	statement_open(&s, db_config_sqlite(config),
		       "DELETE FROM pins WHERE name = ? RETURNING 1");
	statement_text(&s, name);
	r = statement_step(&s);
	if (r > 0)
		r = statement_step(&s);
	else if (r == 0)
		r = -ENOENT;
	statement_close(&s);

	return r;
}
