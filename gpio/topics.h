/*
 * What hearth-gpiod says and hears, as bytes: topic names and payloads. NODE is
 * the node's name, NAME a pin's.
 *
 *	hearth/NODE/status              online | offline               retained, QoS 1; offline is the will
 *	hearth/NODE/in/NAME             ON | OFF                       retained, QoS 1; also at start
 *	hearth/NODE/in/NAME/event       {"event_type":"press"}         of buttons: clicks.h
 *	hearth/NODE/in/NAME/count       pulses                         retained, QoS 0; counters, instead of ON and OFF
 *	hearth/NODE/in/NAME/rate        an hour                        retained, QoS 0; pulses, or of its unit
 *	hearth/NODE/in/NAME/count/set   pulses                         a command: go on from here
 *	hearth/NODE/sensor/NAME         in its unit                    retained, QoS 0; counters with per_unit, sensors
 *	hearth/NODE/in/NAME/status      online | offline               retained, QoS 1; offline: its line could not be had
 *	hearth/NODE/out/NAME/status     online | offline               retained, QoS 1; offline: also if it does not obey
 *	hearth/NODE/out/NAME            ON | OFF                       retained, QoS 1; after the line was read back
 *	hearth/NODE/out/NAME/set        a command
 *	hearth/NODE/out/NAME/result     {"applied":true,"state":"ON"}  or {"applied":false,"reason":"..."}
 *	hearth/NODE/light/NAME          {"state":"ON"}                 retained, QoS 1; outputs of kind light, besides out/;
 *	                                                               and lights that can be dimmed: light_command.h
 *	hearth/NODE/light/NAME/set      a command                      and /result, as above
 *	hearth/NODE/cover/NAME          open | closed | opening | closing | stopped   retained, QoS 1
 *	hearth/NODE/cover/NAME/position 0 (closed) to 100              retained, QoS 0; not there: it is not known
 *	hearth/NODE/cover/NAME/set      OPEN, CLOSE, STOP, 0 to 100: cover_command.h; and /result, as above, whose state
 *	                                                               is that of its motor
 *	hearth/NODE/error               {"topic","payload","reason","count"}   what could not be understood, or was lost;
 *	                                                               count: of such since the start
 *
 * A command is ON, OFF, TOGGLE, TRUE, FALSE, 1 or 0 in any case, or
 * {"state":"ON","on_time":300,"id":"x"}: on_time is seconds, also with a
 * fraction, after which it goes off again; lease, also seconds: ordered again by
 * then, or it takes its safe value; id is given back in the result. A
 * retained command is old: it is reported, not obeyed. An empty one, which takes
 * it away, is not answered.
 *
 * Between hub and node only:
 *
 *	$hearth/gpio/NODE/config   retained, from the hub: see pins.h
 *	$hearth/gpio/NODE/report   retained, from the node:
 *		{"backend":"sim","chip":"pinctrl-bcm2711","model":null,
 *		 "board":{"id":"pi4","name":"Raspberry Pi 4","pins":40},"revision":7,
 *		 "errors":[{"pin":"pump","field":"line","message":"..."}],
 *		 "lines":[{"line":17,"name":"GPIO17","used":true,"consumer":"hearth",
 *		   "configured":"pump","pin":11,"functions":["SPI1_CE1"],
 *		   "pull":"down","risk":null,"warning":null,"switched_on":null}],
 *		 "chips":[{"label":"pcf8574","count":8,"lines":[...]}],
 *		 "sources":[{"kind":"ds18b20","source":"28-0316a2791cff"}]}
 *	   board and what is said of a line behind "configured": see boards.h;
 *	   switched_on, which is of the risk: see buses.h; chips are those besides
 *	   the header's.
 *	   revision is that of the configuration last looked at (null: it had
 *	   none). With errors in the configuration nothing of it was applied and
 *	   the one before is still in force; an error with field "line" can also
 *	   mean that just that line could not be had, now.
 *	$hearth/gpio/NODE/sim      from the hub, obeyed by a simulated board only:
 *		{"line":22,"level":1} (0, 1, or null: nothing connected)
 *		{"line":22,"press_ms":200}
 *		{"chip":"pcf8574","line":3,"level":0} (of another chip; no scenarios)
 *		{"line":22,"scenario":"door"} (sim_play.h, or null: no more)
 *		{"line":22,"fault":"bounce"} (lines_sim.h, or null: it works)
 */
#ifndef GPIO_TOPICS_H
#define GPIO_TOPICS_H

#include <jansson.h>

#include "broker/base/slice.h"
#include "gpio/lines_sim.h"
#include "gpio/logic.h"
#include "gpio/pins.h"
#include "gpio/sim_play.h"

/* A host name, by POSIX. */
#define NODE_NAME_MAX 64u

/* Bytes of any topic here, with its NUL. */
#define TOPICS_SIZE 160u

/* Bytes of a command; more is not looked at. */
#define COMMAND_MAX 1024u

/* Bytes of a bad payload that the error shows. */
#define ERROR_PAYLOAD_MAX 200u

/* Bytes of an id in a command. */
#define COMMAND_ID_MAX 64u

/* 1..NODE_NAME_MAX bytes of UTF-8, none of them '/', '+', '#' or control. */
bool topics_node_valid(const char *node);

/* "hearth/NODE/<kind>/<name><suffix>"; kind "in", "out", "light" or "sensor", suffix ""
 * or with its slash. Returns out. */
const char *topics_pin(char out[TOPICS_SIZE], const char *node,
		       const char *kind, const char *name, const char *suffix);
/* "hearth/NODE/<leaf>" */
const char *topics_node(char out[TOPICS_SIZE], const char *node,
			const char *leaf);
/* "$hearth/gpio/NODE/<leaf>" */
const char *topics_hub(char out[TOPICS_SIZE], const char *node,
		       const char *leaf);

enum topics_kind {
	TOPIC_OTHER,
	TOPIC_CONFIG,
	TOPIC_SIM,
	TOPIC_OUT_SET,
	TOPIC_LIGHT_SET,
	TOPIC_COUNT_SET,
	TOPIC_COVER_SET,
};

/* What a message to us is for; *name is the pin's with the last four. */
enum topics_kind topics_parse(const char *node, struct slice topic,
			      struct slice *name);

struct topics_command {
	struct logic_command logic;
	json_t *id; /* NULL: none; freed by topics_command_free() */
};

/* Returns 0, or -EINVAL and *reason, a text that lives for ever. */
int topics_parse_command(struct slice payload, struct topics_command *out,
			 const char **reason);
void topics_command_free(struct topics_command *command);
/* False: not a whole number from 0 to TALLY_MAX. */
bool topics_parse_count(struct slice payload, uint64_t *out);

enum topics_sim_what {
	TOPICS_SIM_LEVEL,
	TOPICS_SIM_PRESS,
	TOPICS_SIM_SCENARIO,
	TOPICS_SIM_FAULT,
};

struct topics_sim {
	char chip[LINES_NAME_SIZE]; /* "": the header's */
	unsigned int line;
	enum topics_sim_what what; /* of these it says: */
	int level; /* -1: nothing connected */
	uint32_t press_ms;
	enum sim_scenario scenario;
	enum lines_sim_fault fault;
};

/* As topics_parse_command(). */
int topics_parse_sim(struct slice payload, struct topics_sim *out,
		     const char **reason);

/* "ON", "OFF" */
const char *topics_state(bool on);

/*
 * Payloads as JSON text, to be freed by the caller; NULL: out of memory.
 * reason NULL: applied. id may be NULL and is borrowed.
 */
char *topics_result(const char *reason, bool on, json_t *id);
char *topics_error(struct slice topic, struct slice payload, const char *reason,
		   uint64_t count);

#endif
