/*
 * Tens of thousands of power cuts, simulated: see story.h. A run of the same code
 * with SQLite's synchronous = NORMAL, which writes a commit before it is synced,
 * must be found out, or the test could not see anything.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/crash/relax.h"
#include "tests/crash/story.h"

#define STEPS 400
#define IMAGES 50000
#define FIRST_SEED 1

struct job {
	uint64_t seed;
	uint64_t images;
	uint64_t until; /* seconds since 1970, 0: by number of images */
	bool one; /* only this seed */
};

static bool enough(const struct job *job, const struct story_result *result)
{
	if (job->until)
		return (uint64_t)time(NULL) >= job->until;
	return result->images >= job->images;
}

/* Returns the seed at which a promise was broken, or 0. */
static uint64_t run(const struct job *job, struct story_result *result)
{
	struct story_options options = {
		.seed = job->seed,
		.images = job->until || job->one ? UINT64_MAX : job->images,
		.steps = STEPS,
	};

	do {
		if (!story_run(&options, result))
			return options.seed;
		options.seed++;
	} while (!job->one && !enough(job, result));
	return 0;
}

static int kept(const struct job *job)
{
	struct story_result result = { 0 };
	uint64_t seed = run(job, &result);

	printf("%llu power cuts from seed %llu on: %llu writes and syncs, %llu "
	       "publishes acknowledged, %llu deliveries\n",
	       (unsigned long long)result.images, (unsigned long long)job->seed,
	       (unsigned long long)result.ops, (unsigned long long)result.taken,
	       (unsigned long long)result.came);
	if (!seed)
		return 0;
	printf("BROKEN: %s\nagain by: ./dev crash --seed %llu\n", result.wrong,
	       (unsigned long long)seed);
	return 1;
}

static int found_out(const struct job *job)
{
	struct story_result result = { 0 };
	const struct job control = { .seed = job->seed, .images = 2000 };
	uint64_t seed;

	relax_all(true);
	seed = run(&control, &result);
	relax_all(false);
	if (seed)
		printf("with synchronous = NORMAL, as it must be: %s\n",
		       result.wrong);
	else
		printf("BLIND: synchronous = NORMAL was not noticed\n");
	return seed ? 0 : 1;
}

static int usage(void)
{
	(void)fprintf(stderr, "usage: crash [--images N | --hours N |"
			      " --seed N]\n");
	return 2;
}

static bool parse(int argc, char **argv, struct job *job)
{
	unsigned long long n;
	char *end;

	if (argc == 1)
		return true;
	if (argc != 3)
		return false;
	errno = 0;
	n = strtoull(argv[2], &end, 10);
	if (errno || *end || !n)
		return false;
	if (strcmp(argv[1], "--images") == 0) {
		job->images = n;
	} else if (strcmp(argv[1], "--hours") == 0) {
		job->until = (uint64_t)time(NULL) + n * 3600;
		job->seed = (uint64_t)time(NULL) << 20;
	} else if (strcmp(argv[1], "--seed") == 0) {
		job->seed = n;
		job->one = true;
	} else {
		return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	struct job job = { .seed = FIRST_SEED, .images = IMAGES };
	int failed;

	if (!parse(argc, argv, &job))
		return usage();
	story_open();
	failed = kept(&job);
	if (!job.one)
		failed += found_out(&job);
	story_close();
	printf("%d passed, %d failed\n", (job.one ? 1 : 2) - failed, failed);
	return failed ? 1 : 0;
}
