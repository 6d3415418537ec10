/*
 * Conventions of other home automation that a board can speak beside its own
 * topics: which of them, and the names that the hub (which gives the rights) and
 * the board must form alike.
 */
#ifndef BROKER_BASE_DIALECTS_H
#define BROKER_BASE_DIALECTS_H

#include <stdbool.h>

/* Longest prefix of Home Assistant's topics: one level, as a name of
 * hearth.conf. */
#define DIALECT_PREFIX_MAX 64u

/* Bytes of dialect_id() with its NUL: a host name's 64 at three each. */
#define DIALECT_ID_SIZE 193u

struct dialects {
	const char *homeassistant; /* prefix; borrowed */
	bool to_homeassistant;
	bool homie;
	bool tasmota;
};

/*
 * text as an identifier of letters, digits, '-' and '_' that is another for any
 * other text: a byte that is no letter, digit or '-' becomes '_' and two hex
 * digits. What does not fit is cut. Returns out.
 */
const char *dialect_id(char out[DIALECT_ID_SIZE], const char *text);

/* The same as Homie has it: of a-z, 0-9 and '-', which stands before two hex digits
 * for any other byte. Names of lower case without '-' are never the same. */
const char *dialect_homie_id(char out[DIALECT_ID_SIZE], const char *text);

/* Bytes of dialect_tasmota_mac() with its NUL. */
#define DIALECT_MAC_SIZE 13u

/* What Tasmota's clients know a device by: twelve digits that look like the address
 * of a network card, of those that nobody has. Other nodes have other ones, as far
 * as 40 bits go. */
const char *dialect_tasmota_mac(char out[DIALECT_MAC_SIZE], const char *node);

#endif
