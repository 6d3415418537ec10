/*
 * Who published: user, client and address, made once for each connection and
 * shared by all its messages. Immutable, reference-counted, any thread.
 */
#ifndef BROKER_ORIGIN_H
#define BROKER_ORIGIN_H

struct origin {
	const char *user; /* "" for an anonymous client */
	const char *client_id;
	const char *address; /* "192.0.2.7:49152", "unix", "local" */
};

/* The strings are copied. Returns one reference, or NULL. */
struct origin *origin_new(const char *user, const char *client_id,
			  const char *address);
struct origin *origin_ref(struct origin *origin);
void origin_unref(struct origin *origin);

#endif
