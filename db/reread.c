#include "db/reread.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

void reread_log(int dir_fd, const char *database)
{
	char name[64];
	int fd;

	(void)snprintf(name, sizeof(name), "%s-wal", database);
	fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return; /* none, or SQLite will say why not */
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	close(fd);
}
