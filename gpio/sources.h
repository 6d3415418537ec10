/*
 * What is there to be a device's source, as the dashboard offers it:
 * [{"kind":"ds18b20","source":"28-0316a2791cff"},...]. Looks at names only, so
 * that it waits for no sensor.
 */
#ifndef GPIO_SOURCES_H
#define GPIO_SOURCES_H

#include <jansson.h>

/* Sources that are offered; the screen has an end. */
#define SOURCES_MAX 64u

/* NULL: out of memory. */
json_t *sources_list(const char *sysfs);

#endif
