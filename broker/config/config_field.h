/*
 * One key of hearth.conf: where its value goes, what is accepted, and what holds
 * when it is not given. config.c has the table of them.
 */
#ifndef BROKER_CONFIG_CONFIG_FIELD_H
#define BROKER_CONFIG_CONFIG_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config;

enum field_type {
	FIELD_PATH, /* const char *: absolute */
	FIELD_PROGRAM, /* const char *: absolute, "auto" or "none" */
	FIELD_ADDRESS, /* const char *: numeric IPv4 or IPv6 */
	FIELD_MOUNT, /* const char *: the beginning of topics */
	FIELD_NAME, /* const char *: one level of a topic */
	FIELD_REFERENCE, /* const char *: servers as MQTT 5 names them */
	FIELD_TOPIC, /* const char *: a topic, no filter */
	FIELD_HOSTS, /* struct name_list: adds to it */
	FIELD_ORIGINS, /* struct name_list: adds to it */
	FIELD_NETWORKS, /* struct name_list: adds to it */
	FIELD_USERS, /* struct name_list: adds to it */
	FIELD_PAIRS, /* struct name_list: adds to it; two paths each */
	FIELD_MODE, /* uint32_t: of a file, octal */
	FIELD_NUMBER, /* uint16_t or uint32_t, by size */
	FIELD_YESNO, /* bool */
	FIELD_CHOICE, /* unsigned int: index into choices */
};

struct config_field {
	const char *section;
	const char *key;
	enum field_type type;
	size_t offset; /* in struct config; [listener]: in listener_options */
	size_t size;
	uint32_t min; /* FIELD_NUMBER */
	uint32_t max;
	const char *const *choices; /* FIELD_CHOICE: NULL ends it */
	const char *initial; /* NULL: nothing, or worked out in config.c */
};

/* A list, to which a second line of the key adds. */
static inline bool config_field_adds(const struct config_field *field)
{
	return field->type == FIELD_HOSTS || field->type == FIELD_ORIGINS ||
	       field->type == FIELD_NETWORKS || field->type == FIELD_PAIRS ||
	       field->type == FIELD_USERS;
}

/* Bytes of the longest sentence that field_set() writes. */
#define FIELD_EXPECTED_SIZE 160

/*
 * Put value into the field of the struct at base. Strings are copied, config
 * owns the copy. Returns 0; -EINVAL with what was expected; -ENOMEM.
 */
int config_field_set(const struct config_field *field, struct config *config,
		     void *base, const char *value,
		     char expected[FIELD_EXPECTED_SIZE]);

/* Whether the field has the same value in two structs of its section. */
bool config_field_same(const struct config_field *field, const void *one,
		       const void *other);

#endif
