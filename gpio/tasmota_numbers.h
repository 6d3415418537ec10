/*
 * Tasmota counts what a device has: POWER1, Switch2, Button1, C1. A number that
 * meant another output because a pin was added or removed would be a relay that
 * somebody's automation switches by mistake; so a name keeps its number, after its
 * pin was removed too, in gpio.tasmota in the state directory:
 *
 *	{"relays":["pump",null,"heater"],"switches":["door"],"buttons":[],"counters":[]}
 *
 * Only when there is no other number left, one is given to another name. The two
 * outputs of a cover have numbers that follow one another, as Tasmota has it.
 */
#ifndef GPIO_TASMOTA_NUMBERS_H
#define GPIO_TASMOTA_NUMBERS_H

#include "gpio/discovery.h"

#define TASMOTA_NUMBERS_FILE "gpio.tasmota"

/* Numbers of one kind: all pins and devices, and room for pairs between them. */
#define TASMOTA_NUMBERS_MAX 128u

enum tasmota_kind {
	TASMOTA_RELAYS, /* outputs, and lights that can be dimmed */
	TASMOTA_SWITCHES, /* inputs but for: */
	TASMOTA_BUTTONS,
	TASMOTA_COUNTERS,
};

#define TASMOTA_KINDS 4u

struct tasmota_numbers {
	/* By number, from 1 on at place 0; "": nobody's. */
	char name[TASMOTA_KINDS][TASMOTA_NUMBERS_MAX][PIN_NAME_MAX + 1];
};

/* Whatever is wrong with the file, *out is usable. Returns 0, -ENOENT, -EINVAL
 * (damaged) or another errno. */
int tasmota_numbers_load(const char *directory, struct tasmota_numbers *out);
/* On the disk when it returns. 0 or a negative errno. */
int tasmota_numbers_save(const char *directory,
			 const struct tasmota_numbers *numbers);

/* Give a number to everything that has none. True: they are others now. */
bool tasmota_numbers_assign(struct tasmota_numbers *numbers,
			    const struct discovery_things *things);

/* 0: it has none. */
unsigned int tasmota_number(const struct tasmota_numbers *numbers,
			    enum tasmota_kind kind, const char *name);
/* "": nobody has it. */
const char *tasmota_name(const struct tasmota_numbers *numbers,
			 enum tasmota_kind kind, unsigned int number);

/* What a pin counts as. */
enum tasmota_kind tasmota_kind(const struct pin *pin);

#endif
