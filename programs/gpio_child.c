#include "programs/gpio_child.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/base/log.h"
#include "broker/config/config.h"
#include "db/users.h"
#include "programs/process.h"
#include "programs/supervisor.h"

struct gpio_child {
	char *program;
	char *hub; /* "unix:<socket>" */
	char parent[24]; /* our number */
	char *argv[15];
	char *safe[8];
	struct supervisor *supervisor;
};

static const char *backend_name(unsigned int backend)
{
	switch (backend) {
	case CONFIG_GPIO_GPIOD:
		return "gpiod";
	case CONFIG_GPIO_SIM:
		return "sim";
	default:
		return "auto";
	}
}

static void make_arguments(struct gpio_child *child,
			   const struct config *config)
{
	const char *backend = backend_name(config->gpio_backend);
	const char *const argv[] = {
		child->program, "--hub",       child->hub,
		"--node",	config->node,  "--backend",
		backend,	"--state-dir", config->data_dir,
		"--user",	DB_USER_GPIO,  "--die-with-parent",
		child->parent,	NULL,
	};
	const char *const safe[] = {
		child->program, "--safe",	  "--backend", backend,
		"--state-dir",	config->data_dir, NULL,
	};

	_Static_assert(sizeof(argv) <= sizeof(child->argv), "room for all");
	_Static_assert(sizeof(safe) <= sizeof(child->safe), "room for all");
	(void)snprintf(child->parent, sizeof(child->parent), "%d", getpid());
	/* posix_spawn() wants char *, and changes nothing. */
	memcpy(child->argv, argv, sizeof(argv));
	memcpy(child->safe, safe, sizeof(safe));
}

static int find_program(struct gpio_child *child, const char *program,
			const char *socket)
{
	child->program = strcmp(program, "auto") == 0
				 ? process_beside("hearth-gpiod")
				 : strdup(program);
	if (!child->program)
		return -ENOMEM;
	if (asprintf(&child->hub, "unix:%s", socket) < 0) {
		child->hub = NULL;
		return -ENOMEM;
	}

	return 0;
}

int gpio_child_start(struct loop *loop, const struct config *config,
		     const char *socket, struct gpio_child **out)
{
	struct gpio_child *child;
	int r = 0;

	*out = NULL;
	if (config->gpio_backend == CONFIG_GPIO_OFF ||
	    strcmp(config->gpio_program, "none") == 0)
		return 0;

	child = calloc(1, sizeof(*child));
	if (!child)
		r = -ENOMEM;
	if (!r)
		r = find_program(child, config->gpio_program, socket);
	if (!r) {
		make_arguments(child, config);
		child->supervisor = supervisor_new(
			loop, &(struct supervisor_options){
				      .name = "hearth-gpiod",
				      .argv = child->argv,
				      .after = child->safe,
				      .watchdog_ms = GPIO_CHILD_WATCHDOG_MS,
			      });
		if (!child->supervisor)
			r = -errno;
	}
	if (r) {
		log_error("hearth-gpiod", "%s: cannot be started: %s",
			  config->gpio_program, strerrordesc_np(-r));
		gpio_child_free(child);
		return r;
	}
	*out = child;
	return 0;
}

void gpio_child_free(struct gpio_child *child)
{
	if (!child)
		return;
	supervisor_free(child->supervisor);
	free(child->program);
	free(child->hub);
	free(child);
}

void gpio_child_reap(struct gpio_child *child)
{
	if (child)
		supervisor_reap(child->supervisor);
}
