#include "programs/fd_keeper.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/base/fdstore.h"

/* Where those that are handed over begin. */
#define FIRST 3
/* Ours are above all of those, so that none is in another's way. */
#define OURS 256

struct kept {
	char name[FD_KEEPER_NAME_MAX + 1];
	int fd;
};

struct fd_keeper {
	size_t count;
	struct kept kept[FD_KEEPER_MAX];
	char count_entry[sizeof("LISTEN_FDS=") + 20];
	char parent_entry[sizeof("LISTEN_PPID=") + 20];
	char names_entry[sizeof("LISTEN_FDNAMES=") +
			 FD_KEEPER_MAX * (FD_KEEPER_NAME_MAX + 1)];
};

struct fd_keeper *fd_keeper_new(void)
{
	return calloc(1, sizeof(struct fd_keeper));
}

void fd_keeper_free(struct fd_keeper *keeper)
{
	if (!keeper)
		return;
	for (size_t i = 0; i < keeper->count; i++)
		(void)close(keeper->kept[i].fd);
	free(keeper);
}

static void drop(struct fd_keeper *keeper, const char *name)
{
	for (size_t i = keeper->count; i-- > 0;) {
		if (strcmp(keeper->kept[i].name, name) != 0)
			continue;
		(void)close(keeper->kept[i].fd);
		keeper->kept[i] = keeper->kept[--keeper->count];
	}
}

/* The last of a name is the one that counts: the child has the line by it. */
static void keep(struct fd_keeper *keeper, const char *name, int fd)
{
	struct kept *kept;
	int copy;

	drop(keeper, name);
	if (fd < 0 || keeper->count == FD_KEEPER_MAX)
		return;
	copy = fcntl(fd, F_DUPFD_CLOEXEC, OURS);
	if (copy < 0)
		return;
	kept = &keeper->kept[keeper->count++];
	(void)snprintf(kept->name, sizeof(kept->name), "%s", name);
	kept->fd = copy;
}

/* The value of a line "key=value" of the word. False: there is none that fits. */
static bool find(const char *word, const char *key,
		 char out[FD_KEEPER_NAME_MAX + 1])
{
	size_t len = strlen(key);

	while (word) {
		const char *end = strchr(word, '\n');
		size_t rest = end ? (size_t)(end - word) : strlen(word);

		if (rest >= len && strncmp(word, key, len) == 0 &&
		    rest - len <= FD_KEEPER_NAME_MAX) {
			memcpy(out, word + len, rest - len);
			out[rest - len] = '\0';
			return true;
		}
		word = end ? end + 1 : NULL;
	}
	return false;
}

void fd_keeper_hear(struct fd_keeper *keeper, const char *word, int fd)
{
	char name[FD_KEEPER_NAME_MAX + 1];
	char one[FD_KEEPER_NAME_MAX + 1];

	if (find(word, "FDNAME=", name) && fdstore_name_valid(name)) {
		if (find(word, "FDSTORE=", one) && strcmp(one, "1") == 0)
			keep(keeper, name, fd);
		else if (find(word, "FDSTOREREMOVE=", one) &&
			 strcmp(one, "1") == 0)
			drop(keeper, name);
	}
	if (fd >= 0)
		(void)close(fd);
}

int fd_keeper_hand_over(const struct fd_keeper *keeper,
			posix_spawn_file_actions_t *actions)
{
	int r = 0;

	for (size_t i = 0; !r && i < keeper->count; i++)
		r = posix_spawn_file_actions_adddup2(
			actions, keeper->kept[i].fd, FIRST + (int)i);
	return -r;
}

size_t fd_keeper_environment(struct fd_keeper *keeper,
			     const char *entries[FD_KEEPER_ENTRIES])
{
	size_t len;

	if (keeper->count == 0)
		return 0;
	(void)snprintf(keeper->count_entry, sizeof(keeper->count_entry),
		       "LISTEN_FDS=%zu", keeper->count);
	(void)snprintf(keeper->parent_entry, sizeof(keeper->parent_entry),
		       "LISTEN_PPID=%ld", (long)getpid());
	len = (size_t)snprintf(keeper->names_entry, sizeof(keeper->names_entry),
			       "LISTEN_FDNAMES=");
	for (size_t i = 0; i < keeper->count; i++)
		len += (size_t)snprintf(keeper->names_entry + len,
					sizeof(keeper->names_entry) - len,
					"%s%s", i ? ":" : "",
					keeper->kept[i].name);
	entries[0] = keeper->count_entry;
	entries[1] = keeper->parent_entry;
	entries[2] = keeper->names_entry;
	return FD_KEEPER_ENTRIES;
}
