/*
 * A directory in memory that stands in for a data directory in which nothing can
 * be written: with a copy of users and settings and of what was kept for clients,
 * so that the house goes on until somebody mends the disk. Main only.
 */
#ifndef DB_STAND_IN_H
#define DB_STAND_IN_H

#include <stddef.h>

/* Sessions larger than this are not copied: it is memory, and they are loaded
 * into it once more. Users and settings always are. */
#define STAND_IN_COPY_MAX ((size_t)64 * 1024 * 1024)

#define STAND_IN_PATH_SIZE 128

/* Make one and copy what can be read of home_fd; path is set. Returns 0 or a
 * negative errno: there is no memory to be had as a directory, or config.db is
 * there and cannot be read: nobody must get in by its loss. */
int stand_in_make(int home_fd, char path[STAND_IN_PATH_SIZE]);
/* Delete it with everything in it. */
void stand_in_remove(const char *path);

#endif
