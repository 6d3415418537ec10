#include "tests/db/tiny_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOT_ALLOWED = 77 };

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	(void)fprintf(stderr, "tiny_disk: %s: %s\n", what,
		      strerrordesc_np(errno));
	abort();
}

static bool put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) > 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

/* Root of a namespace is enough to mount a tmpfs in it. */
static bool enter(void)
{
	const unsigned int uid = getuid();
	const unsigned int gid = getgid();
	char map[32];

	if (uid == 0)
		return !unshare(CLONE_NEWNS);
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
		return false;
	(void)snprintf(map, sizeof(map), "0 %u 1", uid);
	if (!put("/proc/self/setgroups", "deny") ||
	    !put("/proc/self/uid_map", map))
		return false;
	(void)snprintf(map, sizeof(map), "0 %u 1", gid);

	return put("/proc/self/gid_map", map);
}

static bool mount_disk(const char *path, size_t bytes)
{
	char options[64];

	(void)snprintf(options, sizeof(options), "size=%zu,mode=0700", bytes);
	return !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
	       !mount("tiny", path, "tmpfs", MS_NOSUID | MS_NODEV, options);
}

bool tiny_disk_run(const char *path, size_t bytes, void (*body)(void))
{
	int status;
	pid_t child = fork();

	must(child >= 0, "fork");
	if (child == 0) {
		if (!enter() || !mount_disk(path, bytes))
			_exit(NOT_ALLOWED);
		body();
		/* Leaks are looked for at an ordinary exit. */
		exit(EXIT_SUCCESS);
	}
	must(waitpid(child, &status, 0) == child, "waitpid");
	if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_ALLOWED)
		return false;
	if (status) {
		(void)fprintf(stderr, "tiny_disk: the child ended with %x\n",
			      (unsigned int)status);
		abort();
	}

	return true;
}

void tiny_disk_read_only(const char *path, bool read_only)
{
	const unsigned long flags = MS_REMOUNT | MS_NOSUID | MS_NODEV;

	must(!mount("tiny", path, "tmpfs", flags | (read_only ? MS_RDONLY : 0),
		    NULL),
	     "remount");
}

void tiny_disk_fill(const char *file)
{
	static char bytes[65536];
	size_t size = sizeof(bytes);
	int fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	must(fd >= 0, file);
	while (size > 0) {
		ssize_t n = write(fd, bytes, size);

		if (n <= 0) {
			must(errno == ENOSPC, "fill");
			size /= 2;
		}
	}
	close(fd);
}
