/*
 * Power cuts of the hearthd that is released, as it is: see life.h. A run in which
 * its SQLite is made forgetful must be found out, or the test could not see
 * anything.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/crash_daemon/life.h"

#define STEPS 400
#define IMAGES 5000
#define CONTROL_IMAGES 5000
#define FIRST_SEED 1

struct job {
	struct daemon_options daemon;
	uint64_t seed;
	uint64_t images;
	uint64_t until; /* seconds since 1970, 0: by number of images */
	const char *log; /* only go through this one again */
};

static struct house house;

static bool enough(const struct job *job, const struct replay_counts *counts)
{
	if (job->until)
		return (uint64_t)time(NULL) >= job->until;
	return counts->images >= job->images;
}

/* As the first one ends that does not end well. */
static enum life_end run(const struct job *job, struct replay_counts *counts,
			 char wrong[512])
{
	struct life_options options = {
		.daemon = job->daemon,
		.seed = job->seed,
		.steps = STEPS,
		.expected = job->daemon.relax,
	};
	enum life_end end;

	do {
		/* Now and then nothing waits for its acknowledgement. */
		options.daemon.max_delay = options.seed % 4 ? 10 : 0;
		end = life_run(&options, &house, counts, wrong);
		options.seed++;
	} while (end == LIFE_KEPT && !enough(job, counts));
	return end;
}

static void tell(const struct replay_counts *counts)
{
	printf("%llu power cuts of hearthd, which itself went on after %llu of "
	       "them: %llu records, %llu publishes acknowledged, %llu "
	       "deliveries\n",
	       (unsigned long long)counts->images,
	       (unsigned long long)counts->cuts,
	       (unsigned long long)counts->records,
	       (unsigned long long)counts->taken,
	       (unsigned long long)counts->came);
}

static int kept(const struct job *job)
{
	struct replay_counts counts = { 0 };
	char wrong[512];
	bool ok = run(job, &counts, wrong) == LIFE_KEPT;

	tell(&counts);
	if (ok && counts.taken && counts.came && counts.cuts)
		return 0;
	if (ok)
		printf("BLIND: nothing was promised\n");
	else
		printf("BROKEN: %s\nagain by: ./dev crash --daemon --log "
		       "FILE\n",
		       wrong);
	return 1;
}

static int found_out(const struct job *job)
{
	struct replay_counts counts = { 0 };
	struct job control = *job;
	char wrong[512];

	control.until = 0;
	control.images = CONTROL_IMAGES;
	control.daemon.relax = true;
	if (run(&control, &counts, wrong) == LIFE_BROKEN) {
		printf("with synchronous = NORMAL, as it must be: %s\n", wrong);
		return 0;
	}
	printf("BLIND: synchronous = NORMAL was not noticed %s\n", wrong);
	return 1;
}

/* A log that was kept. */
static int again(const struct job *job)
{
	static struct replay replay;
	struct replay_counts counts = { 0 };
	struct record_log *log = record_log_open(job->log, false);
	bool ok;

	if (!log) {
		perror(job->log);
		return 1;
	}
	replay_init(&replay, log, &house, &counts);
	ok = replay_go_on(&replay);
	replay_count(&replay);
	tell(&counts);
	if (!ok)
		printf("BROKEN: %s\n", replay.wrong);
	replay_free(&replay);
	record_log_close(log);
	return !ok;
}

static const struct option options[] = {
	{ "hearthd", required_argument, NULL, 'd' },
	{ "recorder", required_argument, NULL, 'r' },
	{ "images", required_argument, NULL, 'i' },
	{ "hours", required_argument, NULL, 'h' },
	{ "seed", required_argument, NULL, 's' },
	{ "log", required_argument, NULL, 'l' },
	{ NULL, 0, NULL, 0 },
};

static bool number(const char *text, uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 10);
	return !errno && !*end && *out;
}

static bool parse_one(struct job *job, int letter)
{
	uint64_t n;

	switch (letter) {
	case 'd':
		job->daemon.hearthd = optarg;
		return true;
	case 'r':
		job->daemon.recorder = optarg;
		return true;
	case 'l':
		job->log = optarg;
		return true;
	default:
		break;
	}
	if (letter == '?' || !number(optarg, &n))
		return false;
	if (letter == 'i') {
		job->images = n;
	} else if (letter == 's') {
		job->seed = n;
	} else {
		job->until = (uint64_t)time(NULL) + n * 3600;
		job->seed = (uint64_t)time(NULL) << 20;
	}
	return true;
}

static bool parse(int argc, char **argv, struct job *job)
{
	int letter;

	while ((letter = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (!parse_one(job, letter))
			return false;
	return optind == argc &&
	       (job->log || (job->daemon.hearthd && job->daemon.recorder));
}

int main(int argc, char **argv)
{
	struct job job = { .seed = FIRST_SEED, .images = IMAGES };
	int failed;

	if (!parse(argc, argv, &job)) {
		(void)fprintf(stderr,
			      "usage: crash_daemon --hearthd FILE --recorder "
			      "FILE [--images N | --hours N] [--seed N]\n"
			      "       crash_daemon --log FILE\n");
		return 2;
	}
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	house_make(&house);
	failed = job.log ? again(&job) : kept(&job) + found_out(&job);
	house_remove(&house);
	printf("%d passed, %d failed\n", (job.log ? 1 : 2) - failed, failed);
	return failed ? 1 : 0;
}
