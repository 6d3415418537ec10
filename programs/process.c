#include "programs/process.h"

#include <arpa/inet.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "broker/base/log.h"
#include "broker/config/config.h"

/* As many sockets as we may have: the limit of [limits] is ours, not the shell's. */
static void raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* A password check takes 16 MiB for a moment. glibc would keep them: after the
 * first such free it raises the size from which memory is given back at once. A
 * size that is set is never raised: 17 MB less of us in a small board's memory. */
static void give_memory_back(void)
{
#ifdef __GLIBC__
	mallopt(M_MMAP_THRESHOLD, 128 * 1024);
#endif
}

unsigned int process_connections(unsigned int wanted)
{
	struct rlimit limit;
	rlim_t most;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 ||
	    limit.rlim_cur == RLIM_INFINITY)
		return wanted;
	most = limit.rlim_cur / 2;
	if (limit.rlim_cur > 2 * PROCESS_OTHER_DESCRIPTORS)
		most = limit.rlim_cur - PROCESS_OTHER_DESCRIPTORS;
	if (wanted <= most)
		return wanted;
	log_warn("limits",
		 "connections: %u instead of %u: no more descriptors are left "
		 "for them",
		 (unsigned int)most, wanted);
	return (unsigned int)most;
}

void process_prepare(void)
{
	raise_descriptors();
	give_memory_back();
}

char *process_beside(const char *name)
{
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;
	char *path;

	if (len < 0)
		return NULL;
	self[len] = '\0';
	slash = strrchr(self, '/');
	if (!slash ||
	    asprintf(&path, "%.*s/%s", (int)(slash - self), self, name) < 0)
		return NULL;

	return path;
}

/* What stands in a URL: an address that means all is none to go to. */
void process_print_dashboard(const struct config *config, unsigned int port)
{
	const char *scheme = config->tls_cert ? "https" : "http";
	const char *address = config->web_address;
	struct in6_addr v6;

	if (strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0)
		printf("dashboard: %s://%s.local:%u/\n", scheme, config->node,
		       port);
	else if (inet_pton(AF_INET6, address, &v6) == 1)
		printf("dashboard: %s://[%s]:%u/\n", scheme, address, port);
	else
		printf("dashboard: %s://%s:%u/\n", scheme, address, port);
}
