/*
 * Take over what may change of hearth.conf while the broker runs, at once and
 * whole. Any thread with an admin handle.
 */
#ifndef BROKER_ADMIN_RECONFIGURE_H
#define BROKER_ADMIN_RECONFIGURE_H

#include "broker/broker.h"

struct admin;
struct tls;

/*
 * Of options count the numbers, but for max_packet_size, what is said of another
 * server and of responses, and the listeners, which
 * must be those there are (by name), with type, address, port and path as they
 * were. tls has one for each (listener_make_tls()); all are taken in any case.
 * Strings are borrowed and must live until the next call has succeeded; after
 * -ETIMEDOUT, for ever. Connections go on with what they began with. Returns 0;
 * -EINVAL: other listeners; or an error of admin.h: nothing has changed.
 */
int reconfigure(struct admin *admin, const struct broker_options *options,
		struct tls *const *tls);

/* What run has left behind, at the end. NULL does nothing. */
struct reconfigured;
void reconfigured_free(struct reconfigured *old);

#endif
