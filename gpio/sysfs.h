/*
 * Small files of the kernel's /sys, read and written whole. root is "/sys"; tests
 * and the simulated board have a tree of their own. Any thread; may block as long
 * as the driver does.
 */
#ifndef GPIO_SYSFS_H
#define GPIO_SYSFS_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of a path, with its NUL. */
#define SYSFS_PATH_SIZE 512u

/* Bytes of a file, with a NUL: the kernel's page has more, ours never. */
#define SYSFS_TEXT_SIZE 256u

/* Entries of a directory that are looked at. */
#define SYSFS_ENTRIES_MAX 256u

/* The text without its last newline. 0 or a negative errno; -ENAMETOOLONG: the
 * path. path is below root, without a slash at its beginning. */
__attribute__((format(printf, 3, 4))) int
sysfs_read(const char *root, char out[SYSFS_TEXT_SIZE], const char *path, ...);

/* As a number; -EINVAL: it is none. */
__attribute__((format(printf, 3, 4))) int
sysfs_number(const char *root, double *out, const char *path, ...);

/* How many of the first size bytes there are, or a negative errno. */
__attribute__((format(printf, 4, 5))) int
sysfs_bytes(const char *root, void *out, size_t size, const char *path, ...);

/* Write text whole. 0 or a negative errno. */
__attribute__((format(printf, 3, 4))) int
sysfs_write(const char *root, const char *text, const char *path, ...);

/* A descriptor to read and write it again and again, or a negative errno. */
__attribute__((format(printf, 2, 3))) int sysfs_open(const char *root,
						     const char *path, ...);

/* Is there such a file? */
bool sysfs_there(const char *root, const char *path);

/* Call each with the name of every entry that begins with prefix, in no order,
 * until it returns true. True: it did. */
typedef bool sysfs_entry_fn(const char *name, void *arg);
bool sysfs_each(const char *root, const char *directory, const char *prefix,
		sysfs_entry_fn *each, void *arg);

/* Is name a part of the path that root/path leads to? So devices are found by
 * where they are, not by their number. */
__attribute__((format(printf, 3, 4))) bool
sysfs_leads(const char *root, const char *name, const char *path, ...);

/* The name of the directory two above what root/path leads to, which of a class's
 * entry is its device. 0 or a negative errno. */
int sysfs_device(const char *root, char out[SYSFS_TEXT_SIZE], const char *path);

#endif
