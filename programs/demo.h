/*
 * hearthd --demo: a whole hub on this machine for whoever wants to see it. It
 * listens on 127.0.0.1 alone, lets programs of this machine in without a
 * password, has a simulated board, and is claimed by a login of its own.
 */
#ifndef PROGRAMS_DEMO_H
#define PROGRAMS_DEMO_H

#include <stdint.h>

#include "broker/base/password.h"

struct config;
struct db_config;

#define DEMO_USER "demo"
#define DEMO_MQTT_PORT 1883
#define DEMO_WEB_PORT 8080

struct demo_options {
	const char
		*data_dir; /* NULL: hearth-demo in the user's state directory */
	const char *node; /* NULL: the host name */
	uint16_t mqtt_port; /* 0: the kernel chooses */
	uint16_t web_port;
};

/* The configuration, and its data directory's parents made. Returns 0, -EINVAL
 * for a node that cannot be part of a topic, or another negative errno, logged. */
int demo_config(const struct demo_options *options, struct config **out);

/*
 * Claim the hub, once, with a generated password, and set up the simulated board's
 * first pins. The password stays in <data>/demo-login (0600), so that the next
 * start can say the same one; if that file is gone there is a new password.
 * Returns 0 or a negative errno, logged.
 */
int demo_claim(struct db_config *config, char password[PASSWORD_TOKEN_SIZE]);

#endif
