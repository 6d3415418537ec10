#include "broker/session/will_row.h"

#include "broker/core.h"
#include "broker/session/session.h"
#include "broker/store.h"

void will_row_save(struct session *s)
{
	struct store *store = s->broker->store;
	const struct store_will row = {
		.session = s->id,
		.message = s->will,
		/* It ends with the session [MQTT-3.1.3-9]. */
		.delay = s->will_delay < s->expiry ? s->will_delay : s->expiry,
		.expiry = s->will_expires ? s->will_expiry : STORE_EXPIRY_NEVER,
	};

	if (!s->will)
		will_row_remove(s);
	else if (store && store->ops->will_save(store, &row) == 0)
		s->will_kept = true;
}

void will_row_remove(struct session *s)
{
	struct store *store = s->broker->store;

	/* For lack of memory it is published after a crash: late, but once. */
	if (s->will_kept && store->ops->will_remove(store, s->id) == 0)
		s->will_kept = false;
}
