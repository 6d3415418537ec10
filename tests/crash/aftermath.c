#include "tests/crash/aftermath.h"

#include "tests/crash/ram_vfs.h"
#include "tests/crash/world.h"

#define REST_TURNS 400

static bool come_to_rest(struct house *house, struct world *w)
{
	unsigned int quiet = 0;

	for (int i = 0; i < REST_TURNS && quiet < 4; i++) {
		bool any = false;

		house_clock_ms += 5;
		house_broker_turn(house);
		house_store_turn(house);
		for (unsigned int c = 0; c < MODEL_CLIENTS; c++)
			any |= world_read(w, c);
		quiet = any || house_store_busy(house) ? 0 : quiet + 1;
		if (w->model->wrong)
			return false;
	}
	for (unsigned int c = 0; c < MODEL_CLIENTS; c++)
		if (w->model->parties[c].going_count ||
		    w->model->parties[c].held_count)
			model_wrong(w->model, "a handshake does not end", c, 0);
	return !w->model->wrong;
}

/* One more message for each topic tells who is subscribed, and one of each client
 * if its packet identifiers are free. */
static void ask_who_listens(struct world *w)
{
	struct model *m = w->model;

	for (uint8_t c = 0; c < MODEL_CLIENTS; c++) {
		m->sent[m->count] = (struct sent){
			.topic = c % MODEL_TOPICS,
			.from = c,
			.qos = 2,
		};
		world_publish(w, m->count++);
	}
}

/* Everybody comes back to the house after the cut. */
static void return_all(struct house *house, struct world *w)
{
	unsigned int first = rng_below(w->rng, MODEL_CLIENTS);

	world_look_at_retained(w);
	for (unsigned int i = 0; i < MODEL_CLIENTS; i++) {
		unsigned int c = (first + i) % MODEL_CLIENTS;

		world_connect(w, c, w->model->parties[c].expiry == 0);
	}
	if (!come_to_rest(house, w))
		return;
	ask_who_listens(w);
	if (come_to_rest(house, w))
		model_settle(w->model);
}

bool aftermath_look(struct house *house, const struct card *card,
		    enum card_kind kind, struct rng *dice, struct model *m)
{
	const uint64_t now = house_clock_ms;
	static struct world w;
	const char *failed;

	world_init(&w, house_place(house), dice, m);
	card_image(card, kind, dice, ram_vfs_put, house->dir);
	for (unsigned int i = 0; i < MODEL_CLIENTS; i++)
		model_gone(m, i);
	failed = house_open(house);
	if (failed)
		model_wrong(m, failed, 0, 0);
	else
		return_all(house, &w);
	for (unsigned int i = 0; i < MODEL_CLIENTS; i++)
		link_close(&w.links[i]);
	house_close(house);
	ram_vfs_clear(house->dir);
	house_clock_ms = now;
	return !m->wrong;
}
