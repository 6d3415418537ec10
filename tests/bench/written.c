/* What a broker writes, by the kernel's account or the simulated card's. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/bench/card.h"
#include "tests/bench/load.h"
#include "tests/bench/peer.h"

#define STEP_NS 50000000ull

static uint64_t of_card(int fd)
{
	static const struct card_count *count;

	if (!count) {
		void *memory = mmap(NULL, sizeof(*count), PROT_READ, MAP_SHARED,
				    fd, 0);

		if (memory == MAP_FAILED)
			die("the card's counters: %s", strerror(errno));
		count = memory;
	}
	return atomic_load(&count->synced) + atomic_load(&count->dirty);
}

/* Pages that the process has made dirty, of files that lie on a disk. */
static uint64_t of_kernel(pid_t pid)
{
	const char *label = "\nwrite_bytes: ";
	char path[64], text[512];
	const char *at;
	size_t len;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/io", (int)pid);
	file = fopen(path, "r");
	if (!file)
		die("%s: %s", path, strerror(errno));
	len = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[len] = '\0';
	at = strstr(text, label);
	if (!at)
		die("%s: no write_bytes", path);
	return strtoull(at + strlen(label), NULL, 10);
}

uint64_t load_written(const struct load_options *o)
{
	if (o->card >= 0)
		return of_card(o->card);
	return o->pid ? of_kernel(o->pid) : 0;
}

uint64_t load_settled(const struct load_options *o)
{
	uint64_t bytes, since = peer_clock();

	if (o->save && o->pid && kill(o->pid, SIGUSR1) < 0)
		die("the broker has ended");
	bytes = load_written(o);
	while (peer_clock() - since < o->quiet_ms * 1000000ull) {
		uint64_t now;

		peer_turn(STEP_NS);
		now = load_written(o);
		if (now != bytes) {
			bytes = now;
			since = peer_clock();
		}
	}
	return bytes;
}
