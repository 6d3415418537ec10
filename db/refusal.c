#include "db/refusal.h"

#include <errno.h>
#include <string.h>

#include "broker/base/log.h"

void refusal_init(struct refusal *refusal, int dir_fd, uint64_t ballast,
		  int stand_in)
{
	memset(refusal, 0, sizeof(*refusal));
	refusal->for_good = stand_in != 0;
	atomic_store(&refusal->why, stand_in);
	space_init(&refusal->space, dir_fd, stand_in ? 0 : ballast);
}

static void refuse(struct refusal *refusal, int error)
{
	if (atomic_load(&refusal->why))
		return;
	log_error("state.db", "what is to be kept is refused from now on: %s",
		  strerrordesc_np(-error));
	atomic_store(&refusal->why, error);
}

enum refusal_advice refusal_failed(struct refusal *refusal, int error,
				   uint64_t now)
{
	if (!refusal->since)
		refusal->since = now;
	if (error == -ENOSPC || now - refusal->since >= REFUSAL_PATIENCE_MS)
		refuse(refusal, error);
	if (error != -ENOSPC || !space_release(&refusal->space))
		return REFUSAL_WAIT;
	log_warn("state.db", "the disk is full: the ballast is given up");

	return REFUSAL_RETRY;
}

static void look(struct refusal *refusal, uint64_t now)
{
	refusal->look_at = 0;
	if (refusal->crowded)
		return;
	if (atomic_load(&refusal->why) == -ENOSPC &&
	    !space_enough(&refusal->space)) {
		refusal->look_at = now + REFUSAL_LOOK_MS;
		return;
	}
	log_info("state.db", "what is to be kept is taken again");
	atomic_store(&refusal->why, 0);
}

void refusal_succeeded(struct refusal *refusal, bool crowded, uint64_t now)
{
	refusal->since = 0;
	refusal->crowded = crowded;
	if (crowded && !atomic_load(&refusal->why)) {
		log_warn("state.db", "it is as large as it may grow");
		refuse(refusal, -ENOSPC);
	}
	if (atomic_load(&refusal->why) && !refusal->for_good &&
	    !refusal->look_at)
		look(refusal, now);
}

bool refusal_look(struct refusal *refusal, uint64_t now)
{
	if (!refusal->look_at || now < refusal->look_at)
		return false;
	look(refusal, now);

	return refusal->look_at != 0;
}
