/*
 * Would Home Assistant take it? A discovery document is compared, member by
 * member, with homeassistant.json, which was recorded from what Home Assistant
 * publishes: abbreviations, required and allowed options, their types, what a
 * device class is of which platform and takes which units and state classes.
 *
 * Home Assistant itself, or a part of it that reads discovery, comes neither with
 * Debian nor with npm, so it is not what judges here.
 */
#ifndef TESTS_GPIO_HA_SCHEMA_H
#define TESTS_GPIO_HA_SCHEMA_H

#include <jansson.h>
#include <stdbool.h>

/* Bytes of what is said about a mistake. */
#define HA_MISTAKE_SIZE 256

/* Read once, before anything else. Fails the test if it cannot be. */
void ha_schema_open(void);
void ha_schema_close(void);

/* True: it would. Else what is wrong. */
bool ha_schema_takes(json_t *document, char mistake[HA_MISTAKE_SIZE]);

#endif
