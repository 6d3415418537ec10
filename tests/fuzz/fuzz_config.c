/*
 * Any bytes as hearth.conf: taken whole, or refused with at least one report.
 * What is taken must be in range.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "broker/config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void count(void *arg, unsigned int line, const char *message)
{
	assert(line <= CONFIG_SIZE_MAX + 1);
	assert(*message);
	++*(unsigned int *)arg;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned int reports = 0;
	struct config *config;
	int r;

	r = config_parse((const char *)data, size, &config, count, &reports);
	assert((r == 0) == (reports == 0));
	if (r)
		return 0;
	assert(config->listener_count >= 1);
	assert(config->listener_count <= CONFIG_LISTENERS_MAX);
	for (size_t i = 0; i < config->listener_count; i++) {
		const struct listener_options *l = &config->listeners[i];

		assert((l->type == LISTENER_UNIX) == (l->path != NULL));
		assert(!l->user || l->type == LISTENER_UNIX);
		assert(!l->user || !l->anonymous);
	}
	assert(!config->tls_cert == !config->tls_key);
	assert(config->limits.connections >= 1);
	config_free(config);

	return 0;
}
