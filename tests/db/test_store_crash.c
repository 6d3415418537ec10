/*
 * kill -9 in the middle of the traffic: what has been reported as committed is
 * there, batches are whole, nothing removed comes back. (That a power cut loses
 * nothing either needs more than a killed process; see tests/crash.)
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "db/db.h"
#include "tests/db/scratch.h"
#include "tests/db/store_model.h"

#define ROUNDS 12
#define SESSION 7

/*
 * Batch n saves message n with its row, and removes the ones of batch n - 3. The
 * number of each commit goes into the pipe as it is reported.
 */
static void child(int out)
{
	struct model m;
	uint64_t told = 0;

	model_open(&m, NULL, NULL);
	model_session(&m, SESSION, "anna");
	model_commit(&m);
	for (uint64_t n = 1;; n++) {
		uint64_t committed;

		model_queue(&m, SESSION, n, n, "t", "payload");
		if (n > 3) {
			m.store->ops->queue_remove(m.store, SESSION, n - 3,
						   n - 3);
			m.store->ops->message_remove(m.store, n - 3);
		}
		m.store->ops->flush(m.store);
		if (m.store->ops->congested(m.store))
			model_wait(&m, m.store->ops->current(m.store) - 1);
		committed = m.store->ops->committed(m.store);
		if (committed == told)
			continue;
		told = committed;
		if (write(out, &told, sizeof(told)) != sizeof(told))
			_exit(1);
	}
}

/* The last number reported before the child died, after at least so many. */
static uint64_t run_and_kill(unsigned int reports)
{
	uint64_t last = 0;
	uint64_t number;
	int fds[2];
	int status;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		close(fds[0]);
		child(fds[1]);
	}
	close(fds[1]);
	while (read(fds[0], &number, sizeof(number)) == sizeof(number)) {
		last = number;
		if (reports && !--reports)
			kill(pid, SIGKILL);
	}
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));

	return last;
}

static uint64_t number_of(const char *sql)
{
	return strtoull(scratch_ask("state.db", sql), NULL, 10);
}

static void test_what_was_reported_survives_a_kill(void **state)
{
	(void)state;
	for (unsigned int round = 0; round < ROUNDS; round++) {
		uint64_t reported;
		struct db *db;
		uint64_t newest;
		uint64_t left;
		char sql[128];

		scratch_make();
		reported = run_and_kill(1 + round * 7);
		db = scratch_open();

		/* Commit 1 is the session; commit n + 1 is batch n. */
		newest = number_of("SELECT coalesce(max(seq), 0) FROM queue");
		left = newest > 3 ? 3 : newest;
		assert_true(newest + 1 >= reported);
		assert_int_equal(number_of("SELECT count(*) FROM sessions"), 1);
		(void)snprintf(sql, sizeof(sql),
			       "SELECT count(*) FROM queue WHERE seq > %llu",
			       (unsigned long long)(newest - left));
		assert_int_equal(number_of(sql), left);
		assert_int_equal(number_of("SELECT count(*) FROM queue"), left);
		assert_int_equal(
			number_of("SELECT count(*) FROM queue q"
				  " JOIN messages m ON m.id = q.message"),
			left);
		/* Rows of messages that were delivered may stay until the
		 * next load. */
		(void)snprintf(sql, sizeof(sql),
			       "SELECT count(*) FROM messages WHERE id > %llu",
			       (unsigned long long)(newest - left));
		assert_int_equal(number_of(sql), left);
		db_close(db);
		scratch_remove();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_was_reported_survives_a_kill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
