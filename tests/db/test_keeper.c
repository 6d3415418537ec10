/* When backups are made, with which passphrase, and who is told. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/base/clock.h"
#include "broker/base/mailbox.h"
#include "db/backup/keeper.h"
#include "db/backup/passphrase.h"
#include "db/backup/schedule.h"
#include "tests/db/restore_house.h"
#include "tests/db/scratch.h"
#include "tests/failing_malloc.h"

#define HOUR INT64_C(3600000)
/* 2026-11-21T00:00:00Z, and the night Berlin's clocks go back. */
#define DAY INT64_C(1795219200000)
#define AUTUMN INT64_C(1792886400000) /* 2026-10-25T00:00:00Z */

static int setup(void **state)
{
	*state = NULL;
	scratch_make();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	scratch_remove();
	return 0;
}

/* One thread. NOLINTBEGIN(concurrency-mt-unsafe) */
static void set_zone(const char *zone)
{
	setenv("TZ", zone, 1);
	tzset();
}
/* NOLINTEND(concurrency-mt-unsafe) */

static void test_it_is_due_once_a_day(void **state)
{
	static const struct {
		int64_t now;
		int64_t last;
		bool due;
	} cases[] = {
		{ DAY + 2 * HOUR, DAY - 21 * HOUR, false },
		{ DAY + 3 * HOUR - 1, DAY - 21 * HOUR, false },
		{ DAY + 3 * HOUR, DAY - 21 * HOUR, true },
		{ DAY + 3 * HOUR, DAY + 3 * HOUR, false },
		{ DAY + 23 * HOUR, DAY + 3 * HOUR, false },
		/* It was off at night. */
		{ DAY + 8 * HOUR, DAY - 21 * HOUR, true },
		{ DAY + 1 * HOUR, DAY - 24 * HOUR, true },
		{ DAY + 1 * HOUR, -1, true },
		/* The clock was wrong then, or is now: 1970. */
		{ DAY + 1 * HOUR, DAY + 3 * HOUR, true },
		{ DAY + 1 * HOUR, DAY + 2 * HOUR, false },
		{ HOUR, DAY, true },
		{ HOUR, HOUR - 1000, false },
	};

	(void)state;
	set_zone("UTC");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (schedule_due(3, cases[i].now, cases[i].last) !=
		    cases[i].due)
			fail_msg("case %zu", i);
	assert_int_equal(schedule_next(3, DAY), DAY + 3 * HOUR);
	assert_int_equal(schedule_next(3, DAY + 3 * HOUR), DAY + 27 * HOUR);
	assert_int_equal(schedule_next(0, DAY - 1), DAY);
}

/* 03:00 there is 01:00 UTC in summer, 02:00 in winter. */
static void test_the_hour_is_the_houses(void **state)
{
	(void)state;
	set_zone("CET-1CEST,M3.5.0,M10.5.0/3");
	assert_int_equal(schedule_next(3, AUTUMN - 24 * HOUR),
			 AUTUMN - 23 * HOUR);
	assert_int_equal(schedule_next(3, AUTUMN), AUTUMN + 2 * HOUR);
	assert_int_equal(schedule_next(3, AUTUMN + 2 * HOUR),
			 AUTUMN + 26 * HOUR);
	assert_false(schedule_due(3, AUTUMN + HOUR, AUTUMN - 23 * HOUR));
	assert_true(schedule_due(3, AUTUMN + 2 * HOUR, AUTUMN - 23 * HOUR));
	set_zone("UTC");
}

static void test_a_passphrase_is_the_first_line(void **state)
{
	static const struct {
		const char *text;
		const char *right; /* NULL: refused */
	} cases[] = {
		{ "correct horse\n", "correct horse" },
		{ "correct horse\nand more", "correct horse" },
		{ "12345678", "12345678" },
		{ " 1234567 \r\n", " 1234567 \r" },
		{ "1234567\n8", NULL },
		{ "", NULL },
	};
	char out[PASSPHRASE_SIZE];
	char *longest = malloc(SEAL_PASSPHRASE_MAX + 2);

	(void)state;
	db_close(scratch_open());
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct reason reason = { 0 };
		int r;

		house_write("p", cases[i].text);
		r = passphrase_read(scratch_path("p"), out, &reason);
		assert_int_equal(r, cases[i].right ? 0 : -EINVAL);
		if (cases[i].right)
			assert_string_equal(out, cases[i].right);
		else
			assert_non_null(strstr(reason.text, "8 to 1024 bytes"));
	}
	assert_non_null(longest);
	memset(longest, 'x', SEAL_PASSPHRASE_MAX + 1);
	longest[SEAL_PASSPHRASE_MAX + 1] = '\0';
	house_write("p", longest);
	assert_int_equal(
		passphrase_read(scratch_path("p"), out, &(struct reason){ 0 }),
		-EINVAL);
	longest[SEAL_PASSPHRASE_MAX] = '\n';
	house_write("p", longest);
	assert_int_equal(
		passphrase_read(scratch_path("p"), out, &(struct reason){ 0 }),
		0);
	assert_int_equal(
		passphrase_read("/no/such", out, &(struct reason){ 0 }),
		-ENOENT);
	free(longest);
}

/* ---- the thread ------------------------------------------------------------- */

struct asker {
	struct db *db;
	struct keeper *keeper;
	struct mailbox *reply;
};

static void begin(struct asker *asker, const struct keeper_options *options)
{
	struct keeper_options all = *options;

	asker->db = scratch_open();
	all.source = (struct backup_source){ .db = asker->db, .node = "attic" };
	asker->reply = mailbox_new(KEEPER_JOBS_MAX * 4);
	asker->keeper = keeper_new(&all);
	assert_non_null(asker->reply);
	assert_non_null(asker->keeper);
}

static void end(struct asker *asker)
{
	struct keeper_job *job;

	keeper_stop(asker->keeper);
	while ((job = mailbox_take(asker->reply)))
		keeper_job_free(job);
	keeper_free(asker->keeper);
	mailbox_free(asker->reply);
	db_close(asker->db);
}

static struct keeper_job *submit(struct asker *asker, enum keeper_kind kind,
				 const char *passphrase)
{
	struct keeper_job *job = keeper_job_new(kind, passphrase);

	assert_non_null(job);
	job->reply = asker->reply;
	return job;
}

static void finish(struct asker *asker, struct keeper_job *job, int result)
{
	assert_int_equal(keeper_submit(asker->keeper, job), 0);
	assert_ptr_equal(mailbox_wait(asker->reply, -1), job);
	if (job->result != result)
		fail_msg("%d: %s", job->result,
			 reason_text(&job->reason, job->result));
}

static void test_an_export_is_restored(void **state)
{
	struct asker a;
	struct keeper_job *made, *job;

	(void)state;
	begin(&a, &(struct keeper_options){ .keep = 1 });
	scratch_sql("state.db", VALUE("new"));
	made = submit(&a, KEEPER_EXPORT, "correct horse");
	finish(&a, made, 0);
	assert_true(made->bytes > 50000);
	assert_int_equal(made->made.entries, 2);
	scratch_sql("state.db", VALUE("old"));

	job = submit(&a, KEEPER_RESTORE, "wrong horse");
	job->fd = dup(made->fd);
	finish(&a, job, -EKEYREJECTED);
	keeper_job_free(job);
	job = submit(&a, KEEPER_RESTORE, "correct horse");
	job->fd = dup(made->fd);
	finish(&a, job, 0);
	assert_string_equal(job->info.archive.node, "attic");
	assert_int_equal(restore_commit(db_dir_fd(a.db)), 0);
	keeper_job_free(job);
	keeper_job_free(made);
	assert_int_equal(access(scratch_path("backup.tmp"), F_OK), -1);
	end(&a);
	db_close(scratch_open());
	assert_string_equal(scratch_ask("state.db", ASK_VALUE), "new");
}

static void test_generations_use_the_passphrase_of_the_file(void **state)
{
	struct asker a;
	struct keeper_job *job;
	char file[192];
	char first[9];

	(void)state;
	(void)snprintf(file, sizeof(file), "%s", scratch_path("p"));
	begin(&a,
	      &(struct keeper_options){ .keep = 2, .passphrase_file = file });
	/* It is missing: no backup rather than one that all can read. */
	job = submit(&a, KEEPER_MAKE, NULL);
	finish(&a, job, -ENOENT);
	keeper_job_free(job);
	assert_true(keeper_status(a.keeper)->tried);
	assert_int_equal(keeper_status(a.keeper)->result, -ENOENT);
	assert_non_null(strstr(keeper_status(a.keeper)->reason.text, file));

	house_write("p", "correct horse\n");
	job = submit(&a, KEEPER_MAKE, NULL);
	finish(&a, job, 0);
	assert_int_equal(job->number, 1);
	keeper_job_free(job);
	assert_int_equal(keeper_status(a.keeper)->made.number, 1);
	assert_int_equal(keeper_status(a.keeper)->result, 0);
	assert_false(keeper_status(a.keeper)->running);

	job = submit(&a, KEEPER_FETCH, NULL);
	job->number = 1;
	finish(&a, job, 0);
	assert_int_equal(read(job->fd, first, 8), 8);
	first[8] = '\0';
	assert_string_equal(first, "\211HEARTH\n");
	keeper_job_free(job);
	job = submit(&a, KEEPER_RESTORE, NULL);
	job->number = 1;
	finish(&a, job, 0);
	keeper_job_free(job);
	job = submit(&a, KEEPER_RESTORE, "wrong horse");
	job->number = 1;
	finish(&a, job, -EKEYREJECTED);
	keeper_job_free(job);
	job = submit(&a, KEEPER_FETCH, NULL);
	job->number = 2;
	finish(&a, job, -ENOENT);
	keeper_job_free(job);
	end(&a);
}

static uint64_t monotonic(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static int64_t wall(void)
{
	return DAY + 12 * HOUR;
}

/* By itself: it is due because there is none. */
static void test_a_night_is_made_up_for(void **state)
{
	struct generation list[2];
	struct keeper_job *job;
	struct asker a;
	int dir;

	(void)state;
	/* It stays the same day. */
	clock_set_source(monotonic, wall);
	begin(&a, &(struct keeper_options){
			  .nightly = true, .keep = 3, .first_ms = 1 });
	dir = generations_dir(db_dir_fd(a.db), NULL);
	while (!keeper_status(a.keeper)->tried)
		usleep(1000);
	assert_int_equal(keeper_status(a.keeper)->result, 0);
	assert_int_equal(generations_list(dir, list, 2), 1);
	end(&a);

	/* Once. What comes after it has looked is a job's answer. */
	begin(&a, &(struct keeper_options){
			  .nightly = true, .keep = 3, .first_ms = 1 });
	job = submit(&a, KEEPER_FETCH, NULL);
	finish(&a, job, -ENOENT);
	keeper_job_free(job);
	end(&a);
	clock_set_source(NULL, NULL);
	assert_int_equal(generations_list(dir, list, 2), 1);
	close(dir);
}

static void test_a_keeper_that_stops_answers_all(void **state)
{
	struct asker a;
	struct keeper_job *job;
	unsigned int taken = 0;

	(void)state;
	begin(&a, &(struct keeper_options){ .keep = 1 });
	for (int i = 0; i < KEEPER_JOBS_MAX * 3; i++) {
		job = submit(&a, KEEPER_EXPORT, NULL);
		if (keeper_submit(a.keeper, job))
			keeper_job_free(job);
		else
			taken++;
	}
	assert_true(taken >= KEEPER_JOBS_MAX);
	keeper_stop(a.keeper);
	while ((job = mailbox_take(a.reply))) {
		assert_true(job->result == 0 || job->result == -ECANCELED);
		keeper_job_free(job);
		taken--;
	}
	assert_int_equal(taken, 0);
	end(&a);
}

static void test_each_allocation_may_fail(void **state)
{
	struct keeper_options options = { .keep = 1 };
	unsigned int n;

	(void)state;
	for (n = 0; n < 20; n++) {
		struct keeper *keeper;

		failing_malloc_arm(n);
		keeper = keeper_new(&options);
		if (!failing_malloc_disarm()) {
			assert_non_null(keeper);
			keeper_free(keeper);
			break;
		}
		assert_null(keeper);
		assert_int_equal(errno, ENOMEM);
	}
	assert_true(n >= 2 && n < 20);
	for (n = 0; n < 2; n++) {
		failing_malloc_arm(n);
		assert_null(keeper_job_new(KEEPER_EXPORT, "correct horse"));
		assert_true(failing_malloc_disarm());
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_it_is_due_once_a_day),
		TEST(test_the_hour_is_the_houses),
		TEST(test_a_passphrase_is_the_first_line),
		TEST(test_an_export_is_restored),
		TEST(test_generations_use_the_passphrase_of_the_file),
		TEST(test_a_night_is_made_up_for),
		TEST(test_a_keeper_that_stops_answers_all),
		TEST(test_each_allocation_may_fail),
	};

	seal_set_cost(4);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
