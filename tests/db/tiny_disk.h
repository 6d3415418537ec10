/*
 * A disk of a few megabytes for one test: a tmpfs in a namespace of its own, so
 * that it needs no root and nobody else sees it.
 */
#ifndef TESTS_DB_TINY_DISK_H
#define TESTS_DB_TINY_DISK_H

#include <stdbool.h>
#include <stddef.h>

/* Run body in a child process in which path, a directory, is an empty disk of so
 * many bytes. False: this kernel allows it to nobody like us. Fails the test when
 * the child does not end well. */
bool tiny_disk_run(const char *path, size_t bytes, void (*body)(void));

/* In the child. */
void tiny_disk_read_only(const char *path, bool read_only);
/* Fill it to the last byte, by a file of this name; remove that to make room. */
void tiny_disk_fill(const char *file);

#endif
