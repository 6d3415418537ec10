/*
 * gpio.memory: what logic.h needs to go on where it was when the process starts
 * anew (when each output last changed, how often it started, until when it is
 * on), and what outputs of boot = restore were last told. Kept in the state
 * directory, written when it changed, and not synced: that a process dies loses
 * nothing, and that the power is cut loses what then holds no more anyway.
 */
#ifndef GPIO_MEMORY_H
#define GPIO_MEMORY_H

#include "gpio/lines.h"
#include "gpio/pins.h"

#define MEMORY_FILE "gpio.memory"

struct memory_entry {
	bool live; /* of this process, not of the file */
	char chip[LINES_NAME_SIZE];
	unsigned int line;
	struct logic_memory memory;
};

struct memory {
	bool same_boot; /* the board has not been started since */
	size_t count;
	struct memory_entry entry[PINS_MAX];
};

/* Is there something to remember of such an output? */
bool memory_wanted(const struct logic_rules *rules);
/* Does it matter what it did? To one that has a value for the start of the board
 * only that this was not one: it has a memory, which never changes, so that a
 * switch that is used all day writes nothing. */
bool memory_counts(const struct logic_rules *rules);

/* Whatever is wrong with the file, *out is usable: then nothing is remembered.
 * Returns 0, -ENOENT, -EINVAL (damaged) or another errno. */
int memory_load(const char *directory, struct memory *out);

/* As text, to be freed; NULL: out of memory. same_boot is not looked at: it is
 * of this one. */
char *memory_text(const struct memory *memory);

/* NULL: nothing is known of this line. */
const struct memory_entry *memory_of(const struct memory *memory,
				     const char *chip, unsigned int line);
/* An output is let go that may come back. Past PINS_MAX the oldest goes. */
void memory_keep(struct memory *memory, const char *chip, unsigned int line,
		 const struct logic_memory *what);

#endif
