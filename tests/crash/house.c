#include "tests/crash/house.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
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

/* Keys of hash tables must be the seed's, as all else is. */
ssize_t __wrap_getrandom(void *to, size_t size, unsigned int flags);

ssize_t __wrap_getrandom(void *to, size_t size, unsigned int flags)
{
	(void)flags;
	memset(to, 0x5a, size);
	return (ssize_t)size;
}

uint64_t house_clock_ms = 3600000;
int64_t house_epoch_ms = HOUSE_EPOCH_MS;
uint32_t house_max_delay;

static uint64_t monotonic(void)
{
	return house_clock_ms * 1000000;
}

static int64_t wall(void)
{
	return house_epoch_ms + (int64_t)house_clock_ms;
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

/* The bytes of the files are in ram_vfs: on disk they are empty, and would be
 * taken for lost. */
static void forget_files(const struct house *house)
{
	int dir = open(house->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	unlinkat(dir, "lock", 0);
	close(dir);
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

	forget_files(house);
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

static int take_in(void *arg)
{
	struct connection_options options = { .address = "crash:1" };
	struct house *house = arg;
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		       ends))
		abort();
	options.fd = ends[0];
	if (!connection_new(house->broker, &options))
		abort();
	return ends[1];
}

static void turn(void *arg)
{
	house_broker_turn(arg);
}

struct place house_place(struct house *house)
{
	return (struct place){
		.name = strrchr(house->dir, '-'),
		.arg = house,
		.connect = take_in,
		.turn = turn,
	};
}
