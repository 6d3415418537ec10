#include "broker/base/fdstore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/base/environment.h"
#include "broker/base/notify.h"

/* Where those that are passed begin (SD_LISTEN_FDS_START). */
#define FIRST 3

bool fdstore_name_valid(const char *name)
{
	size_t len = strlen(name);

	if (len < 1 || len > FDSTORE_NAME_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (name[i] < ' ' || name[i] > '~' || name[i] == ':')
			return false;
	return true;
}

int fdstore_keep(const char *name, int fd)
{
	char state[FDSTORE_NAME_MAX + 64];

	if (!fdstore_name_valid(name))
		return -EINVAL;
	/* Nobody has to look when one of them fails: we do, later. */
	(void)snprintf(state, sizeof(state), "FDSTORE=1\nFDPOLL=0\nFDNAME=%s",
		       name);
	return notify_send_fd(state, fd);
}

int fdstore_drop(const char *name)
{
	char state[FDSTORE_NAME_MAX + 64];

	if (!fdstore_name_valid(name))
		return -EINVAL;
	(void)snprintf(state, sizeof(state), "FDSTOREREMOVE=1\nFDNAME=%s",
		       name);
	return notify_send(state);
}

/* The next name of the list, which is shortened; "" behind the last. */
static void next_name(const char **list, char out[FDSTORE_NAME_MAX + 1])
{
	size_t len = strcspn(*list, ":");
	const char *from = *list;

	*list += len + ((*list)[len] == ':');
	if (len > FDSTORE_NAME_MAX)
		len = 0;
	memcpy(out, from, len);
	out[len] = '\0';
}

static bool make_ours(int fd)
{
	int flags = fcntl(fd, F_GETFD);

	return flags >= 0 && fcntl(fd, F_SETFD, flags | FD_CLOEXEC) >= 0;
}

void fdstore_take(void (*take)(void *arg, const char *name, int fd), void *arg)
{
	uint64_t parent = environment_number("LISTEN_PPID");
	uint64_t count = environment_number("LISTEN_FDS");
	const char *names = environment_text("LISTEN_FDNAMES");
	char name[FDSTORE_NAME_MAX + 1];

	if (environment_number("LISTEN_PID") != (uint64_t)getpid() &&
	    (parent == 0 || parent != (uint64_t)getppid()))
		count = 0;
	if (!names)
		names = "";
	for (uint64_t i = 0; i < count; i++) {
		int fd = FIRST + (int)i;

		next_name(&names, name);
		/* One that is not open is none. */
		if (!make_ours(fd))
			break;
		if (i < FDSTORE_MAX)
			take(arg, name, fd);
		else
			(void)close(fd);
	}
	(void)unsetenv("LISTEN_PID"); /* NOLINT(concurrency-mt-unsafe) */
	(void)unsetenv("LISTEN_PPID"); /* NOLINT(concurrency-mt-unsafe) */
	(void)unsetenv("LISTEN_FDS"); /* NOLINT(concurrency-mt-unsafe) */
	(void)unsetenv("LISTEN_FDNAMES"); /* NOLINT(concurrency-mt-unsafe) */
}
