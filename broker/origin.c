#include "broker/origin.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/list.h"

struct shared_origin {
	atomic_uint refs;
	struct origin origin;
	char text[];
};

static struct shared_origin *shared(struct origin *origin)
{
	return list_entry(origin, struct shared_origin, origin);
}

struct origin *origin_new(const char *user, const char *client_id,
			  const char *address)
{
	size_t user_size = strlen(user) + 1;
	size_t client_size = strlen(client_id) + 1;
	size_t address_size = strlen(address) + 1;
	struct shared_origin *made =
		malloc(sizeof(*made) + user_size + client_size + address_size);
	char *at;

	if (!made)
		return NULL;

	atomic_init(&made->refs, 1);
	at = made->text;
	made->origin.user = memcpy(at, user, user_size);
	at += user_size;
	made->origin.client_id = memcpy(at, client_id, client_size);
	at += client_size;
	made->origin.address = memcpy(at, address, address_size);
	return &made->origin;
}

struct origin *origin_ref(struct origin *origin)
{
	atomic_fetch_add_explicit(&shared(origin)->refs, 1,
				  memory_order_relaxed);
	return origin;
}

void origin_unref(struct origin *origin)
{
	if (!origin)
		return;
	if (atomic_fetch_sub_explicit(&shared(origin)->refs, 1,
				      memory_order_acq_rel) == 1)
		free(shared(origin));
}
