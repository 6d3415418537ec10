#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "broker/base/clock.h"
#include "broker/base/log.h"

static char last[8192];
static enum log_level last_level;
static unsigned int lines;

static void keep(enum log_level level, const char *line)
{
	last_level = level;
	(void)snprintf(last, sizeof(last), "%s", line);
	lines++;
	errno = EIO;
}

static int with_sink(void **state)
{
	(void)state;
	last[0] = '\0';
	lines = 0;
	log_set_level(LOG_LEVEL_INFO);
	log_set_sink(keep);
	return 0;
}

static int without_sink(void **state)
{
	(void)state;
	log_set_sink(NULL);
	log_set_level(LOG_LEVEL_INFO);
	return 0;
}

static void test_what_peers_sent_cannot_forge_a_line(void **state)
{
	static const struct {
		const char *sent;
		const char *shown;
	} cases[] = {
		{ "plain text", "plain text" },
		{ "K\xc3\xbc"
		  "che \xe2\x82\xac \xf0\x9f\x92\xa1",
		  "K\xc3\xbc"
		  "che \xe2\x82\xac \xf0\x9f\x92\xa1" },
		{ "a\nb\rc\td", "a\\x0ab\\x0dc\\x09d" },
		{ "\x1b[31m", "\\x1b[31m" },
		{ "\x7f", "\\x7f" },
		{ "\xc2\x9b"
		  "31m",
		  "\\xc2\\x9b31m" }, /* a C1 control */
		{ "\xe2\x80\xa8", "\\xe2\\x80\\xa8" }, /* line separator */
		{ "\xe2\x80\xae", "\\xe2\\x80\\xae" }, /* right to left */
		{ "\xff\xfe", "\\xff\\xfe" },
		{ "\xc3", "\\xc3" }, /* cut */
		{ "\xe2\x82", "\\xe2\\x82" },
		{ "\xc3(", "\\xc3(" },
		{ "\xc0\xaf", "\\xc0\\xaf" }, /* overlong */
		{ "\xe0\x80\xaf", "\\xe0\\x80\\xaf" },
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" }, /* surrogate */
		{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" },
		{ "\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf" },
	};
	char expected[64];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		log_warn("client a", "sent %s.", cases[i].sent);
		(void)snprintf(expected, sizeof(expected), "client a: sent %s.",
			       cases[i].shown);
		assert_string_equal(last, expected);

		log_warn(cases[i].sent, "closed");
		(void)snprintf(expected, sizeof(expected), "%s: closed",
			       cases[i].shown);
		assert_string_equal(last, expected);
	}
}

static void test_the_level_decides_what_is_written(void **state)
{
	(void)state;
	log_debug("x", "not evaluated %d", (int)lines++);
	assert_int_equal(lines, 0);
	log_info("x", "yes");
	assert_int_equal(last_level, LOG_LEVEL_INFO);
	log_set_level(LOG_LEVEL_ERROR);
	log_warn("x", "no");
	assert_int_equal(lines, 1);
	log_error("x", "yes");
	assert_int_equal(last_level, LOG_LEVEL_ERROR);
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug("x", "yes");
	assert_int_equal(last_level, LOG_LEVEL_DEBUG);
	assert_int_equal(lines, 3);
}

static void test_a_long_line_is_cut_and_says_so(void **state)
{
	char bytes[5000];

	(void)state;
	memset(bytes, 0x01, sizeof(bytes) - 1);
	bytes[sizeof(bytes) - 1] = '\0';
	log_info(bytes, "%s", bytes);
	assert_true(strlen(last) < 4000);
	assert_string_equal(last + strlen(last) - 3, "...");
}

static void test_errno_is_left_alone(void **state)
{
	(void)state;
	errno = EXDEV;
	log_info("x", "y");
	assert_int_equal(errno, EXDEV);
}

static int64_t new_year(void)
{
	return INT64_C(1798761600) * 1000 - 1;
}

/* What one line of a child looks like at the other end of its standard error. */
static void line_of_child(char *out, size_t size, int journal)
{
	char stream[64];
	struct stat st;
	size_t len = 0;
	int fds[2];
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(fstat(fds[1], &st), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)snprintf(stream, sizeof(stream), "%ju:%ju",
			       (uintmax_t)st.st_dev,
			       (uintmax_t)st.st_ino + (journal == 2));
		/* The child is alone. NOLINTBEGIN(concurrency-mt-unsafe) */
		if (journal)
			setenv("JOURNAL_STREAM", stream, 1);
		else
			unsetenv("JOURNAL_STREAM");
		/* NOLINTEND(concurrency-mt-unsafe) */
		dup2(fds[1], STDERR_FILENO);
		log_set_sink(NULL);
		clock_set_source(NULL, new_year);
		log_warn("client kitchen (192.0.2.7)", "closed: %s", "\n");
		_exit(0);
	}
	close(fds[1]);
	while ((n = read(fds[0], out + len, size - 1 - len)) > 0)
		len += (size_t)n;
	out[len] = '\0';
	close(fds[0]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void test_standard_error_gets_time_and_level(void **state)
{
	char line[256];

	(void)state;
	line_of_child(line, sizeof(line), 0);
	assert_string_equal(line,
			    "2026-12-31T23:59:59.999Z warn  "
			    "client kitchen (192.0.2.7): closed: \\x0a\n");
}

static void test_the_journal_gets_the_level_as_a_prefix(void **state)
{
	char line[256];

	(void)state;
	line_of_child(line, sizeof(line), 1);
	assert_string_equal(line,
			    "<4>client kitchen (192.0.2.7): closed: \\x0a\n");
	/* Set for our parent, but our standard error is another file. */
	line_of_child(line, sizeof(line), 2);
	assert_int_equal(line[0], '2');
}

#define SINK(test) \
	cmocka_unit_test_setup_teardown(test, with_sink, without_sink)

int main(void)
{
	/* The children first: whether it is the journal is looked up once. */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_standard_error_gets_time_and_level),
		cmocka_unit_test(test_the_journal_gets_the_level_as_a_prefix),
		SINK(test_what_peers_sent_cannot_forge_a_line),
		SINK(test_the_level_decides_what_is_written),
		SINK(test_a_long_line_is_cut_and_says_so),
		SINK(test_errno_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
