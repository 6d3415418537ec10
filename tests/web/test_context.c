/* A change in config.db comes into force, if not at once then later. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "broker/admin.h"
#include "broker/base/log.h"
#include "db/access_rules.h"
#include "db/bans.h"
#include "web/context.h"

/* How often they are asked, and how many of these fail first. */
static unsigned int builds, tells;
static unsigned int bad_builds, bad_tells;

static int build(void)
{
	return builds++ < bad_builds ? -ENOMEM : 0;
}

static int tell(void)
{
	return tells++ < bad_tells ? -EAGAIN : 0;
}

int __wrap_db_access_build(struct db_config *config,
			   const struct db_access_options *options,
			   struct access **out);
int __wrap_db_bans_build(struct db_config *config, struct bans **out);
int __wrap_admin_set_access(struct admin *admin, struct access *access);
int __wrap_admin_set_bans(struct admin *admin, struct bans *bans);

int __wrap_db_access_build(struct db_config *config,
			   const struct db_access_options *options,
			   struct access **out)
{
	(void)config;
	(void)options;
	*out = NULL;
	return build();
}

int __wrap_db_bans_build(struct db_config *config, struct bans **out)
{
	(void)config;
	*out = NULL;
	return build();
}

int __wrap_admin_set_access(struct admin *admin, struct access *access)
{
	(void)admin;
	(void)access;
	return tell();
}

int __wrap_admin_set_bans(struct admin *admin, struct bans *bans)
{
	(void)admin;
	(void)bans;
	return tell();
}

static void swallow(enum log_level level, const char *line)
{
	(void)level;
	(void)line;
}

static int setup(void **state)
{
	static struct web_context web;

	web = (struct web_context){ .loop = loop_new(), .node = "test" };
	builds = tells = bad_builds = bad_tells = 0;
	log_set_sink(swallow);
	*state = &web;
	return web.loop ? 0 : -1;
}

static int teardown(void **state)
{
	struct web_context *web = *state;

	loop_timer_cancel(web->loop, &web->access_timer);
	loop_timer_cancel(web->loop, &web->bans_timer);
	loop_free(web->loop);
	log_set_sink(NULL);
	return 0;
}

/* Turns until the broker has been told for the last time. */
static void wait_told(struct web_context *web)
{
	while (tells <= bad_tells)
		assert_int_equal(loop_turn(web->loop, -1), 0);
	assert_int_equal(tells, bad_tells + 1);
}

static void test_bans_that_cannot_be_built_are_tried_again(void **state)
{
	bad_builds = 2;
	assert_int_equal(context_bans_changed(*state), -ENOMEM);
	assert_int_equal(tells, 0);
	wait_told(*state);
	assert_int_equal(builds, 3);
}

static void test_bans_that_cannot_be_told_are_tried_again(void **state)
{
	bad_tells = 1;
	assert_int_equal(context_bans_changed(*state), 0);
	wait_told(*state);
	assert_int_equal(builds, 2);
}

static void test_rules_that_cannot_be_built_are_tried_again(void **state)
{
	bad_builds = 1;
	assert_int_equal(context_access_changed(*state), -ENOMEM);
	assert_int_equal(tells, 0);
	wait_told(*state);
	assert_int_equal(builds, 3); /* ours, and the broker's */
}

static void test_rules_that_cannot_be_told_are_tried_again(void **state)
{
	bad_tells = 1;
	assert_int_equal(context_access_changed(*state), 0);
	wait_told(*state);
	assert_int_equal(builds, 4);
}

/* The next change takes the place of what was to be tried again. */
static void test_a_new_change_leaves_nothing_to_try(void **state)
{
	struct web_context *web = *state;

	bad_builds = 1;
	assert_int_equal(context_bans_changed(web), -ENOMEM);
	assert_int_equal(context_bans_changed(web), 0);
	assert_int_equal(tells, 1);
	assert_int_equal(loop_turn(web->loop, 0), 0);
	assert_int_equal(builds, 2);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_bans_that_cannot_be_built_are_tried_again),
		T(test_bans_that_cannot_be_told_are_tried_again),
		T(test_rules_that_cannot_be_built_are_tried_again),
		T(test_rules_that_cannot_be_told_are_tried_again),
		T(test_a_new_change_leaves_nothing_to_try),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
