/*
 * What each GPIO line is for. Fields and words are those of REST (pins[] of
 * GET /api/v1/pins) but for the number on the header, which hearth-gpiod knows.
 * Whether the board really has that line it says itself, in its report.
 */
#ifndef DB_PINS_H
#define DB_PINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db/pin_rules.h"

struct db_config;

#define DB_PIN_NAME_MAX 32
#define DB_PIN_TEXT_MAX 64 /* bytes of label, of room */
#define DB_PIN_CHIP_MAX 64 /* a chip's label */
#define DB_PIN_LINE_MAX 511 /* the kernel's largest chips have 512 lines */
#define DB_PIN_DEBOUNCE_MAX 10000 /* ms; longer is not bouncing */
/* As many as hearth-gpiod takes (LOGIC_OUTPUTS_MAX in gpio/logic.h): one more
 * would make it refuse the whole configuration. */
#define DB_PINS_MAX 64

enum db_pin_dir { DB_PIN_IN, DB_PIN_OUT };
enum db_pin_bias { DB_PIN_NONE, DB_PIN_UP, DB_PIN_DOWN, DB_PIN_AS_IS };
enum db_pin_safe { DB_PIN_SAFE_OFF, DB_PIN_SAFE_ON, DB_PIN_SAFE_HOLD };
enum db_pin_kind {
	DB_PIN_RELAY, /* outputs: relay, light */
	DB_PIN_LIGHT,
	DB_PIN_SWITCH, /* inputs: the others */
	DB_PIN_BUTTON,
	DB_PIN_CONTACT,
	DB_PIN_MOTION,
};

struct db_pin {
	char name[DB_PIN_NAME_MAX + 1]; /* [a-z0-9_-]{1,32} */
	char chip[DB_PIN_CHIP_MAX + 1]; /* label; "": the board's header */
	char label[DB_PIN_TEXT_MAX + 1]; /* UTF-8 */
	char room[DB_PIN_TEXT_MAX + 1]; /* UTF-8 */
	enum db_pin_dir dir;
	uint32_t line;
	enum db_pin_bias bias; /* inputs */
	uint32_t debounce_ms; /* inputs */
	enum db_pin_safe safe; /* outputs */
	enum db_pin_kind kind;
	bool active_low;
	struct db_pin_rules rules; /* outputs */
};

/* The words of REST; parse: 0 or -EINVAL. */
const char *db_pin_dir_text(enum db_pin_dir dir);
const char *db_pin_bias_text(enum db_pin_bias bias);
const char *db_pin_safe_text(enum db_pin_safe safe);
const char *db_pin_kind_text(enum db_pin_kind kind);
int db_pin_dir_parse(const char *text, enum db_pin_dir *out);
int db_pin_bias_parse(const char *text, enum db_pin_bias *out);
int db_pin_safe_parse(const char *text, enum db_pin_safe *out);
int db_pin_kind_parse(const char *text, enum db_pin_kind *out);

bool db_pin_name_valid(const char *name);

/* 0, or -EINVAL with the field and what was expected of it (static strings). */
int db_pin_check(const struct db_pin *pin, const char **field,
		 const char **message);

/* In order of name; *out is freed by free(). */
int db_pins_list(struct db_config *config, struct db_pin **out, size_t *count);
/* -ENOENT. */
int db_pins_get(struct db_config *config, const char *name, struct db_pin *out);

/*
 * Insert or replace by name. Returns 1 when it is new, 0 when it replaced one;
 * -EINVAL: see db_pin_check(); -EADDRINUSE: the line is another pin's, whose
 * name is put in holder; -ENFILE: DB_PINS_MAX.
 */
int db_pins_put(struct db_config *config, const struct db_pin *pin,
		char holder[DB_PIN_NAME_MAX + 1]);
/* -ENOENT. */
int db_pins_remove(struct db_config *config, const char *name);

/* The simulated board's first pins, if no pin has ever been set up here. */
int db_pins_demo(struct db_config *config);

#endif
