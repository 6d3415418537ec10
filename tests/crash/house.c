#include "tests/crash/house.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "broker/base/clock.h"
#include "broker/base/log.h"
#include "broker/core.h"
#include "broker/peer/connection.h"
#include "broker/store.h"
#include "db/db.h"
#include "db/store.h"
#include "tests/crash/ram_vfs.h"

uint64_t house_clock_ms = 3600000;
uint32_t house_max_delay;

static uint64_t monotonic(void)
{
	return house_clock_ms * 1000000;
}

static int64_t wall(void)
{
	return INT64_C(1795251600000) + (int64_t)house_clock_ms;
}

static void swallow(enum log_level level, const char *line)
{
	if (level <= LOG_LEVEL_WARN && getenv("CRASH_LOG"))
		(void)fprintf(stderr, "%s\n", line);
}

void house_make(struct house *house)
{
	const char *root = access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm";

	memset(house, 0, sizeof(*house));
	(void)snprintf(house->dir, sizeof(house->dir), "%s/hearth-crash-XXXXXX",
		       root);
	if (!mkdtemp(house->dir))
		abort();
	clock_set_source(monotonic, wall);
	log_set_sink(swallow);
}

void house_remove(struct house *house)
{
	static const char *const files[] = { "config.db", "state.db",
					     "history.db", "lock" };
	int dir = open(house->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	ram_vfs_clear(house->dir);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		unlinkat(dir, files[i], 0);
	close(dir);
	rmdir(house->dir);
}

const char *house_open(struct house *house)
{
	const struct db_options options = { .dir = house->dir,
					    .vfs = ram_vfs_name() };
	struct broker_options broker = {
		.node = "crash",
		.max_delay = house_max_delay,
	};
	const struct db_notice *notices;

	if (db_open(&options, &house->db))
		return "the databases cannot be opened";
	if (db_notices(house->db, &notices) > 0)
		return "a database is damaged";
	if (db_store_open(house->db, NULL, &house->owner))
		return "the store cannot be opened";
	broker.store = db_store_door(house->owner);
	house->broker = broker_new(&broker);
	if (!house->broker)
		return "no broker";
	if (broker_load(house->broker))
		return "the broker cannot load what is stored";
	return NULL;
}

void house_close(struct house *house)
{
	broker_free(house->broker);
	db_store_free(house->owner);
	db_close(house->db);
	house->broker = NULL;
	house->owner = NULL;
	house->db = NULL;
}

void house_broker_turn(struct house *house)
{
	loop_turn(house->broker->loop, 0);
}

void house_store_turn(struct house *house)
{
	db_store_turn(house->owner);
}

bool house_store_busy(const struct house *house)
{
	return house->broker->committed < house->broker->written ||
	       !list_empty(&house->broker->holding);
}

void link_init(struct link *link)
{
	link->fd = -1;
	link->len = 0;
}

void link_open(struct link *link, struct house *house)
{
	struct connection_options options = { .address = "crash:1" };
	int ends[2];

	link_close(link);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		       ends))
		abort();
	options.fd = ends[0];
	if (!connection_new(house->broker, &options))
		abort();
	link->fd = ends[1];
}

void link_close(struct link *link)
{
	if (link->fd >= 0)
		close(link->fd);
	link_init(link);
}

void link_send(struct link *link, struct house *house, const uint8_t *bytes,
	       size_t len)
{
	/* What the broker has closed meanwhile is noticed by who reads. */
	if (send(link->fd, bytes, len, MSG_NOSIGNAL) != (ssize_t)len &&
	    errno != EPIPE && errno != ECONNRESET)
		abort();
	house_broker_turn(house);
}

static void fill(struct link *link)
{
	ssize_t n = recv(link->fd, link->in + link->len,
			 sizeof(link->in) - link->len, 0);

	if (n > 0)
		link->len += (size_t)n;
}

bool link_next(struct link *link, struct frame *frame)
{
	if (link->fd < 0)
		return false;
	fill(link);
	return framing_next(link->in, link->len, sizeof(link->in), frame) > 0;
}

void link_drop(struct link *link, const struct frame *frame)
{
	link->len -= frame->size;
	memmove(link->in, link->in + frame->size, link->len);
}

bool link_ended(struct link *link)
{
	uint8_t byte;

	return link->fd >= 0 && link->len == 0 &&
	       recv(link->fd, &byte, 1, MSG_PEEK) == 0;
}
