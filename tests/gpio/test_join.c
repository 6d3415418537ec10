#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "gpio/join.h"
#include "tests/failing_malloc.h"

#define LINES                            \
	"# by hub\n"                     \
	"hub = mqtts://hub.local:8883\n" \
	"node=garage\r\n"                \
	"\n"                             \
	"  user =\tgpio/garage \n"       \
	"password = a=b # c\n"
#define PEM                                   \
	"-----BEGIN CERTIFICATE-----\nAAAA\n" \
	"-----END CERTIFICATE-----\n"

static char why[JOIN_WHY_SIZE];

static void test_what_the_hub_writes_is_understood(void **state)
{
	struct join join;

	(void)state;
	assert_int_equal(join_parse(slice_str(LINES PEM), &join, why), 0);
	assert_string_equal(join.hub, "mqtts://hub.local:8883");
	assert_string_equal(join.node, "garage");
	assert_string_equal(join.user, "gpio/garage");
	assert_string_equal(join.password, "a=b # c");
	assert_string_equal(join.pem, PEM);
	assert_null(join.ca);
	assert_null(join.server_name);
	join_free(&join);
	assert_null(join.password);

	assert_int_equal(join_parse(slice_str(LINES "ca = system\n"
						    "server-name = h"),
				    &join, why),
			 0);
	assert_string_equal(join.ca, "system");
	assert_string_equal(join.server_name, "h");
	assert_null(join.pem);
	join_free(&join);
}

static void test_anything_else_is_worth_nothing(void **state)
{
	static const struct {
		const char *text;
		const char *why;
	} bad[] = {
		{ "", "are needed" },
		{ LINES, "whom is the hub known by" },
		{ LINES "ca = system\n" PEM, "whom is the hub known by" },
		{ LINES "node = b\n" PEM, "line 7: was there already" },
		{ LINES "nodes = b\n" PEM, "line 7: there is no such key" },
		{ LINES "= b\n" PEM, "line 7: there is no such key" },
		{ LINES "b\n" PEM, "line 7: is no key" },
		{ LINES "ca =\n", "line 7: the value is missing" },
		{ "hub = mqtt://h\nnode = a\nuser = b\npassword = c\n" PEM,
		  "mqtts://" },
		{ "hub = h:8883\nnode = a\nuser = b\npassword = c\n" PEM,
		  "mqtts://" },
		{ "hub = mqtts://h\nnode = a/b\nuser = b\npassword = c\n" PEM,
		  "node must be" },
		{ "hub = mqtts://h\nnode = a\nuser = b\n" PEM, "are needed" },
		/* Behind the certificates there is nothing more. */
		{ "hub = mqtts://h\nnode = a\nuser = b\n" PEM "password = c\n",
		  "are needed" },
	};
	struct join join;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(join_parse(slice_str(bad[i].text), &join, why),
				 -EINVAL);
		if (!strstr(why, bad[i].why))
			fail_msg("%zu: %s", i, why);
	}
	assert_int_equal(join_parse(slice_of(LINES PEM "\0", sizeof(LINES PEM)),
				    &join, why),
			 -EINVAL);
}

static void test_a_value_has_a_limit(void **state)
{
	static char text[2048];
	char value[JOIN_VALUE_MAX + 2];
	struct join join;

	(void)state;
	memset(value, 'x', sizeof(value));
	for (unsigned int over = 0; over < 2; over++) {
		value[JOIN_VALUE_MAX + over] = '\0';
		(void)snprintf(text, sizeof(text), "%sca = %s\n", LINES, value);
		assert_int_equal(join_parse(slice_str(text), &join, why),
				 over ? -EINVAL : 0);
		if (!over)
			join_free(&join);
		value[JOIN_VALUE_MAX] = 'x';
	}
}

struct scratch {
	char directory[32];
	char file[64];
	char ca[64];
};

static int setup(void **state)
{
	static struct scratch scratch;

	(void)snprintf(scratch.directory, sizeof(scratch.directory),
		       "/tmp/test_join.XXXXXX");
	if (!mkdtemp(scratch.directory))
		return -1;
	(void)snprintf(scratch.file, sizeof(scratch.file), "%s/join",
		       scratch.directory);
	(void)snprintf(scratch.ca, sizeof(scratch.ca), "%s/ca.pem",
		       scratch.directory);
	*state = &scratch;
	return 0;
}

static int teardown(void **state)
{
	struct scratch *scratch = *state;

	(void)unlink(scratch->file);
	(void)rmdir(scratch->file);
	(void)unlink(scratch->ca);
	return rmdir(scratch->directory);
}

static void put(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	size_t len = strlen(text);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(close(fd), 0);
}

static void test_a_file_that_others_may_read_is_not_used(void **state)
{
	static const mode_t open_modes[] = { 0640, 0604, 0660, 0602, 0610 };
	struct scratch *scratch = *state;
	struct join join;

	put(scratch->file, LINES PEM, 0600);
	assert_int_equal(join_read(scratch->file, &join, why), 0);
	join_free(&join);
	put(scratch->file, LINES PEM, 0400);
	assert_int_equal(join_read(scratch->file, &join, why), 0);
	join_free(&join);
	for (size_t i = 0; i < sizeof(open_modes) / sizeof(open_modes[0]);
	     i++) {
		assert_int_equal(chmod(scratch->file, open_modes[i]), 0);
		assert_int_equal(join_read(scratch->file, &join, why), -EPERM);
		assert_non_null(strstr(why, "chmod 600"));
	}
}

static void test_what_is_no_file_is_not_used(void **state)
{
	struct scratch *scratch = *state;
	struct join join;

	assert_int_equal(join_read(scratch->file, &join, why), -ENOENT);
	assert_string_equal(why, "No such file or directory");
	assert_int_equal(mkdir(scratch->file, 0700), 0);
	assert_int_equal(join_read(scratch->file, &join, why), -EINVAL);
	assert_string_equal(why, "is no file");
	assert_int_equal(rmdir(scratch->file), 0);
	/* Nobody writes to it: it must not be waited for. */
	assert_int_equal(mkfifo(scratch->file, 0600), 0);
	assert_int_equal(join_read(scratch->file, &join, why), -EINVAL);
}

static void test_certificates_may_be_in_a_file_of_their_own(void **state)
{
	struct scratch *scratch = *state;
	struct join join;
	char text[512];

	(void)snprintf(text, sizeof(text), "%sca = %s\n", LINES, scratch->ca);
	put(scratch->file, text, 0600);
	assert_int_equal(join_read(scratch->file, &join, why), -ENOENT);
	assert_null(join.password);
	put(scratch->ca, PEM, 0644);
	assert_int_equal(join_read(scratch->file, &join, why), 0);
	assert_string_equal(join.pem, PEM);
	join_free(&join);
}

static void test_a_file_has_a_limit(void **state)
{
	static char text[JOIN_FILE_MAX + 2];
	struct scratch *scratch = *state;
	size_t len = strlen(LINES PEM);
	struct join join;

	memset(text, '\n', sizeof(text) - 1);
	memcpy(text, LINES PEM, len);
	text[JOIN_FILE_MAX] = '\0';
	put(scratch->file, text, 0600);
	assert_int_equal(join_read(scratch->file, &join, why), 0);
	join_free(&join);
	text[JOIN_FILE_MAX] = '\n';
	put(scratch->file, text, 0600);
	assert_int_equal(join_read(scratch->file, &join, why), -EFBIG);
	assert_string_equal(why, "File too large");
}

static void test_read_survives_allocation_failure(void **state)
{
	struct scratch *scratch = *state;
	struct join join;
	unsigned int n = 0;
	char text[512];
	int r;

	(void)snprintf(text, sizeof(text), "%sca = %s\n", LINES, scratch->ca);
	put(scratch->file, text, 0600);
	put(scratch->ca, PEM, 0644);
	for (;;) {
		failing_malloc_arm(n++);
		r = join_read(scratch->file, &join, why);
		if (!failing_malloc_disarm())
			break;
		assert_int_equal(r, -ENOMEM);
	}
	assert_int_equal(r, 0);
	/* Both files and five values. */
	assert_int_equal(n, 8);
	join_free(&join);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_the_hub_writes_is_understood),
		cmocka_unit_test(test_anything_else_is_worth_nothing),
		cmocka_unit_test(test_a_value_has_a_limit),
		TEST(test_a_file_that_others_may_read_is_not_used),
		TEST(test_what_is_no_file_is_not_used),
		TEST(test_certificates_may_be_in_a_file_of_their_own),
		TEST(test_a_file_has_a_limit),
		TEST(test_read_survives_allocation_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
