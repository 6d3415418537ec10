/*
 * A file that is written by a thread of its own, so that whoever has something to
 * write never waits for a disk. What it is behind with is bounded; more is
 * refused.
 */
#ifndef BROKER_ADMIN_TRACE_FILE_H
#define BROKER_ADMIN_TRACE_FILE_H

#include <stddef.h>

struct trace_file;

/* fd is taken. Returns NULL with errno set: then it was not. */
struct trace_file *trace_file_new(int fd);
/* text, from malloc(), is taken. -EAGAIN: the disk is too slow, text is still the
 * caller's. */
int trace_file_write(struct trace_file *file, char *text, size_t len);
/* Nothing more will come. Does not wait. */
void trace_file_end(struct trace_file *file);
/* Waits until all is written. NULL does nothing. */
void trace_file_free(struct trace_file *file);

#endif
