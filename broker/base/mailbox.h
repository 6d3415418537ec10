/*
 * The one place where threads meet: a bounded ring of pointers, one mutex, an
 * eventfd. Any thread may post; one thread takes. Ownership of what a pointer
 * points to passes with it. A full mailbox is the sender's problem: it never
 * waits.
 */
#ifndef BASE_MAILBOX_H
#define BASE_MAILBOX_H

#include <stddef.h>

struct mailbox;

/* capacity 1 .. 1,048,576. Returns NULL with errno set. */
struct mailbox *mailbox_new(size_t capacity);
/* Must be empty, or the caller must not mind what is lost. */
void mailbox_free(struct mailbox *mailbox);

/* Returns 0, or -EAGAIN when full: the pointer is still the caller's. */
int mailbox_post(struct mailbox *mailbox, void *item);
/* The oldest, or NULL when empty. */
void *mailbox_take(struct mailbox *mailbox);

/* Make it readable though nothing may be there: the taker finds what was said
 * elsewhere when it has taken everything. */
void mailbox_wake(struct mailbox *mailbox);

/* Readable while something is there: level-triggered in the taker's loop. The
 * taker calls mailbox_take() until NULL, which also makes it unreadable. */
int mailbox_fd(const struct mailbox *mailbox);
/* Wait until something is there, at most timeout_ms (-1: for ever), and take
 * it. NULL after the timeout. */
void *mailbox_wait(struct mailbox *mailbox, int timeout_ms);

#endif
