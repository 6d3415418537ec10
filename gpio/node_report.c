#include <stdlib.h>

#include "broker/base/json_text.h"
#include "broker/base/log.h"
#include "gpio/board.h"
#include "gpio/boards.h"
#include "gpio/buses.h"
#include "gpio/node_internal.h"

/* Lines shown of a chip that is no header of a Pi: the screen has an end. */
#define LINES_SHOWN_MAX 128u

/* A Pi 5 has five besides its header's. */
#define CHIPS_SHOWN_MAX 12u

/* json_null() for NULL. */
static json_t *text_or_null(const char *text)
{
	return text && text[0] ? json_string(text) : json_null();
}

static const char *configured_as(const struct node *node,
				 const struct lines *chip, unsigned int line)
{
	for (size_t i = 0; i < PINS_MAX; i++) {
		const struct node_pin *pin = &node->pins[i];

		if (pin->used && pin->pin.line == line &&
		    lines_chip(node->lines, pin->pin.chip) == chip)
			return pin->pin.name;
	}
	return NULL;
}

static json_t *functions_of(const struct boards_line *known)
{
	const char *at = known ? known->functions : "";
	json_t *list = json_array();

	while (*at) {
		size_t len = strcspn(at, " ");

		if (json_array_append_new(list, json_stringn(at, len))) {
			json_decref(list);
			return NULL;
		}
		at += len + (at[len] == ' ');
	}
	return list;
}

/* What is known of the line whoever uses it. known NULL: it is on no header. */
static int put_facts(json_t *line, const struct boards_line *known)
{
	int bad = 0;

	bad |= json_object_set_new(
		line, "pin", known ? json_integer(known->pin) : json_null());
	bad |= json_object_set_new(line, "functions", functions_of(known));
	bad |= json_object_set_new(line, "pull",
				   text_or_null(!known		   ? NULL
						: known->pulled_up ? "up"
								   : "down"));
	bad |= json_object_set_new(
		line, "risk",
		text_or_null(known ? boards_risk_text(known->risk) : NULL));
	bad |= json_object_set_new(line, "warning",
				   text_or_null(known ? known->warning : NULL));
	return bad;
}

/* Whether the bus that it may be used by is on; null: nobody knows. */
static json_t *switched_on(const struct node *node, unsigned int offset,
			   const struct boards_line *known)
{
	switch (known ? buses_state(node->sysfs, known->risk, offset)
		      : BUS_UNKNOWN) {
	case BUS_ON:
		return json_true();
	case BUS_OFF:
		return json_false();
	case BUS_UNKNOWN:
		break;
	}
	return json_null();
}

static json_t *line_to_json(const struct node *node, unsigned int offset,
			    struct lines *chip, const struct boards_line *known)
{
	struct line_info info = { 0 };
	json_t *line = json_object();
	int bad = 0;

	/* A line that cannot be looked at is shown with its number. */
	(void)lines_info(chip, offset, &info);
	bad |= json_object_set_new(line, "line", json_integer(offset));
	bad |= json_object_set_new(line, "name", json_string(info.name));
	bad |= json_object_set_new(line, "used", json_boolean(info.used));
	bad |= json_object_set_new(line, "consumer",
				   text_or_null(info.consumer));
	bad |= json_object_set_new(
		line, "configured",
		text_or_null(configured_as(node, chip, offset)));
	bad |= put_facts(line, known);
	bad |= json_object_set_new(line, "switched_on",
				   switched_on(node, offset, known));
	bad |= node_sim_put(node, chip, offset, line);
	if (bad) {
		json_decref(line);
		return NULL;
	}
	return line;
}

/* Of a header those that come out at it, of any other chip all. */
static json_t *lines_to_json(const struct node *node, struct lines *chip,
			     const struct board *board)
{
	unsigned int count = chip->count;
	json_t *list = json_array();

	if (count > LINES_SHOWN_MAX)
		count = LINES_SHOWN_MAX;
	for (unsigned int i = 0; i < count; i++) {
		struct boards_line known;
		bool on_header = boards_line(board, i, &known);
		json_t *line;

		if (board->pins && !on_header)
			continue;
		line = line_to_json(node, i, chip, on_header ? &known : NULL);
		if (json_array_append_new(list, line)) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *chip_to_json(const struct node *node, struct lines *chip)
{
	json_t *object = json_object();
	int bad = 0;

	bad |= json_object_set_new(object, "label", json_string(chip->label));
	bad |= json_object_set_new(object, "count",
				   json_integer((json_int_t)chip->count));
	bad |= json_object_set_new(
		object, "lines",
		lines_to_json(node, chip, boards_find("", "")));
	if (bad) {
		json_decref(object);
		return NULL;
	}
	return object;
}

/* Those behind the first. */
static json_t *chips_to_json(const struct node *node)
{
	json_t *list = json_array();

	for (struct lines *chip = node->lines->next; chip; chip = chip->next) {
		if (json_array_size(list) == CHIPS_SHOWN_MAX)
			break;
		if (json_array_append_new(list, chip_to_json(node, chip))) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *board_to_json(const struct board *board)
{
	json_t *object = json_object();
	int bad = 0;

	bad |= json_object_set_new(object, "id", json_string(board->id));
	bad |= json_object_set_new(object, "name", text_or_null(board->name));
	bad |= json_object_set_new(object, "pins",
				   json_integer((json_int_t)board->pins));
	if (bad) {
		json_decref(object);
		return NULL;
	}
	return object;
}

json_t *node_error_json(const char *pin, const char *field, const char *message)
{
	json_t *error = json_object();
	int bad = 0;

	bad |= json_object_set_new(error, "pin", text_or_null(pin));
	bad |= json_object_set_new(error, "field", text_or_null(field));
	bad |= json_object_set_new(error, "message", json_string(message));
	if (bad) {
		json_decref(error);
		return NULL;
	}
	return error;
}

static json_t *errors_to_json(struct node *node)
{
	json_t *list = json_array();
	int bad = 0;

	for (size_t i = 0; i < node->errors.count; i++) {
		const struct pin_error *e = &node->errors.error[i];

		bad |= json_array_append_new(
			list, node_error_json(e->pin, e->field, e->message));
	}
	for (size_t i = 0; i < PINS_MAX; i++) {
		const struct node_pin *pin = &node->pins[i];
		char why[REASON_SIZE];

		if (!pin->used || pin->request)
			continue;
		node_pin_why(pin, why);
		bad |= json_array_append_new(
			list, node_error_json(pin->pin.name, "line", why));
	}
	bad |= node_devices_errors(node, list);
	if (bad) {
		json_decref(list);
		return NULL;
	}
	return list;
}

char *node_report(struct node *node)
{
	const struct board *board = boards_of(node->lines);
	json_t *report = json_object();
	char model[80];
	char *text = NULL;
	int bad = 0;

	/* No device tree: no Pi. */
	if (board_model("/sys", model, sizeof(model)))
		model[0] = '\0';
	bad |= json_object_set_new(report, "backend",
				   json_string(node->lines->ops->backend));
	bad |= json_object_set_new(report, "chip",
				   json_string(node->lines->label));
	bad |= json_object_set_new(report, "model", text_or_null(model));
	bad |= json_object_set_new(report, "board", board_to_json(board));
	bad |= json_object_set_new(report, "revision",
				   node->revision < 0
					   ? json_null()
					   : json_integer(node->revision));
	bad |= json_object_set_new(report, "errors", errors_to_json(node));
	bad |= json_object_set_new(report, "lines",
				   lines_to_json(node, node->lines, board));
	bad |= json_object_set_new(report, "chips", chips_to_json(node));
	bad |= json_object_set_new(report, "sources",
				   node_devices_sources(node));
	if (!bad)
		text = json_text(report, JSON_COMPACT);
	json_decref(report);
	return text;
}

void node_say_report(struct node *node)
{
	char topic[TOPICS_SIZE];
	char *text = node_report(node);

	if (text)
		node_say(node, topics_hub(topic, node->name, "report"), text,
			 true);
	else
		log_error("report", "not published: out of memory");
	free(text);
}
